"""Asks the store about the load's orders afterwards, and compares that with what it was told."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from bus.contract.catalog import SEARCH, Search, SearchResult
from bus.contract.errors import BrokenReply, NoAnswer, Problem
from bus.contract.settlement import ORDER, OrderQuery, OrderView
from bus.contract.warehouse import LOCATE, Locate, Located
from testing.load.goods import Ask
from testing.load.purchase_log import PurchaseLog, SettledPurchase
from testing.load.terminals import Customer

_AT_ONCE = 32
PATIENCE = 30.0
"""Seconds to wait for an answer: a store that was just under load may be slow."""
_UNPAID = frozenset({"reserving", "charging", "refused", "declined"})
_UNDONE = frozenset({"cancelling", "cancelled", "expiring", "expired"})


async def check(
    ask: Ask, customers: Mapping[str, Customer], purchases: PurchaseLog, before: Mapping[str, int]
) -> list[str]:
    """What does not agree, a sentence each; empty if everything agrees.

    Args:
        ask: asks in a tester's name.
        customers: by name; each sees only its own orders.
        purchases: what the load was told.
        before: by SKU, how many were available when the load began.

    Raises:
        NoAnswer: the store does not answer.
    """
    wrong = await _orders(customers, purchases)
    for sku in sorted({purchase.sku for purchase in purchases.settled}):
        wrong += await _stock(ask, sku, purchases, before[sku])
    return wrong


async def _orders(customers: Mapping[str, Customer], purchases: PurchaseLog) -> list[str]:
    """Check that every settled purchase has its order, with the goods and the amount told."""
    wrong: list[str] = []
    unanswered = 0
    places = asyncio.Semaphore(_AT_ONCE)

    async def look(purchase: SettledPurchase) -> None:
        nonlocal unanswered
        try:
            view: OrderView = await customers[purchase.terminal].ask(
                ORDER, "settlement", OrderQuery(order=purchase.order), PATIENCE
            )
        except BrokenReply as broken:
            wrong.append(f"{purchase.order} cannot be looked at: {broken}")
        except NoAnswer:
            unanswered += 1
        except Problem as problem:
            wrong.append(
                f"{purchase.order} was told settled, and settlement says: {problem.detail}"
            )
        else:
            wrong.extend(_flaws(purchase, view, cancelled=purchase.order in purchases.cancelled))
        finally:
            places.release()

    async with asyncio.TaskGroup() as tasks:
        for purchase in purchases.settled:
            await places.acquire()
            tasks.create_task(look(purchase))
    if unanswered:
        raise NoAnswer(f"Settlement did not answer for {unanswered} orders.")
    repeated = Counter(purchase.order for purchase in purchases.settled)
    wrong += [f"{order} was told to {n} purchases" for order, n in repeated.items() if n > 1]
    return wrong


def _flaws(purchase: SettledPurchase, view: OrderView, *, cancelled: bool) -> list[str]:
    wrong = []
    if view.state in _UNPAID or (view.state in _UNDONE and not cancelled):
        wrong.append(f"{purchase.order} was told settled, and is {view.state}")
    if [(line.sku, line.quantity) for line in view.lines] != [(purchase.sku, 1)]:
        wrong.append(f"{purchase.order} is of other goods than one {purchase.sku}")
    if view.total.amount != purchase.amount:
        wrong.append(f"{purchase.order} costs {view.total.amount}, {purchase.amount} was told")
    return wrong


async def _stock(ask: Ask, sku: str, purchases: PurchaseLog, before: int) -> list[str]:
    """Check that what was bought is not for sale any more, and that what is for sale is in stock.

    Others may buy at the same time, so less may be left. Only new goods make it more.
    """
    kept = sum(
        purchase.sku == sku and purchase.order not in purchases.cancelled
        for purchase in purchases.settled
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
