"""Who hears everything that nodes publish, and what may never be heard."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from bus.contract import find_operation
from bus.contract.channel import role_of
from bus.contract.terminal import Remind
from bus.contract.topics import Address
from bus.link import Outgoing

_PASSING = ("id-reused", "busy", "internal", "unavailable", "no-answer")
"""Refusals that are not remembered, so each is written anew."""

Request = tuple[str, str]
"""The caller and the id of its message."""


@dataclass(slots=True)
class Witness:
    """What was said, as far as something is promised about it."""

    broken: list[str] = field(default_factory=list)
    """Promises that were broken on the wire, in sentences."""
    purchases: dict[Request, dict[str, Any]] = field(default_factory=dict)
    """The first of each purchase message: the whole event."""
    requests: dict[str, Outgoing] = field(default_factory=dict)
    """By id, each purchase as it was published."""
    receipts: dict[Request, dict[str, Any]] = field(default_factory=dict)
    """What a purchase was answered, where it was settled."""
    refusals: dict[Request, dict[str, Any]] = field(default_factory=dict)
    """What a purchase was answered, where it was refused for good."""
    reused: Counter[Request] = field(default_factory=Counter)
    """How often a purchase was refused because its id had another body."""
    answers: Counter[Request] = field(default_factory=Counter)
    """How often a purchase was answered with what it had come to."""
    _orders: dict[str, asyncio.Future[str]] = field(default_factory=dict)
    """By id of the purchase message, the order it became."""
    cancelled: set[str] = field(default_factory=set)
    """Orders that somebody, a customer or the warehouse, has given up."""
    _packed: set[str] = field(default_factory=set)
    _ready: set[str] = field(default_factory=set)
    _replies: dict[tuple[str, str, str, str], bytes] = field(default_factory=dict)

    def hear(self, who: str, address: Address, message: Outgoing) -> None:
        """A node publishes something, whether it arrives or not."""
        if address.kind not in ("req", "rep"):
            return
        operation = find_operation(role_of(address.callee) or "", address.name)
        if operation is None or operation.kind == "query":
            return
        event = from_json(message.payload)
        if address.kind == "req":
            self._request(address.name, who, event, message)
        else:
            self._reply((address.node, address.callee, address.name), event, message.payload)

    def shown(self, terminal: str, reminder: Remind) -> None:
        """A terminal shows a reminder to the customer."""
        if reminder.order not in self._ready:
            self.broken.append(f"I6: {terminal} showed {reminder.order} before it was ready")

    async def order_of(self, purchase: str) -> str:
        """Wait until a purchase, by the id of its message, has become an order."""
        return await asyncio.shield(self._order(purchase))

    def _order(self, purchase: str) -> asyncio.Future[str]:
        if purchase not in self._orders:
            self._orders[purchase] = asyncio.get_running_loop().create_future()
        return self._orders[purchase]

    def _request(self, name: str, who: str, event: Any, message: Outgoing) -> None:
        data = event["data"]
        if name == "purchase":
            self.purchases.setdefault((who, event["id"]), event)
            self.requests.setdefault(event["id"], message)
        elif name == "reserve":
            order = self._order(event.get("causationid", ""))
            if not order.done():
                order.set_result(data["order"])
        elif name == "cancel" or (name == "failed" and data.get("lines") is None):
            self.cancelled.add(data["order"])
        elif name == "packed":
            self._packed.add(data["order"])
        elif name == "ready":
            self._ready.add(data["order"])
            if data["order"] not in self._packed:
                self.broken.append(f"I6: {data['order']} is ready before it was packed")
        elif name == "remind" and data["order"] not in self._ready:
            self.broken.append(f"I6: {data['order']} is to be reminded of before it was ready")

    def _reply(self, where: tuple[str, str, str], event: Any, payload: bytes) -> None:
        caller, callee, name = where
        data, identifier = event["data"], event.get("correlationid", "")
        problem = event["type"].endswith(".problem")
        if problem and data["code"] in _PASSING:
            self.reused[caller, identifier] += data["code"] == "id-reused"
            return
        first = self._replies.setdefault((*where, identifier), payload)
        if first != payload:
            self.broken.append(f"I7: {callee} gave two replies to {name} {identifier} of {caller}")
        if name == "purchase":
            self.answers[caller, identifier] += 1
            (self.refusals if problem else self.receipts)[caller, identifier] = data
