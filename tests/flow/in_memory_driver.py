"""The driver of a device in this process while it is certified."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from minimal_device import end


class InMemoryDriver:
    """Starts and restarts the device, buys at it, takes goods away and makes it jam.

    Args:
        run: runs the device until it is cancelled; called for each start.
        buy: makes its customer buy.
        shown: everything that it has shown.
        remove_piece: leaves a piece fewer at a location.
        jam: makes it jam at its next job.
    """

    can_restart = True
    is_person = False

    def __init__(
        self, run: Callable[[], Awaitable[object]],
        buy: Callable[[], Awaitable[object]] | None = None, shown: list[str] | None = None,
        remove_piece: Callable[[str], None] | None = None, jam: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self._run, self._buy = run, buy
        self._shown = [] if shown is None else shown
        self._remove_piece, self._jam = remove_piece, jam
        self._running: list[asyncio.Task[Any]] = []

    async def start(self) -> None:
        """Start the device."""
        self._running.insert(0, asyncio.ensure_future(self._run()))

    async def restart(self) -> None:
        """End the device and start it again."""
        await end(self._running.pop(0))
        await self.start()

    async def buy(self) -> None:
        """Let a customer buy."""
        assert self._buy is not None
        self._running.append(asyncio.ensure_future(self._buy()))

    async def end_purchase(self) -> None:
        """End the purchase."""
        while len(self._running) > 1:
            await end(self._running.pop())

    async def remove_piece(self, sku: str, location: str) -> bool:
        """Take one piece away from a location."""
        del sku
        if self._remove_piece is not None:
            self._remove_piece(location)
        return self._remove_piece is not None

    async def jam(self) -> bool:
        """Make the next job fail."""
        if self._jam is not None:
            self._jam()
        return self._jam is not None

    async def times_shown(self, text: str) -> int | None:
        """Count how often it showed a text."""
        return self._shown.count(text)

    async def close(self) -> None:
        """End everything."""
        while self._running:
            await end(self._running.pop())
