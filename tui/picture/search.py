"""What was found, a line each."""

from bus.sentence import marked
from tui.model.search import Found
from tui.model.store import StoreModel
from tui.picture.paper import Column, Line, Paper, Table, clock, lasting
from tui.picture.words import ORDER, STATUS, UNKNOWN

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
    said: Line = []
    if found.value != name:
        said.append((f"{paper._(found.what)} {found.value}  ", "key"))
    said += _state(found, model, paper)
    return TABLE.row(paper, [(paper._(KIND.get(kind, kind)), "dim"), (name, "head")], said)


def _state(found: Found, model: StoreModel, paper: Paper) -> Line:
    kind, name = found.target.kind, found.target.name
    if kind == "order" and (track := model.orders.get(name)) is not None:
        sign, style, word = ORDER.get(track.state or "", UNKNOWN)
        reason = model.why(track)
        since = lasting(max(0, paper.now - track.since)) if track.since else ""
        return [
            (f"{sign} {paper._(word)}  ", style),
            (f"{since}  {track.terminal or ''}  ", "dim"),
            (reason.reason.said(paper.say) if reason is not None else track.reason or "",
             "" if reason is None or reason.normal else "warn"),
        ]  # fmt: skip
    if kind == "node":
        sign, style, word = STATUS[model.nodes.status(name)]
        return [(f"{sign} {paper._(word)}", style)]
    if kind == "style" and (style_ := model.stock.get(name)) is not None:
        available = "-" if style_.available is None else str(style_.available)
        return [(paper._("available") + f" {available}  ", ""), (style_.name, "dim")]
    if kind == "alarm":
        for alarm in model.alarms.current():
            if f"{alarm.kind} {alarm.subject}" == name:
                return [(f"▲ {clock(alarm.since)} ", "bad"), (alarm.text.said(paper.say), "")]
    return []
