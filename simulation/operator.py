"""A console that watches a simulated store: what it raises, and when."""

import asyncio
import itertools
from collections.abc import Callable

from bus.contract.topics import Topics
from simulation.goods import SITE
from simulation.network import Socket
from simulation.store import SimulatedStore
from testing.kit.virtual_time import VirtualEnvironment, milliseconds
from tui.feed import Feed
from tui.model.store import StoreModel
from tui.scheduler import FeedScheduler

_TICK = 1.0
"""Seconds between two looks at the time, as the console takes them."""


class _AtOnce(FeedScheduler):
    """Nobody is at the keys."""

    def run(self, step: Callable[[], bool]) -> None:
        """Take all there is."""
        while step():
            pass

    async def pause(self, seconds: float, *, urgent: bool = False) -> None:
        """Let all else have its turn."""
        del urgent
        await asyncio.sleep(seconds)


class Operator:
    """Hears and asks as the console does, over the network as it is, and notes each alarm."""

    def __init__(self) -> None:
        self.model = StoreModel(Topics(SITE))
        self.raised: dict[tuple[str, str], str] = {}
        """What each alarm said first, by kind and subject."""
        self.wrong: dict[str, str] = {}
        """By order, the first reason that was not said to be normal."""
        self.feed: Feed

    def begin(self, store: SimulatedStore) -> asyncio.Task[None]:
        """Watch a store from now on."""
        starts = itertools.count()
        self.feed = Feed(
            Socket(store.network), self.model, lambda _: self._look(), _AtOnce(), "console-9",
            environment=lambda: VirtualEnvironment(f"{store.seed}/operator/{next(starts)}"),
        )  # fmt: skip
        return asyncio.create_task(self._watch(), name="operator")

    async def _watch(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.feed.run())
            while True:
                self.model.tick(milliseconds())
                self._look()
                self._look_at_orders()
                await asyncio.sleep(_TICK)

    def _look_at_orders(self) -> None:
        for track in self.model.orders:
            why = self.model.diagnose(track)
            if why is not None and not why.normal:
                self.wrong.setdefault(track.order, str(why.reason))

    def _look(self) -> None:
        for alarm in self.model.alarms.current():
            self.raised.setdefault((alarm.kind, alarm.subject), str(alarm.text))
