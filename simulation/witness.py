"""Who hears everything that nodes publish: keeps the history, and what the rest of us ask for."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from bus.contract import find_operation
from bus.contract.channel import ROLES, role_of
from bus.contract.envelope import is_problem
from bus.contract.terminal import Remind
from bus.contract.topics import Address
from bus.history.recording import Recording
from bus.link import Incoming, Outgoing
from testing.kit.virtual_time import EPOCH, milliseconds

_PASSING = ("id-reused", "busy", "internal", "unavailable", "no-answer", "expired")
"""Refusals that are not remembered, so each is written anew."""

_STORE = ROLES | {"sorter"}
_OF_GOODS = frozenset({"restock", "write-off"})
"""What is said of goods, and perhaps of no order."""

Request = tuple[str, str]
"""The caller and the id of its message."""


class Witness:
    """What was said.

    Args:
        history: where commands and their replies are recorded, as `storebus record` does.
    """

    def __init__(self, history: Path) -> None:
        self.broken: list[str] = []
        """Promises that were broken on the wire, in sentences."""
        self.purchases: dict[Request, Outgoing] = {}
        """The first of each purchase message."""
        self.reused: Counter[Request] = Counter()
        """How often a purchase was refused because its id had another body."""
        self.answers: Counter[Request] = Counter()
        """How often a purchase was answered with what it had come to."""
        self._orders: dict[str, asyncio.Future[str]] = {}
        self.ready_at: dict[str, int] = {}
        """When an order's parcel was first said to be ready, in true milliseconds."""
        self.withdrawn_at: dict[str, int] = {}
        """When the warehouse was first told to take an order back."""
        self._packed: set[str] = set()
        self._ready: set[str] = set()
        self._traces: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._history = Recording(history)
        self._history.connected(EPOCH)

    def hear(self, who: str, address: Address, message: Outgoing) -> None:
        """A node publishes something, whether it arrives or not."""
        if address.kind not in ("req", "rep"):
            return
        operation = find_operation(role_of(address.callee) or "", address.name)
        if operation is None or operation.kind == "query":
            return
        self._history.write(milliseconds(), Incoming(message.topic, message.payload))
        event = from_json(message.payload)
        if address.kind == "req":
            if role_of(who) in _STORE:
                self._look_at_trace(address.name, event)
            self._request(address.name, who, event, message)
        elif address.name == "purchase":
            self._answer((address.node, event.get("correlationid", "")), event)

    def shown(self, terminal: str, reminder: Remind) -> None:
        """A terminal shows a reminder to the customer."""
        if reminder.order not in self._ready:
            self.broken.append(f"I6: {terminal} showed {reminder.order} before it was ready")

    async def order_of(self, purchase: str) -> str:
        """Wait until a purchase, by the id of its message, has become an order."""
        return await asyncio.shield(self._order(purchase))

    def flush(self) -> None:
        """Let others read what was heard so far."""
        self._history.flush()

    def close(self) -> None:
        """Close the history."""
        self._history.close()

    def _order(self, purchase: str) -> asyncio.Future[str]:
        if purchase not in self._orders:
            self._orders[purchase] = asyncio.get_running_loop().create_future()
        return self._orders[purchase]

    def _request(self, name: str, who: str, event: Any, message: Outgoing) -> None:
        data = event["data"]
        if name == "purchase":
            self.purchases.setdefault((who, event["id"]), message)
        elif name == "reserve":
            order = self._order(event.get("causationid", ""))
            if not order.done():
                order.set_result(data["order"])
        elif name == "packed":
            self._packed.add(data["order"])
        elif name == "withdraw":
            self.withdrawn_at.setdefault(data["order"], milliseconds())
        elif name == "ready":
            self._ready.add(data["order"])
            self.ready_at.setdefault(data["order"], milliseconds())
            if data["order"] not in self._packed:
                self.broken.append(f"I6: {data['order']} is ready before it was packed")

    def _look_at_trace(self, name: str, event: Any) -> None:
        """What the store says of an order is in a trace of its own."""
        order, trace = event.get("orderid"), event["traceparent"].split("-")[1]
        if order is None:
            if name not in _OF_GOODS:
                self.broken.append(f"a {name} does not say which order it is about")
            return
        if self._traces.setdefault(order, trace) != trace:
            self.broken.append(f"a {name} of {order} is in another trace")
        if self._owners.setdefault(trace, order) != order:
            self.broken.append(f"a {name} of {order} is in the trace of {self._owners[trace]}")

    def _answer(self, request: Request, event: Any) -> None:
        if is_problem(event) and event["data"]["code"] in _PASSING:
            self.reused[request] += event["data"]["code"] == "id-reused"
        else:
            self.answers[request] += 1
