"""Alarms: raised by what is heard, ended when it is over, remembered."""

from collections import deque
from collections.abc import Iterable, Sequence

from bus.text.sentence import Sentence
from tui.model.alarms import MOMENTS, Alarm, Kind
from tui.model.groups import Group, grouped
from tui.model.silences import Silences

KEPT = 1_000
GRACE = 60_000
"""Milliseconds after all roles were heard: an alarm of an earlier console that is not confirmed by
then is over."""
_PASSING = MOMENTS - {"dead-letter"}
"""Those that are over a while after the last such message."""


class Alarms:
    """Alarms that hold, and those that held."""

    def __init__(self) -> None:
        self._now: dict[tuple[Kind, str], Alarm] = {}
        self._past: deque[Alarm] = deque(maxlen=KEPT)
        self._dismissed: dict[tuple[Kind, str], Alarm] = {}
        """What still holds and is not shown any more, until it is over."""
        self._raised = self._rung = 0
        self._heard_since: int | None = None
        self._groups: list[Group] | None = None
        self._senders: dict[str, str] = {}
        """By topic, the connection that publishes there."""
        self.silences = Silences()
        self.waiting: dict[str, list[str]] = {}
        """The orders that wait for something: for a node, for `sorters`, for `provider`."""
        self.bell = 0
        """How often there were alarms to ring for: raised, or not silent any more."""
        self.changes = 0
        """Counts what is worth to be written down."""

    def current(self) -> list[Alarm]:
        """Alarms that hold, the youngest first."""
        return sorted(self._now.values(), key=lambda alarm: -alarm.since)

    def history(self) -> list[Alarm]:
        """Alarms that held, the youngest first."""
        return list(reversed(self._past))

    def dismissed(self) -> list[Alarm]:
        """Alarms that hold and were put away."""
        return list(self._dismissed.values())

    def groups(self) -> list[Group]:
        """Alarms that hold, those of one cause together; the youngest first."""
        if self._groups is None:
            self._groups = grouped(self.current(), self._dismissed.values(), self.waiting)
        return self._groups

    def unseen(self) -> int:
        """How many causes hold that nobody has acknowledged or silenced."""
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
        """Something is wrong, perhaps still.

        Args:
            kind: of alarm.
            subject: what it is about.
            text: what an operator is told.
            at: when, in milliseconds since the epoch.
            message: the number of the message that says so.
            needs: what it waits for, the closest first.
            source: the node that shows it itself.
            topic: where it was published, if the question is by whom.
        """
        alarm = self._dismissed.get((kind, subject)) or self._now.get((kind, subject))
        if alarm is None:
            alarm = self._new(Alarm(kind, subject, text, at, at, 0), at)
        elif alarm.needs != tuple(needs) or alarm.unsure:
            self._changed()
        alarm.last, alarm.text, alarm.needs, alarm.source = at, text, tuple(needs), source
        alarm.unsure = False
        if topic:
            alarm.topic, alarm.sender = topic, self._senders.get(topic, "")
        alarm.times += 1
        alarm.message = message or alarm.message

    def _new(self, alarm: Alarm, at: int) -> Alarm:
        if len(self._now) >= KEPT:
            self._end(next(iter(self._now)), at)
        self._raised += 1
        alarm.number = self._raised
        self._now[alarm.key] = alarm
        self._changed()
        return alarm

    def tell(self, kind: Kind, subject: str, text: Sentence, message: int) -> None:
        """What a message raised is said in other words now, as time goes on."""
        alarm = self._now.get((kind, subject))
        if alarm is not None and alarm.message == message:
            alarm.text = text

    def need(self, kind: Kind, subject: str, needs: Sequence[str]) -> None:
        """What an alarm waits for is known now."""
        alarm = self._now.get((kind, subject))
        if alarm is not None and alarm.needs != tuple(needs):
            alarm.needs = tuple(needs)
            self._changed()

    def wait(self, waiting: dict[str, list[str]]) -> None:
        """Which orders wait for what, as it is now."""
        if waiting != self.waiting:
            self.waiting, self._groups = waiting, None

    def sent_by(self, topic: str, sender: str) -> None:
        """The broker has said which connection publishes on a topic."""
        if len(self._senders) < KEPT:
            self._senders[topic] = sender
        for alarm in self._now.values():
            if alarm.topic == topic and alarm.sender != sender:
                alarm.sender = sender
                self._changed()

    def end(self, kind: Kind, subject: str, at: int, *, known: bool = True) -> None:
        """It is well again.

        Args:
            kind: of alarm.
            subject: what it was about.
            at: when.
            known: whether that was heard; if not, an alarm of an earlier console holds on until
                its store had the time to say so.
        """
        key = kind, subject
        alarm = self._now.get(key) or self._dismissed.get(key)
        if alarm is not None and (known or not alarm.unsure):
            self._end(key, at)

    def subjects(self, kind: Kind) -> set[str]:
        """What an alarm of a kind holds for, also where it was dismissed."""
        return {subject for each, subject in (*self._now, *self._dismissed) if each == kind}

    def shown_by(self, node: str) -> list[tuple[Kind, str]]:
        """What a node itself shows, as it said last."""
        every = (*self._now.values(), *self._dismissed.values())
        return [alarm.key for alarm in every if alarm.source == node]

    def acknowledge(self, *alarms: Alarm) -> None:
        """An operator has seen some, or all that hold."""
        for each in alarms or self._now.values():
            each.acknowledged = True
        self._changed()

    def dismiss(self, *alarms: Alarm) -> None:
        """Put some away, or all that were acknowledged: they are over for the operator.

        One that still holds is not shown again before it was over; it stands in the history.
        """
        for key, each in list(self._now.items()):
            if each in alarms or (not alarms and each.acknowledged):
                self._end(key, each.last)
                if each.kind not in MOMENTS and len(self._dismissed) < KEPT:
                    self._dismissed[key] = each

    def silence(self, kind: Kind, subject: str | None, until: int | None) -> None:
        """Ring no bell for an alarm, or for a kind, and do not count it.

        Args:
            kind: of alarm.
            subject: of the alarm; None for the whole kind.
            until: when it rings again, in milliseconds since the epoch; None: when it is over.
        """
        self.silences.begin(kind, subject, until)
        self._changed()

    def speak(self, kind: Kind, subject: str | None) -> None:
        """Let an alarm, or a kind, ring again."""
        self.silences.end(kind, subject)
        self._changed()

    def tick(self, now: int, after: int) -> None:
        """Some time has passed: moments are over, and what was silenced rings again if it holds.

        Args:
            now: milliseconds since the epoch.
            after: milliseconds after which what a single message raised is over.
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
        """Whoever can confirm an alarm of an earlier console is there."""
        if self._heard_since is None:
            self._heard_since = at

    def recall(
        self, now: Iterable[Alarm], dismissed: Iterable[Alarm], past: Iterable[Alarm]
    ) -> None:
        """What an earlier console knew: what held must be so again, or it is over.

        Only a dead letter holds by itself until somebody puts it away.
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
        """One is over; one that was put away stands in the history already."""
        alarm = self._now.pop(key, None)
        if alarm is not None:
            alarm.ended, alarm.unsure = at, False
            self._past.append(alarm)
        self._dismissed.pop(key, None)
        self.silences.over(key)
        self._changed()
