"""Groups alarms by cause: what is missing, and everything that waits for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bus.text.sentence import Sentence
from tui.model.alarms import MOMENTS, SEVERITIES, ConsoleAlarm, Severity

_TAKES: dict[str, str] = {
    "no-broker": "broker",
    "standstill": "",
    "two-of-a-name": "",
    "restless": "",
    "lost": "",
    "cannot-write": "",
    "no-sorter": "sorters",
    "provider-refuses-us": "provider",
    "provider-silent": "provider",
}
"""By kind, what an alarm says is missing, the strongest first; "" for its subject."""
_TOGETHER = frozenset({"put-back", "stuck"})
"""Kinds that are grouped if they need the same and no alarm says why it is missing."""
_GOES_AWAY = frozenset({"standstill", "two-of-a-name", "restless"})
"""Kinds that explain why their node is lost."""
_BEFORE = 60_000
"""Milliseconds before an alarm was raised during which its effects may have begun."""


@dataclass(slots=True)
class Group:
    """An alarm and the alarms that follow from it."""

    head: ConsoleAlarm
    effects: list[ConsoleAlarm] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    """The orders that wait for it, oldest first."""

    @property
    def alarms(self) -> list[ConsoleAlarm]:
        """The cause and its effects."""
        return [self.head, *self.effects]

    @property
    def severity(self) -> Severity:
        """The highest severity in the group."""
        return min((alarm.severity for alarm in self.alarms), key=SEVERITIES.index)

    @property
    def text(self) -> Sentence:
        """The text of the cause, with the number of orders that wait."""
        words, count = self.head.said, len(self.orders)
        more = sum(alarm.kind == "put-back" for alarm in self.effects)
        if self.head.kind == "put-back" and more:
            words = Sentence(
                "{words}; so do those of {count} more parcels", words=words, count=more
            )
        if self.head.kind == "stuck" and not count:
            return Sentence("{order}: {words}", order=self.head.subject, words=words)
        if not count:
            return words
        if words.said().endswith("."):
            one = Sentence("{words} One order waits for it.", words=words)
            return (
                one
                if count == 1
                else Sentence("{words} {count} orders wait for it.", words=words, count=count)
            )
        if count == 1:
            return Sentence("{words}; one order waits for it", words=words)
        return Sentence("{words}; {count} orders wait for it", words=words, count=count)


def grouped(
    alarms: Sequence[ConsoleAlarm],
    dismissed: Iterable[ConsoleAlarm],
    waiting: Mapping[str, list[str]],
) -> list[Group]:
    """Group alarms by cause, in the order of the alarms.

    Args:
        alarms: the active ones.
        dismissed: active ones that were dismissed; their effects are not shown either.
        waiting: by what is missing, the orders that wait for it.
    """
    missing = _missing([*alarms, *dismissed])
    heads = {id(alarm): Group(alarm) for alarm in alarms}
    first: dict[str, ConsoleAlarm] = {}
    """By what is needed, the oldest alarm that needs it, if no alarm says why it is missing."""
    for alarm in sorted(alarms, key=lambda each: each.since):
        cause = _cause(alarm, missing)
        if cause is None and alarm.kind in _TOGETHER and alarm.needs:
            cause = first.setdefault(alarm.needs[0], alarm)
        if cause is None or cause is alarm:
            continue
        group = heads.get(id(cause))
        del heads[id(alarm)]
        if group is not None:
            group.effects.append(alarm)
    for group in heads.values():
        taken = _TAKES.get(group.head.kind)
        if taken is not None:
            group.orders = waiting.get(taken or group.head.subject, [])
        elif group.effects:
            group.orders = [alarm.subject for alarm in group.alarms if alarm.kind == "stuck"]
    return list(heads.values())


def _missing(alarms: Iterable[ConsoleAlarm]) -> dict[str, ConsoleAlarm]:
    """By what is missing, the alarm that says so."""
    missing: dict[str, ConsoleAlarm] = {}
    rank = list(_TAKES).index
    for alarm in sorted(
        (each for each in alarms if each.kind in _TAKES), key=lambda e: rank(e.kind)
    ):
        missing.setdefault(_TAKES[alarm.kind] or alarm.subject, alarm)
    return missing


def _cause(alarm: ConsoleAlarm, missing: Mapping[str, ConsoleAlarm]) -> ConsoleAlarm | None:
    """The root cause of an alarm; a cause may have a cause itself."""
    found, at = None, alarm
    for _ in _TAKES:
        needs = ("broker", *at.needs) if at.needs else ()
        causes = [missing[need] for need in needs if need in missing]
        if at.kind == "lost" and missing[at.subject].kind in _GOES_AWAY:
            causes.append(missing[at.subject])
        cause = next((each for each in causes if _may_follow(alarm, each)), None)
        if cause is None or cause is alarm:
            break
        found = at = cause
    return found


def _may_follow(alarm: ConsoleAlarm, cause: ConsoleAlarm) -> bool:
    """Whether an alarm may be an effect: it was not over long before the cause began."""
    return alarm.kind not in MOMENTS or alarm.last >= cause.since - _BEFORE
