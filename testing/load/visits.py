"""What a customer does on arrival: scan, search, buy, look at an order, or cancel one."""

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
from testing.load.purchase_log import PurchaseLog
from testing.load.terminals import Customer

_REMEMBERED = 1000

Visit = Callable[[Customer], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Choices:
    """What visits choose from at random."""

    labels: Sequence[str]
    words: Sequence[str]
    styles: Sequence[Style]
    """The styles that can be bought, with their prices."""
    payment: Payment


class Visits:
    """Every kind of visit, each with random choices.

    Args:
        choices: what to choose from.
        purchases: where purchases are noted.
        patience: seconds to wait for an answer; the operation's own if None.
        chance: the source of randomness.
    """

    def __init__(
        self,
        choices: Choices,
        purchases: PurchaseLog,
        patience: float | None,
        chance: random.Random,
    ) -> None:
        self._choices, self._purchases = choices, purchases
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
            Problem: the refusal, or `NoAnswer`.
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
            self._purchases.unknown[style.sku] += 1
            raise
        self._purchases.settle(customer.name, style.sku, receipt)
        self._orders.append((customer, receipt.order))
        return receipt

    def _choose(self) -> Style:
        """A random style, if possible one that earlier customers have not bought out."""
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
        """Look at an order in the name of its terminal: others may not see it."""
        customer, order = self._chance.choice(self._orders)
        await customer.ask(ORDER, "settlement", OrderQuery(order=order), self._patience)

    async def _cancel(self, customer: Customer) -> None:
        receipt = await self.buy(customer)
        self._purchases.cancel(receipt.order)
        await customer.ask(CANCEL, "settlement", OrderOnly(order=receipt.order), self._patience)
