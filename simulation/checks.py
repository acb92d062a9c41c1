"""Are the promises kept? Counted from the databases of a store that was closed.

Shares no code with the roles beyond the contract: a mistake there must not hide itself here.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bus.errors import StorebusError
from cli.audit import findings
from simulation.goods import PRICES, STOCK
from simulation.orders import PAID, orders_broken
from simulation.rows import all_rows
from simulation.store import TERMINALS, SimulatedStore

_OVERDUE = 60_000
"""Milliseconds that a timer may be late."""


def broken(store: SimulatedStore, closing: int) -> list[str]:
    """Every promise that was not kept, in sentences that begin with its number.

    Args:
        store: which was closed; only its folder and what was witnessed are looked at.
        closing: when that began, in milliseconds.
    """
    data = store.data
    found = [*store.witness.broken]
    for path in sorted(data.glob("*.db")):
        found += _integrity(path)
        found += _outbox(path, closing)
    found += orders_broken(data, store.witness, round(store.patience.expire_after * 1000))
    found += _terminals(data)
    found += _stock(data)
    found += _money(data)
    found += _machines([machine.moved for machine in store.machines.values()])
    found += _left_behind(data)
    return [*found, *_books(data, closing)]


def _books(data: Path, closing: int) -> list[str]:
    """What the store's own bookkeeping says, if it can make anything of the databases at all."""
    try:
        return [str(finding) for finding in findings([data], at=closing)]
    except StorebusError as error:
        return [f"books: they cannot be counted: {error!r}"]


def _integrity(path: Path) -> Iterator[str]:
    for row in all_rows(path, "PRAGMA integrity_check"):
        if row[0] != "ok":
            yield f"I11: {path.name}: {row[0]}"
    for row in all_rows(path, "PRAGMA foreign_key_check"):
        yield f"I11: {path.name}: a row of {row[0]} refers to nothing"


def _outbox(path: Path, closing: int) -> Iterator[str]:
    """Only timers may be left, and none that should have gone off."""
    for row in all_rows(path, "SELECT kind, target, operation, due_at, id FROM outbox"):
        if row["kind"] != "timer" or row["due_at"] < closing - _OVERDUE:
            yield f"I10: {path.stem} still has {' '.join(map(str, row))} in its outbox"


def _terminals(data: Path) -> Iterator[str]:
    """What a terminal keeps of a purchase is what settlement knows."""
    orders = {
        (row["terminal"], row["request"]): row
        for row in all_rows(data / "settlement.db", "SELECT * FROM orders")
    }
    for name in TERMINALS:
        for purchase in all_rows(data / f"{name}.db", "SELECT * FROM purchase ORDER BY id"):
            yield from _purchase(name, purchase, orders.get((name, purchase["id"])))


def _purchase(name: str, purchase: Any, order: Any) -> Iterator[str]:
    if purchase["state"] == "sent":
        yield f"I4: {name} still waits for an answer to {purchase['id']}"
    elif purchase["state"] == "settled":
        if order is None or order["id"] != purchase["order_id"] or order["reference"] is None:
            yield f"I1: {name} has a receipt for {purchase['order_id']}, which was never paid"
    elif purchase["state"] == "refused" and order is not None and order["state"] in PAID:
        yield f"I1: {name} thinks {purchase['id']} was refused, but it is paid"


def _stock(data: Path) -> Iterator[str]:
    """What was put on the shelves is on hand, sold or written off, and never more."""
    held: dict[str, Counter[str]] = {"committed": Counter(), "held": Counter()}
    for row in all_rows(
        data / "catalog.db",
        "SELECT state, sku, quantity FROM reservation_line JOIN reservation USING (order_id)",
    ):
        if row["state"] in held:
            held[row["state"]][row["sku"]] += row["quantity"]
    lost = Counter[str]()
    for row in all_rows(data / "warehouse.db", "SELECT * FROM adjustment WHERE change < 0"):
        lost[row["sku"]] -= row["change"]
    for row in all_rows(data / "catalog.db", "SELECT * FROM style ORDER BY sku"):
        sku, opening = row["sku"], STOCK[row["sku"]]
        sold, there = held["committed"][sku], row["on_hand"] - row["short"]
        if there + sold + lost[sku] != opening:
            yield f"I3: of {opening} {sku}, {there} are left, {sold} sold and {lost[sku]} lost"
        if row["written_off"] != lost[sku]:
            yield f"I3: {lost[sku]} {sku} are lost, the catalog knows of {row['written_off']}"
        if row["reserved"] != held["held"][sku]:
            yield f"I3: {row['reserved']} {sku} are reserved, orders hold {held['held'][sku]}"


def _money(data: Path) -> Iterator[str]:
    """What the store keeps of an order is the price of the pieces that a machine took for it."""
    taken, parcels = _taken(data), _parcels(data)
    captures, keeps = _acquirer(data)
    for row in all_rows(data / "settlement.db", "SELECT * FROM orders"):
        name = row["id"]
        if captures[name] > 1:
            yield f"I2: {name} was charged {captures[name]} times"
        kept = row["total"] - row["refunded"] if row["reference"] is not None else 0
        worth = taken[parcels.get(name, "")] if row["state"] in PAID else 0
        if kept != worth:
            yield f"I2: of {name}, {kept} was kept for goods worth {worth}"
        if json.loads(row["payment"])["method"] == "card" and keeps[name] != kept:
            yield f"I2: the acquirer keeps {keeps[name]} of {name}, settlement {kept}"


def _taken(data: Path) -> Counter[str]:
    """By job and assignment, the price of what machines have taken from the shelves."""
    taken = Counter[str]()
    for path in data.glob("*.conveyor.jsonl"):
        for entry in _entries(path):
            if entry["step"] == "picking":
                found = entry["quantity"] if entry["found"] is None else entry["found"]
                job = ".".join(entry["key"].split(".")[:2])
                taken[job] += found * PRICES[entry["sku"]]
    return taken


def _parcels(data: Path) -> dict[str, str]:
    """By order, the job and assignment that it was packed under."""
    packed = all_rows(data / "warehouse.db", "SELECT * FROM job WHERE state = 'packed'")
    return {row["order_id"]: f"{row['id']}.{row['assignment']}" for row in packed}


def _acquirer(data: Path) -> tuple[Counter[str], Counter[str]]:
    """By order, how often the acquirer's own log has it captured, and what it kept."""
    captures, keeps = Counter[str](), Counter[str]()
    for entry in _entries(data / "acquirer.jsonl"):
        if entry["kind"] == "capture":
            order = entry["key"].partition(".")[0]
            captures[order] += 1
            keeps[order] += entry["amount"]
        elif entry["kind"] == "refund":
            keeps[entry["capture"].partition(".")[0]] -= entry["amount"]
    return captures, keeps


def _entries(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _machines(machines: list[Counter[tuple[str, str, str]]]) -> Iterator[str]:
    """What a machine was asked to move under an assignment, it moves once."""
    for machine in machines:
        for (job, step, pick), times in sorted(machine.items()):
            if times > 1:
                yield f"I5: {job} was {step} {times} times: {pick}"


def _left_behind(data: Path) -> Iterator[str]:
    """Goods of assignments and orders that are not to be are back on their shelves."""
    for row in all_rows(data / "warehouse.db", "SELECT job, assignment FROM superseded"):
        yield f"I4: nobody has said what became of {row['job']}.{row['assignment']}"
    for row in all_rows(data / "warehouse.db", "SELECT parcel FROM goods_return"):
        yield f"I4: {row['parcel']} was never put back"
    for row in all_rows(data / "warehouse.db", "SELECT kind FROM alarm"):
        yield f"I4: the alarm {row['kind']} still stands"
