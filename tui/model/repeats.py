"""Who repeats messages: which node says what to whom, again and again."""

from collections import Counter
from typing import NamedTuple

from bus.history.message import Message
from tui.model.rates import Rate

_HALF = 30_000
"""Milliseconds for which counts are kept together."""
_PLACES = 1_000


class Route(NamedTuple):
    """Where something is said."""

    sender: str
    receiver: str
    name: str
    topic: str


class Repeats:
    """Repetitions of the last minute: how many, and the place with most of them."""

    def __init__(self) -> None:
        self._rate = Rate()
        self._counts: Counter[Route] = Counter()
        self._before: Counter[Route] = Counter()
        self._since = 0

    def hear(self, message: Message) -> None:
        """A message was heard before; who answers again was asked again."""
        self._rate.add(message.at)
        if message.at - self._since > _HALF:
            self._before = self._counts if message.at - self._since <= 2 * _HALF else Counter()
            self._counts, self._since = Counter(), message.at
        if message.kind == "req" and len(self._counts) < _PLACES:
            route = Route(message.sender, message.receiver, message.name, message.topic)
            self._counts[route] += 1

    def count(self, now: int) -> int:
        """How many there were."""
        return sum(self._rate.per_second(now))

    def most(self) -> tuple[Route, int] | None:
        """Where most requests are repeated, and how many; None if none are."""
        return next(iter((self._counts + self._before).most_common(1)), None)
