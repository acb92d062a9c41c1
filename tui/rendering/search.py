"""Renders the hits of the search."""

from bus.text.sentence import marked
from tui.model.search import SearchHit
from tui.model.store import StoreModel
from tui.rendering.canvas import Canvas, Column, Line, Table, clock, lasting
from tui.rendering.words import ORDER, STATUS, UNKNOWN

TABLE = Table(
    (Column(marked("kind"), 8, 0, most=10), Column(marked("name"), 18, 0, most=48)),
    marked("what is known"),
    40,
)
"""The table of hits."""
KIND = {
    "order": marked("order"),
    "node": marked("node"),
    "style": marked("style"),
    "alarm": marked("alarm"),
    "topic": marked("topic"),
}
"""By kind of target, its name."""


def row(found: SearchHit, model: StoreModel, canvas: Canvas) -> Line:
    """A row of the table."""
    kind, name = found.target.kind, found.target.name
    if kind == "alarm":
        name = name.partition(" ")[2]
    elif kind == "topic":
        name = name.rpartition("/")[2]
    where = "" if found.value in (name, found.target.name) else f"{canvas._(found.what)} "
    parts = [(2, where and f"{where}{found.value}  ", "key"), *_state(found, model, canvas)]
    cells = [(canvas._(KIND.get(kind, kind)), "dim"), (name, "head")]
    return TABLE.row(canvas, cells, TABLE.room(canvas).fitted(*parts))


def _state(found: SearchHit, model: StoreModel, canvas: Canvas) -> list[tuple[int, str, str]]:
    """The present state of a hit: rank, text and style of each part."""
    kind, name = found.target.kind, found.target.name
    if kind == "order" and (tracked := model.orders.get(name)) is not None:
        sign, style, word = ORDER.get(tracked.state or "", UNKNOWN)
        reason = model.diagnose(tracked)
        words = reason.reason.said(canvas.say) if reason is not None else tracked.reason or ""
        is_well = reason is None or reason.normal
        return [
            (1, f"{sign} {canvas._(word)}  ", style),
            (0, words, "" if is_well else "warn"),
            (3, f"  {tracked.terminal or ''}", "dim"),
            (4, f"  {lasting(max(0, canvas.now - tracked.since))}" if tracked.since else "", "dim"),
        ]
    if kind == "node":
        sign, style, word = STATUS[model.nodes.status(name)]
        return [(0, f"{sign} {canvas._(word)}", style)]
    if kind == "style" and (style_ := model.stock.get(name)) is not None:
        available = "-" if style_.available is None else str(style_.available)
        return [(0, canvas._("available") + f" {available}  ", ""), (1, style_.name, "dim")]
    if kind == "alarm":
        for alarm in model.alarms.current():
            if f"{alarm.kind} {alarm.subject}" == name:
                words = alarm.text.said(canvas.say)
                return [(1, f"▲ {clock(alarm.since)} ", "bad"), (0, words, "")]
    return [(0, name, "dim")] if kind == "topic" else []
