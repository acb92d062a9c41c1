"""A console that watches a simulated store: what it raises, and when."""

import asyncio
from contextlib import suppress

from bus.contract.every import ABOUT
from bus.contract.topics import Address, Topics
from bus.contract.values import Empty
from bus.contract.warehouse import LOCATE, RETURNS, Locate
from bus.errors import Problem
from bus.link import Incoming, Outgoing
from bus.virtual import milliseconds
from simulation.goods import SITE
from simulation.store import SimulatedStore
from tui.model.store import StoreModel

_ASK_AROUND = 5.0
"""Seconds between two questions, as the console's feed asks them."""


class Operator:
    """Hears everything that nodes publish, asks as the console does, and notes each alarm."""

    def __init__(self) -> None:
        self.model = StoreModel(Topics(SITE))
        self.raised: dict[tuple[str, str], str] = {}
        """What each alarm said first, by kind and subject."""

    def begin(self, store: SimulatedStore) -> asyncio.Task[None]:
        """Watch a store from now on."""
        hear = store.network.witness

        def both(who: str, address: Address, message: Outgoing) -> None:
            hear(who, address, message)
            heard = Incoming(
                message.topic, message.payload, message.retain, message.response_topic,
                message.correlation,
            )  # fmt: skip
            self.model.take(milliseconds(), [heard])
            self._look()

        store.network.witness = both
        return asyncio.create_task(self._ask(store), name="operator")

    async def _ask(self, store: SimulatedStore) -> None:
        async with store.tool("console-9").connected() as caller:
            while True:
                with suppress(Problem):
                    for node in store.names:
                        await caller.ask(ABOUT, node, Empty())
                    unsure = self.model.stock.unsure()
                    if unsure is not None:
                        await caller.ask(RETURNS, "warehouse", Empty())
                        await caller.ask(LOCATE, "warehouse", Locate(sku=unsure.sku))
                self.model.tick(milliseconds())
                self._look()
                await asyncio.sleep(_ASK_AROUND)

    def _look(self) -> None:
        for alarm in self.model.alarms.current():
            self.raised.setdefault((alarm.kind, alarm.subject), str(alarm.text))
