"""Who has the processor: what is heard, or the operator at the keys. Keys come first."""

import asyncio
import time
from collections.abc import Callable

_SLICE = 0.005
"""Seconds for which it is heard before keys are looked at again."""
_ANSWER = 0.05
"""Seconds after a key in which it is answered, and nothing is heard."""
_URGENT = 0.02
"""Seconds of them where much waits to be heard: most of the time is the key's even then."""


class Pace:
    """Divides time between hearing, in slices, and all else."""

    def __init__(self) -> None:
        self._answered = 0.0

    def key(self) -> None:
        """The operator wants something."""
        self._answered = time.monotonic() + _ANSWER

    def hear(self, some: Callable[[], bool]) -> None:
        """Hear some, again and again, until the slice is over or there is nothing more."""
        end = time.monotonic() + _SLICE
        while some() and time.monotonic() < end:
            pass

    async def rest(self, seconds: float, *, urgent: bool = False) -> None:
        """Let all else have its turn, and a key that was pressed be answered.

        Args:
            seconds: for which to rest at least.
            urgent: whether much waits to be heard.
        """
        left = self._answered - time.monotonic()
        await asyncio.sleep(max(seconds, min(left, _URGENT) if urgent else left))
