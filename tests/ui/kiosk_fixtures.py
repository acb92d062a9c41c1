"""Kiosks for tests: on a real store in process, or standing still."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from plug import Plug
from running_store import PATIENCE, Store
from textual.css.query import NoMatches
from textual.errors import NoWidget
from textual.pilot import Pilot

from bus.link import MemoryBroker
from bus.runtime.deployment import Deployment
from devices.terminal.kiosk.app import Kiosk
from devices.terminal.kiosk.controller import KioskController
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.settings import KioskSettings
from devices.terminal.kiosk.wedge import Wedge

BY_HAND = KioskSettings(scanner_gap=0.0, settle=0.0)
"""The keys and touches of a test come fast: here they are a person's, who looks first."""

_HOPS = 3
"""Times that nobody has anything to do, one after the other, until a kiosk is settled."""


class Visit:
    """A kiosk that somebody stands before."""

    def __init__(self, kiosk: Kiosk, pilot: Pilot[None], plug: Plug) -> None:
        self.kiosk = kiosk
        self.pilot = pilot
        self.plug = plug

    @property
    def text(self) -> str:
        """What is on the screen."""
        strips = self.kiosk.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def sees(self, *texts: str) -> str:
        """Wait until all of these stand on the screen."""
        await self.until(lambda: all(text in self.text for text in texts), f"{texts}")
        return self.text

    async def sees_no(self, text: str) -> None:
        """Wait until this does not stand on it any more."""
        await self.until(lambda: text not in self.text, f"no {text}")

    async def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"{what} never came true:\n{self.text}"
            await asyncio.sleep(0.01)

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, as who sees what each of them did."""
        for key in keys:
            await self.pilot.press(key)
            await self.settled()

    async def type(self, text: str) -> None:
        """Type a text and Enter."""
        await self.press(*text, "enter")

    async def tap(self, what: str) -> None:
        """Touch something, as soon as it can be seen."""
        await self.until(lambda: self._is_in_sight(what), what)
        await self.pilot.click(what)
        await self.settled()

    def _is_in_sight(self, what: str) -> bool:
        screen = self.kiosk.screen
        try:
            target = screen.query_one(what)
            top, _ = screen.get_widget_at(*target.region.center)
        except (NoMatches, NoWidget):
            return False
        return target in top.ancestors_with_self

    async def settled(self) -> None:
        """Wait until every widget has done what it was told, and what followed from that.

        Pilot takes a process that is given no processor for one that has nothing to do.
        """
        quiet = 0
        while quiet < _HOPS:
            pumps = [self.kiosk, *self.kiosk.screen.walk_children(with_self=True)]
            shown = [pump for pump in pumps if self._is_shown(pump)]
            heard = [asyncio.Event() for _ in shown]
            taken = [pump.call_later(each.set) for pump, each in zip(shown, heard, strict=True)]
            async with asyncio.timeout(PATIENCE):
                for each, is_coming in zip(heard, taken, strict=True):
                    if is_coming:
                        await each.wait()
            quiet = 0 if any(pump.message_queue_size for pump in shown) else quiet + 1

    @staticmethod
    def _is_shown(pump: Any) -> bool:
        """Pages behind the one in front are told nothing."""
        above = pump.ancestors_with_self
        return all(each.display for each in above if isinstance(each, KioskPage))

    async def scan(self, code: str) -> None:
        """Hold a label to the scanner."""
        self.kiosk.wedge = Wedge(PATIENCE)
        await self.pilot.press(*code, "enter")
        await self.settled()
        self.kiosk.wedge = Wedge(0.0)


@asynccontextmanager
async def visit(
    store: Store,
    broker: MemoryBroker,
    name: str,
    settings: KioskSettings = BY_HAND,
    clock: Callable[[], float] = time.monotonic,
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Visit]:
    """Stand before a kiosk of a running store."""
    plug = Plug(broker)
    deployment = Deployment(plug, store.site, store.deployment.data, store.deployment.settings)
    controller = KioskController(name, deployment)
    kiosk = Kiosk(controller, settings, clock)
    async with kiosk.run_test(size=size) as pilot:
        somebody = Visit(kiosk, pilot, plug)
        await somebody.until(lambda: controller.connected and controller.points, "a connection")
        yield somebody
