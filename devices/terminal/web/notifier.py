"""Tells open pages of changes in stock, orders, sorters' jobs, pickup points, payment methods.

Best effort: a page asks the store first, and is notified of changes afterwards.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bus.contract.catalog import STOCK_CHANGED, Product, StockChanged
from bus.contract.channel import Event, State
from bus.contract.settlement import (
    ORDER_CHANGED,
    PAYMENT_METHODS_STATE,
    OrderChanged,
    PaymentMethods,
)
from bus.contract.sorter import JOB_STATE, JobState
from bus.contract.warehouse import PICKUP_POINTS_STATE, PickupPoints

_MOST_JOBS = 1000
_MOST_LEVELS = 20_000


class ChangeNotifier:
    """Keeps the latest events and states, and notifies the subscribers of a key when it changes."""

    def __init__(self) -> None:
        self.points: PickupPoints | None = None
        """The pickup points; None until the warehouse has told them."""
        self.takes_cards = True
        """Whether customers can pay by card; true until settlement says otherwise."""
        self._levels: OrderedDict[str, int] = OrderedDict()
        self._jobs: OrderedDict[str, JobState] = OrderedDict()
        self._subscriptions: dict[str, set[asyncio.Event]] = {}
        self.channels: Mapping[Event[Any] | State[Any], Callable[[str, Any], None]] = {
            STOCK_CHANGED: self._stock,
            ORDER_CHANGED: self._order,
            JOB_STATE: self._job,
            PICKUP_POINTS_STATE: self._points,
            PAYMENT_METHODS_STATE: self._methods,
        }

    def job(self, order: str) -> JobState | None:
        """The sorter's job for an order, if one is known."""
        return self._jobs.get(order)

    def point_name(self, point: str) -> str:
        """The name of a pickup point; its id while the name is not known."""
        known = self.points.points if self.points else []
        return next((each.name for each in known if each.id == point), point)

    def asked(self, product: Product) -> None:
        """Take the stock levels of a fresh answer of the catalog."""
        for style in product.styles:
            self._level(style.sku, style.available)

    def with_levels(self, product: Product) -> Product:
        """A product from an older answer, with the stock levels of later events."""
        styles = [
            style.model_copy(update={"available": self._levels.get(style.sku, style.available)})
            for style in product.styles
        ]
        return product.model_copy(update={"styles": styles})

    @contextmanager
    def subscribe(self, keys: Iterable[str]) -> Iterator[asyncio.Event]:
        """An event that is set whenever one of these keys changes.

        Args:
            keys: `sku MUG`, `session ...`, an order, the id of a purchase, or `close`.
        """
        event = asyncio.Event()
        keys = list(keys)
        for key in keys:
            self._subscriptions.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            for key in keys:
                subscribers = self._subscriptions[key]
                subscribers.discard(event)
                if not subscribers:
                    del self._subscriptions[key]

    def notify(self, key: str) -> None:
        """Tell the subscribers of a key that it has changed."""
        for event in self._subscriptions.get(key, ()):
            event.set()

    def _stock(self, _: str, data: StockChanged) -> None:
        for level in data.levels:
            self._level(level.sku, level.available)
            self.notify(f"sku {level.sku}")

    def _level(self, sku: str, available: int) -> None:
        self._levels[sku] = available
        self._levels.move_to_end(sku)
        if len(self._levels) > _MOST_LEVELS:
            self._levels.popitem(last=False)

    def _order(self, _: str, data: OrderChanged) -> None:
        self.notify(data.order)

    def _job(self, _: str, data: JobState) -> None:
        if data.order is None:
            return
        self._jobs[data.order] = data
        self._jobs.move_to_end(data.order)
        if len(self._jobs) > _MOST_JOBS:
            self._jobs.popitem(last=False)
        self.notify(data.order)

    def _points(self, _: str, data: PickupPoints) -> None:
        self.points = data

    def _methods(self, _: str, data: PaymentMethods) -> None:
        self.takes_cards = "card" in data.methods
