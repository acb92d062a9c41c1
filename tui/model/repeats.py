"""Which node repeats which messages to whom."""

from collections import Counter
from typing import NamedTuple

from bus.history.message import Message
from tui.model.rates import Rate

_HALF = 30_000
"""Milliseconds covered by one set of counts."""
_PLACES = 1_000


class Route(NamedTuple):
    """Sender, receiver and operation of a request."""

    sender: str
    receiver: str
    name: str
    topic: str


class Repeats:
    """Counts the repetitions of the last minute."""

    def __init__(self) -> None:
        self._rate = Rate()
        self._counts: Counter[Route] = Counter()
        self._before: Counter[Route] = Counter()
        self._since = 0

    def hear(self, message: Message) -> None:
        """Take a repeated message; a repeated reply only follows a repeated request."""
        self._rate.add(message.at)
        if message.at - self._since > _HALF:
            self._before = self._counts if message.at - self._since <= 2 * _HALF else Counter()
            self._counts, self._since = Counter(), message.at
        if message.kind == "req" and len(self._counts) < _PLACES:
            route = Route(message.sender, message.receiver, message.name, message.topic)
            self._counts[route] += 1

    def count(self, now: int) -> int:
        """The number of repetitions in the last minute."""
        return sum(self._rate.per_second(now))

    def most(self) -> tuple[Route, int] | None:
        """The route with most repeated requests, and their number; None if there are none."""
        return next(iter((self._counts + self._before).most_common(1)), None)
