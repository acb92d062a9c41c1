"""An order as one line of the table, and its way as a swim-lane."""

from bus.contract.timestamp import milliseconds
from bus.text.safe import fit, short, width
from bus.text.sentence import marked
from tui.model.diagnosis import Why
from tui.model.swimlane import Arrow, Lane
from tui.model.tracked_order import Track
from tui.rendering.canvas import Column, Line, Paper, Table, clock, day, lasting, moment, money
from tui.rendering.words import ORDER, UNKNOWN

_ROOMY = 120
_NARROWEST = 11
"""Cells of a swim-lane's column at least; then the picture scrolls."""
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
"""What there is to say of each order."""


def row(track: Track, reason: Why | None, paper: Paper) -> Line:
    """Order, state, age in it, who and where, and what it waits for."""
    sign, style, word = ORDER.get(track.state or "", UNKNOWN)
    since = track.since or (track.hops[0].at if track.hops else paper.now)
    said: Line = []
    if reason is not None:
        said = [(reason.reason.said(paper.say), "" if reason.normal else "warn")]
    elif track.reason is not None:
        said = [(track.reason, "dim")]
    return TABLE.row(
        paper,
        [
            (track.order, ""),
            (f"{sign} {paper._(word)}", style),
            (lasting(max(0, paper.now - since)), "dim"),
            (track.terminal or "", ""),
            (track.account or "", "dim"),
            (track.code or "", "key"),
            (track.pickup_point or "", ""),
            (money(track.total), ""),
            (track.sorter or "", ""),
            (", ".join(track.skus), "dim"),
        ],
        said,
    )


def summary(track: Track, reason: Why | None, paper: Paper) -> list[Line]:
    """What can be said of an order: what it is, why it is not done, and what to do."""
    sign, style, word = ORDER.get(track.state or "", UNKNOWN)
    point = track.pickup_point or "?"
    since = paper._("  since {time}", time=clock(track.since)).strip() if track.since else ""
    code, account = track.code, track.account
    lines = paper.flowed(
        [(track.order, "head")],
        [(f"{sign} {paper._(word)}", style)],
        [(since, "dim")] if since else [],
        [(f"{track.terminal or '?'} → {point}", "")],
        [(money(track.total), "")],
        [(paper._("code {code}", code=code), "key")] if code else [],
        [(paper._("account {account}", account=account), "")] if account else [],
    )
    if track.view is not None:
        goods = ", ".join(f"{line.quantity} × {line.sku}" for line in track.view.lines)
        lines += paper.lines([], [(goods, "dim")])
    else:
        lines.append([(paper._("settlement has not told of it yet"), "dim")])
    return lines + why_lines(track, reason, paper)


def why_lines(track: Track, reason: Why | None, paper: Paper) -> list[Line]:
    """What an order waits for, or why nothing more happens, with all its words."""
    if reason is None:
        done = paper._("nothing more will happen") if track.final else paper._("not known yet")
        said = f"{done}: {track.reason}" if track.reason else done
        return paper.lines([], [(said, "dim")])
    sign, style = ("…", "good") if reason.normal else ("▲", "bad")
    lasts = lasting(max(0, paper.now - reason.since))
    since = paper._("  since {time} ({lasting})", time=clock(reason.since), lasting=lasts)
    words = reason.reason.said(paper.say)
    lines = paper.lines([(f"{sign} ", style)], [(words, style), (since, "dim")])
    if reason.to_do is not None:
        lines += paper.lines([("→ ", "key")], [(reason.to_do.said(paper.say), "key")])
    return lines


def history(track: Track, paper: Paper) -> list[Line]:
    """The states that settlement says it went through."""
    if track.view is None:
        return []
    lines: list[Line] = [[], [(paper._("states"), "dim")]]
    for change in track.view.history:
        sign, style, word = ORDER.get(change.state, UNKNOWN)
        lines.append(
            [
                (fit(_when(change.at), 25), "dim"),
                (f"{sign} {paper._(word)}", style),
                (f"  {change.reason}" if change.reason else "", "dim"),
            ]
        )
    return lines


def _when(at: str) -> str:
    """A time that settlement tells, as the operator's clock shows it."""
    try:
        told = milliseconds(at)
        return f"{day(told)} {moment(told)}"
    except (ValueError, OverflowError, OSError):
        return at


def columns(lane: Lane, paper: Paper) -> tuple[int, int]:
    """Cells of the times on the left, and of a column."""
    left = 20 if paper.width >= _ROOMY else 8
    count = max(1, len(lane.columns))
    return left, max(_NARROWEST, min(_BROADEST, (paper.width - left) // count))


def lane_heading(lane: Lane, paper: Paper) -> Line:
    """The nodes above their columns."""
    left, cells = columns(lane, paper)
    line: Line = [(" " * left, "")]
    for name in lane.columns:
        shown = _abbreviated(name, cells - 1)
        before = (cells - width(shown)) // 2
        line.append((fit(" " * before + shown, cells), "head"))
    return line


def _abbreviated(name: str, cells: int) -> str:
    """A node's name that fits; its number is kept: `term-12`."""
    if width(name) <= cells:
        return short(name, cells)
    stem, dash, number = name.rpartition("-")
    if not dash or len(number) >= cells - 2:
        return short(name, cells)
    return f"{stem[: cells - len(number) - 1]}-{number}"


def arrow(arrow_: Arrow, lane: Lane, paper: Paper, stuck: object = None) -> Line:
    """A message as an arrow between the columns of two nodes."""
    left, cells = columns(lane, paper)
    hop = arrow_.hop
    gap = f"+{lasting(arrow_.gap)}"
    time = f"{moment(hop.at)} " if left >= 20 else ""  # noqa: PLR2004 - as in `columns`
    style = "bad" if hop.problem else "warn" if arrow_.open else "dim" if hop.kind == "rep" else ""
    if hop is stuck:
        style = "mark"
    centres = [left + cells * place + cells // 2 for place in range(len(lane.columns))]
    canvas = [" "] * (left + cells * len(lane.columns))
    styles = [""] * len(canvas)
    for centre in centres:
        canvas[centre], styles[centre] = "│", "line"
    start, end = centres[arrow_.start], centres[arrow_.end]
    first, last = min(start, end) + 1, max(start, end)
    dash = "╌" if hop.kind == "rep" else "─"
    for cell in range(first, last):
        canvas[cell], styles[cell] = dash, style
    if end > start:
        canvas[last - 1] = "▶"
    elif end < start:
        canvas[first] = "◀"
    room = last - first - 2
    label = _label(arrow_, paper, room)
    if start == end:
        first, room = start + 1, len(canvas) - start - 2
        label = "↺ " + label
    _write(canvas, styles, label, first + 1, room, style or "head")
    when: Line = [(fit(time + gap, left - 1) + " ", "dim")]
    if hop is stuck:
        when = [(fit("▲ " + paper._("stuck"), left - 1) + " ", "bad")]
    spans = when
    for cell in range(left, len(canvas)):
        if len(spans) > 1 and spans[-1][1] == styles[cell]:
            spans[-1] = (spans[-1][0] + canvas[cell], styles[cell])
        else:
            spans.append((canvas[cell], styles[cell]))
    return spans


def _label(arrow_: Arrow, paper: Paper, room: int) -> str:
    """What is said, how often, with which problem, and how long its answer took.

    A reply that has no room leaves its name to its request.
    """
    hop = arrow_.hop
    whole = _words(arrow_, paper, [hop.name])
    return _words(arrow_, paper, []) if hop.kind == "rep" and width(whole) > room else whole


def _words(arrow_: Arrow, paper: Paper, parts: list[str]) -> str:
    hop = arrow_.hop
    if arrow_.again:
        parts.append(f"×{arrow_.again + 1}")
    if hop.problem:
        parts.insert(0, "✖")
        parts.append(hop.problem)
    if hop.latency is not None:
        parts.append(lasting(hop.latency).replace(" ", ""))
    if arrow_.open:
        parts.append("… " + lasting(max(0, paper.now - hop.at)))
    return " ".join(parts)


def _write(
    canvas: list[str], styles: list[str], label: str, start: int, room: int, style: str
) -> None:
    """Put a label on a line; a wide character takes two cells."""
    cell = start
    for character in short(label, max(0, room)):
        wide = width(character)
        if not wide:
            canvas[cell - 1] += character
            continue
        canvas[cell], styles[cell] = character, style
        if wide > 1:
            canvas[cell + 1], styles[cell + 1] = "", style
        cell += wide
