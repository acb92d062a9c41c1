"""The clerk, who puts goods back on a shelf that came back from orders that are not to be."""

import asyncio

from bus.caller import Caller
from bus.contract.values import Empty
from bus.contract.warehouse import RECEIVE, RETURNS, Receive, Return, Returns
from bus.errors import NoAnswer, Problem
from simulation.goods import LOCATIONS
from simulation.store import SimulatedStore

_ROUND = 30.0
"""Seconds between two looks at what lies there."""


async def clerking(store: SimulatedStore) -> None:
    """Put back whatever lies there, until cancelled."""
    chance = store.chances["clerk"]
    async with store.tool("console-2").connected() as console:
        while True:
            await asyncio.sleep(chance.uniform(1, _ROUND))
            for goods in await _look(console):
                await _put_back(console, goods, chance.choice(LOCATIONS))


async def _look(console: Caller) -> list[Return]:
    try:
        found: Returns = await console.ask(RETURNS, "warehouse", Empty())
    except (NoAnswer, Problem):
        return []
    return found.returns


async def _put_back(console: Caller, goods: Return, location: str) -> None:
    """The same goods under the same ids as often as it takes: a look may be out of date."""
    for line in goods.lines:
        receive = Receive(
            sku=line.sku, location=location, quantity=line.quantity, parcel=goods.parcel
        )
        identifier = f"back-{goods.parcel}-{line.sku}-{location}"
        try:
            await console.ask(RECEIVE, "warehouse", receive, identifier=identifier)
        except (NoAnswer, Problem):
            continue
