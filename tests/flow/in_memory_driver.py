"""Somebody who stands beside a device of this process while it is certified."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from minimal_device import end


class Beside:
    """Starts the device, restarts it, is its customer, takes goods away and makes it jam.

    Args:
        run: is the device until it is cancelled; called anew for each start.
        buy: makes its customer buy.
        shown: everything that it has shown.
        take_away: leaves a piece fewer at a location.
        jam: makes it jam at its next job.
    """

    can_restart = True
    is_patient = False

    def __init__(
        self, run: Callable[[], Awaitable[object]],
        buy: Callable[[], Awaitable[object]] | None = None, shown: list[str] | None = None,
        take_away: Callable[[str], None] | None = None, jam: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self._run, self._buy = run, buy
        self._shown = [] if shown is None else shown
        self._take_away, self._jam = take_away, jam
        self._running: list[asyncio.Task[Any]] = []

    async def start(self) -> None:
        """Let it run."""
        self._running.insert(0, asyncio.ensure_future(self._run()))

    async def restart(self) -> None:
        """End it and let it run again."""
        await end(self._running.pop(0))
        await self.start()

    async def buy(self) -> None:
        """A customer comes."""
        assert self._buy is not None
        self._running.append(asyncio.ensure_future(self._buy()))

    async def bought(self) -> None:
        """The customer goes."""
        while len(self._running) > 1:
            await end(self._running.pop())

    async def take_away(self, sku: str, location: str) -> bool:
        """One piece of whatever is there."""
        del sku
        if self._take_away is not None:
            self._take_away(location)
        return self._take_away is not None

    async def jam(self) -> bool:
        """The next job does not go well."""
        if self._jam is not None:
            self._jam()
        return self._jam is not None

    async def times_shown(self, text: str) -> int | None:
        """Count."""
        return self._shown.count(text)

    async def close(self) -> None:
        """End everything."""
        while self._running:
            await end(self._running.pop())
