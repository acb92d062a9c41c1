"""Renders a message as a row of the traffic."""

from bus.history.message import Message
from bus.text.safe import visible
from bus.text.sentence import marked
from tui.rendering.canvas import (
    Canvas,
    Column,
    Line,
    Table,
    clock,
    excerpt,
    lasting,
    moment,
    weight,
)
from tui.rendering.words import KIND

TABLE = Table(
    (
        Column(marked("time"), 8, 0, most=12),
        Column("", 1, 0),
        Column(marked("from"), 11, 0, most=14),
        Column("", 1, 0),
        Column(marked("to"), 11, 0, most=14),
        Column(marked("operation"), 13, 0, most=16),
        Column(marked("order"), 16, 3),
        Column(marked("size"), 6, 5, right=True),
        Column(marked("answer"), 7, 4, right=True),
        Column(marked("id"), 18, 6),
    ),
    marked("problem, or what it says"),
    29,
)
"""The table of messages."""
_ROOMY = 120
"""Cells from which milliseconds are shown."""


def row(message: Message, canvas: Canvas) -> Line:
    """A row of the table."""
    sign, style = KIND[message.kind]
    problem = _problem(message, canvas)
    first, second, arrow = message.sender, message.receiver, "▸" if message.receiver else " "
    if message.kind == "rep":
        first, second, arrow = second, first, "◂" if message.receiver else " "
    answered = lasting(message.latency) if message.latency is not None else ""
    return TABLE.row(
        canvas,
        [
            (moment(message.at) if canvas.width >= _ROOMY else clock(message.at), "dim"),
            (sign, style),
            (first, style),
            (arrow, style),
            (second, style),
            (
                "" if message.kind == "foreign" else message.name,
                "bad" if problem else style or "head",
            ),
            (message.order or "", "dim"),
            (weight(message.size), "dim"),
            (answered, ""),
            (message.id or "", "dim"),
        ],
        problem or _excerpt(message),
        is_excerpt=not problem,
    )


def _problem(message: Message, canvas: Canvas) -> Line:
    if message.kind == "foreign":
        return [(f"✖ {message.topic}", "bad")]
    if message.code is not None:
        return [(f"✖ {message.status or ''} {visible(message.code[:60])}", "bad")]
    if message.flaw is not None:
        return [(f"✖ {canvas._(message.flaw)}", "bad")]
    if message.repeats:
        return [(f"×{message.repeats + 1}", "warn")]
    return []


def _excerpt(message: Message) -> Line:
    """The beginning of its payload."""
    return [(excerpt(message.payload), "line")]
