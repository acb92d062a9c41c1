"""The console's alarms: raised, ended, acknowledged, dismissed, silenced, and their history."""

from collections import deque
from collections.abc import Iterable, Sequence

from bus.text.sentence import Sentence
from tui.model.alarms import MOMENTS, ConsoleAlarm, Kind
from tui.model.groups import Group, grouped
from tui.model.silences import Silences

KEPT = 1_000
GRACE = 60_000
"""Milliseconds after all roles are online until an alarm of an earlier console ends unless it was
confirmed."""
_PASSING = MOMENTS - {"dead-letter"}
"""Kinds that end a while after the last such message."""


class AlarmList:
    """The active alarms and the history."""

    def __init__(self) -> None:
        self._now: dict[tuple[Kind, str], ConsoleAlarm] = {}
        self._past: deque[ConsoleAlarm] = deque(maxlen=KEPT)
        self._dismissed: dict[tuple[Kind, str], ConsoleAlarm] = {}
        """Active alarms that the operator has dismissed."""
        self._raised = self._rung = 0
        self._heard_since: int | None = None
        self._groups: list[Group] | None = None
        self._senders: dict[str, str] = {}
        """By topic, the connection that publishes there."""
        self.silences = Silences()
        self.waiting: dict[str, list[str]] = {}
        """By node, `sorters` or `provider`, the orders that wait for it."""
        self.bell = 0
        """Counts up whenever there are alarms to ring for: new ones, or ones no longer silenced."""
        self.changes = 0
        """Counts the changes that are to be saved."""

    def current(self) -> list[ConsoleAlarm]:
        """The active alarms, newest first."""
        return sorted(self._now.values(), key=lambda alarm: -alarm.since)

    def history(self) -> list[ConsoleAlarm]:
        """The alarms that have ended, newest first."""
        return list(reversed(self._past))

    def dismissed(self) -> list[ConsoleAlarm]:
        """The active alarms that were dismissed."""
        return list(self._dismissed.values())

    def groups(self) -> list[Group]:
        """The active alarms grouped by cause, newest first."""
        if self._groups is None:
            self._groups = grouped(self.current(), self._dismissed.values(), self.waiting)
        return self._groups

    def unseen(self) -> int:
        """The number of causes that are neither acknowledged nor silenced."""
        return sum(
            group.head.open and not self.silences.hold(group.head) for group in self.groups()
        )

    def raise_(
        self,
        kind: Kind,
        subject: str,
        text: Sentence,
        at: int,
        message: int | None = None,
        *,
        needs: Sequence[str] = (),
        source: str = "",
        topic: str = "",
    ) -> None:
        """Raise an alarm, or confirm that it is still active.

        Args:
            kind: of alarm.
            subject: what it is about.
            text: for the operator.
            at: when, in milliseconds since the epoch.
            message: the number of the message that raises it.
            needs: what it waits for, the nearest first.
            source: the node that shows this alarm itself; empty if the console has found it.
            topic: on which the message was published, if its sender is in question.
        """
        alarm = self._dismissed.get((kind, subject)) or self._now.get((kind, subject))
        if alarm is None:
            alarm = self._new(ConsoleAlarm(kind, subject, text, at, at, 0), at)
        elif alarm.needs != tuple(needs) or alarm.unsure:
            self._changed()
        alarm.last, alarm.text, alarm.needs = at, text, tuple(needs)
        if source:
            alarm.sources.add(source)
        alarm.unsure = False
        if topic:
            alarm.topic, alarm.sender = topic, self._senders.get(topic, "")
        alarm.times += 1
        alarm.message = message or alarm.message

    def _new(self, alarm: ConsoleAlarm, at: int) -> ConsoleAlarm:
        if len(self._now) >= KEPT:
            self._end(next(iter(self._now)), at)
        self._raised += 1
        alarm.number = self._raised
        self._now[alarm.key] = alarm
        self._changed()
        return alarm

    def tell(self, kind: Kind, subject: str, text: Sentence, message: int) -> None:
        """Change the text of an alarm that a message has raised."""
        alarm = self._now.get((kind, subject))
        if alarm is not None and alarm.message == message:
            alarm.text = text

    def need(self, kind: Kind, subject: str, needs: Sequence[str]) -> None:
        """Set what an alarm waits for."""
        alarm = self._now.get((kind, subject))
        if alarm is not None and alarm.needs != tuple(needs):
            alarm.needs = tuple(needs)
            self._changed()

    def wait(self, waiting: dict[str, list[str]]) -> None:
        """Set which orders wait for what."""
        if waiting != self.waiting:
            self.waiting, self._groups = waiting, None

    def sent_by(self, topic: str, sender: str) -> None:
        """Set which connection publishes on a topic."""
        if len(self._senders) < KEPT:
            self._senders[topic] = sender
        for alarm in self._now.values():
            if alarm.topic == topic and alarm.sender != sender:
                alarm.sender = sender
                self._changed()

    def end(self, kind: Kind, subject: str, at: int, *, known: bool = True) -> None:
        """End an alarm.

        Args:
            kind: of alarm.
            subject: what it was about.
            at: when.
            known: whether it is certain that it is over; if not, an alarm of an earlier console
                stays until `GRACE` has passed.
        """
        key = kind, subject
        alarm = self._now.get(key) or self._dismissed.get(key)
        if alarm is not None and (known or not alarm.unsure):
            self._end(key, at)

    def subjects(self, kind: Kind) -> set[str]:
        """The subjects of a kind's active alarms, including dismissed ones."""
        return {subject for each, subject in (*self._now, *self._dismissed) if each == kind}

    def shown_by(self, node: str) -> list[tuple[Kind, str]]:
        """The active alarms that a node shows itself."""
        every = (*self._now.values(), *self._dismissed.values())
        return [alarm.key for alarm in every if node in alarm.sources]

    def is_shown(self, kind: Kind, subject: str) -> bool:
        """Whether some node shows an alarm itself."""
        alarm = self._now.get((kind, subject)) or self._dismissed.get((kind, subject))
        return alarm is not None and bool(alarm.sources)

    def end_unless_shown(self, kind: Kind, subject: str, at: int) -> None:
        """End an alarm that the console has found, unless a node shows the same."""
        if not self.is_shown(kind, subject):
            self.end(kind, subject, at)

    def withdraw(self, kind: Kind, subject: str, node: str, at: int) -> None:
        """A node shows an alarm no longer: end it unless another node shows it."""
        alarm = self._now.get((kind, subject)) or self._dismissed.get((kind, subject))
        if alarm is not None:
            alarm.sources.discard(node)
            if not alarm.sources:
                self._end(alarm.key, at)

    def acknowledge(self, *alarms: ConsoleAlarm) -> None:
        """Acknowledge some alarms, or all active ones."""
        for each in alarms or self._now.values():
            each.acknowledged = True
        self._changed()

    def dismiss(self, *alarms: ConsoleAlarm) -> None:
        """Dismiss some alarms, or all acknowledged ones: they move to the history.

        One that is still active is not shown again until it has ended and is raised anew.
        """
        for key, each in list(self._now.items()):
            if each in alarms or (not alarms and each.acknowledged):
                self._end(key, each.last)
                if each.kind not in MOMENTS and len(self._dismissed) < KEPT:
                    self._dismissed[key] = each

    def silence(self, kind: Kind, subject: str | None, until: int | None) -> None:
        """Silence an alarm or a kind: it rings no bell and is not counted.

        Args:
            kind: of alarm.
            subject: of the alarm; None for the whole kind.
            until: the end of the silence, in milliseconds since the epoch; None: when it ends.
        """
        self.silences.begin(kind, subject, until)
        self._changed()

    def speak(self, kind: Kind, subject: str | None) -> None:
        """End the silence of an alarm or a kind."""
        self.silences.end(kind, subject)
        self._changed()

    def tick(self, now: int, after: int) -> None:
        """End what is over by now, and ring for alarms that are new or no longer silenced.

        Args:
            now: milliseconds since the epoch.
            after: milliseconds after which an alarm raised by a single message ends.
        """
        for key, alarm in list(self._now.items()):
            if alarm.kind in _PASSING and now - alarm.last > after:
                self._end(key, now)
        if self._heard_since is not None and now - self._heard_since > GRACE:
            for key, alarm in [*self._now.items(), *self._dismissed.items()]:
                if alarm.unsure:
                    self._end(key, now)
        back = self.silences.tick(now, self._now.values())
        if back:
            self._changed()
        self.bell += any(
            (group.head.number > self._rung or group.head in back)
            and group.head.open
            and not self.silences.hold(group.head)
            for group in self.groups()
        )
        self._rung = self._raised

    def hear(self, at: int) -> None:
        """All roles are online: alarms of an earlier console have to be confirmed from now on."""
        if self._heard_since is None:
            self._heard_since = at

    def recall(
        self,
        now: Iterable[ConsoleAlarm],
        dismissed: Iterable[ConsoleAlarm],
        past: Iterable[ConsoleAlarm],
    ) -> None:
        """Restore the alarms of an earlier console; active ones have to be confirmed.

        Only a dead letter stays until somebody dismisses it.
        """
        for alarm in now:
            if alarm.key not in self._now:
                alarm.unsure = alarm.kind not in MOMENTS
                self._new(alarm, alarm.since)
        self._rung = self._raised
        for alarm in dismissed:
            alarm.unsure = True
            self._dismissed[alarm.key] = alarm
        self._past.extendleft(sorted(past, key=lambda alarm: -(alarm.ended or 0)))
        self._changed()

    def _changed(self) -> None:
        self.changes += 1
        self._groups = None

    def _end(self, key: tuple[Kind, str], at: int) -> None:
        """End an alarm; one that was dismissed is in the history already."""
        alarm = self._now.pop(key, None)
        if alarm is not None:
            alarm.ended, alarm.unsure = at, False
            self._past.append(alarm)
        self._dismissed.pop(key, None)
        self.silences.over(key)
        self._changed()
