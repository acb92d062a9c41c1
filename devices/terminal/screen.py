"""Where a terminal shows a reminder: exactly once, also when it crashes while showing it."""

import logging
from collections.abc import Callable
from pathlib import Path

from bus.contract.terminal import Remind
from bus.once import DoneFile

logger = logging.getLogger("storebus.terminal")


class Screen:
    """A headless terminal's screen: a file of what was shown, and a function that shows it.

    Args:
        record: the file; what stands in it has been shown.
        show: called once for each reminder, for instance to print it.
    """

    def __init__(self, record: Path, show: Callable[[Remind], None] = lambda _: None) -> None:
        self._shown = DoneFile(record)
        self._show = show

    async def display(self, key: str, reminder: Remind) -> None:
        """Show a reminder unless it was shown under this key before."""
        if self._shown.get(key) is None:
            self._shown.write(key, **reminder.model_dump())
            self._show(reminder)

    def close(self) -> None:
        """Close the file."""
        self._shown.close()
