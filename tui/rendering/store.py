"""Renders the store at a glance: the nodes in the flow of an order, and what is wrong."""

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
from tui.rendering.canvas import Canvas, Line, breadth, clock, lasting, shortened
from tui.rendering.diagram import Diagram, Hotspot
from tui.rendering.orders import TABLE
from tui.rendering.orders import row as order_row
from tui.rendering.trends import ROLES, hour, of_store
from tui.rendering.trends import lines as trend_lines
from tui.rendering.words import MARK, SEVERITY, STATUS, STEP

_BOX = 6
"""The lines of a box."""
_ARROW = 4
"""The cells between two boxes."""
_WIDEST = 72
_TWO_PANES = 140
"""Cells from which the trends are beside the lists below the boxes."""
_NAMES = 6
"""The most lost terminals that are named."""


def store_diagram(
    model: StoreModel, canvas: Canvas, chosen: Target | None = None, *, up: bool, broker: str
) -> Diagram:
    """Boxes of the nodes, sorters' jobs, alarms, orders and trends, as far as there is room.

    Args:
        model: of the store.
        canvas: to draw on.
        chosen: the selected target.
        up: whether there is a connection to the broker.
        broker: its address.
    """
    nodes = list(model.nodes)
    terminals = [node for node in nodes if node.role == "terminal"]
    sorters = [node for node in nodes if node.role == "sorter"]
    cells = max(16, min(_WIDEST, (canvas.width - 2 * _ARROW) // 3))
    boxes = [
        _group(canvas, "terminal", terminals), _role(model, canvas, "settlement"),
        _role(model, canvas, "catalog"), _group(canvas, "sorter", sorters),
        _role(model, canvas, "warehouse"), _broker(model, canvas, up=up, broker=broker),
    ]  # fmt: skip
    drawn = [_drawn(box, cells, canvas, is_chosen=box.target == chosen) for box in boxes]
    lines = _beside(drawn[:3], "──▶ ", "──▶ ")
    lines.append([(" " * (cells + _ARROW + cells // 2) + "▼", "line")])
    lines += _beside(drawn[3:], " ◀──", "    ")
    hotspots = [
        Hotspot(box.target, place % 3 * (cells + _ARROW), place // 3 * (_BOX + 1), cells, _BOX)
        for place, box in enumerate(boxes)
    ]
    lines.append([])
    top = len(lines)
    left = replace(canvas, width=canvas.width // 2 - 2) if canvas.width >= _TWO_PANES else canvas
    parts = _below(model, left, terminals, sorters, canvas.height - top)
    if left is not canvas:
        taken = sum(len(part.lines) for part in parts)
        parts += _orders(model, left, canvas.height - top - taken)
    for part in parts:
        if part.target is not None:
            hotspots.append(Hotspot(part.target, 0, len(lines), left.width, len(part.lines)))
        is_chosen = part.target is not None and part.target == chosen
        lines += [_marked(line) for line in part.lines] if is_chosen else part.lines
    if left is canvas:
        lines += _trends(model, canvas, canvas.height - len(lines) - 2, [[]])
    else:
        right = replace(canvas, width=canvas.width - left.width - 3)
        trends = _trends(model, right, canvas.height - top - 1, [])
        lines[top:] = _side_by_side(lines[top:], trends, left.width + 3)
    return Diagram(lines, hotspots)


class _Box(NamedTuple):
    """A box of the diagram."""

    target: Target
    title: str
    style: str
    rows: Sequence[Callable[[Canvas], Line]]


class _Part(NamedTuple):
    """Lines below the boxes that belong together, and what they open."""

    lines: list[Line]
    target: Target | None = None


def _below(
    model: StoreModel, canvas: Canvas, terminals: Sequence[NodeView], sorters: Sequence[NodeView],
    room: int,
) -> list[_Part]:  # fmt: skip
    """Lost terminals, sorters' jobs, alarms."""
    parts = _lost(canvas, terminals)
    parts += [_Part([_job(canvas, sorter)], Target("node", sorter.name))
              for sorter in sorters[: max(2, canvas.height // 4)]]  # fmt: skip
    taken = sum(len(part.lines) for part in parts)
    return parts + _alarms(model, canvas, max(3, room - taken))


def _orders(model: StoreModel, canvas: Canvas, room: int) -> list[_Part]:
    """The orders that were last active, as many as there is room for."""
    tracked_orders = nlargest(max(0, room - 3), model.orders, key=lambda tracked: tracked.active)
    if not tracked_orders:
        return []
    return [
        _Part([[], TABLE.heading(canvas)]),
        *(
            _Part(
                [order_row(tracked, model.diagnose(tracked), canvas)],
                Target("order", tracked.order),
            )
            for tracked in tracked_orders
        ),
    ]


def _trends(model: StoreModel, canvas: Canvas, room: int, before: list[Line]) -> list[Line]:
    """The trends of the last hour, as many as there is room for."""
    trends = of_store(model, canvas)[: max(0, room)]
    if not trends:
        return []
    return [*before, [(canvas._("the last hour"), "dim")], *trend_lines(trends, canvas)]


def _side_by_side(left: list[Line], right: list[Line], cells: int) -> list[Line]:
    return [
        [*one, (" " * (cells - breadth(one)), ""), *other] if other else one
        for one, other in zip_longest(left, right, fillvalue=cast("Line", []))
    ]


def _marked(line: Line) -> Line:
    return [(text, "mark") for text, _ in line]


def _drawn(box: _Box, cells: int, canvas: Canvas, *, is_chosen: bool) -> list[Line]:
    """A box; the selected one has thick lines."""
    corner = "┏┓┗┛━┃" if is_chosen else "╭╮╰╯─│"
    edge = "key" if is_chosen else "line"
    inside = cells - 2
    name = fit(box.title, min(inside - 2, width(box.title)))
    lines: list[Line] = [
        [(f"{corner[0]} ", edge), (name, box.style or "head"),
         (" " + corner[4] * (inside - 2 - width(name)) + corner[1], edge)]
    ]  # fmt: skip
    within = replace(canvas, width=inside)
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


def _role(model: StoreModel, canvas: Canvas, name: str) -> _Box:
    node = model.nodes.get(name) or NodeView(name)
    sign, style, word = STATUS[node.status]
    since = canvas._(" since {time}", time=clock(node.since)) if node.status == "lost" else ""
    half = canvas._("p50 {half}  p99 {most}", half=lasting(node.answers.percentile(50)),
                   most=lasting(node.answers.percentile(99)))  # fmt: skip
    waiting = "-" if node.outbox is None else str(node.outbox)
    return _Box(
        Target("node", name), name, "bad" if node.status == "lost" else "",
        [lambda within: within.fitted((0, f"{sign} {canvas._(word)}", style), (1, since, style)),
         _rate([node]),
         lambda _: [(half, "")],
         lambda _: [(canvas._("not done yet {count}", count=waiting), "")]],
    )  # fmt: skip


def _rate(nodes: Sequence[NodeView]) -> Callable[[Canvas], Line]:
    """The message rate of some nodes, now and in the last hour."""

    def row(canvas: Canvas) -> Line:
        number = canvas._("{count}/s", count=sum(node.said.last(canvas.now) for node in nodes))
        minutes = summed([node.said.per_minute(canvas.now) for node in nodes])
        return [(fit(number, 8), ""), (hour(minutes, canvas.width - 8), "key")]

    return row


def _group(canvas: Canvas, role: str, nodes: Sequence[NodeView]) -> _Box:
    counts = Counter(node.status for node in nodes)
    state = [
        (rank, f"{STATUS[status][0]} {counts[status]} {canvas._(STATUS[status][2])} ",
         STATUS[status][1])
        for rank, status in _IMPORTANT
        if counts[status]
    ]  # fmt: skip
    answers = sorted(value for node in nodes if (value := node.answers.percentile(50)) is not None)
    half = answers[len(answers) // 2] if answers else None
    return _Box(
        Target("group", role), canvas._(ROLES[role]), "bad" if counts["lost"] else "",
        [lambda within: within.fitted(*state) if state else [(canvas._("none"), "dim")],
         _rate(nodes),
         lambda _: [(canvas._("p50 {half}", half=lasting(half)), "")]],
    )  # fmt: skip


_IMPORTANT: tuple[tuple[int, Status], ...] = (
    (1, "online"), (0, "lost"), (2, "offline"), (3, "unknown"),
)  # fmt: skip
"""The rank of a status; the number of lost nodes is never left out."""


def _broker(model: StoreModel, canvas: Canvas, *, up: bool, broker: str) -> _Box:
    sign, style, word = STATUS["online" if up else "lost"]
    number = canvas._("{count}/s", count=model.rate.last(canvas.now))
    minutes = model.rate.per_minute(canvas.now)
    return _Box(
        Target("broker"), canvas._("broker"), "" if up else "bad",
        [lambda _: [(f"{sign} {canvas._(word)}", style)],
         lambda within: [(fit(number, 8), ""), (hour(minutes, within.width - 8), "key")],
         lambda _: [(broker, "dim")],
         lambda _: [(canvas._("{count} heard", count=model.history.heard), "")]],
    )  # fmt: skip


def _lost(canvas: Canvas, terminals: Sequence[NodeView]) -> list[_Part]:
    lost = [node for node in terminals if node.status == "lost"]
    if not lost:
        return []
    names = ", ".join(node.name for node in lost[:_NAMES])
    more = len(lost) - _NAMES
    if more > 0:
        names = canvas._("{names} and {count} more", names=names, count=more)
    words: Line = [(canvas._("lost: {names}", names=names), "bad")]
    target = Target("node", lost[0].name) if len(lost) == 1 else Target("group", "terminal")
    return [_Part(canvas.lines([("✖ ", "bad")], words), target)]


def _job(canvas: Canvas, sorter: NodeView) -> Line:
    sign, style, word = STATUS[sorter.status]
    job = sorter.job
    line: Line = [(f"{sign} {fit(sorter.name, 12)} ", style)]
    if sorter.status != "online" or job is None:
        return [*line, (canvas._(word), style)]
    line.append((fit(canvas._(STEP.get(job.step, "?")), 14), ""))
    if job.order is not None and job.step not in ("idle", "done", "aborted"):
        line.append((progress(job.pick, job.picks, 12) + " ", "key"))
        line.append((job.order, "dim"))
    return line


def progress(done: int, total: int, cells: int) -> str:
    """The progress of a job as a bar and in numbers."""
    part = min(done, total) * cells // total if total else 0
    return f"{'█' * part}{'░' * (cells - part)} {min(done + 1, total)}/{total}"


def _alarms(model: StoreModel, canvas: Canvas, room: int) -> list[_Part]:
    """The alarms in full, as many as there is room for, and the number of others."""
    current = [group for group in shown(model.alarms, "severity", None) if group.head.open]
    if not current:
        return [_Part([[("✔ " + canvas._("no alarms"), "good")]])]
    parts: list[_Part] = []
    for place, group in enumerate(current):
        alarm = group.head
        words: Line = [(group.text.said(canvas.say), "")]
        style = SEVERITY[group.severity][1]
        head = f"▲ {MARK[group.severity]} {clock(alarm.since)}  "
        lines = canvas.lines([(head, style)], words)
        taken = sum(len(part.lines) for part in parts)
        is_last = place == len(current) - 1
        if parts and taken + len(lines) > room - (not is_last):
            more = canvas._("{count} more: press 5", count=len(current) - place)
            return [*parts, _Part([[(more, "warn")]])]
        parts.append(_Part(lines, Target("alarm", f"{alarm.kind} {alarm.subject}")))
    return parts
