"""A window on the commands to one callee: a few are on their way at once, the rest wait in line.

A callee that answers is given more and more, one that is silent a few at a time, however many
commands there are for it. Knows neither the commands nor the backoff of each.
"""

from collections import OrderedDict
from collections.abc import Iterator

FEWEST = 8
"""The window of a callee that has not answered lately."""
MOST = 256
"""On their way at once to a callee that answers: about as many as it takes in a transaction."""


class SendWindow:
    """The window of one callee, and the line before it.

    Args:
        patience: milliseconds for which an unanswered command keeps others waiting. It then rests
            until its next try, which may be much later: some answers need a person.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._new: OrderedDict[str, None] = OrderedDict()
        self._again: OrderedDict[str, None] = OrderedDict()
        self._on_its_way: dict[str, int] = {}  # and since when, the earliest first
        self._resting: dict[str, None] = {}
        self._room = FEWEST
        self._heard_at = 0
        self._again_next = False

    def __len__(self) -> int:
        """How many commands there are."""
        return len(self._resting) + self.waits

    @property
    def waits(self) -> int:
        """How many of them wait to be sent."""
        return len(self._new) + len(self._again)

    def line_up(self, identifier: str, *, again: bool) -> None:
        """Take a command that is due."""
        self._resting.pop(identifier, None)
        (self._again if again else self._new)[identifier] = None

    def take(self, now: int, limit: int) -> Iterator[str]:
        """The commands that may be sent next: new and repeated ones alternate, oldest first."""
        self._give_up(now)
        for _ in range(min(limit, self._room - len(self._on_its_way), self.waits)):
            self._again_next = not self._again_next
            line = self._again if self._again_next else self._new
            identifier, _ = (line or self._again or self._new).popitem(last=False)
            self._on_its_way[identifier] = now
            self._resting[identifier] = None
            yield identifier

    def rest(self, identifier: str) -> None:
        """Note that a command was tried and is not due."""
        self._new.pop(identifier, None)
        self._again.pop(identifier, None)
        self._resting[identifier] = None

    def done(self, identifier: str, now: int) -> None:
        """Note that a command was answered, or is not needed any more."""
        for place in (self._new, self._again, self._resting):
            place.pop(identifier, None)
        if self._on_its_way.pop(identifier, None) is not None:
            self._heard_at = now
            self._room = min(self._room + 1, MOST)

    def begin_again(self) -> list[str]:
        """The callee, or the connection, is new; returns what was sent and is to be lined up."""
        self._on_its_way.clear()
        self._room = FEWEST
        return list(self._resting)

    def next_at(self, now: int) -> int | None:
        """When the next may be sent, in milliseconds; None if none waits."""
        if not self.waits:
            return None
        if len(self._on_its_way) < self._room:
            return now
        return next(iter(self._on_its_way.values())) + self._patience

    def _give_up(self, now: int) -> None:
        """Wait no longer for what was sent too long ago."""
        while self._on_its_way:
            identifier, since = next(iter(self._on_its_way.items()))
            if since + self._patience > now:
                return
            del self._on_its_way[identifier]
            if self._heard_at < since:
                self._room = FEWEST
