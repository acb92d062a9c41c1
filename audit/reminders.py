"""I6: customers are reminded at least once, each reminder once, at their terminal and in time."""

from collections import Counter
from typing import Any

from audit.audited_store import PAID, AuditedStore
from audit.history import History
from audit.reading import Database, Row
from audit.result import AuditResult

_SCREEN = ".screen.jsonl"


def check_reminders(store: AuditedStore, result: AuditResult) -> None:
    """Compare screens with orders, orders with screens, and check the order of the messages."""
    shown = {
        name.removesuffix(_SCREEN): entries
        for name, entries in store.records.items()
        if name.endswith(_SCREEN)
    }
    for node, entries in shown.items():
        _screen(store, result, node, entries)
    for terminal in store.of_kind("terminal"):
        _said_to_be_shown(result, terminal, shown.get(terminal.node, []))
    seen = {(node, each["order"]) for node, entries in shown.items() for each in entries}
    here = shown.keys() | {terminal.node for terminal in store.of_kind("terminal")}
    elsewhere = set()
    reminding = {row["id"] for row in store.settlement.rows("SELECT id FROM outbox")}
    for name, order in store.orders.items():
        due = _is_due(store, order)
        if order["state"] == "ready" and store.running:
            text = f"{name} is ready, and nobody reminds the customer"
            result.check("I6", order["reminder"] in reminding, text)
        waits = order["reminder"] in reminding and not store.reached(name, "reminded")
        if due and waits and not store.running:
            continue  # its terminal is off: what is in the outbox is listed
        if due and order["terminal"] in here:
            text = f"{name} is {order['state']} but {order['terminal']} never showed its reminder"
            result.check("I6", (order["terminal"], name) in seen, text)
        elif due:
            elsewhere.add(order["terminal"])
    if elsewhere:
        names = ", ".join(sorted(elsewhere))
        result.notes.append(f"what was shown was not looked at, the files are not here: {names}")
    if store.history is not None:
        _heard(store, result, store.history)


def _is_due(store: AuditedStore, order: Row) -> bool:
    """Whether the customer must have seen a reminder by now."""
    if store.reached(order["id"], "reminded"):
        return True
    return not store.running and order["state"] in PAID and store.reached(order["id"], "ready")


def _screen(
    store: AuditedStore, result: AuditResult, terminal: str, entries: list[dict[str, Any]]
) -> None:
    for key, count in Counter(entry["key"] for entry in entries).items():
        result.check("I6", count == 1, f"{terminal} showed the reminder {key} {count} times")
    for entry in entries:
        name = entry["order"]
        order = store.orders.get(name)
        own = order is not None and order["terminal"] == terminal
        result.check("I6", own, f"{terminal} showed a reminder of {name}, which is not its own")
        if order is None:
            continue
        packed = store.reached(name, "ready")
        result.check(
            "I6", packed, f"{terminal} showed a reminder of {name}, which was never packed"
        )
        told = (entry["pickup_point"], entry["pickup_code"])
        right = told == (order["pickup_point"], order["pickup_code"])
        result.check("I6", right, f"{terminal} showed a wrong place or code for {name}")


def _said_to_be_shown(
    result: AuditResult, terminal: Database, entries: list[dict[str, Any]]
) -> None:
    keys = {entry["key"] for entry in entries}
    for row in terminal.rows("SELECT * FROM reminder WHERE shown_at IS NOT NULL"):
        key = f"{row['order_id']}.{row['request']}"
        text = f"{terminal.node} says that it showed {key}, its screen does not"
        result.check("I6", key in keys, text)


def _heard(store: AuditedStore, result: AuditResult, history: History) -> None:
    """Settlement reminds the right terminal, and only of what a sorter has packed."""
    packed: dict[str, int] = {}
    for request in history.named("packed"):
        packed.setdefault(str(request.data.get("order")), request.at)
    begun = {str(request.data.get("order")): request.at for request in history.named("fulfil")}
    for request in history.named("remind"):
        name, terminal = str(request.data.get("order")), request.key[1]
        order = store.orders.get(name)
        right = order is not None and order["terminal"] == terminal
        result.check("I6", right, f"{terminal} was to remind of {name}, which is not its own")
        if name in packed:
            early = request.at < packed[name]
        else:
            early = name in begun and history.is_whole_since(begun[name])
        result.check("I6", not early, f"{terminal} was to remind of {name} before it was packed")
