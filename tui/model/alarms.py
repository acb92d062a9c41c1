"""What an operator should look at: raised by what is heard, ended when it is over, remembered."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from bus.sentence import Sentence, marked

Kind = Literal[
    "lost", "deadline", "refused", "foreign", "duplicates", "malformed", "stuck", "low-stock",
    "disagreement", "no-sorter", "outbox", "dead-letter", "refund-refused", "provider-refuses-us",
    "clock-step", "clock-wrong", "standstill", "cannot-write",
    "two-of-a-name", "restless",
    "database-replaced", "database-older", "provider-silent", "outcome-unknown", "refuses",
    "charge-refused", "step-refused", "short-pick", "put-back",
]  # fmt: skip
KEPT = 1_000
_MOMENTS: frozenset[Kind] = frozenset(
    {"deadline", "refused", "foreign", "malformed", "dead-letter"}
)
"""Kinds that are raised by a message each time, and do not hold by themselves."""
KINDS: dict[Kind, str] = {
    "lost": marked("a node is lost"),
    "deadline": marked("an answer came after its deadline or never"),
    "refused": marked("a request was not allowed"),
    "foreign": marked("a message that is none of the contract"),
    "duplicates": marked("many messages are repeated"),
    "malformed": marked("a message that cannot be read"),
    "stuck": marked("an order does not move"),
    "low-stock": marked("a style is almost sold out"),
    "disagreement": marked("catalog and warehouse count differently"),
    "no-sorter": marked("no sorter is there"),
    "refund-refused": marked("money that could not go back"),
    "provider-refuses-us": marked("the payment provider does not let the store in"),
    "outbox": marked("a node has much that is not done"),
    "dead-letter": marked("a command was refused for good"),
    "clock-step": marked("a host's clock was set"),
    "clock-wrong": marked("a host's clock is not the store's"),
    "standstill": marked("a node stood still and ended itself"),
    "cannot-write": marked("a node cannot write its database"),
    "two-of-a-name": marked("two devices use one name"),
    "restless": marked("a node comes and goes"),
    "database-replaced": marked("a node has another database"),
    "database-older": marked("a database lacks what others know"),
    "provider-silent": marked("a provider or machine does not answer"),
    "outcome-unknown": marked("nobody says what became of a payment"),
    "refuses": marked("a node refuses what it is asked"),
    "charge-refused": marked("the payment provider does not charge"),
    "step-refused": marked("a step back was refused"),
    "short-pick": marked("fewer goods lay there than in the books"),
    "put-back": marked("goods are to be put back"),
}

TO_DO: dict[Kind, str] = {
    "lost": marked("See whether its host has power and network. Start it again, if nobody does:"
                   " storebus node {subject}"),
    "deadline": marked("If it goes on: see whether the node that is asked is there, how busy its"
                       " host is, and what the clock of {subject} says."),
    "refused": marked("Something uses the name {subject} for what it may not do: give it the right"
                      " name, or switch it off."),
    "foreign": marked("Enter shows the message. Whoever publishes it belongs on another broker, or"
                      " needs its topic mended."),
    "duplicates": marked("Somebody is not answered. Filter the traffic by repeats:>2 to see who"
                         " asks again and again, and whom."),
    "malformed": marked("Enter shows the message. Mend or replace the software of {subject}:"
                        " storebus certify tries it."),
    "stuck": marked("Enter shows its way: the last line is what it waits for."),
    "low-stock": marked("Bring goods in (+ on the stock screen, or storebus import), or retire it"
                        " (e)."),
    "disagreement": marked("One of the two has lost something: storebus audit says what. Then count"
                           " the style (c on the stock screen)."),
    "no-sorter": marked("Switch a sorter on: storebus node sorter-1. The orders wait for it."),
    "outbox": marked("Somebody does not answer it: look for nodes that are lost, and for the cause"
                     " in the log of {subject}."),
    "dead-letter": marked("Enter shows what was refused and why. It is not sent again: mend the"
                          " cause, and do by hand what is missing."),
    "refund-refused": marked("r resolves it: paid by hand, or asked again."),
    "database-replaced": marked("Close the store and open it with the right folder (--data), or put"
                                " the database of {subject} back: storebus restore. If it is gone:"
                                " storebus audit says what is lost."),
    "database-older": marked("Close the store and put the newest database of {subject} back. If"
                             " there is none: storebus audit says what is lost."),
    "provider-silent": marked("See whether it is there and can be reached. What waits for it goes"
                              " on by itself."),
    "outcome-unknown": marked("Ask the provider what it knows of {subject}. The store asks on, and"
                              " charges nothing twice."),
    "refuses": marked("Look at {subject} and its log. If another can do its work, switch it off."),
    "charge-refused": marked("Ask the provider: it refuses to charge, not the customers' banks."),
    "step-refused": marked("Mend the cause and have it asked again (--retry), or do it by hand"
                           " (--by-hand): storebus resolve {subject}"),
    "short-pick": marked("Look for them, and count there: c on the stock screen, or storebus stock"
                         " count."),
    "put-back": marked("Put them on a shelf and say so: + on the stock screen, with the parcel"
                       " {subject}."),
}  # fmt: skip
"""What an operator does about it, where the alarm itself does not say so."""


@dataclass(slots=True)
class Alarm:
    """One thing to look at."""

    kind: Kind
    subject: str
    """A node, an order, a style: what it is about."""
    text: Sentence
    since: int
    """When it was raised first, in milliseconds since the epoch."""
    last: int
    """When it was last so."""
    times: int = 1
    ended: int | None = None
    acknowledged: bool = False
    message: int | None = None
    """The number of the message that raised it last."""

    @property
    def open(self) -> bool:
        """Whether it still holds and nobody has seen it."""
        return self.ended is None and not self.acknowledged


class Alarms:
    """Alarms that hold, and those that held."""

    def __init__(self) -> None:
        self._now: dict[tuple[Kind, str], Alarm] = {}
        self._past: deque[Alarm] = deque(maxlen=KEPT)
        self._muted: set[Kind] = set()
        self._dismissed: set[tuple[Kind, str]] = set()
        """What still holds and is not shown any more, until it is over."""
        self.bell = 0
        """How often an alarm was raised that nobody had muted."""

    def current(self) -> list[Alarm]:
        """Alarms that hold, the youngest first."""
        return sorted(self._now.values(), key=lambda alarm: -alarm.since)

    def history(self) -> list[Alarm]:
        """Alarms that held, the youngest first."""
        return list(reversed(self._past))

    @property
    def muted(self) -> frozenset[Kind]:
        """Kinds that ring no bell."""
        return frozenset(self._muted)

    def unseen(self) -> int:
        """How many hold that nobody has acknowledged."""
        return sum(alarm.open and alarm.kind not in self._muted for alarm in self._now.values())

    def raise_(
        self, kind: Kind, subject: str, text: Sentence, at: int, message: int | None = None
    ) -> None:
        """Something is wrong, perhaps still."""
        if (kind, subject) in self._dismissed:
            return
        alarm = self._now.get((kind, subject))
        if alarm is not None:
            alarm.last, alarm.text = at, text
            alarm.times += 1
            alarm.message = message or alarm.message
            return
        if len(self._now) >= KEPT:
            self._end(next(iter(self._now)), at)
        self._now[kind, subject] = Alarm(kind, subject, text, at, at, message=message)
        self.bell += kind not in self._muted

    def end(self, kind: Kind, subject: str, at: int) -> None:
        """It is well again."""
        self._dismissed.discard((kind, subject))
        if (kind, subject) in self._now:
            self._end((kind, subject), at)

    def subjects(self, kind: Kind) -> set[str]:
        """What an alarm of a kind holds for, also where it was dismissed."""
        return {subject for each, subject in (*self._now, *self._dismissed) if each == kind}

    def acknowledge(self, alarm: Alarm | None = None) -> None:
        """An operator has seen one, or all."""
        for each in [alarm] if alarm else self._now.values():
            each.acknowledged = True

    def dismiss(self, alarm: Alarm | None = None) -> None:
        """Put one away, or all that were acknowledged: it is over for the operator.

        One that still holds is not shown again before it was over; it stands in the history.
        """
        for key, each in list(self._now.items()):
            if each is alarm or (alarm is None and each.acknowledged):
                self._end(key, each.last)
                if each.kind not in _MOMENTS and len(self._dismissed) < KEPT:
                    self._dismissed.add(key)

    def mute(self, kind: Kind) -> bool:
        """Ring no bell for a kind, or again; whether it is muted now."""
        self._muted ^= {kind}
        return kind in self._muted

    def expire(self, now: int, after: int, *kinds: Kind) -> None:
        """End alarms of some kinds that have not been raised again for so many milliseconds."""
        for key, alarm in list(self._now.items()):
            if alarm.kind in kinds and now - alarm.last > after:
                self._end(key, now)

    def _end(self, key: tuple[Kind, str], at: int) -> None:
        alarm = self._now.pop(key)
        alarm.ended = at
        self._past.append(alarm)
