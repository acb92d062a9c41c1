"""What the store told a load of its purchases, to be compared with what it says afterwards."""

import asyncio
from collections import Counter
from typing import NamedTuple

from bus.contract.settlement import Receipt
from bus.contract.terminal import Remind


class SettledPurchase(NamedTuple):
    """A purchase that settlement answered as settled."""

    terminal: str
    order: str
    sku: str
    amount: int
    """Its total, in minor units."""


class PurchaseLog:
    """Purchases, cancellations and reminders of one load."""

    def __init__(self) -> None:
        self.settled: list[SettledPurchase] = []
        self.cancelled: set[str] = set()
        """Orders that the load asked to cancel, whatever the answer was."""
        self.unknown = Counter[str]()
        """By SKU, purchases that were not answered: they may have been carried out."""
        self.awaited: set[str] = set()
        """Orders that were neither reminded of nor cancelled yet."""
        self.reminded = 0
        self._early: set[str] = set()
        self._fewer = asyncio.Event()

    def settle(self, terminal: str, sku: str, receipt: Receipt) -> None:
        """Note a purchase of one piece that was answered as settled."""
        self.settled.append(SettledPurchase(terminal, receipt.order, sku, receipt.total.amount))
        if receipt.order in self._early:  # the reminder was faster than the repeated receipt
            self._early.remove(receipt.order)
            self.reminded += 1
        else:
            self.awaited.add(receipt.order)

    def remind(self, reminder: Remind) -> None:
        """Note a reminder; it may be of an order that this load did not buy."""
        if reminder.order in self.awaited:
            self.awaited.remove(reminder.order)
            self.reminded += 1
            self._fewer.set()
        else:
            self._early.add(reminder.order)

    def cancel(self, order: str) -> None:
        """Note an order that is about to be cancelled: a reminder may never come."""
        self.cancelled.add(order)
        self.awaited.discard(order)
        self._fewer.set()

    async def all_reminded(self) -> None:
        """Wait until no order waits for a reminder."""
        while self.awaited:
            self._fewer.clear()
            await self._fewer.wait()
