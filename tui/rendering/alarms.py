"""Renders alarms: the list, grouped by cause, and the selected alarm in full."""

from collections.abc import Collection
from typing import NamedTuple

from bus.text.safe import fit, visible
from bus.text.sentence import Sentence, marked
from bus.text.wrap import wrapped
from tui.model.alarm_list import AlarmList
from tui.model.alarms import KINDS, SEVERITIES, ConsoleAlarm, Severity
from tui.model.groups import Group
from tui.model.remedy import Remedy
from tui.model.store import StoreModel
from tui.rendering.canvas import Canvas, Line, clock, lasting
from tui.rendering.words import MARK, SEVERITY

ORDER = {
    "severity": marked("the worst first"),
    "newest": marked("the newest first"),
    "oldest": marked("the oldest first"),
}
"""The sort orders; within one severity the newest comes first."""
_ROOMY = 120
_MINUTE = 60_000
_TIMES = 18
"""Cells of two times of day."""


class WaitingOrder(NamedTuple):
    """An order that waits for the cause of an alarm."""

    order: str


Item = Group | ConsoleAlarm | WaitingOrder | Line


def shown(alarms: AlarmList, order: str, only: Severity | None) -> list[Group]:
    """The active groups in a sort order, of one severity or of all."""
    groups = [group for group in alarms.groups() if only in (None, group.severity)]
    if order == "oldest":
        groups.reverse()
    elif order == "severity":
        groups.sort(key=lambda group: SEVERITIES.index(group.severity))
    return groups


def lines(
    alarms: AlarmList,
    canvas: Canvas,
    order: str = "severity",
    only: Severity | None = None,
    opened: Collection[tuple[str, str]] = (),
) -> list[Item]:
    """The rows: active groups, with the effects of opened ones; then the history."""
    items: list[Item] = []
    for group in shown(alarms, order, only):
        items.append(group)
        if group.head.key in opened:
            items += [each for each in group.effects if each.kind != "stuck"]
            items += [WaitingOrder(each) for each in group.orders]
    if not items:
        none = canvas._("no alarms") if only is None else canvas._("none of this severity")
        items.append([("✔ " + none, "good")])
    past = [alarm for alarm in alarms.history() if only in (None, alarm.severity)]
    if past:
        items += [[], [(canvas._("over"), "dim")], *past]
    return items


def heading(
    alarms: AlarmList, canvas: Canvas, order: str, only: Severity | None, new: int
) -> list[Line]:
    """The counts by severity, the sort order and filter, and the number of new alarms."""
    parts: list[Line] = []
    if new:
        parts.append([("▲ " + canvas._("{count} new: n goes there", count=new), "bad")])
    counts = [group.severity for group in alarms.groups()]
    for severity in SEVERITIES:
        word, style = SEVERITY[severity]
        count = counts.count(severity)
        parts.append([(f"{MARK[severity]} {count} {canvas._(word)}", style if count else "dim")])
    chosen = canvas._("all") if only is None else canvas._(SEVERITY[only][0])
    parts.append([(canvas._(ORDER[order]) + "  ", "dim"), (chosen, "key")])
    return canvas.flowed(*parts)


def row(item: Item, model: StoreModel, canvas: Canvas) -> Line:
    """A row of the list."""
    if isinstance(item, Group):
        line = _row(item.head, item.severity, item.text, model.alarms, canvas)
        folded = sum(each.kind != "stuck" for each in item.effects)
        if folded:
            line.append((f"  +{folded}", "warn"))
        return line
    if isinstance(item, ConsoleAlarm):
        line = _row(item, item.severity, item.said, model.alarms, canvas)
        return line if item.ended is not None else [("  └ ", "line"), *line]
    if isinstance(item, WaitingOrder):
        tracked = model.orders.get(item.order)
        reason = model.diagnose(tracked) if tracked is not None else None
        words = reason.reason.said(canvas.say) if reason is not None else ""
        return [("  └ ", "line"), (item.order + "  ", ""), (words, "dim")]
    return item


def _row(
    alarm: ConsoleAlarm, severity: Severity, text: Sentence, alarms: AlarmList, canvas: Canvas
) -> Line:
    """Sign, severity, time, kind, silence, text, count."""
    silent = silence(alarm, alarms, canvas) if alarm.ended is None else ""
    style = SEVERITY[severity][1]
    if alarm.ended is not None:
        sign, style = "○", "dim"
    elif alarm.unsure:
        sign, style = "?", "dim"
    elif alarm.acknowledged:
        sign, style = "✔", ""
    else:
        sign, style = "▲", "dim" if silent else style
    roomy = canvas.width >= _ROOMY
    times = clock(alarm.since) + (f"-{clock(alarm.ended)}" if alarm.ended is not None else "")
    line: Line = [
        (f"{sign} {MARK[severity]} ", style),
        (fit(times, _TIMES if roomy or alarm.ended is not None else 9), "dim"),
        (fit(canvas._(KINDS[alarm.kind]) if roomy else alarm.kind, 44 if roomy else 13), "dim"),
        (f" {silent}" if silent else "", "key"),
        (" " + text.said(canvas.say), style),
    ]
    if alarm.times > 1 and alarm.message is not None:
        line.append((f"  ×{alarm.times}", "warn"))
    return line


def silence(alarm: ConsoleAlarm, alarms: AlarmList, canvas: Canvas) -> str:
    """How long an alarm is still silenced; empty if it is not."""
    name = alarms.silences.of(alarm)
    if name is None:
        return ""
    until = alarms.silences.until[name]
    if until is None:
        return canvas._("silent until it is over")
    left = max(1_000, until - canvas.now)
    begun = left + _MINUTE - 1 if left >= 2 * _MINUTE else left
    return canvas._("silent {time}", time=lasting(begun))


def whole(
    alarm: ConsoleAlarm | None,
    text: Sentence | None,
    todo: Sentence | None,
    remedy: Remedy | None,
    alarms: AlarmList,
    canvas: Canvas,
) -> list[Line]:
    """An alarm in full, what to do, and what a key does.

    Args:
        alarm: the selected one, if any.
        text: of the alarm or its group.
        todo: what the operator should do.
        remedy: the request that a key sends.
        alarms: all alarms.
        canvas: to draw on.
    """
    if alarm is None or text is None:
        return []
    word, style = SEVERITY[alarm.severity]
    head: Line = [
        (canvas._(KINDS[alarm.kind]) + "  ", "head"),
        (canvas._(word) + "  ", style),
        (alarm.subject + "  ", "key"),
        (silence(alarm, alarms, canvas) if alarm.ended is None else "", "warn"),
    ]
    found = [head]
    if alarm.unsure:
        words = canvas._("It held when the console ended; the store has not confirmed it yet.")
        found += _block("? ", words, "warn", canvas)
    found += _block("", text.said(canvas.say), "", canvas)
    if todo is not None:
        found += _block("→ ", todo.said(canvas.say), "key", canvas)
    if remedy is not None and alarm.ended is None:
        words = canvas._("key X: {does}", does=remedy.does.said(canvas.say))
        found += _block("→ ", words, "key", canvas)
    return found


def _block(sign: str, words: str, style: str, canvas: Canvas) -> list[Line]:
    room = max(8, canvas.width - 2 - len(sign))
    return [
        [(sign if not at else " " * len(sign), style), (line, style)]
        for at, line in enumerate(wrapped(visible(words), room))
    ]
