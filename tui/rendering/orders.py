"""Renders orders: a row of the table, the summary, and the swimlane diagram."""

from bus.contract.timestamp import milliseconds
from bus.text.safe import fit, short, width
from bus.text.sentence import marked
from tui.model.diagnosis import WaitReason
from tui.model.swimlane import Arrow, SwimLane
from tui.model.tracked_order import TrackedOrder
from tui.rendering.canvas import Canvas, Column, Line, Table, clock, day, lasting, moment, money
from tui.rendering.words import ORDER, UNKNOWN

_ROOMY = 120
_NARROWEST = 11
"""The least cells of a swimlane's column; with less room, the diagram scrolls."""
_BROADEST = 34


TABLE = Table(
    (
        Column(marked("order"), 12, 0, most=16),
        Column(marked("state"), 12, 0, most=14),
        Column(marked("age"), 7, 3, right=True),
        Column(marked("terminal"), 12, 5),
        Column(marked("account"), 12, 11),
        Column(marked("code"), 6, 8),
        Column(marked("collected at"), 12, 7),
        Column(marked("total"), 13, 6, right=True),
        Column(marked("sorter"), 10, 9),
        Column(marked("goods"), 16, 10, most=30),
    ),
    marked("waits for"),
    54,
)
"""The table of orders."""


def row(tracked: TrackedOrder, reason: WaitReason | None, canvas: Canvas) -> Line:
    """A row of the table."""
    sign, style, word = ORDER.get(tracked.state or "", UNKNOWN)
    since = tracked.since or (tracked.hops[0].at if tracked.hops else canvas.now)
    said: Line = []
    if reason is not None:
        said = [(reason.reason.said(canvas.say), "" if reason.normal else "warn")]
    elif tracked.reason is not None:
        said = [(tracked.reason, "dim")]
    return TABLE.row(
        canvas,
        [
            (tracked.order, ""),
            (f"{sign} {canvas._(word)}", style),
            (lasting(max(0, canvas.now - since)), "dim"),
            (tracked.terminal or "", ""),
            (tracked.account or "", "dim"),
            (tracked.code or "", "key"),
            (tracked.pickup_point or "", ""),
            (money(tracked.total), ""),
            (tracked.sorter or "", ""),
            (", ".join(tracked.skus), "dim"),
        ],
        said,
    )


def summary(tracked: TrackedOrder, reason: WaitReason | None, canvas: Canvas) -> list[Line]:
    """An order in a few lines, with what it waits for and what to do."""
    sign, style, word = ORDER.get(tracked.state or "", UNKNOWN)
    point = tracked.pickup_point or "?"
    since = canvas._("  since {time}", time=clock(tracked.since)).strip() if tracked.since else ""
    code, account = tracked.code, tracked.account
    lines = canvas.flowed(
        [(tracked.order, "head")],
        [(f"{sign} {canvas._(word)}", style)],
        [(since, "dim")] if since else [],
        [(f"{tracked.terminal or '?'} → {point}", "")],
        [(money(tracked.total), "")],
        [(canvas._("code {code}", code=code), "key")] if code else [],
        [(canvas._("account {account}", account=account), "")] if account else [],
    )
    if tracked.view is not None:
        goods = ", ".join(f"{line.quantity} × {line.sku}" for line in tracked.view.lines)
        lines += canvas.lines([], [(goods, "dim")])
    else:
        lines.append([(canvas._("settlement has not said anything of it yet"), "dim")])
    return lines + reason_lines(tracked, reason, canvas)


def reason_lines(tracked: TrackedOrder, reason: WaitReason | None, canvas: Canvas) -> list[Line]:
    """What an order waits for, or why nothing more happens, in full."""
    if reason is None:
        done = canvas._("nothing more will happen") if tracked.final else canvas._("not known yet")
        said = f"{done}: {tracked.reason}" if tracked.reason else done
        return canvas.lines([], [(said, "dim")])
    sign, style = ("…", "good") if reason.normal else ("▲", "bad")
    lasts = lasting(max(0, canvas.now - reason.since))
    since = canvas._("  since {time} ({lasting})", time=clock(reason.since), lasting=lasts)
    words = reason.reason.said(canvas.say)
    lines = canvas.lines([(f"{sign} ", style)], [(words, style), (since, "dim")])
    if reason.to_do is not None:
        lines += canvas.lines([("→ ", "key")], [(reason.to_do.said(canvas.say), "key")])
    return lines


def history(tracked: TrackedOrder, canvas: Canvas) -> list[Line]:
    """The states of an order, as settlement says."""
    if tracked.view is None:
        return []
    lines: list[Line] = [[], [(canvas._("states"), "dim")]]
    for change in tracked.view.history:
        sign, style, word = ORDER.get(change.state, UNKNOWN)
        lines.append(
            [
                (fit(_when(change.at), 25), "dim"),
                (f"{sign} {canvas._(word)}", style),
                (f"  {change.reason}" if change.reason else "", "dim"),
            ]
        )
    return lines


def _when(at: str) -> str:
    """A time from settlement, in the operator's time zone."""
    try:
        told = milliseconds(at)
        return f"{day(told)} {moment(told)}"
    except (ValueError, OverflowError, OSError):
        return at


def columns(swim_lane: SwimLane, canvas: Canvas) -> tuple[int, int]:
    """The cells of the times on the left, and of a column."""
    left = 20 if canvas.width >= _ROOMY else 8
    count = max(1, len(swim_lane.columns))
    return left, max(_NARROWEST, min(_BROADEST, (canvas.width - left) // count))


def swim_lane_heading(swim_lane: SwimLane, canvas: Canvas) -> Line:
    """The names of the nodes above their columns."""
    left, cells = columns(swim_lane, canvas)
    line: Line = [(" " * left, "")]
    for name in swim_lane.columns:
        shown = _abbreviated(name, cells - 1)
        before = (cells - width(shown)) // 2
        line.append((fit(" " * before + shown, cells), "head"))
    return line


def _abbreviated(name: str, cells: int) -> str:
    """A node's name, shortened but with its number: `term-12`."""
    if width(name) <= cells:
        return short(name, cells)
    stem, dash, number = name.rpartition("-")
    if not dash or len(number) >= cells - 2:
        return short(name, cells)
    return f"{stem[: cells - len(number) - 1]}-{number}"


def arrow(arrow_: Arrow, swim_lane: SwimLane, canvas: Canvas, stuck: object = None) -> Line:
    """A message as an arrow between two columns."""
    left, cells = columns(swim_lane, canvas)
    hop = arrow_.hop
    gap = f"+{lasting(arrow_.gap)}"
    time = f"{moment(hop.at)} " if left >= 20 else ""  # noqa: PLR2004 - as in `columns`
    style = "bad" if hop.problem else "warn" if arrow_.open else "dim" if hop.kind == "rep" else ""
    if hop is stuck:
        style = "mark"
    centres = [left + cells * place + cells // 2 for place in range(len(swim_lane.columns))]
    glyphs = [" "] * (left + cells * len(swim_lane.columns))
    styles = [""] * len(glyphs)
    for centre in centres:
        glyphs[centre], styles[centre] = "│", "line"
    start, end = centres[arrow_.start], centres[arrow_.end]
    first, last = min(start, end) + 1, max(start, end)
    dash = "╌" if hop.kind == "rep" else "─"
    for cell in range(first, last):
        glyphs[cell], styles[cell] = dash, style
    if end > start:
        glyphs[last - 1] = "▶"
    elif end < start:
        glyphs[first] = "◀"
    room = last - first - 2
    label = _label(arrow_, canvas, room)
    if start == end:
        first, room = start + 1, len(glyphs) - start - 2
        label = "↺ " + label
    _write(glyphs, styles, label, first + 1, room, style or "head")
    when: Line = [(fit(time + gap, left - 1) + " ", "dim")]
    if hop is stuck:
        when = [(fit("▲ " + canvas._("stuck"), left - 1) + " ", "bad")]
    spans = when
    for cell in range(left, len(glyphs)):
        if len(spans) > 1 and spans[-1][1] == styles[cell]:
            spans[-1] = (spans[-1][0] + glyphs[cell], styles[cell])
        else:
            spans.append((glyphs[cell], styles[cell]))
    return spans


def _label(arrow_: Arrow, canvas: Canvas, room: int) -> str:
    """The operation, repetitions, problem and answer time.

    A reply without enough room leaves out its name, which its request has.
    """
    hop = arrow_.hop
    whole = _words(arrow_, canvas, [hop.name])
    return _words(arrow_, canvas, []) if hop.kind == "rep" and width(whole) > room else whole


def _words(arrow_: Arrow, canvas: Canvas, parts: list[str]) -> str:
    hop = arrow_.hop
    if arrow_.again:
        parts.append(f"×{arrow_.again + 1}")
    if hop.problem:
        parts.insert(0, "✖")
        parts.append(hop.problem)
    if hop.latency is not None:
        parts.append(lasting(hop.latency).replace(" ", ""))
    if arrow_.open:
        parts.append("… " + lasting(max(0, canvas.now - hop.at)))
    return " ".join(parts)


def _write(
    glyphs: list[str], styles: list[str], label: str, start: int, room: int, style: str
) -> None:
    """Write a label into a line; a wide character takes two cells."""
    cell = start
    for character in short(label, max(0, room)):
        wide = width(character)
        if not wide:
            glyphs[cell - 1] += character
            continue
        glyphs[cell], styles[cell] = character, style
        if wide > 1:
            glyphs[cell + 1], styles[cell + 1] = "", style
        cell += wide
