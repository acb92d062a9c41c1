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
from simulation.goods import STOCK
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
    found += _acquirer(data)
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
    """What was put on the shelves is on hand or sold, and never more."""
    held: dict[str, Counter[str]] = {"committed": Counter(), "held": Counter()}
    for row in all_rows(
        data / "catalog.db",
        "SELECT state, sku, quantity FROM reservation_line JOIN reservation USING (order_id)",
    ):
        if row["state"] in held:
            held[row["state"]][row["sku"]] += row["quantity"]
    for row in all_rows(data / "catalog.db", "SELECT * FROM style ORDER BY sku"):
        sku, opening = row["sku"], STOCK[row["sku"]]
        sold = held["committed"][sku]
        if row["on_hand"] + sold != opening:
            yield f"I3: of {opening} {sku}, {row['on_hand']} are left and {sold} sold"
        if row["reserved"] != held["held"][sku]:
            yield f"I3: {row['reserved']} {sku} are reserved, orders hold {held['held'][sku]}"


def _acquirer(data: Path) -> Iterator[str]:
    """The acquirer's own log: one capture per order at the most, and never more back than that."""
    captured, times, refunded = Counter[str](), Counter[str](), Counter[str]()
    for line in (data / "acquirer.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["kind"] == "capture":
            order = entry["key"].partition(".")[0]
            captured[order] += entry["amount"]
            times[order] += 1
        elif entry["kind"] == "refund":
            refunded[entry["capture"].partition(".")[0]] += entry["amount"]
    for order in sorted(times):
        if times[order] > 1:
            yield f"I2: {order} was charged {times[order]} times"
        if refunded[order] not in (0, captured[order]):
            yield f"I2: of {captured[order]} taken for {order}, {refunded[order]} went back"


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
