"""The screens on which a terminal shows reminders, and the record of what was shown."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from bus.contract.terminal import Remind
from bus.storage.effect_log import EffectLog

logger = logging.getLogger("storebus.terminal")


class Screen(Protocol):
    """Shows reminders."""

    async def display(self, key: str, reminder: Remind) -> bool:
        """Show a reminder; returns whether it was shown.

        It is called again with the same key after a crash.
        """

    def close(self) -> None:
        """Close the file."""


class PrintingScreen:
    """The screen of a terminal without a display: shows each reminder once, despite crashes.

    Args:
        record: the file of the reminders that were shown.
        show: called once for each reminder, for instance to print it.
    """

    def __init__(self, record: Path, show: Callable[[Remind], None] = lambda _: None) -> None:
        self._shown = EffectLog(record)
        self._show = show

    async def display(self, key: str, reminder: Remind) -> bool:
        """Show a reminder unless it was shown under this key before."""
        if self._shown.get(key) is None:
            self._shown.write(key, **reminder.model_dump())
            self._show(reminder)
        return True

    def close(self) -> None:
        """Close the file."""
        self._shown.close()


class AttendedScreen:
    """A screen with people in front of it: records the reminders that have been on it.

    Args:
        record: the file of the reminders that were shown.
        show: returns when a reminder is on the screen; false if it was dropped.
    """

    def __init__(self, record: Path, show: Callable[[Remind], Awaitable[bool]]) -> None:
        self._shown = EffectLog(record)
        self._show = show

    async def display(self, key: str, reminder: Remind) -> bool:
        """Show a reminder; again if the terminal crashed before it had reported it."""
        shown = await self._show(reminder)
        if shown and self._shown.get(key) is None:
            self._shown.write(key, **reminder.model_dump())
        return shown

    def close(self) -> None:
        """Close the file."""
        self._shown.close()
