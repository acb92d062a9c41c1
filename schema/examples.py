"""An example of every message, following one order; a test reads each with its model."""

from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from bus.contract.channel import ROLES, Event, Operation, State
from bus.contract.errors import ConfigurationError
from bus.contract.outbound import MessageFactory, OutboundMessage
from bus.contract.refusals import PaymentDeclined, PriceChanged, SoldOut
from bus.contract.settlement import PURCHASE
from bus.contract.topics import Topics
from schema.messages import MessageKind

_AT = 1_795_425_011_123  # 2026-11-23
_SPAN = "9d1c2e4b7a605f38"
_TRACE = f"00-5be0c1d95e2b7a64c2a1c31d6f0f8f3e-{_SPAN}-01"
ORDER, JOB, PARCEL = "o-4fmmjyzje4", "j-arh779z9v8", "p-zw9xq8etc9"
_EUROS = {"amount": 5900, "currency": "EUR"}
_TOTAL = {"amount": 11800, "currency": "EUR"}
_STYLE = {
    "sku": "OXF-BLU-M",
    "gtin": "09506000134352",
    "attributes": {"colour": "blue", "size": "M"},
    "price": _EUROS,
    "tax_rate": 2000,
}
_PRODUCT = {
    "id": "oxford-shirt",
    "name": "Oxford shirt",
    "description": "A shirt of combed cotton.",
    "url": "https://shop.example/01/09506000134352",
}
_FOUND = {**_PRODUCT, "styles": [{**_STYLE, "available": 12}]}
_LINES = [{"sku": "OXF-BLU-M", "quantity": 2}]
_PRICED = [{"sku": "OXF-BLU-M", "quantity": 2, "price": _EUROS}]
_PAID = {"method": "account", "reference": f"{ORDER}.charge"}
_PICKS = [{"sku": "OXF-BLU-M", "location": "A-03-2", "quantity": 2}]
_POINTS = {
    "points": [{"id": "north", "name": "North door"}, {"id": "south", "name": "South door"}],
    "default": "north",
}
_LEVEL = {"sku": "OXF-BLU-M", "on_hand": 14, "reserved": 2, "available": 12}
_BIN = {"sku": "OXF-BLU-M", "location": "A-03-2", "quantity": 14}
_JOB = {"job": JOB, "assignment": 1}
_AT_NORTH = {"order": ORDER, "pickup_point": "north"}
_SINCE = "2026-11-23T09:10:11.123Z"
_RETIRED = {"sku": "OXF-BLU-M", "product": "oxford-shirt", "on_hand": 14, "reserved": 2}
_COUNT = {
    "sku": "OXF-BLU-M",
    "location": "A-03-2",
    "booked": 14,
    "counted": 12,
    "change": -2,
    "reason": "counted on Monday",
}
_REFUSAL = {
    "order": ORDER,
    "refund": f"{ORDER}.refund.0",
    "amount": _TOTAL,
    "reason": "the card's account is closed",
    "since": _SINCE,
}
_SUMMARY = {
    **_AT_NORTH,
    "state": "settled",
    "terminal": "terminal-7",
    "total": _TOTAL,
    "since": _SINCE,
}
_VERSION = {"boot": "5fd333ecda5d", "version": "0.1.0"}
_ABOUT = {
    **_VERSION,
    "node": "catalog",
    "role": "catalog",
    "since": _SINCE,
    "operations": ["about", "lookup", "ping", "search"],
    "counts": {"said": 15, "received": 12, "answered": 12},
    "outbox": 0,
    "timers": 0,
    "writer": "works",
    "host": "shop-1",
    "process": 4711,
    "data": "/var/lib/storebus",
    "connections": 1,
    "errors": [{"at": _SINCE, "detail": "connection lost: the broker is gone; trying again"}],
    "database": "0c4de1a9e68e",
    "position": 1204,
}

DATA: dict[str, dict[str, Any]] = {
    "every.ping.request": {},
    "every.ping.reply": {"node": "catalog", **_VERSION},
    "every.about.request": {},
    "every.about.reply": _ABOUT,
    "every.about.state": _ABOUT,
    "every.presence.state": {
        "status": "online",
        "boot": "5fd333ecda5d",
        "since": _SINCE,
        "database": "0c4de1a9e68e",
        "position": 1204,
    },
    "every.alarms.state": {
        "alarms": [
            {
                "kind": "clock-step",
                "detail": "The clock of this host was set 3 days forward. Nothing expires or is"
                " delayed by it. Look whether it is right now, and after the host's time service"
                " (NTP).",
                "since": _SINCE,
                "seconds": 259_200,
            },
            {
                "kind": "refuses",
                "detail": "sorter-2 refuses every job (the lid is open): look at it, or switch it"
                " off.",
                "since": _SINCE,
                "subject": "sorter-2",
                "values": {
                    "whom": "sorter-2",
                    "operation": "pick",
                    "reason": "the lid is open",
                },
            },
        ]
    },
    "every.refused.event": {
        "caller": "terminal-7",
        "operation": "reserve",
        "code": "forbidden",
        "detail": "Only settlement may call reserve.",
    },
    "catalog.lookup.request": {"code": "https://shop.example/01/09506000134352"},
    "catalog.lookup.reply": {"product": _FOUND, "scanned": "OXF-BLU-M", "retired": None},
    "catalog.search.request": {"text": "blue shirt", "limit": 20},
    "catalog.search.reply": {"products": [_FOUND]},
    "catalog.reserve.request": {"order": ORDER, "lines": _LINES},
    "catalog.reserve.reply": {"order": ORDER, "lines": _PRICED},
    "catalog.commit.request": {"order": ORDER},
    "catalog.commit.reply": {"order": ORDER},
    "catalog.release.request": {"order": ORDER, "lines": None},
    "catalog.release.reply": {"order": ORDER},
    "catalog.restock.request": {"sku": "OXF-BLU-M", "quantity": 14},
    "catalog.restock.reply": _LEVEL,
    "catalog.write-off.request": {"sku": "OXF-BLU-M", "quantity": 1},
    "catalog.write-off.reply": _LEVEL,
    "catalog.upsert.request": {"products": [{**_PRODUCT, "styles": [_STYLE]}]},
    "catalog.upsert.reply": {"created": 1, "updated": 0, "retired": []},
    "catalog.retire.request": {"sku": "OXF-BLU-M", "product": None, "reason": "last season's"},
    "catalog.retire.reply": {"product": "oxford-shirt", "styles": [_RETIRED]},
    "catalog.reinstate.request": {"sku": "OXF-BLU-M", "product": None, "reason": "found some more"},
    "catalog.reinstate.reply": {"product": "oxford-shirt", "styles": [_RETIRED]},
    "catalog.retired.request": {"after": None, "limit": 100},
    "catalog.retired.reply": {
        "styles": [{**_RETIRED, "by": "tester-ann", "at": _SINCE, "reason": "last season's"}]
    },
    "catalog.registered.request": {"after": None, "limit": 100},
    "catalog.registered.reply": {
        "products": [{**_PRODUCT, "styles": [_STYLE], "retired": ["OXF-BLU-M"]}]
    },
    "catalog.stock-changed.event": {"levels": [_LEVEL]},
    "settlement.purchase.request": {
        "lines": _LINES,
        "pickup_point": "north",
        "payment": {"method": "account", "account": "C-1001"},
        "expected_total": _TOTAL,
    },
    "settlement.purchase.reply": {
        **_AT_NORTH,
        "state": "settled",
        "lines": _PRICED,
        "total": _TOTAL,
        "payment": _PAID,
        "pickup_code": "482913",
        "at": _SINCE,
        "seller": {
            "name": "The Sample Store",
            "address": "1 Sample Street, Sampleton",
            "tax_number": "XX 000 000 000",
        },
    },
    "settlement.order.request": {"order": ORDER},
    "settlement.order.reply": {
        **_AT_NORTH,
        "state": "settled",
        "terminal": "terminal-7",
        "lines": _PRICED,
        "total": _TOTAL,
        "payment": _PAID,
        "parcel": None,
        "missing": [],
        "refunded": 0,
        "waits_for": None,
        "history": [
            {"state": "reserving", "at": "2026-11-23T09:10:11.098Z", "reason": None},
            {"state": "charging", "at": "2026-11-23T09:10:11.110Z", "reason": None},
            {"state": "settled", "at": _SINCE, "reason": None},
        ],
        "refused": [],
        "resolved": [],
    },
    "settlement.orders.request": {"state": "settled", "limit": 100},
    "settlement.orders.reply": {"orders": [_SUMMARY]},
    "settlement.collect.request": {"code": "482913"},
    "settlement.collect.reply": {"order": ORDER, "state": "collected"},
    "settlement.cancel.request": {"order": ORDER},
    "settlement.cancel.reply": {"order": ORDER, "state": "cancelling"},
    "settlement.resolve.request": {
        "order": ORDER,
        "how": "by-hand",
        "refund": None,
        "reason": "transferred on Monday",
    },
    "settlement.resolve.reply": {
        "order": ORDER,
        "state": "cancelled",
        "amount": _TOTAL,
        "refunds": [f"{ORDER}.refund.0"],
    },
    "settlement.refusals.request": {"limit": 100},
    "settlement.refusals.reply": {
        "refusals": [_REFUSAL],
        "steps": [
            {
                "order": ORDER,
                "step": f"{ORDER}.withdraw",
                "callee": "warehouse",
                "operation": "withdraw",
                "reason": "The warehouse has lost its books.",
                "since": _SINCE,
            }
        ],
    },
    "settlement.ready.request": {**_AT_NORTH, "parcel": PARCEL},
    "settlement.ready.reply": {"order": ORDER},
    "settlement.failed.request": {"order": ORDER, "reason": "Not on the shelf.", "lines": _LINES},
    "settlement.failed.reply": {"order": ORDER},
    "settlement.deposit.request": {
        "account": "C-1001",
        "name": "Ann",
        "amount": _TOTAL,
        "delivery": {"name": "opening"},
    },
    "settlement.delivered.request": {"name": "opening", "items": ["C-1001"]},
    "settlement.delivered.reply": {
        "before": [{"item": "C-1001", "amount": 11800, "content": None, "at": _SINCE}]
    },
    "settlement.deposit.reply": {"account": "C-1001", "balance": 11800, "currency": "EUR"},
    "settlement.adjust.request": {
        "account": "C-1001",
        "change": -13500,
        "currency": "EUR",
        "reason": "150.00 was typed for 15.00",
    },
    "settlement.adjust.reply": {"account": "C-1001", "balance": 11800, "currency": "EUR"},
    "settlement.rename.request": {
        "account": "C-1001",
        "name": "Ann Costa",
        "reason": "she has married",
    },
    "settlement.rename.reply": {"account": "C-1001", "name": "Ann Costa"},
    "settlement.statement.request": {"account": "C-1001", "limit": 20},
    "settlement.statement.reply": {
        "account": "C-1001",
        "balance": 11800,
        "currency": "EUR",
        "name": "Ann",
        "entries": [{"at": _SINCE, "kind": "charge", "amount": -11800, "order": ORDER}],
        "renamed": [
            {"at": _SINCE, "name": "Ann Smith", "by": "tester-ann", "reason": "she has married"}
        ],
    },
    "settlement.order-changed.event": {**_SUMMARY, "reason": None},
    "settlement.payment-methods.state": {"methods": ["account", "card"]},
    "warehouse.pickup-points.request": {},
    "warehouse.pickup-points.reply": _POINTS,
    "warehouse.pickup-points.state": _POINTS,
    "warehouse.locate.request": {"sku": "OXF-BLU-M"},
    "warehouse.locate.reply": {
        "sku": "OXF-BLU-M",
        "bins": [{"location": "A-03-2", "quantity": 14}],
    },
    "warehouse.returns.request": {},
    "warehouse.returns.reply": {
        "returns": [{"parcel": f"{JOB}.1", "order": ORDER, "lines": _LINES}]
    },
    "warehouse.fulfil.request": {**_AT_NORTH, "lines": _LINES},
    "warehouse.fulfil.reply": {"order": ORDER},
    "warehouse.withdraw.request": {"order": ORDER},
    "warehouse.withdraw.reply": {"order": ORDER},
    "warehouse.packed.request": {**_JOB, "order": ORDER, "parcel": PARCEL, "lines": _LINES},
    "warehouse.packed.reply": {"job": JOB},
    "warehouse.fault.request": {**_JOB, "reason": "jam at the lift"},
    "warehouse.fault.reply": {"job": JOB},
    "warehouse.short-pick.request": {
        **_JOB,
        "sku": "OXF-BLU-M",
        "location": "A-03-2",
        "found": 1,
    },
    "warehouse.short-pick.reply": {
        "job": JOB,
        "picks": [{"sku": "OXF-BLU-M", "location": "B-01-4", "quantity": 1}],
    },
    "warehouse.reassign.request": {"order": ORDER},
    "warehouse.reassign.reply": {
        "job": JOB,
        "order": ORDER,
        "state": "assigned",
        "assignment": 2,
        "sorter": "sorter-2",
    },
    "warehouse.resume.request": {"sorter": "sorter-2"},
    "warehouse.resume.reply": {"sorter": "sorter-2", "job": JOB},
    "warehouse.receive.request": {
        **_BIN,
        "parcel": None,
        "delivery": {"name": "monday.csv", "content": "5be0c1d95e2b7a64"},
    },
    "warehouse.receive.reply": {**_BIN, "already": None},
    "warehouse.delivered.request": {"name": "monday.csv", "items": ["OXF-BLU-M A-03-2"]},
    "warehouse.delivered.reply": {
        "before": [
            {
                "item": "OXF-BLU-M A-03-2",
                "amount": 14,
                "content": "5be0c1d95e2b7a64",
                "at": _SINCE,
            }
        ]
    },
    "warehouse.count.request": {
        "sku": "OXF-BLU-M",
        "location": "A-03-2",
        "counted": 12,
        "reason": "counted on Monday",
    },
    "warehouse.count.reply": {**_COUNT, "quantity": 12, "under_way": 0, "level": _LEVEL},
    "warehouse.counts.request": {"sku": "OXF-BLU-M", "limit": 20},
    "warehouse.counts.reply": {"counts": [{**_COUNT, "by": "tester-ann", "at": _SINCE}]},
    "sorter.pick.request": {**_JOB, **_AT_NORTH, "picks": _PICKS},
    "sorter.pick.reply": {"job": JOB, "accepted": True, "reason": None},
    "sorter.abort.request": _JOB,
    "sorter.abort.reply": {"job": JOB, "taken": []},
    "sorter.job.state": {
        "step": "picking",
        "job": JOB,
        "order": ORDER,
        "pick": 0,
        "picks": 1,
        "since": _SINCE,
    },
    "terminal.remind.request": {
        **_AT_NORTH,
        "pickup_point_name": "North door",
        "pickup_code": "482913",
        "missing": [],
    },
    "terminal.remind.reply": {"shown": True},
}
"""The data of each message, by its name."""
PROBLEMS = {
    "sold-out": SoldOut("Not enough left: OXF-BLU-M.", available={"OXF-BLU-M": 1}),
    "price-changed": PriceChanged("The total has changed.", total=_TOTAL),
    "payment-declined": PaymentDeclined("The payment was declined; nothing was charged."),
}
"""Refusals of a purchase, by code."""


_REQUEST = "3e1c9a7b52d0-4e"


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A clock that stands still, and the identifiers of one message."""

    identifier: str
    trace_span: str
    boot: str = "5fd333ecda5d"

    def now(self) -> int:
        return _AT

    def message(self) -> str:
        return self.identifier

    def span(self) -> str:
        return self.trace_span


def example(message: MessageKind) -> dict[str, Any]:
    """Return a whole message as it is published.

    Raises:
        ConfigurationError: the message has no example.
    """
    if message.name not in DATA:
        raise ConfigurationError(
            f"{message.name} has no example: add its data to DATA in schema/examples.py."
        )
    data = message.model.model_validate(DATA[message.name])
    owner, channel = message.owner, message.channel
    node = {"every": "catalog", "sorter": "sorter-2", "terminal": "terminal-7"}.get(owner, owner)
    by_node = _messages(node, "5fd333ecda5d-1a")
    if isinstance(channel, State):
        return _document(by_node.state(channel, data, trace=_TRACE))
    if isinstance(channel, Event):
        return _document(by_node.event(channel, data, trace=_TRACE))
    caller = _caller(channel)
    if message.part == "request":
        return _document(_messages(caller, _REQUEST).request(node, channel, data, trace=_TRACE))
    return _document(by_node.reply(caller, channel, data, request=_REQUEST, parent=_TRACE))


def problem_example(code: str) -> dict[str, Any]:
    """Return a refused purchase as it is published."""
    by_settlement = _messages("settlement", "dc25d1a9e68e-2b", "b7a605f389d1c2e4")
    refusal = by_settlement.reply(
        "terminal-7", PURCHASE, PROBLEMS[code], request=_REQUEST, parent=_TRACE
    )
    return _document(refusal)


def _messages(node: str, identifier: str, span: str = _SPAN) -> MessageFactory:
    return MessageFactory(Topics("main"), node, _Fixed(identifier, span))


def _document(message: OutboundMessage) -> dict[str, Any]:
    document: dict[str, Any] = from_json(message.to_bytes())
    return document


def _caller(operation: Operation[Any, Any]) -> str:
    callers = operation.callers or {"terminal"}
    kind = "terminal" if "terminal" in callers else min(callers)
    return kind if kind in ROLES else f"{kind}-7"
