"""The store at a glance: its nodes in the flow of an order, and what is wrong."""

from collections.abc import Sequence

from bus.safe import fit, width
from tui.model.nodes import NodeView, Status
from tui.model.store import StoreModel
from tui.picture.alarms import shown
from tui.picture.paper import Line, Paper, clock, lasting, spark
from tui.picture.words import MARK, SEVERITY, STATUS, STEP

_BOX = 6
"""Lines of a box."""
_ARROW = 4
"""Cells between two boxes."""
_WIDEST = 44
_NAMES = 6
"""The most lost terminals that are named."""


def picture(model: StoreModel, paper: Paper, *, up: bool, broker: str) -> list[Line]:
    """The flow as boxes, the sorters' jobs, the alarms: as much as there is room for."""
    nodes = list(model.nodes)
    terminals = [node for node in nodes if node.role == "terminal"]
    sorters = [node for node in nodes if node.role == "sorter"]
    cells = max(16, min(_WIDEST, (paper.width - 2 * _ARROW) // 3))
    settlement, catalog, warehouse = (
        _role(model, paper, name, cells) for name in ("settlement", "catalog", "warehouse")
    )
    upper = [_group(paper, paper._("terminals"), terminals, cells), settlement, catalog]
    lower = [_group(paper, paper._("sorters"), sorters, cells), warehouse,
             _broker(model, paper, cells, up=up, broker=broker)]  # fmt: skip
    lines = _beside(upper, "──▶ ", "──▶ ")
    lines.append([(" " * (cells + _ARROW + cells // 2) + "▼", "line")])
    lines += _beside(lower, " ◀──", "    ")
    lines.append([])
    lines += _lost(paper, terminals)
    lines += [_job(paper, sorter) for sorter in sorters[: max(2, paper.height // 4)]]
    return lines + _alarms(model, paper)


def _box(title: str, style: str, rows: Sequence[Line], cells: int) -> list[Line]:
    inside = cells - 2
    name = fit(title, min(inside - 2, width(title)))
    lines: list[Line] = [
        [("╭ ", "line"), (name, style or "head"),
         (" " + "─" * (inside - 2 - width(name)) + "╮", "line")]
    ]  # fmt: skip
    filled = [*rows, *([[]] * _BOX)][: _BOX - 2]
    lines += [[("│", "line"), *_cut(row, inside), ("│", "line")] for row in filled]
    lines.append([("╰" + "─" * inside + "╯", "line")])
    return lines


def _cut(line: Line, cells: int) -> Line:
    """A line exactly so many cells wide."""
    spans: Line = []
    for text, style in line:
        shown = fit(text, min(cells, width(text)))
        spans.append((shown, style))
        cells -= width(shown)
    return [*spans, (" " * cells, "")]


def _beside(boxes: Sequence[list[Line]], first: str, second: str) -> list[Line]:
    lines: list[Line] = []
    for row in range(_BOX):
        arrows = (first, second) if row == _BOX // 2 - 1 else (" " * _ARROW,) * 2
        left, middle, right = (box[row] for box in boxes)
        lines.append([*left, (arrows[0], "line"), *middle, (arrows[1], "line"), *right])
    return lines


def _role(model: StoreModel, paper: Paper, name: str, cells: int) -> list[Line]:
    node = model.nodes.get(name) or NodeView(name)
    sign, style, word = STATUS[node.status]
    state = [(f"{sign} {paper._(word)}", style)]
    if node.status == "lost":
        state.append((paper._(" since {time}", time=clock(node.since)), style))
    half = (
        paper._("p50 {half}  p99 {most}", half=lasting(node.answers.percentile(50)),
                most=lasting(node.answers.percentile(99)))
    )  # fmt: skip
    waiting = "-" if node.outbox is None else str(node.outbox)
    return _box(
        name, "bad" if node.status == "lost" else "",
        [state, _rate(paper, [node], cells), [(half, "")],
         [(paper._("not done yet {count}", count=waiting), "")]],
        cells,
    )  # fmt: skip


def _rate(paper: Paper, nodes: Sequence[NodeView], cells: int) -> Line:
    counts = [node.said.per_second(paper.now)[:-1] for node in nodes]
    longest = max((len(count) for count in counts), default=0)
    total = [
        sum(count[-back] for count in counts if len(count) >= back)
        for back in range(longest, 0, -1)
    ]
    number = paper._("{count}/s", count=total[-1] if total else 0)
    return [(fit(number, 7), ""), (spark(total, cells - 10), "key")]


def _group(paper: Paper, title: str, nodes: Sequence[NodeView], cells: int) -> list[Line]:
    counts: dict[Status, int] = {}
    for node in nodes:
        counts[node.status] = counts.get(node.status, 0) + 1
    rows: list[Line] = []
    state: Line = []
    for status in ("online", "lost", "offline", "unknown"):
        if counts.get(status):
            sign, style, word = STATUS[status]
            state.append((f"{sign} {counts[status]} {paper._(word)} ", style))
    rows.append(state or [(paper._("none"), "dim")])
    rows.append(_rate(paper, nodes, cells))
    answers = sorted(value for node in nodes if (value := node.answers.percentile(50)) is not None)
    half = answers[len(answers) // 2] if answers else None
    rows.append([(paper._("p50 {half}", half=lasting(half)), "")])
    return _box(title, "bad" if counts.get("lost") else "", rows, cells)


def _broker(model: StoreModel, paper: Paper, cells: int, *, up: bool, broker: str) -> list[Line]:
    sign, style, word = STATUS["online" if up else "lost"]
    counts = model.rate.per_second(paper.now)[:-1]
    number = paper._("{count}/s", count=model.rate.last(paper.now))
    return _box(
        paper._("broker"), "" if up else "bad",
        [[(f"{sign} {paper._(word)}", style)],
         [(fit(number, 7), ""), (spark(counts, cells - 10), "key")],
         [(broker, "dim")],
         [(paper._("{count} heard", count=model.history.heard), "")]],
        cells,
    )  # fmt: skip


def _lost(paper: Paper, terminals: Sequence[NodeView]) -> list[Line]:
    lost = [node for node in terminals if node.status == "lost"]
    if not lost:
        return []
    names = ", ".join(node.name for node in lost[:_NAMES])
    more = len(lost) - _NAMES
    if more > 0:
        names = paper._("{names} and {count} more", names=names, count=more)
    return [[("✖ " + paper._("lost: {names}", names=names), "bad")]]


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


def _alarms(model: StoreModel, paper: Paper) -> list[Line]:
    current = [group for group in shown(model.alarms, "severity", None) if group.head.open]
    if not current:
        return [[("✔ " + paper._("no alarms"), "good")]]
    lines: list[Line] = [
        [
            (f"▲ {MARK[group.severity]} {clock(group.head.since)}  ", SEVERITY[group.severity][1]),
            (group.text.said(paper.say), ""),
        ]
        for group in current
    ]
    room = max(3, paper.height - 2 * _BOX - 3)
    if len(lines) > room:
        more = paper._("{count} more: press 5", count=len(lines) - room + 1)
        return [*lines[: room - 1], [(more, "warn")]]
    return lines
