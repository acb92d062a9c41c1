"""Virtual time: an event loop that never waits, and what a node needs to run in it."""

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bus.runtime.environment import Environment
from bus.runtime.lease import Lease

EPOCH = 1_767_225_600_000
"""When every simulation begins, in milliseconds since 1970: 2026-01-01T00:00:00Z."""


class DeadlockError(Exception):
    """Nothing is ready and no timer is set: the simulation would wait for ever."""


class _Jump:
    """The event loop's selector: instead of waiting, it moves the clock on."""

    def __init__(self) -> None:
        self.now = 0.0

    def select(self, timeout: float | None) -> Sequence[Any]:
        if timeout is None:
            raise DeadlockError
        self.now += timeout
        return ()


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without sockets and threads that keeps its own time."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Jump()

    def time(self) -> float:
        """Virtual seconds since the simulation began."""
        return self._selector.now

    def _process_events(self, _: Sequence[Any]) -> None:
        """Do nothing: no events come from outside."""

    def _write_to_self(self) -> None:
        """Do nothing: the loop never sleeps."""


def milliseconds() -> int:
    """The virtual time in milliseconds since 1970."""
    return EPOCH + int(asyncio.get_running_loop().time() * 1000 + 1e-6)


class VirtualEnvironment(Environment):
    """An environment whose ids come from a seed and whose clocks are the loop's.

    Args:
        seed: of its ids.
        wrong: how many milliseconds its host's wall clock is ahead now.
    """

    def __init__(self, seed: str, wrong: Callable[[], int] = lambda: 0) -> None:
        super().__init__(random.Random(seed))
        self._wrong = wrong

    def now(self) -> int:
        """Virtual milliseconds since 1970, by its host's clock."""
        return milliseconds() + self._wrong()

    def host(self) -> str:
        """The same for every node."""
        return "virtual"

    def computer(self) -> str:
        """The same on every computer."""
        return "virtual"

    def process(self) -> int:
        """The same in every process."""
        return 1

    def folder(self, path: Path) -> str:
        """The same wherever it is simulated."""
        del path
        return "virtual"

    def elapsed(self) -> float:
        """Virtual seconds."""
        return asyncio.get_running_loop().time()


class VirtualLease(Lease):
    """A lease that need not be renewed: no process stands still while virtual time passes.

    Renewing the leases of a store would be half of a simulation's work.
    """

    def holds(self) -> bool:
        """Whether this process may act as the node."""
        return not self._in_doubt

    async def keep(self) -> None:
        """Ask who holds the name whenever that is in doubt, until cancelled.

        Raises:
            RoleTakenError: another process holds the name.
        """
        await self._settle_doubts()
