"""Alarms as lines, those of one cause as one, and the one that is looked at as a whole."""

from collections.abc import Collection
from typing import NamedTuple

from bus.text.safe import fit, visible
from bus.text.sentence import Sentence, marked
from bus.text.wrap import wrapped
from tui.model.alarm_list import Alarms
from tui.model.alarms import KINDS, SEVERITIES, Alarm, Severity
from tui.model.groups import Group
from tui.model.remedy import Remedy
from tui.model.store import StoreModel
from tui.rendering.canvas import Line, Paper, clock, lasting
from tui.rendering.words import MARK, SEVERITY

ORDER = {
    "severity": marked("the worst first"),
    "newest": marked("the newest first"),
    "oldest": marked("the oldest first"),
}
"""In which order alarms are shown; within one severity the newest first."""
_ROOMY = 120
_MINUTE = 60_000
_TIMES = 18
"""Cells of two times of day."""


class Waiting(NamedTuple):
    """An order that waits for what an alarm is about."""

    order: str


Item = Group | Alarm | Waiting | Line


def shown(alarms: Alarms, order: str, only: Severity | None) -> list[Group]:
    """Causes that hold, in an order, of one severity or of all."""
    groups = [group for group in alarms.groups() if only in (None, group.severity)]
    if order == "oldest":
        groups.reverse()
    elif order == "severity":
        groups.sort(key=lambda group: SEVERITIES.index(group.severity))
    return groups


def lines(
    alarms: Alarms,
    paper: Paper,
    order: str = "severity",
    only: Severity | None = None,
    opened: Collection[tuple[str, str]] = (),
) -> list[Item]:
    """Causes that hold, with what follows from those that are opened; then what held."""
    items: list[Item] = []
    for group in shown(alarms, order, only):
        items.append(group)
        if group.head.key in opened:
            items += [each for each in group.effects if each.kind != "stuck"]
            items += [Waiting(each) for each in group.orders]
    if not items:
        none = paper._("no alarms") if only is None else paper._("none of this severity")
        items.append([("✔ " + none, "good")])
    past = [alarm for alarm in alarms.history() if only in (None, alarm.severity)]
    if past:
        items += [[], [(paper._("over"), "dim")], *past]
    return items


def heading(
    alarms: Alarms, paper: Paper, order: str, only: Severity | None, new: int
) -> list[Line]:
    """How many of each severity, what is shown in which order, and how many are out of sight."""
    parts: list[Line] = []
    if new:
        parts.append([("▲ " + paper._("{count} new: n goes there", count=new), "bad")])
    counts = [group.severity for group in alarms.groups()]
    for severity in SEVERITIES:
        word, style = SEVERITY[severity]
        count = counts.count(severity)
        parts.append([(f"{MARK[severity]} {count} {paper._(word)}", style if count else "dim")])
    chosen = paper._("all") if only is None else paper._(SEVERITY[only][0])
    parts.append([(paper._(ORDER[order]) + "  ", "dim"), (chosen, "key")])
    return paper.flowed(*parts)


def row(item: Item, model: StoreModel, paper: Paper) -> Line:
    """What stands in the list."""
    if isinstance(item, Group):
        line = _row(item.head, item.severity, item.text, model.alarms, paper)
        folded = sum(each.kind != "stuck" for each in item.effects)
        if folded:
            line.append((f"  +{folded}", "warn"))
        return line
    if isinstance(item, Alarm):
        line = _row(item, item.severity, item.said, model.alarms, paper)
        return line if item.ended is not None else [("  └ ", "line"), *line]
    if isinstance(item, Waiting):
        track = model.orders.get(item.order)
        reason = model.why(track) if track is not None else None
        words = reason.reason.said(paper.say) if reason is not None else ""
        return [("  └ ", "line"), (item.order + "  ", ""), (words, "dim")]
    return item


def _row(alarm: Alarm, severity: Severity, text: Sentence, alarms: Alarms, paper: Paper) -> Line:
    """Sign, severity, since when, kind, how long silent, what, how often."""
    silent = silence(alarm, alarms, paper) if alarm.ended is None else ""
    style = SEVERITY[severity][1]
    if alarm.ended is not None:
        sign, style = "○", "dim"
    elif alarm.unsure:
        sign, style = "?", "dim"
    elif alarm.acknowledged:
        sign, style = "✔", ""
    else:
        sign, style = "▲", "dim" if silent else style
    roomy = paper.width >= _ROOMY
    times = clock(alarm.since) + (f"-{clock(alarm.ended)}" if alarm.ended is not None else "")
    line: Line = [
        (f"{sign} {MARK[severity]} ", style),
        (fit(times, _TIMES if roomy or alarm.ended is not None else 9), "dim"),
        (fit(paper._(KINDS[alarm.kind]) if roomy else alarm.kind, 44 if roomy else 13), "dim"),
        (f" {silent}" if silent else "", "key"),
        (" " + text.said(paper.say), style),
    ]
    if alarm.times > 1 and alarm.message is not None:
        line.append((f"  ×{alarm.times}", "warn"))
    return line


def silence(alarm: Alarm, alarms: Alarms, paper: Paper) -> str:
    """For how long an alarm is silent; empty if it is not."""
    name = alarms.silences.of(alarm)
    if name is None:
        return ""
    until = alarms.silences.until[name]
    if until is None:
        return paper._("silent until it is over")
    left = max(1_000, until - paper.now)
    begun = left + _MINUTE - 1 if left >= 2 * _MINUTE else left
    return paper._("silent {time}", time=lasting(begun))


def whole(
    alarm: Alarm | None,
    text: Sentence | None,
    todo: Sentence | None,
    remedy: Remedy | None,
    alarms: Alarms,
    paper: Paper,
) -> list[Line]:
    """All that an alarm says, what to do, and what a key does of it.

    Args:
        alarm: that is looked at, if any.
        text: what is told of it, with what waits for it.
        todo: what an operator does about it.
        remedy: what can be done from here.
        alarms: all of them.
        paper: to draw on.
    """
    if alarm is None or text is None:
        return []
    word, style = SEVERITY[alarm.severity]
    head: Line = [
        (paper._(KINDS[alarm.kind]) + "  ", "head"),
        (paper._(word) + "  ", style),
        (alarm.subject + "  ", "key"),
        (silence(alarm, alarms, paper) if alarm.ended is None else "", "warn"),
    ]
    found = [head]
    if alarm.unsure:
        words = paper._("It held when the console ended; the store has not confirmed it yet.")
        found += _block("? ", words, "warn", paper)
    found += _block("", text.said(paper.say), "", paper)
    if todo is not None:
        found += _block("→ ", todo.said(paper.say), "key", paper)
    if remedy is not None and alarm.ended is None:
        words = paper._("key X: {does}", does=remedy.does.said(paper.say))
        found += _block("→ ", words, "key", paper)
    return found


def _block(sign: str, words: str, style: str, paper: Paper) -> list[Line]:
    room = max(8, paper.width - 2 - len(sign))
    return [
        [(sign if not at else " " * len(sign), style), (line, style)]
        for at, line in enumerate(wrapped(visible(words), room))
    ]
