"""When what is not done yet is due: a schedule in memory of the rows that the journal keeps."""

import asyncio
import heapq
import random
from collections.abc import Callable, Iterable

from bus.turn import Pending

_AT_ONCE = 500
"""The most rows that are taken off the schedule in one go."""


class Schedule:
    """All pending rows of a node and when each is to be tried (again).

    Args:
        first: seconds before the first repetition.
        limit: what the seconds between repetitions double up to; each is spread by a quarter.
        now: the node's clock, in milliseconds.
        chance: what the spread is drawn from.
    """

    def __init__(
        self,
        first: float,
        limit: float,
        now: Callable[[], int],
        chance: random.Random | None = None,
    ) -> None:
        self._first = first
        self._limit = limit
        self._now = now
        self._chance = chance or random.Random()
        self._rows: dict[str, Pending] = {}
        self.timers = 0
        """How many timers are set."""
        self._tries: dict[str, int] = {}
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """How many commands and calls are not done yet; timers wait for nobody."""
        return len(self._rows) - self.timers

    def get(self, identifier: str) -> Pending | None:
        """A pending row, or None if it is done."""
        return self._rows.get(identifier)

    def add(self, row: Pending) -> None:
        """Take a row; it is due at its time."""
        self.timers += row.kind == "timer" and row.id not in self._rows
        self._rows[row.id] = row
        self._push(row.id, row.due_at)

    def remove(self, identifier: str) -> None:
        """It is done."""
        row = self._rows.pop(identifier, None)
        self.timers -= row is not None and row.kind == "timer"
        self._tries.pop(identifier, None)
        self._due.pop(identifier, None)

    def tried(self, identifier: str) -> None:
        """It was tried: due again after the backoff, or at its deadline if that is sooner."""
        row = self._rows.get(identifier)
        if row is None:
            return
        tries = self._tries.get(identifier, 0)
        self._tries[identifier] = tries + 1
        wait = min(self._first * 2 ** min(tries, 30), self._limit)
        wait *= self._chance.uniform(0.75, 1.25)
        due = self._now() + round(wait * 1000)
        if row.deadline is not None:
            due = min(due, max(row.deadline, self._now()))
        self._push(identifier, due)

    def hurry(self, target: str | None = None) -> None:
        """Make every command (to `target`) due now: the connection, or the target, is new."""
        for row in self._rows.values():
            if row.kind == "command" and target in (None, row.target):
                self._tries.pop(row.id, None)
                self._push(row.id, self._now())

    async def due(self) -> Iterable[Pending]:
        """Wait until something is due and take it off the schedule."""
        while True:
            self._changed.clear()
            now = self._now()
            if self._heap and self._heap[0][0] <= now:
                return self._take(now)
            wait = (self._heap[0][0] - now) / 1000 if self._heap else None
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _take(self, now: int) -> list[Pending]:
        taken: dict[str, Pending] = {}
        while self._heap and self._heap[0][0] <= now and len(taken) < _AT_ONCE:
            due, identifier = heapq.heappop(self._heap)
            if self._due.get(identifier) == due:
                del self._due[identifier]
                taken[identifier] = self._rows[identifier]
        return list(taken.values())

    def _push(self, identifier: str, due: int) -> None:
        if not self._heap or due < self._heap[0][0]:
            self._changed.set()
        self._due[identifier] = due
        heapq.heappush(self._heap, (due, identifier))
