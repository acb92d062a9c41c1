"""Divides the processor between the feed and the operator's keys: keys come first."""

import asyncio
import time
from collections.abc import Callable

_SLICE = 0.005
"""Seconds for which the feed may run before keys are looked at."""
_ANSWER = 0.05
"""Seconds after a key for which the feed pauses, so that the key is answered."""
_URGENT = 0.02
"""The same while many messages wait: most of the time still belongs to the key."""


class FeedScheduler:
    """Runs the feed in slices, and pauses it while a key is being answered."""

    def __init__(self) -> None:
        self._paused_until = 0.0

    def key_pressed(self) -> None:
        """The operator has pressed a key."""
        self._paused_until = time.monotonic() + _ANSWER

    def run(self, step: Callable[[], bool]) -> None:
        """Call a step of the feed until the slice is over or it returns false."""
        end = time.monotonic() + _SLICE
        while step() and time.monotonic() < end:
            pass

    async def pause(self, seconds: float, *, urgent: bool = False) -> None:
        """Let everything else run, and a key that was pressed be answered.

        Args:
            seconds: the shortest pause.
            urgent: whether many messages wait.
        """
        left = self._paused_until - time.monotonic()
        await asyncio.sleep(max(seconds, min(left, _URGENT) if urgent else left))
