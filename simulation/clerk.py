"""The clerk, who puts goods back on a shelf that came back from orders that are not to be.

Sees to what the payment provider refused. And counts, while the storm lasts: some more or fewer
than the books have, whatever is under way.
"""

import asyncio

from bus.contract.errors import NoAnswer, Problem
from bus.contract.settlement import REFUSALS, RESOLVE, RefusalList, Refusals, Resolve
from bus.contract.values import Empty
from bus.contract.warehouse import (
    COUNT,
    LOCATE,
    RECEIVE,
    RETURNS,
    CountGoods,
    Locate,
    Located,
    Receive,
    Return,
    Returns,
)
from bus.runtime.caller import Caller
from simulation.goods import LOCATIONS, PRICES
from simulation.store import SimulatedStore
from simulation.weather import happens

_TRUST = 0.4
"""How often the clerk lets the provider be asked again."""
_ASKING = 5
"""How often the clerk asks for the same."""
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
            await _resolve(console, store)
            for _ in LOCATIONS:
                if store.stormy and happens(store.chances["count"], store.weather.count):
                    await _count(console, store)


async def _count(console: Caller, store: SimulatedStore) -> None:
    """Count a style at a location; under the same id until the warehouse has said something."""
    chance = store.chances["count"]
    sku, location = chance.choice(list(PRICES)), chance.choice(LOCATIONS)
    identifier = f"count-{chance.getrandbits(32):x}"
    try:
        found: Located = await console.ask(LOCATE, "warehouse", Locate(sku=sku))
    except (NoAnswer, Problem):
        return
    booked = {place.location: place.quantity for place in found.bins}.get(location, 0)
    counted = max(0, booked + chance.randint(-3, 3))
    goods = CountGoods(sku=sku, location=location, counted=counted, reason="inventory")
    store.trace.note("counts", "clerk", f"{counted} of {sku} at {location}, {booked} in the books")
    for _ in range(_ASKING):
        try:
            await console.ask(COUNT, "warehouse", goods, identifier=identifier)
        except NoAnswer:
            continue
        except Problem as problem:
            store.trace.note("refused", "clerk", repr(problem))
        return


async def _resolve(console: Caller, store: SimulatedStore) -> None:
    """See to what the provider refused: ask it again, once or twice, or pay by hand."""
    chance = store.chances["resolve"]
    try:
        found: RefusalList = await console.ask(REFUSALS, "settlement", Refusals())
    except (NoAnswer, Problem):
        return
    for each in found.refusals:
        asked = Resolve(
            order=each.order,
            refund=each.refund,
            how="retry" if happens(chance, _TRUST) else "by-hand",
            reason="as the bank says",
        )
        store.trace.note("resolves", "clerk", f"{each.refund} {asked.how}")
        identifier = f"resolve-{chance.getrandbits(32):x}"
        for _ in range(_ASKING):
            try:
                await console.ask(RESOLVE, "settlement", asked, identifier=identifier)
            except NoAnswer:
                continue
            except Problem as problem:
                store.trace.note("refused", "clerk", repr(problem))
            break


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
