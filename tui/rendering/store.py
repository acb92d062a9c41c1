"""The store at a glance: its nodes in the flow of an order, and what is wrong."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from heapq import nlargest
from itertools import zip_longest
from typing import NamedTuple, cast

from bus.text.safe import fit, width
from tui.model.nodes import NodeView, Status
from tui.model.rates import summed
from tui.model.store import StoreModel
from tui.model.target import Target
from tui.rendering.alarms import shown
from tui.rendering.canvas import Line, Paper, breadth, clock, lasting, shortened
from tui.rendering.diagram import Picture, Spot
from tui.rendering.orders import TABLE
from tui.rendering.orders import row as order_row
from tui.rendering.trends import ROLES, hour, of_store
from tui.rendering.trends import lines as trend_lines
from tui.rendering.words import MARK, SEVERITY, STATUS, STEP

_BOX = 6
"""Lines of a box."""
_ARROW = 4
"""Cells between two boxes."""
_WIDEST = 72
_TWO_PANES = 140
"""Cells from which the trends stand beside what is below the boxes."""
_NAMES = 6
"""The most lost terminals that are named."""


def picture(
    model: StoreModel, paper: Paper, chosen: Target | None = None, *, up: bool, broker: str
) -> Picture:
    """The flow as boxes, the sorters' jobs, the alarms, the trends: as much as there is room for.

    Args:
        model: of the store.
        paper: to draw on.
        chosen: what is marked.
        up: whether the broker is heard.
        broker: its address.
    """
    nodes = list(model.nodes)
    terminals = [node for node in nodes if node.role == "terminal"]
    sorters = [node for node in nodes if node.role == "sorter"]
    cells = max(16, min(_WIDEST, (paper.width - 2 * _ARROW) // 3))
    boxes = [
        _group(paper, "terminal", terminals), _role(model, paper, "settlement"),
        _role(model, paper, "catalog"), _group(paper, "sorter", sorters),
        _role(model, paper, "warehouse"), _broker(model, paper, up=up, broker=broker),
    ]  # fmt: skip
    drawn = [_drawn(box, cells, paper, is_chosen=box.target == chosen) for box in boxes]
    lines = _beside(drawn[:3], "──▶ ", "──▶ ")
    lines.append([(" " * (cells + _ARROW + cells // 2) + "▼", "line")])
    lines += _beside(drawn[3:], " ◀──", "    ")
    spots = [
        Spot(box.target, place % 3 * (cells + _ARROW), place // 3 * (_BOX + 1), cells, _BOX)
        for place, box in enumerate(boxes)
    ]
    lines.append([])
    top = len(lines)
    left = replace(paper, width=paper.width // 2 - 2) if paper.width >= _TWO_PANES else paper
    parts = _below(model, left, terminals, sorters, paper.height - top)
    if left is not paper:
        taken = sum(len(part.lines) for part in parts)
        parts += _orders(model, left, paper.height - top - taken)
    for part in parts:
        if part.target is not None:
            spots.append(Spot(part.target, 0, len(lines), left.width, len(part.lines)))
        is_chosen = part.target is not None and part.target == chosen
        lines += [_marked(line) for line in part.lines] if is_chosen else part.lines
    if left is paper:
        lines += _trends(model, paper, paper.height - len(lines) - 2, [[]])
    else:
        right = replace(paper, width=paper.width - left.width - 3)
        trends = _trends(model, right, paper.height - top - 1, [])
        lines[top:] = _side_by_side(lines[top:], trends, left.width + 3)
    return Picture(lines, spots)


class _Box(NamedTuple):
    """What stands in a box."""

    target: Target
    title: str
    style: str
    rows: Sequence[Callable[[Paper], Line]]


class _Part(NamedTuple):
    """Lines below the boxes that belong together, and what they open."""

    lines: list[Line]
    target: Target | None = None


def _below(
    model: StoreModel, paper: Paper, terminals: Sequence[NodeView], sorters: Sequence[NodeView],
    room: int,
) -> list[_Part]:  # fmt: skip
    """Who is lost, what the sorters do, what is wrong."""
    parts = _lost(paper, terminals)
    parts += [_Part([_job(paper, sorter)], Target("node", sorter.name))
              for sorter in sorters[: max(2, paper.height // 4)]]  # fmt: skip
    taken = sum(len(part.lines) for part in parts)
    return parts + _alarms(model, paper, max(3, room - taken))


def _orders(model: StoreModel, paper: Paper, room: int) -> list[_Part]:
    """Those that moved last, as many as there is room for."""
    tracks = nlargest(max(0, room - 3), model.orders, key=lambda track: track.active)
    if not tracks:
        return []
    return [
        _Part([[], TABLE.heading(paper)]),
        *(
            _Part([order_row(track, model.why(track), paper)], Target("order", track.order))
            for track in tracks
        ),
    ]


def _trends(model: StoreModel, paper: Paper, room: int, before: list[Line]) -> list[Line]:
    """The last hour, as much of it as there is room for."""
    trends = of_store(model, paper)[: max(0, room)]
    if not trends:
        return []
    return [*before, [(paper._("the last hour"), "dim")], *trend_lines(trends, paper)]


def _side_by_side(left: list[Line], right: list[Line], cells: int) -> list[Line]:
    return [
        [*one, (" " * (cells - breadth(one)), ""), *other] if other else one
        for one, other in zip_longest(left, right, fillvalue=cast("Line", []))
    ]


def _marked(line: Line) -> Line:
    return [(text, "mark") for text, _ in line]


def _drawn(box: _Box, cells: int, paper: Paper, *, is_chosen: bool) -> list[Line]:
    """A box; a chosen one is drawn with thick lines."""
    corner = "┏┓┗┛━┃" if is_chosen else "╭╮╰╯─│"
    edge = "key" if is_chosen else "line"
    inside = cells - 2
    name = fit(box.title, min(inside - 2, width(box.title)))
    lines: list[Line] = [
        [(f"{corner[0]} ", edge), (name, box.style or "head"),
         (" " + corner[4] * (inside - 2 - width(name)) + corner[1], edge)]
    ]  # fmt: skip
    within = replace(paper, width=inside)
    rows = [row(within) for row in box.rows]
    for row in (*rows, *([[]] * _BOX))[: _BOX - 2]:
        line = shortened(row, inside)
        filling = " " * (inside - breadth(line))
        lines.append([(corner[5], edge), *line, (filling, ""), (corner[5], edge)])
    lines.append([(corner[2] + corner[4] * inside + corner[3], edge)])
    return lines


def _beside(boxes: Sequence[list[Line]], first: str, second: str) -> list[Line]:
    lines: list[Line] = []
    for row in range(_BOX):
        arrows = (first, second) if row == _BOX // 2 - 1 else (" " * _ARROW,) * 2
        left, middle, right = (box[row] for box in boxes)
        lines.append([*left, (arrows[0], "line"), *middle, (arrows[1], "line"), *right])
    return lines


def _role(model: StoreModel, paper: Paper, name: str) -> _Box:
    node = model.nodes.get(name) or NodeView(name)
    sign, style, word = STATUS[node.status]
    since = paper._(" since {time}", time=clock(node.since)) if node.status == "lost" else ""
    half = paper._("p50 {half}  p99 {most}", half=lasting(node.answers.percentile(50)),
                   most=lasting(node.answers.percentile(99)))  # fmt: skip
    waiting = "-" if node.outbox is None else str(node.outbox)
    return _Box(
        Target("node", name), name, "bad" if node.status == "lost" else "",
        [lambda within: within.fitted((0, f"{sign} {paper._(word)}", style), (1, since, style)),
         _rate([node]),
         lambda _: [(half, "")],
         lambda _: [(paper._("not done yet {count}", count=waiting), "")]],
    )  # fmt: skip


def _rate(nodes: Sequence[NodeView]) -> Callable[[Paper], Line]:
    """How much some nodes say, now and in the last hour."""

    def row(paper: Paper) -> Line:
        number = paper._("{count}/s", count=sum(node.said.last(paper.now) for node in nodes))
        minutes = summed([node.said.per_minute(paper.now) for node in nodes])
        return [(fit(number, 8), ""), (hour(minutes, paper.width - 8), "key")]

    return row


def _group(paper: Paper, role: str, nodes: Sequence[NodeView]) -> _Box:
    counts = Counter(node.status for node in nodes)
    state = [
        (rank, f"{STATUS[status][0]} {counts[status]} {paper._(STATUS[status][2])} ",
         STATUS[status][1])
        for rank, status in _IMPORTANT
        if counts[status]
    ]  # fmt: skip
    answers = sorted(value for node in nodes if (value := node.answers.percentile(50)) is not None)
    half = answers[len(answers) // 2] if answers else None
    return _Box(
        Target("group", role), paper._(ROLES[role]), "bad" if counts["lost"] else "",
        [lambda within: within.fitted(*state) if state else [(paper._("none"), "dim")],
         _rate(nodes),
         lambda _: [(paper._("p50 {half}", half=lasting(half)), "")]],
    )  # fmt: skip


_IMPORTANT: tuple[tuple[int, Status], ...] = (
    (1, "online"), (0, "lost"), (2, "offline"), (3, "unknown"),
)  # fmt: skip
"""How unimportant it is that nodes are in a status: of the lost ones it is always said."""


def _broker(model: StoreModel, paper: Paper, *, up: bool, broker: str) -> _Box:
    sign, style, word = STATUS["online" if up else "lost"]
    number = paper._("{count}/s", count=model.rate.last(paper.now))
    minutes = model.rate.per_minute(paper.now)
    return _Box(
        Target("broker"), paper._("broker"), "" if up else "bad",
        [lambda _: [(f"{sign} {paper._(word)}", style)],
         lambda within: [(fit(number, 8), ""), (hour(minutes, within.width - 8), "key")],
         lambda _: [(broker, "dim")],
         lambda _: [(paper._("{count} heard", count=model.history.heard), "")]],
    )  # fmt: skip


def _lost(paper: Paper, terminals: Sequence[NodeView]) -> list[_Part]:
    lost = [node for node in terminals if node.status == "lost"]
    if not lost:
        return []
    names = ", ".join(node.name for node in lost[:_NAMES])
    more = len(lost) - _NAMES
    if more > 0:
        names = paper._("{names} and {count} more", names=names, count=more)
    words: Line = [(paper._("lost: {names}", names=names), "bad")]
    target = Target("node", lost[0].name) if len(lost) == 1 else Target("group", "terminal")
    return [_Part(paper.lines([("✖ ", "bad")], words), target)]


def _job(paper: Paper, sorter: NodeView) -> Line:
    sign, style, word = STATUS[sorter.status]
    job = sorter.job
    line: Line = [(f"{sign} {fit(sorter.name, 12)} ", style)]
    if sorter.status != "online" or job is None:
        return [*line, (paper._(word), style)]
    line.append((fit(paper._(STEP.get(job.step, "?")), 14), ""))
    if job.order is not None and job.step not in ("idle", "done", "aborted"):
        line.append((progress(job.pick, job.picks, 12) + " ", "key"))
        line.append((job.order, "dim"))
    return line


def progress(done: int, total: int, cells: int) -> str:
    """So much of a job as a bar, and in numbers."""
    part = min(done, total) * cells // total if total else 0
    return f"{'█' * part}{'░' * (cells - part)} {min(done + 1, total)}/{total}"


def _alarms(model: StoreModel, paper: Paper, room: int) -> list[_Part]:
    """Each with all of its words, as long as there is room; how many more there are."""
    current = [group for group in shown(model.alarms, "severity", None) if group.head.open]
    if not current:
        return [_Part([[("✔ " + paper._("no alarms"), "good")]])]
    parts: list[_Part] = []
    for place, group in enumerate(current):
        alarm = group.head
        words: Line = [(group.text.said(paper.say), "")]
        style = SEVERITY[group.severity][1]
        head = f"▲ {MARK[group.severity]} {clock(alarm.since)}  "
        lines = paper.lines([(head, style)], words)
        taken = sum(len(part.lines) for part in parts)
        is_last = place == len(current) - 1
        if parts and taken + len(lines) > room - (not is_last):
            more = paper._("{count} more: press 5", count=len(current) - place)
            return [*parts, _Part([[(more, "warn")]])]
        parts.append(_Part(lines, Target("alarm", f"{alarm.kind} {alarm.subject}")))
    return parts
