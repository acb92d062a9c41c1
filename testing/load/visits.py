"""What a customer does when one arrives: scans, searches, buys, asks after an order, cancels."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bus.contract.catalog import LOOKUP, SEARCH, Line, Lookup, OrderOnly, Search, Style
from bus.contract.errors import NoAnswer
from bus.contract.settlement import (
    CANCEL,
    ORDER,
    OrderQuery,
    Payment,
    Purchase,
    Receipt,
)
from bus.contract.values import Money
from testing.load.purchase_log import Bought
from testing.load.terminals import Customer

_REMEMBERED = 1000

Visit = Callable[[Customer], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Range:
    """What there is to choose from."""

    labels: Sequence[str]
    words: Sequence[str]
    styles: Sequence[Style]
    """That can be bought, at the price they are bought for."""
    payment: Payment


class Visits:
    """Every kind of visit, each with something chosen at random.

    Args:
        choices: what there is.
        bought: told what is bought.
        patience: seconds to wait for an answer; the operation's own if None.
        chance: what is chosen by.
    """

    def __init__(
        self, choices: Range, bought: Bought, patience: float | None, chance: random.Random
    ) -> None:
        self._choices, self._bought = choices, bought
        self._patience, self._chance = patience, chance
        self._orders: deque[tuple[Customer, str]] = deque(maxlen=_REMEMBERED)
        self._wanted: Counter[str] = Counter()
        self.by_kind: Mapping[str, Visit] = {
            "scan": self._scan,
            "search": self._search,
            "buy": self.buy,
            "order": self._order,
            "cancel": self._cancel,
        }

    async def buy(self, customer: Customer) -> Receipt:
        """Buy one piece of a style.

        Raises:
            Problem: why not.
        """
        style = self._choose()
        purchase = Purchase(
            lines=[Line(sku=style.sku, quantity=1)],
            payment=self._choices.payment,
            expected_total=Money(amount=style.price.amount, currency=style.price.currency),
        )
        try:
            receipt = await customer.buy(purchase, self._patience)
        except (NoAnswer, asyncio.CancelledError):
            self._bought.unknown[style.sku] += 1
            raise
        self._bought.settle(customer.name, style.sku, receipt)
        self._orders.append((customer, receipt.order))
        return receipt

    def _choose(self) -> Style:
        """Any style; one that the customers before have bought out only when all are."""
        styles, wanted = self._choices.styles, self._wanted
        style = self._chance.choice(
            [each for each in styles if wanted[each.sku] < each.available] or styles
        )
        wanted[style.sku] += 1
        return style

    async def _scan(self, customer: Customer) -> None:
        label = self._chance.choice(self._choices.labels)
        await customer.ask(LOOKUP, "catalog", Lookup(code=label), self._patience)

    async def _search(self, customer: Customer) -> None:
        word = self._chance.choice(self._choices.words)
        await customer.ask(SEARCH, "catalog", Search(text=word), self._patience)

    async def _order(self, _: Customer) -> None:
        """A terminal sees its own orders only: whoever bought asks."""
        customer, order = self._chance.choice(self._orders)
        await customer.ask(ORDER, "settlement", OrderQuery(order=order), self._patience)

    async def _cancel(self, customer: Customer) -> None:
        receipt = await self.buy(customer)
        self._bought.cancel(receipt.order)
        await customer.ask(CANCEL, "settlement", OrderOnly(order=receipt.order), self._patience)
