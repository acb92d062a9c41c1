"""A message as one line of the traffic."""

from bus.safe import fit, visible
from tui.model.message import Message
from tui.picture.paper import Line, Paper, clock, lasting, moment, weight
from tui.picture.words import KIND

_ROOMY = 120
"""Cells from which names are written out."""


def heading(paper: Paper) -> Line:
    """The names of the columns."""
    time, name, operation, order = _columns(paper.width)
    text = (
        fit(paper._("time"), time + 3)
        + fit(paper._("from"), name + 1) + fit(paper._("to"), name + 1)
        + fit(paper._("operation"), operation + 1) + fit(paper._("order"), order + 1)
        + fit(paper._("size"), 5, right=True) + fit(paper._("answer"), 8, right=True)
    )  # fmt: skip
    return [(text + " " + paper._("problem"), "dim")]


def row(message: Message, paper: Paper) -> Line:
    """Time, kind, from, to, operation, order, size, answer time, problem."""
    time, name, operation, order = _columns(paper.width)
    sign, style = KIND[message.kind]
    problem = _problem(message, paper)
    at = moment(message.at) if paper.width >= _ROOMY else clock(message.at)
    if message.kind == "foreign":
        topic = fit(message.topic, 2 * name + operation + order + 3)
        said: Line = [(topic, "bad")]
    else:
        first, second = message.sender, message.receiver
        if message.kind == "rep":
            arrow = "◂" if message.receiver else " "
            first, second = message.receiver, message.sender
        else:
            arrow = "▸" if message.receiver else " "
        said = [
            (fit(first, name), style),
            (arrow, style),
            (fit(second, name), style),
            (" " + fit(message.name, operation) + " ", "bad" if problem else style or "head"),
            (fit(message.order or "", order), "dim"),
        ]
    answered = lasting(message.latency) if message.latency is not None else ""
    return [
        (fit(at, time), "dim"),
        (f" {sign} ", style),
        *said,
        (fit(weight(message.size), 6, right=True), "dim"),
        (fit(answered, 8, right=True), ""),
        *problem,
    ]


def _columns(width: int) -> tuple[int, int, int, int]:
    """Cells of time, a name, the operation and the order."""
    if width >= _ROOMY:
        return 12, 14, 14, 16
    return 8, 10, 11, 8


def _problem(message: Message, paper: Paper) -> Line:
    if message.code is not None:
        return [(f" ✖ {message.status or ''} {visible(message.code[:60])}", "bad")]
    if message.flaw is not None:
        return [(f" ✖ {paper._(message.flaw)}", "bad")]
    if message.repeats:
        return [(f" ×{message.repeats + 1}", "warn")]
    return []
