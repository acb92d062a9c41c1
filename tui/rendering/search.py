"""What was found, a line each."""

from bus.text.sentence import marked
from tui.model.search import Found
from tui.model.store import StoreModel
from tui.rendering.canvas import Column, Line, Paper, Table, clock, lasting
from tui.rendering.words import ORDER, STATUS, UNKNOWN

TABLE = Table(
    (Column(marked("kind"), 8, 0, most=10), Column(marked("name"), 18, 0, most=48)),
    marked("what is known"),
    40,
)
"""What there is to say of each thing that was found."""
KIND = {
    "order": marked("order"),
    "node": marked("node"),
    "style": marked("style"),
    "alarm": marked("alarm"),
    "topic": marked("topic"),
}
"""Of a thing that is found."""


def row(found: Found, model: StoreModel, paper: Paper) -> Line:
    """Its kind, its name, where the text stands if not there, and how it is."""
    kind, name = found.target.kind, found.target.name
    if kind == "alarm":
        name = name.partition(" ")[2]
    elif kind == "topic":
        name = name.rpartition("/")[2]
    where = "" if found.value in (name, found.target.name) else f"{paper._(found.what)} "
    parts = [(2, where and f"{where}{found.value}  ", "key"), *_state(found, model, paper)]
    cells = [(paper._(KIND.get(kind, kind)), "dim"), (name, "head")]
    return TABLE.row(paper, cells, TABLE.room(paper).fitted(*parts))


def _state(found: Found, model: StoreModel, paper: Paper) -> list[tuple[int, str, str]]:
    """How it is: how unimportant each part is, its text and its style."""
    kind, name = found.target.kind, found.target.name
    if kind == "order" and (track := model.orders.get(name)) is not None:
        sign, style, word = ORDER.get(track.state or "", UNKNOWN)
        reason = model.why(track)
        words = reason.reason.said(paper.say) if reason is not None else track.reason or ""
        is_well = reason is None or reason.normal
        return [
            (1, f"{sign} {paper._(word)}  ", style),
            (0, words, "" if is_well else "warn"),
            (3, f"  {track.terminal or ''}", "dim"),
            (4, f"  {lasting(max(0, paper.now - track.since))}" if track.since else "", "dim"),
        ]
    if kind == "node":
        sign, style, word = STATUS[model.nodes.status(name)]
        return [(0, f"{sign} {paper._(word)}", style)]
    if kind == "style" and (style_ := model.stock.get(name)) is not None:
        available = "-" if style_.available is None else str(style_.available)
        return [(0, paper._("available") + f" {available}  ", ""), (1, style_.name, "dim")]
    if kind == "alarm":
        for alarm in model.alarms.current():
            if f"{alarm.kind} {alarm.subject}" == name:
                words = alarm.text.said(paper.say)
                return [(1, f"▲ {clock(alarm.since)} ", "bad"), (0, words, "")]
    return [(0, name, "dim")] if kind == "topic" else []
