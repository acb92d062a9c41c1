"""The schedule of a node's outbox: when each command, call and timer is due, kept in memory."""

import asyncio
import heapq
import random
from collections.abc import Callable, Iterable

from bus.runtime.outbox import Pending
from bus.runtime.send_window import SendWindow

_AT_ONCE = 100
"""The most commands, and the most other rows, that are taken off the schedule at once."""


class Schedule:
    """What a node has to do before long, and when each is to be tried (again).

    Timers and calls are due at their time; a command that is due waits until there is room in
    its callee's send window.

    Args:
        first: seconds before the first repetition.
        limit: what the seconds between repetitions double up to; each is spread by a quarter.
        now: the node's steady clock, in milliseconds.
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
        """How many of the rows are timers."""
        self._tries: dict[str, int] = {}
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        self._windows: dict[str, SendWindow] = {}
        self._waiting: dict[str, SendWindow] = {}
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """How many commands and calls are not done yet, timers aside."""
        return len(self._rows) - self.timers

    def get(self, identifier: str) -> Pending | None:
        """A pending row, or None if it is done."""
        return self._rows.get(identifier)

    def add(self, row: Pending) -> None:
        """Add a row, which is due at its `due_at`."""
        self.timers += row.kind == "timer" and row.id not in self._rows
        self._rows[row.id] = row
        if row.kind == "command" and row.due_at <= self._now():
            self._line_up(row)
        else:
            self._push(row.id, row.due_at)

    def remove(self, identifier: str) -> None:
        """Remove a row that is done."""
        row = self._rows.pop(identifier, None)
        if row is None:
            return
        self.timers -= row.kind == "timer"
        self._tries.pop(identifier, None)
        self._due.pop(identifier, None)
        window = self._windows.get(row.target) if row.kind == "command" else None
        if window is None:
            return
        window.done(identifier, self._now())
        if window.waits:
            self._changed.set()
        elif not window:
            del self._windows[row.target]
            self._waiting.pop(row.target, None)

    def tried(self, identifier: str) -> None:
        """Note that a row was tried: due again after the backoff, or sooner at its deadline."""
        row = self._rows.get(identifier)
        if row is None:
            return
        tries = self._tries.get(identifier, 0)
        self._tries[identifier] = tries + 1
        wait = min(self._first * 2 ** min(tries, 30), self._limit)
        wait *= self._chance.uniform(0.75, 1.25)
        due = self._now() + round(wait * 1000)
        if row.expires_at is not None:
            due = min(due, max(row.expires_at, self._now()))
        if row.kind == "command":
            self._window(row).rest(identifier)
        self._push(identifier, due)

    def hurry(self, target: str | None = None) -> None:
        """Make every command (to `target`) due now: the connection, or the target, is new."""
        for name in list(self._windows) if target is None else [target]:
            window = self._windows.get(name)
            for identifier in window.begin_again() if window is not None else ():
                self._tries.pop(identifier, None)
                self._line_up(self._rows[identifier])

    async def due(self) -> Iterable[Pending]:
        """Wait until something is due and take it off the schedule."""
        while True:
            self._changed.clear()
            now = self._now()
            taken = self._take(now)
            if taken:
                return taken
            following = self._next_at(now)
            wait = None if following is None else (following - now) / 1000
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _take(self, now: int) -> list[Pending]:
        others: list[Pending] = []
        while self._heap and len(others) < _AT_ONCE:
            due, identifier = self._heap[0]
            if self._due.get(identifier) != due:  # done, or put off, meanwhile
                heapq.heappop(self._heap)
                continue
            if due > now:
                break
            heapq.heappop(self._heap)
            del self._due[identifier]
            row = self._rows[identifier]
            if row.kind == "command" and (row.expires_at is None or row.expires_at > now):
                self._line_up(row)
                continue
            if row.kind == "command":
                self._window(row).rest(identifier)
            others.append(row)
        return [*self._from_windows(now), *others]

    def _line_up(self, row: Pending) -> None:
        """Put a command in line; its deadline passes whether or not there is room for it."""
        self._due.pop(row.id, None)
        window = self._waiting[row.target] = self._window(row)
        window.line_up(row.id, again=row.id in self._tries)
        self._changed.set()
        if row.expires_at is not None:
            self._push(row.id, row.expires_at)

    def _from_windows(self, now: int) -> list[Pending]:
        """The commands for which there is room, from one callee after another."""
        taken: list[Pending] = []
        for name, window in list(self._waiting.items()):
            if len(taken) == _AT_ONCE:
                break
            taken += [self._rows[each] for each in window.take(now, _AT_ONCE - len(taken))]
            del self._waiting[name]
            if window.waits:
                self._waiting[name] = window
        return taken

    def _next_at(self, now: int) -> int | None:
        times = [self._heap[0][0]] if self._heap else []
        times += [
            at for window in self._waiting.values() if (at := window.next_at(now)) is not None
        ]
        return min(times, default=None)

    def _window(self, row: Pending) -> SendWindow:
        window = self._windows.get(row.target)
        if window is None:
            window = self._windows[row.target] = SendWindow(round(self._first * 1000))
        return window

    def _push(self, identifier: str, due: int) -> None:
        if not self._heap or due < self._heap[0][0]:
            self._changed.set()
        self._due[identifier] = due
        heapq.heappush(self._heap, (due, identifier))
