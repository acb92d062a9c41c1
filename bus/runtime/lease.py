"""A node's hold on its name, which a process that stood still has lost when it goes on.

Another process may take a name that did not answer for the takeover time. So a node acts on a
lease of that length which its own event loop renews: whoever wakes up later than that, in
whichever thread, finds the lease over, does nothing more, and asks who plays its name now.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bus.contract.errors import RoleTakenError

T = TypeVar("T")

_RENEWALS = 4
"""How often the lease is renewed within its length."""


class LapsedError(Exception):
    """The lease was over before the commit: nothing was written."""


class Lease:
    """The lease of one start of a node. It is held from the beginning.

    Args:
        name: the node's.
        length: seconds that others wait before they take a silent name.
        clock: seconds that never go back.
        ask: returns if nobody else plays the name, else raises `RoleTakenError`. It is told
            whether this process stood still, so that somebody may be about to take the name.
        regained: called when the name was in doubt and is still ours.
    """

    def __init__(
        self,
        name: str,
        length: float,
        clock: Callable[[], float],
        ask: Callable[[bool], Awaitable[None]],
        regained: Callable[[], None],
    ) -> None:
        self._name = name
        self._length = length
        self._clock = clock
        self._ask = ask
        self._regained = regained
        self._until = clock() + length
        self._in_doubt = False
        self._stood_still = False
        self._doubted = asyncio.Event()
        self._changed = asyncio.Event()
        self._taken: RoleTakenError | None = None

    def holds(self) -> bool:
        """Whether this process may act in the node's name; any thread may ask."""
        return not self._in_doubt and self._clock() < self._until

    async def held(self) -> None:
        """Wait until it holds.

        Raises:
            RoleTakenError: it never will.
        """
        while not self.holds():
            if self._taken is not None:
                raise self._taken
            self._changed.clear()
            await self._changed.wait()

    def guard(self, work: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
        """The same unit of work, which raises `LapsedError` at its end if the lease is over."""

        def guarded(rows: sqlite3.Connection) -> T:
            result = work(rows)
            if not self.holds():
                raise LapsedError(f"{self._name} may have been taken over")
            return result

        return guarded

    def doubt(self, *, stood_still: bool = False) -> None:
        """Do nothing more until it is known that nobody else plays the name.

        Args:
            stood_still: somebody may be about to take it, or seems to have: listen for them.
        """
        self._in_doubt = True
        self._stood_still |= stood_still
        self._doubted.set()

    async def keep(self) -> None:
        """Renew the lease until cancelled.

        Raises:
            RoleTakenError: somebody else has the name.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._renew(), name=f"{self._name}/lease")
            tasks.create_task(self._settle_doubts(), name=f"{self._name}/doubts")

    async def _renew(self) -> None:
        while True:
            now = self._clock()
            if now >= self._until:
                self.doubt(stood_still=True)
            self._until = now + self._length
            self._changed.set()
            await asyncio.sleep(self._length / _RENEWALS)

    async def _settle_doubts(self) -> None:
        while True:
            await self._doubted.wait()
            self._doubted.clear()
            stood_still, self._stood_still = self._stood_still, False
            try:
                if self._taken is None:
                    await self._ask(stood_still)
            except RoleTakenError as taken:
                self._taken = taken
                self._changed.set()
            if self._taken is not None:
                raise self._taken
            if not self._doubted.is_set():
                self._in_doubt = False
                self._changed.set()
                self._regained()
