"""Time that jumps: an event loop that never waits, and what a node needs to live in its time."""

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
    """Nothing is ready and nothing is due: the simulation would wait for ever."""


class _Jump:
    """Stands where an event loop has its selector: instead of waiting, the clock jumps."""

    def __init__(self) -> None:
        self.now = 0.0

    def select(self, timeout: float | None) -> Sequence[Any]:
        if timeout is None:
            raise DeadlockError
        self.now += timeout
        return ()


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without sockets and threads whose time is nobody's but its own."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Jump()

    def time(self) -> float:
        """Virtual seconds since the simulation began."""
        return self._selector.now

    def _process_events(self, _: Sequence[Any]) -> None:
        """There are none: nothing comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody waits who would have to be woken."""


def milliseconds() -> int:
    """The virtual time in milliseconds since 1970."""
    return EPOCH + int(asyncio.get_running_loop().time() * 1000 + 1e-6)


class VirtualEnvironment(Environment):
    """An identity whose ids come from a seed and whose clocks are the loop's.

    Args:
        seed: of its ids.
        wrong: by how many milliseconds its host's wall clock is ahead now.
    """

    def __init__(self, seed: str, wrong: Callable[[], int] = lambda: 0) -> None:
        super().__init__(random.Random(seed))
        self._wrong = wrong

    def now(self) -> int:
        """Milliseconds since 1970, virtual, as its host has them."""
        return milliseconds() + self._wrong()

    def host(self) -> str:
        """There is one host for ever."""
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
    """A hold that need not be renewed: nobody stands still while virtual time goes on.

    To renew the leases of a store would be half of all that a simulation does.
    """

    def holds(self) -> bool:
        """Whether this process may act in the node's name."""
        return not self._in_doubt

    async def keep(self) -> None:
        """Ask who plays the name whenever it is in doubt, until cancelled.

        Raises:
            RoleTakenError: somebody else has the name.
        """
        await self._settle_doubts()
