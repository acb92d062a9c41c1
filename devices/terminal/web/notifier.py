"""What the page hears on the bus, and whom it wakes: stock, orders, sorters' jobs, pickup points.

Best effort: whoever shows something asks for it first and is told of changes afterwards.
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


class Hearing:
    """The latest of what is said, and bells that ring when it changes."""

    def __init__(self) -> None:
        self.points: PickupPoints | None = None
        """Where goods can be collected; none until it was heard."""
        self.takes_cards = True
        """Whether customers can pay by card; so it is believed until settlement was heard."""
        self._levels: OrderedDict[str, int] = OrderedDict()
        self._jobs: OrderedDict[str, JobState] = OrderedDict()
        self._bells: dict[str, set[asyncio.Event]] = {}
        self.channels: Mapping[Event[Any] | State[Any], Callable[[str, Any], None]] = {
            STOCK_CHANGED: self._stock,
            ORDER_CHANGED: self._order,
            JOB_STATE: self._job,
            PICKUP_POINTS_STATE: self._points,
            PAYMENT_METHODS_STATE: self._methods,
        }

    def job(self, order: str) -> JobState | None:
        """What a sorter does for an order."""
        return self._jobs.get(order)

    def point_name(self, point: str) -> str:
        """A pickup point as people call it; its id while that is not known."""
        known = self.points.points if self.points else []
        return next((each.name for each in known if each.id == point), point)

    def asked(self, product: Product) -> None:
        """The catalog has just answered: this is newer than what was heard."""
        for style in product.styles:
            self._level(style.sku, style.available)

    def with_levels(self, product: Product) -> Product:
        """A product of an older answer with the levels heard since."""
        styles = [
            style.model_copy(update={"available": self._levels.get(style.sku, style.available)})
            for style in product.styles
        ]
        return product.model_copy(update={"styles": styles})

    @contextmanager
    def bell(self, keys: Iterable[str]) -> Iterator[asyncio.Event]:
        """An event that is set when something about one of these changes."""
        event = asyncio.Event()
        keys = list(keys)
        for key in keys:
            self._bells.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            for key in keys:
                bells = self._bells[key]
                bells.discard(event)
                if not bells:
                    del self._bells[key]

    def ring(self, key: str) -> None:
        """Something about this has changed."""
        for event in self._bells.get(key, ()):
            event.set()

    def _stock(self, _: str, data: StockChanged) -> None:
        for level in data.levels:
            self._level(level.sku, level.available)
            self.ring(f"sku {level.sku}")

    def _level(self, sku: str, available: int) -> None:
        self._levels[sku] = available
        self._levels.move_to_end(sku)
        if len(self._levels) > _MOST_LEVELS:
            self._levels.popitem(last=False)

    def _order(self, _: str, data: OrderChanged) -> None:
        self.ring(data.order)

    def _job(self, _: str, data: JobState) -> None:
        if data.order is None:
            return
        self._jobs[data.order] = data
        self._jobs.move_to_end(data.order)
        if len(self._jobs) > _MOST_JOBS:
            self._jobs.popitem(last=False)
        self.ring(data.order)

    def _points(self, _: str, data: PickupPoints) -> None:
        self.points = data

    def _methods(self, _: str, data: PaymentMethods) -> None:
        self.takes_cards = "card" in data.methods
