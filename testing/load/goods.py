"""What a load can buy: found in the catalog, or received into stock first."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from bus.contract.catalog import SEARCH, Product, Search, SearchResult, Style
from bus.contract.channel import Operation
from bus.contract.errors import ConfigurationError, Problem, first_error
from bus.contract.refusals import SoldOut
from bus.contract.settlement import DEPOSIT, AccountPayment, Deposit, Payment
from bus.contract.values import MAX_AMOUNT, MAX_QUANTITY, Model, Money
from bus.contract.warehouse import LOCATE, RECEIVE, Locate, Located, Receive
from testing.load.plan import BUYING, LoadPlan

_MOST_PRODUCTS = 100
_AT_ONCE = 50
_ACCOUNT_NAME = "Load"


class Ask(Protocol):
    """Asks a node, as `Caller.ask` does."""

    async def __call__(self, operation: Operation[Any, Any], callee: str, data: Model) -> Any:
        """The reply's data."""


async def products_of(ask: Ask) -> list[Product]:
    """Up to a hundred products of the catalog.

    Raises:
        ConfigurationError: it has none.
    """
    found: SearchResult = await ask(SEARCH, "catalog", Search(text="", limit=_MOST_PRODUCTS))
    if not found.products:
        raise ConfigurationError("The catalog is empty: `storebus import` brings products in.")
    return found.products


def labels_of(products: Sequence[Product]) -> list[str]:
    """What a scanner may read: each product's URL, and each style's GTIN."""
    return [
        *(product.url for product in products),
        *(style.gtin for style in styles_of(products)),
    ]


def words_of(products: Sequence[Product]) -> list[str]:
    """What a customer may search for: each word of a product's name."""
    return sorted({word for product in products for word in product.name.split()})


def for_sale(products: Sequence[Product]) -> list[Style]:
    """The styles that are still available.

    Raises:
        SoldOut: there are none.
    """
    styles = [style for style in styles_of(products) if style.available]
    if not styles:
        raise SoldOut("Everything is sold out; --stock brings goods in before the load.")
    return styles


def pieces_for(plan: LoadPlan) -> int:
    """How many pieces the plan is expected to buy."""
    return math.ceil(plan.arrivals * plan.share(BUYING))


def styles_of(products: Sequence[Product]) -> list[Style]:
    """Every style, including those that are sold out."""
    return [style for product in products for style in product.styles]


async def bring(ask: Ask, plan: LoadPlan, known: Sequence[Style], payment: Payment) -> list[Style]:
    """Receive goods and deposit money, enough for the plan; return the styles that were received.

    Styles are bought at random: each gets more than its share, so that none is sold out.

    Raises:
        ConfigurationError: no style has a place in the warehouse.
        Problem: the warehouse or settlement refuses.
    """
    places: dict[str, str] = {}

    async def locate(style: Style) -> None:
        located: Located = await ask(LOCATE, "warehouse", Locate(sku=style.sku))
        if located.bins:
            places[style.sku] = located.bins[0].location

    async def receive(style: Style) -> None:
        goods = Receive(sku=style.sku, location=places[style.sku], quantity=quantity)
        await ask(RECEIVE, "warehouse", goods)

    await _for_each(known, locate)
    styles = [style for style in known if style.sku in places]
    if not styles:
        raise ConfigurationError("No style has a place in the warehouse, so none can be received.")
    part = pieces_for(plan) / len(styles)
    quantity = min(MAX_QUANTITY, math.ceil(part + 6 * math.sqrt(part) + 10))
    await _for_each(styles, receive)
    if isinstance(payment, AccountPayment):
        dearest = max(style.price.amount for style in styles)
        amount = min(MAX_AMOUNT, dearest * (pieces_for(plan) + quantity))
        money = Money(amount=amount, currency=styles[0].price.currency)
        deposit = Deposit(account=payment.account, amount=money)
        try:
            await ask(DEPOSIT, "settlement", deposit)
        except Problem as problem:
            if problem.to_data().code != "invalid-field":
                raise
            # There is no such account yet: a new one has a name.
            await ask(DEPOSIT, "settlement", deposit.model_copy(update={"name": _ACCOUNT_NAME}))
    return styles


async def _for_each(
    styles: Sequence[Style], work: Callable[[Style], Coroutine[Any, Any, None]]
) -> None:
    """Work on several at a time, so that one transaction of the warehouse carries out many."""
    for start in range(0, len(styles), _AT_ONCE):
        try:
            async with asyncio.TaskGroup() as tasks:
                for style in styles[start : start + _AT_ONCE]:
                    tasks.create_task(work(style))
        except ExceptionGroup as group:
            raise first_error(group) from None
