"""The orders of a store, each with its messages in time."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from bus.contract.settlement import OrderView
from bus.contract.timestamp import milliseconds
from bus.history.message import Message, body
from tui.model.tracked_order import HOPS, STATES, TELLING, Hop, TrackedOrder, detail, learn, money

ORDERS = 3_000
_UNKNOWN_TRACES = 2_000
"""The most traces kept that belong to no known order yet."""
_ASKED = 4_000
"""The most requests kept because their answers may not name the order."""
_NOBODY = ""
_TOLD = frozenset({"order", "orders"})
_ASKING = frozenset({"order", "orders", "ping", "about", "locate"})
"""Queries that are not part of an order's process."""


class TrackedOrders:
    """The orders that were last active."""

    def __init__(self) -> None:
        self.dropped = 0
        """The number of orders that were dropped."""
        self._orders: OrderedDict[str, TrackedOrder] = OrderedDict()
        self._of_trace: dict[str, str] = {}
        self._asked: OrderedDict[str, str] = OrderedDict()
        """By the id of a request, its order."""
        self._waiting: OrderedDict[str, list[Message]] = OrderedDict()

    def __iter__(self) -> Iterator[TrackedOrder]:
        return iter(self._orders.values())

    def __len__(self) -> int:
        return len(self._orders)

    def get(self, order: str) -> TrackedOrder | None:
        """An order by its id."""
        return self._orders.get(order)

    def __getstate__(self) -> dict[str, Any]:
        """All but the orders, which are stored apart and come back with `refill`."""
        return self.__dict__ | {"_tracks": OrderedDict()}

    def refill(self, tracked_orders: Iterable[TrackedOrder]) -> None:
        """Put the orders back after unpickling."""
        self._orders = OrderedDict((tracked.order, tracked) for tracked in tracked_orders)

    def hear(self, message: Message) -> None:
        """Take a message that belongs to an order, by its id or its trace."""
        if message.kind not in ("req", "rep", "event") or message.flaw is not None:
            return
        if message.kind == "event" or (message.kind == "rep" and message.name in _TOLD):
            self._told(message)
            return
        if message.name in _ASKING:
            return
        order = self._order_of(message)
        if order is None:
            self._wait(message)
            return
        tracked = self.tracked(order)
        if message.kind == "req" and message.id is not None:
            self._asked[message.id] = order
            if len(self._asked) > _ASKED:
                self._asked.popitem(last=False)
        if message.trace is not None:
            self._claim(tracked, message.trace)
        self._add(tracked, message)

    def _claim(self, tracked: TrackedOrder, trace: str) -> None:
        """Assign a trace to its order; a trace that names two orders belongs to none."""
        known = self._of_trace.get(trace)
        if known is None:
            self._of_trace[trace] = tracked.order
            tracked.traces.append(trace)
            for earlier in self._waiting.pop(trace, ()):
                self._add(tracked, earlier)
        elif known != tracked.order:
            self._of_trace[trace] = _NOBODY

    def tracked_by(self, message: Message) -> TrackedOrder | None:
        """The order that a message belongs to, if known."""
        return self._orders.get(self._order_of(message) or "")

    def tracked(self, order: str) -> TrackedOrder:
        """An order by its id, a new one if it is unknown; it counts as the latest from now on."""
        tracked = self._orders.get(order)
        if tracked is None:
            tracked = self._orders[order] = TrackedOrder(order)
            if len(self._orders) > ORDERS:
                self._forget()
        self._orders.move_to_end(order)
        return tracked

    def told(self, view: OrderView) -> TrackedOrder:
        """Take settlement's view of an order."""
        tracked = self.tracked(view.order)
        tracked.view, tracked.terminal = view, view.terminal
        tracked.total = (view.total.amount, view.total.currency)
        tracked.pickup_point = view.pickup_point
        tracked.skus = tuple(line.sku for line in view.lines) or tracked.skus
        if view.history:
            last = view.history[-1]
            tracked.comes_into(view.state, milliseconds(last.at), last.reason)
        self._tidy(tracked)
        return tracked

    def summed_up(self, summary: dict[str, Any], at: int) -> None:
        """Take a state from settlement (`OrderSummary`, `OrderChanged`)."""
        order, state = summary.get("order"), summary.get("state")
        if not isinstance(order, str) or state not in STATES:
            return
        try:
            since = milliseconds(str(summary.get("since")))
        except ValueError:
            since = at
        tracked = self.tracked(order)
        reason = summary.get("reason")
        tracked.comes_into(state, since, reason if isinstance(reason, str) else None)
        terminal, point, total = (
            summary.get(name) for name in ("terminal", "pickup_point", "total")
        )
        tracked.terminal = terminal if isinstance(terminal, str) else tracked.terminal
        tracked.pickup_point = point if isinstance(point, str) else tracked.pickup_point
        tracked.total = money(total) or tracked.total
        self._tidy(tracked)

    def _order_of(self, message: Message) -> str | None:
        """The id of a message's order, from the message, its request or its trace."""
        asked = self._asked.get(message.answers or "")
        return message.order or asked or self._of_trace.get(message.trace or "") or None

    def _told(self, message: Message) -> None:
        """Take what settlement says of orders, in an event or an answer."""
        if message.sender != "settlement" or message.code is not None:
            return
        data = body(message) or {}
        if message.name == "order-changed":
            self.summed_up(data, message.at)
        elif message.name == "orders":
            listed = data.get("orders")
            for summary in reversed(listed if isinstance(listed, list) else []):
                if isinstance(summary, dict):
                    self.summed_up(summary, message.at)
        elif message.name == "order":
            with suppress(ValidationError, ValueError):
                self.told(OrderView.model_validate(data))

    def _wait(self, message: Message) -> None:
        """Keep a message whose order is not known yet by its trace."""
        if message.trace is None:
            return
        self._waiting.setdefault(message.trace, []).append(message)
        if len(self._waiting[message.trace]) > HOPS:
            del self._waiting[message.trace][0]
        while len(self._waiting) > _UNKNOWN_TRACES:
            self._waiting.popitem(last=False)

    def _add(self, tracked: TrackedOrder, message: Message) -> None:
        if message.repeats:
            hop = tracked.hop(message)
            if hop is not None:
                hop.again = (*hop.again, message.at)[-HOPS:]
                self._tidy(tracked)
                return
        data = body(message) if message.name in TELLING or message.code else None
        if data is not None:
            learn(tracked, message, data)
        tracked.heard = message.at
        tracked.hops.append(
            Hop(
                message.number, message.at, message.kind, message.sender, message.receiver,
                message.name, message.id, message.cause, message.answers, message.code,
                detail(data), message.latency,
                passing=message.code is not None and (data or {}).get("retryable") is True,
                declined=_is_declined(message, data),
                took=message.name == "abort" and bool((data or {}).get("taken")),
            )
        )  # fmt: skip
        if len(tracked.hops) > HOPS:
            del tracked.hops[0]
            tracked.dropped += 1
        self._tidy(tracked)

    def _tidy(self, tracked: TrackedOrder) -> None:
        """Pack an order that is finished."""
        if tracked.final:
            tracked.pack()

    def _forget(self) -> None:
        """Drop one of the oldest orders, if possible a finished one."""
        oldest = [tracked for _, tracked in zip(range(50), self._orders.values(), strict=False)]
        done = next((tracked for tracked in oldest if tracked.final), oldest[0])
        del self._orders[done.order]
        self.dropped += 1
        for trace in done.traces:
            self._of_trace.pop(trace, None)


def _is_declined(message: Message, data: dict[str, Any] | None) -> bool:
    """Whether a sorter declines a job."""
    if (message.kind, message.name) != ("rep", "pick"):
        return False
    return message.code is not None or (data or {}).get("accepted") is not True
