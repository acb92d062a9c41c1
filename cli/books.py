"""Do stock, parcels, money and reminders add up? Counted from the databases of a quiet store.

Reads the files, never the roles' code: an error there must not hide itself here.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

_PAID = ("settled", "short", "ready", "reminded", "collected")
_UNDOING = ("cancelling", "expiring")
_OPEN = ("reserving", "charging", "settled", "short", "ready", *_UNDOING)


def discrepancies(data: Path) -> list[str]:
    """Everything that does not add up, in sentences; empty when the books balance.

    Args:
        data: the folder of a store that is quiet or stopped.
    """
    with (
        closing(_open(data / "catalog.db")) as catalog,
        closing(_open(data / "settlement.db")) as settlement,
        closing(_open(data / "warehouse.db")) as warehouse,
    ):
        orders = {row["id"]: row for row in settlement.execute("SELECT * FROM orders")}
        paid = {key: row for key, row in orders.items() if row["state"] in _PAID}
        return [
            *_stock(catalog, warehouse),
            *_reservations(catalog, orders, paid),
            *_parcels(warehouse, paid),
            *_money(settlement, orders, data),
            *_reminders(data, orders),
        ]


def _stock(catalog: sqlite3.Connection, warehouse: sqlite3.Connection) -> Iterator[str]:
    """What the catalog has or had sold is what the warehouse has or had picked."""
    books = Counter[str]()
    for row in catalog.execute("SELECT sku, on_hand, reserved FROM style"):
        books[row["sku"]] += row["on_hand"]
        if not 0 <= row["reserved"] <= row["on_hand"]:
            yield f"{row['sku']}: {row['reserved']} reserved of {row['on_hand']} on hand"
    for row in catalog.execute(
        "SELECT sku, quantity FROM reservation_line JOIN reservation USING (order_id)"
        " WHERE state = 'committed'"
    ):
        books[row["sku"]] += row["quantity"]
    bins = Counter[str]()
    for row in warehouse.execute("SELECT sku, quantity FROM bin"):
        bins[row["sku"]] += row["quantity"]
    for row in warehouse.execute(
        "SELECT picks AS goods FROM job WHERE picks IS NOT NULL"
        " UNION ALL SELECT picks FROM superseded UNION ALL SELECT lines FROM goods_return"
    ):
        for line in json.loads(row["goods"]):
            bins[line["sku"]] += line["quantity"]
    for sku in sorted(books.keys() | bins.keys()):
        if books[sku] != bins[sku]:
            yield f"{sku}: the catalog accounts for {books[sku]}, the warehouse for {bins[sku]}"


def _reservations(
    catalog: sqlite3.Connection, orders: dict[str, Any], paid: dict[str, Any]
) -> Iterator[str]:
    for row in catalog.execute("SELECT order_id, state FROM reservation"):
        order, state = row["order_id"], row["state"]
        expected = "committed" if order in paid else "released"
        if order not in orders:
            yield f"{order}: goods are {state} for an order that settlement does not know"
        elif orders[order]["state"] in ("reserving", "charging", *_UNDOING):
            continue
        elif state != expected:
            yield f"{order} is {orders[order]['state']} but its goods are {state}"


def _parcels(warehouse: sqlite3.Connection, paid: dict[str, Any]) -> Iterator[str]:
    jobs = {row["order_id"]: row for row in warehouse.execute("SELECT * FROM job")}
    for order in sorted(jobs.keys() - paid.keys()):
        if jobs[order]["state"] not in ("withdrawing", "withdrawn"):
            yield f"{order}: there is a {jobs[order]['state']} job for an order that is not paid"
    for order, row in paid.items():
        job = jobs.get(order)
        if job is None or job["state"] != "packed" or job["parcel"] != row["parcel"]:
            yield f"{order} is {row['state']} but its job is {job['state'] if job else 'missing'}"
            continue
        wanted = Counter({line["sku"]: line["quantity"] for line in json.loads(row["lines"])})
        for line in json.loads(row["missing"]):
            wanted[line["sku"]] -= line["quantity"]
        wanted = +wanted
        packed = Counter[str]()
        for pick in json.loads(job["picks"]):
            packed[pick["sku"]] += pick["quantity"]
        if wanted != packed:
            yield f"{order}: its parcel holds {dict(packed)} instead of {dict(wanted)}"


def _money(settlement: sqlite3.Connection, orders: dict[str, Any], data: Path) -> Iterator[str]:
    (total,) = settlement.execute("SELECT coalesce(sum(amount), 0) FROM posting").fetchone()
    if total:
        yield f"the ledger sums to {total} instead of 0"
    for row in settlement.execute(
        "SELECT id, balance, (SELECT coalesce(sum(amount), 0) FROM posting WHERE account = id)"
        " AS posted FROM account"
    ):
        if row["balance"] != row["posted"] or (row["id"][:9] == "customer:" and row["balance"] < 0):
            yield f"{row['id']} says {row['balance']}, its postings say {row['posted']}"
    charged: Counter[str] = Counter()
    for row in settlement.execute(
        "SELECT order_id, amount FROM transfer JOIN posting ON transfer = id"
        " WHERE order_id IS NOT NULL AND account LIKE 'sales:%'"
    ):
        charged[row["order_id"]] += row["amount"]
    owed = Counter({order: _owed(row) for order, row in orders.items()})
    for order in sorted(charged.keys() | owed.keys()):
        if charged[order] != owed[order]:
            yield f"{order}: charged {charged[order]}, owed {owed[order]}"
    yield from _captures(orders, owed, data)


def _owed(order: Any) -> int:
    """What the customer has paid and not got back."""
    undone = order["state"] in _UNDOING and order["reference"] is not None
    if order["state"] in _PAID or undone:
        return int(order["total"] - order["refunded"])
    return 0


def _captures(orders: dict[str, Any], owed: Counter[str], data: Path) -> Iterator[str]:
    """The acquirer's own log agrees: at most one capture per order, less what it gave back."""
    captures: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for entry in _lines(data / "acquirer.jsonl"):
        if entry["kind"] == "capture":
            captures[entry["key"].removesuffix(".charge")] += 1
            kept[entry["key"].removesuffix(".charge")] += entry["amount"]
        elif entry["kind"] == "refund":
            kept[entry["capture"].removesuffix(".charge")] -= entry["amount"]
    for order, times in captures.items():
        if times > 1:
            yield f"{order}: the acquirer captured {times} times"
    by_card = Counter(
        {
            order: owed[order]
            for order, row in orders.items()
            if json.loads(row["payment"])["method"] == "card"
        }
    )
    for order in sorted(kept.keys() | by_card.keys()):
        if kept[order] != by_card[order]:
            yield f"{order}: the acquirer keeps {kept[order]}, owed {by_card[order]}"


def _reminders(data: Path, orders: dict[str, Any]) -> Iterator[str]:
    shown: set[tuple[str, str]] = set()
    times: Counter[tuple[str, str]] = Counter()
    for screen in data.glob("terminal-*.screen.jsonl"):
        terminal = screen.name.removesuffix(".screen.jsonl")
        for entry in _lines(screen):
            shown.add((terminal, entry["order"]))
            times[terminal, entry["key"]] += 1
    for terminal, order in sorted(shown):
        if order not in orders or orders[order]["terminal"] != terminal:
            yield f"{terminal} showed a reminder of {order}, which is not its own"
    for (terminal, key), count in times.items():
        if count != 1:
            yield f"{terminal} showed the reminder {key} {count} times"
    for order, row in orders.items():
        if row["state"] in _OPEN:
            yield f"{order} is still {row['state']}"
        elif row["state"] in _PAID and (row["terminal"], order) not in shown:
            yield f"{order} is {row['state']} but {row['terminal']} never showed its reminder"


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    return connection


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]
