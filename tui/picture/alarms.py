"""An alarm as one line, and the one that is looked at as a whole."""

from bus.safe import fit, visible
from bus.wrap import wrapped
from tui.model.alarms import KINDS, TO_DO, Alarm, Alarms
from tui.picture.paper import Line, Paper, clock


def lines(alarms: Alarms, paper: Paper) -> list[Alarm | Line]:
    """Alarms that hold, then those that held."""
    shown: list[Alarm | Line] = [*alarms.current()]
    if not shown:
        shown.append([("✔ " + paper._("no alarms"), "good")])
    past = alarms.history()
    if past:
        shown += [[], [(paper._("over"), "dim")], *past]
    return shown


def row(alarm: Alarm, alarms: Alarms, paper: Paper) -> Line:
    """Sign, since when, kind, what, how often."""
    muted = alarm.kind in alarms.muted
    if alarm.ended is not None:
        sign, style = "○", "dim"
    elif alarm.acknowledged:
        sign, style = "✔", ""
    else:
        sign, style = "▲", "dim" if muted else "bad"
    until = f"-{clock(alarm.ended)}" if alarm.ended is not None else ""
    kind = paper._(KINDS[alarm.kind]) if paper.width >= 120 else alarm.kind  # noqa: PLR2004
    cells = 44 if paper.width >= 120 else 13  # noqa: PLR2004 - as in the other tables
    line: Line = [
        (f"{sign} ", style),
        (fit(clock(alarm.since) + until, 18), "dim"),
        (fit(kind, cells), "dim"),
        (paper._(" muted") if muted else "", "dim"),
        (" " + alarm.text.said(paper.say), style),
    ]
    if alarm.times > 1 and alarm.message is not None:
        line.append((f"  ×{alarm.times}", "warn"))
    return line


def whole(alarm: Alarm | None, paper: Paper) -> list[Line]:
    """All that an alarm says, and what to do."""
    if alarm is None:
        return []
    lines: list[Line] = [[(paper._(KINDS[alarm.kind]), "head")]]
    room = max(8, paper.width - 2)
    lines += [[(line, "")] for line in wrapped(visible(alarm.text.said(paper.say)), room)]
    advice = TO_DO.get(alarm.kind)
    if advice is not None:
        words = visible(paper._(advice, subject=alarm.subject))
        lines += [[("→ " if not at else "  ", "key"), (line, "key")] for at, line in
                  enumerate(wrapped(words, room - 2))]  # fmt: skip
    return lines
