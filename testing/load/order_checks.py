"""What the store says afterwards, asked over the bus, held against what the load was told."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from bus.contract.catalog import SEARCH, Search, SearchResult
from bus.contract.errors import BrokenReply, NoAnswer, Problem
from bus.contract.settlement import ORDER, OrderQuery, OrderView
from bus.contract.warehouse import LOCATE, Locate, Located
from testing.load.goods import Ask
from testing.load.purchase_log import Bought, Told
from testing.load.terminals import Customer

_AT_ONCE = 32
PATIENCE = 30.0
"""Seconds: a store that was just under load may be slow."""
_UNPAID = frozenset({"reserving", "charging", "refused", "declined"})
_UNDONE = frozenset({"cancelling", "cancelled", "expiring", "expired"})


async def check(
    ask: Ask, customers: Mapping[str, Customer], bought: Bought, before: Mapping[str, int]
) -> list[str]:
    """What does not fit together, in sentences; empty if all does.

    Args:
        ask: in a tester's name.
        customers: by name; each sees its own orders.
        bought: what the load was told.
        before: by SKU, what was available when the load began.

    Raises:
        NoAnswer: nobody says.
    """
    wrong = await _orders(customers, bought)
    for sku in sorted({told.sku for told in bought.settled}):
        wrong += await _stock(ask, sku, bought, before[sku])
    return wrong


async def _orders(customers: Mapping[str, Customer], bought: Bought) -> list[str]:
    """Every purchase that was told settled has its order, for the goods and the money told."""
    wrong: list[str] = []
    unanswered = 0
    places = asyncio.Semaphore(_AT_ONCE)

    async def look(told: Told) -> None:
        nonlocal unanswered
        try:
            view: OrderView = await customers[told.terminal].ask(
                ORDER, "settlement", OrderQuery(order=told.order), PATIENCE
            )
        except BrokenReply as broken:
            wrong.append(f"{told.order} cannot be looked at: {broken}")
        except NoAnswer:
            unanswered += 1
        except Problem as problem:
            wrong.append(f"{told.order} was told settled, and settlement says: {problem.detail}")
        else:
            wrong.extend(_flaws(told, view, cancelled=told.order in bought.cancelled))
        finally:
            places.release()

    async with asyncio.TaskGroup() as tasks:
        for told in bought.settled:
            await places.acquire()
            tasks.create_task(look(told))
    if unanswered:
        raise NoAnswer(f"Settlement did not answer for {unanswered} orders.")
    repeated = Counter(told.order for told in bought.settled)
    wrong += [f"{order} was told to {n} purchases" for order, n in repeated.items() if n > 1]
    return wrong


def _flaws(told: Told, view: OrderView, *, cancelled: bool) -> list[str]:
    wrong = []
    if view.state in _UNPAID or (view.state in _UNDONE and not cancelled):
        wrong.append(f"{told.order} was told settled, and is {view.state}")
    if [(line.sku, line.quantity) for line in view.lines] != [(told.sku, 1)]:
        wrong.append(f"{told.order} is of other goods than one {told.sku}")
    if view.total.amount != told.amount:
        wrong.append(f"{told.order} costs {view.total.amount}, {told.amount} was told")
    return wrong


async def _stock(ask: Ask, sku: str, bought: Bought, before: int) -> list[str]:
    """What was bought is not for sale any more, and what is for sale lies on a shelf.

    Others may buy at the same time, so that less is left; only new goods make it more.
    """
    kept = sum(
        told.sku == sku and told.order not in bought.cancelled for told in bought.settled
    )  # what was cancelled may be for sale again
    shelves = await _on_shelves(ask, sku)  # first: what is bought meanwhile leaves both
    left = await _available(ask, sku)
    wrong = []
    if left > before - kept:
        wrong.append(
            f"{sku}: {before} were available and {kept} were bought, but {left} are left;"
            " were goods received meanwhile?"
        )
    if left > shelves:
        wrong.append(f"{sku}: {left} are for sale, but only {shelves} lie on shelves")
    return wrong


async def _available(ask: Ask, sku: str) -> int:
    found: SearchResult = await ask(SEARCH, "catalog", Search(text=sku, limit=100))
    return next(
        (style.available for product in found.products for style in product.styles
         if style.sku == sku), 0,
    )  # fmt: skip


async def _on_shelves(ask: Ask, sku: str) -> int:
    located: Located = await ask(LOCATE, "warehouse", Locate(sku=sku))
    return sum(each.quantity for each in located.bins)
