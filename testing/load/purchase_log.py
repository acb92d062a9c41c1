"""What a load was told of its purchases, to be held against what the store says afterwards."""

import asyncio
from collections import Counter
from typing import NamedTuple

from bus.contract.settlement import Receipt
from bus.contract.terminal import Remind


class Told(NamedTuple):
    """A purchase that was told settled."""

    terminal: str
    order: str
    sku: str
    amount: int
    """Its total, in minor units."""


class Bought:
    """Purchases, cancellations and reminders of one load."""

    def __init__(self) -> None:
        self.settled: list[Told] = []
        self.cancelled: set[str] = set()
        """Orders that were asked to be cancelled, whatever came of it."""
        self.unknown = Counter[str]()
        """By SKU, purchases that nobody answered: they may have been carried out."""
        self.awaited: set[str] = set()
        """Orders that nobody was reminded of yet, and that were not cancelled."""
        self.reminded = 0
        self._early: set[str] = set()
        self._fewer = asyncio.Event()

    def settle(self, terminal: str, sku: str, receipt: Receipt) -> None:
        """A purchase of one piece is told settled."""
        self.settled.append(Told(terminal, receipt.order, sku, receipt.total.amount))
        if receipt.order in self._early:  # the reminder was faster than the repeated receipt
            self._early.remove(receipt.order)
            self.reminded += 1
        else:
            self.awaited.add(receipt.order)

    def remind(self, reminder: Remind) -> None:
        """A customer is reminded; also of what this load did not buy."""
        if reminder.order in self.awaited:
            self.awaited.remove(reminder.order)
            self.reminded += 1
            self._fewer.set()
        else:
            self._early.add(reminder.order)

    def cancel(self, order: str) -> None:
        """An order is about to be cancelled: it may never be reminded of."""
        self.cancelled.add(order)
        self.awaited.discard(order)
        self._fewer.set()

    async def all_reminded(self) -> None:
        """Wait until nobody waits for a reminder any more."""
        while self.awaited:
            self._fewer.clear()
            await self._fewer.wait()
