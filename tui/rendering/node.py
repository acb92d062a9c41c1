"""Renders nodes: a table, and one node in full."""

from dataclasses import dataclass, replace

from bus.text.safe import fit, width
from bus.text.sentence import marked
from tui.model.alarms import KINDS, ConsoleAlarm
from tui.model.nodes import NodeView
from tui.model.store import StoreModel
from tui.model.target import Target
from tui.rendering.canvas import Canvas, Column, Line, Table, clock, day, lasting
from tui.rendering.trends import hour, of_nodes
from tui.rendering.trends import lines as trend_lines
from tui.rendering.words import STATUS, STEP

TABLE = Table(
    (
        Column(marked("node"), 14, 0, most=20),
        Column(marked("status"), 14, 0),
        Column(marked("since"), 8, 2),
        Column(marked("messages"), 8, 3, right=True),
        Column(marked("answers"), 8, 4, right=True),
        Column(marked("not done yet"), 12, 5, right=True),
        Column(marked("version"), 10, 7),
        Column(marked("host"), 12, 6, most=20),
        Column(marked("the last hour"), 30, 8, most=60),
    ),
    marked("what it does"),
    14,
)
"""The table of nodes."""
_TWO_COLUMNS = 110
"""Cells from which facts are in two columns."""
_NAME = 26
"""The most cells of the name of a fact."""
_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A line, and what it opens."""

    line: Line
    target: Target | None = None


def row(node: NodeView, canvas: Canvas) -> Line:
    """A row of the table."""
    sign, style, word = STATUS[node.status]
    told = node.told
    job: Line = []
    if node.job is not None and node.status == "online":
        job = [(canvas._(STEP.get(node.job.step, "?")), ""), (f"  {node.job.order or ''}", "dim")]
    return TABLE.row(
        canvas,
        [
            (node.name, ""),
            (f"{sign} {canvas._(word)}", style),
            (clock(node.since) if node.since else "", "dim"),
            (canvas._("{count}/s", count=node.said.last(canvas.now)), ""),
            (lasting(node.answers.percentile(50)), ""),
            ("-" if node.outbox is None else str(node.outbox), ""),
            (node.version or "", "dim"),
            ((told.host if told is not None else None) or "", "dim"),
            (hour(node.said.per_minute(canvas.now), 30), "key"),
        ],
        job,
    )


def whole(node: NodeView, model: StoreModel, canvas: Canvas) -> list[NodeRow]:
    """A node in full."""
    sign, style, word = STATUS[node.status]
    since = canvas._("  since {time}", time=clock(node.since)) if node.since else ""
    title: Line = [(node.name + "  ", "head"), (f"{sign} {canvas._(word)}", style), (since, "dim")]
    parts = [[title, *_in_columns(_facts(node, canvas), canvas)]]
    if node.told is not None:
        counted = canvas._("counted since it started, at {time}", time=clock(node.told.at))
        parts.append(_titled(counted, _counts(node, canvas)))
    trends = trend_lines(of_nodes([node], canvas), canvas)
    parts.append([[(canvas._("the last hour"), "dim")], *trends])
    parts.append(_titled(canvas._("what it logged last"), _errors(node, canvas)))
    rows = [NodeRow(line) for part in parts if part for line in (*part, [])]
    return rows + _problems(node, canvas) + _alarms(node.name, model, canvas)


def _titled(title: str, lines: list[Line]) -> list[Line]:
    return [[(title, "dim")], *lines] if lines else []


def _facts(node: NodeView, canvas: Canvas) -> list[tuple[str, str]]:
    """The facts, each with its name; a dash for what is not known."""
    told = node.told
    began = told.since if told is not None else None
    is_up = node.status == "online" and began is not None
    up = canvas.now + (node.offset or 0) - began if is_up and began is not None else None
    job = node.job
    answers = [lasting(node.answers.percentile(percent)) for percent in (50, 95, 99)]
    facts = [
        (canvas._("role"), node.role),
        (canvas._("version"), node.version),
        (canvas._("start"), node.boot),
        (canvas._("started"), None if began is None else f"{day(began)} {clock(began)}"),
        (canvas._("runs for"), None if up is None else lasting(up)),
        (canvas._("host"), told.host if told is not None else None),
        (canvas._("process"), told.process if told is not None else None),
        (canvas._("data folder"), told.data if told is not None else None),
        (canvas._("its clock"), _clock(node, canvas)),
        (canvas._("connections in the last hour"), node.connections(canvas.now)),
        (canvas._("not done yet"), node.outbox),
        (canvas._("answers, p50 p95 p99"), "  ".join(answers)),
    ]
    if job is not None:
        step = canvas._(STEP.get(job.step, "?"))
        facts.append((canvas._("job"), f"{step}  {job.order or ''}".rstrip()))
    return [(name, "-" if value is None else str(value)) for name, value in facts]


def _clock(node: NodeView, canvas: Canvas) -> str | None:
    if node.offset is None:
        return None
    span = lasting(abs(node.offset))
    if abs(node.offset) < _SECOND:
        return canvas._("right, within {span}", span=span)
    if node.offset > 0:
        return canvas._("{span} ahead of this computer's", span=span)
    return canvas._("{span} behind this computer's", span=span)


def _in_columns(facts: list[tuple[str, str]], canvas: Canvas) -> list[Line]:
    """Names and values, in two columns if there is room."""
    several = 2 if canvas.width >= _TWO_COLUMNS else 1
    cells = canvas.width // several
    label = max(width(name) for name, _ in facts) + 2
    within = replace(canvas, width=cells - 2)
    cut = [
        within.lines([(fit(name, min(label, _NAME + 6)), "dim")], [(value, "")])
        for name, value in facts
    ]
    if several == 1:
        return [line for lines in cut for line in lines]
    half = -(-len(cut) // 2)
    left = [line for lines in cut[:half] for line in lines]
    right = [line for lines in cut[half:] for line in lines]
    joined: list[Line] = []
    for place in range(max(len(left), len(right))):
        one = left[place] if place < len(left) else []
        filling = " " * (cells - sum(width(text) for text, _ in one))
        joined.append([*one, (filling, ""), *(right[place] if place < len(right) else [])])
    return joined


def _counts(node: NodeView, canvas: Canvas) -> list[Line]:
    """Its counts; those that every node has come first."""
    told = node.told
    if told is None or not told.counts:
        return []
    names = {
        "said": canvas._("said"), "received": canvas._("received"),
        "answered": canvas._("answered"), "refused": canvas._("refused"),
    }  # fmt: skip
    order = {name: place for place, name in enumerate(names)}
    counts = sorted(told.counts.items(), key=lambda each: (order.get(each[0], 9), each[0]))
    return canvas.flowed(
        *([(f"{names.get(name, name)} ", "dim"), (str(count), "")] for name, count in counts)
    )


def _errors(node: NodeView, canvas: Canvas) -> list[Line]:
    """Its log messages, newest first."""
    lines: list[Line] = []
    for at, said in reversed(node.told.errors if node.told is not None else ()):
        lines += canvas.lines([(f"{clock(at) if at is not None else '?'}  ", "dim")], [(said, "")])
    return lines


def _problems(node: NodeView, canvas: Canvas) -> list[NodeRow]:
    if not node.problems:
        return []
    rows = [NodeRow([(canvas._("problems that it answered last"), "dim")])]
    rows += [
        NodeRow(
            [(f"{clock(each.at)}  ", "dim"), (f"✖ {each.code}", "bad"),
             (f"  {each.name} ← {each.caller}", "")],
            Target("message", str(each.number)),
        )
        for each in reversed(node.problems)
    ]  # fmt: skip
    return [*rows, NodeRow([])]


def _alarms(subject: str, model: StoreModel, canvas: Canvas) -> list[NodeRow]:
    """The active and past alarms about it."""
    of_it = [
        alarm
        for alarm in (*model.alarms.current(), *model.alarms.history())
        if alarm.subject == subject
    ]
    if not of_it:
        return [NodeRow([("✔ " + canvas._("no alarms"), "good")])]
    rows = [NodeRow([(canvas._("alarms"), "dim")])]
    for alarm in of_it:
        target = None if alarm.message is None else Target("message", str(alarm.message))
        rows += [NodeRow(line, target) for line in _alarm(alarm, canvas)]
    return rows


def _alarm(alarm: ConsoleAlarm, canvas: Canvas) -> list[Line]:
    sign, style = ("▲", "bad") if alarm.ended is None else ("○", "dim")
    until = f"-{clock(alarm.ended)}" if alarm.ended is not None else ""
    kind = canvas._(KINDS[alarm.kind])
    words = alarm.text.said(canvas.say)
    return canvas.lines(
        [(f"{sign} {clock(alarm.since)}{until}  ", style)], [(f"{kind}: {words}", style)]
    )
