"""I5: each paid order has one parcel with its goods, and no other order has one."""

from collections import Counter, defaultdict
from typing import Any

from audit.audited_store import PAID, AuditedStore, parsed, pieces
from audit.reading import Database, Row
from audit.result import AuditResult

_PACKED = frozenset({"ready", "reminded", "collected"})
"""States of an order whose parcel is at its pickup point or was handed over."""


def check_parcels(store: AuditedStore, result: AuditResult) -> None:
    """Compare jobs with orders, then with what sorters and their machines report."""
    for name in sorted(store.orders.keys() | store.jobs.keys()):
        if store.still(name):
            _order(store, result, name, store.orders.get(name), store.jobs.get(name))
    names = Counter(job["parcel"] for job in store.jobs.values() if job["parcel"] is not None)
    for parcel, times in names.items():
        result.check("I5", times == 1, f"the parcel {parcel} is that of {times} orders")
    _sorters(store, result)
    _machines(store, result)


def _order(
    store: AuditedStore, result: AuditResult, name: str, order: Row | None, job: Row | None
) -> None:
    if order is None or order["state"] not in PAID:
        what = f"an order that is {order['state']}" if order else "no order that settlement knows"
        idle = job is None or job["state"] in ("withdrawing", "withdrawn")
        result.check("I5", idle, f"{name}: there is a {job and job['state']} job for {what}")
        return
    if job is None:
        result.check("I5", None, f"{name} is {order['state']} but its job is missing")
        return
    where = f"{name} is to be brought to {order['pickup_point']}, not to {job['pickup_point']}"
    result.check("I5", order["pickup_point"] == job["pickup_point"], where)
    if order["state"] not in _PACKED:
        under_way = job["state"] in ("waiting", "assigned")
        text = f"{name} is {order['state']} but its job is {job['state']}"
        result.check("I5", under_way, text)
        return
    packed = job["state"] == "packed"
    result.check("I5", packed, f"{name} is {order['state']} but its job is {job['state']}")
    same = job["parcel"] is not None and job["parcel"] == order["parcel"]
    result.check(
        "I5", same, f"{name}: its parcel is {order['parcel']}, the warehouse has {job['parcel']}"
    )
    wanted = store.delivered(order)
    held = pieces(parsed(job["picks"] or "[]", store.warehouse, "job"))
    result.check("I5", held == wanted, f"{name}: its parcel holds {dict(held)}, not {dict(wanted)}")


def _sorters(store: AuditedStore, result: AuditResult) -> None:
    """What sorters have packed is what the warehouse knows to be packed."""
    jobs = {job["id"]: job for job in store.jobs.values()}
    packed = Counter[str]()
    for sorter in store.of_kind("sorter"):
        for row in sorter.rows("SELECT * FROM job WHERE step = 'done'"):
            job = jobs.get(row["id"])
            name = row["order_id"]
            if job is None:
                text = f"{sorter.node} packed {row['parcel']} for a job that there is not"
                result.check("I5", None, text)
            elif store.still(name):
                packed[name] += 1
                _same_parcel(store, result, sorter, row, job)
    for name, times in packed.items():
        result.check("I5", times == 1, f"{name} was packed {times} times")
    there = {sorter.node for sorter in store.of_kind("sorter")}
    for name, job in store.jobs.items():
        if job["state"] == "packed" and job["sorter"] in there and store.still(name):
            text = f"{name} is packed, but {job['sorter']} never packed it"
            result.check("I5", packed[name], text)


def _same_parcel(
    store: AuditedStore, result: AuditResult, sorter: Database, row: Row, job: Row
) -> None:
    said = (sorter.node, row["assignment"], row["order_id"], row["parcel"], row["pickup_point"])
    known = tuple(
        job[each] for each in ("sorter", "assignment", "order_id", "parcel", "pickup_point")
    )
    text = f"{row['order_id']}: {sorter.node} packed {said}, the warehouse knows {known}"
    result.check("I5", said == known, text)
    packed = _found(sorter, row)
    wanted = pieces(parsed(job["lines"], store.warehouse, "job"))
    text = f"{row['order_id']}: {sorter.node} packed {dict(packed)} instead of {dict(wanted)}"
    result.check("I5", packed == wanted, text)


def _machines(store: AuditedStore, result: AuditResult) -> None:
    """A machine moves nothing twice, and picked and packed every parcel that its sorter reports."""
    for sorter in store.of_kind("sorter"):
        entries = store.records.get(f"{sorter.node}.conveyor.jsonl")
        if entries is None:
            continue
        times = Counter[str](entry["key"] for entry in entries)
        for key, count in times.items():
            result.check("I5", count == 1, f"{sorter.node} moved {key} {count} times")
        movements: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for entry in entries:
            assignment, _, _ = entry["key"].rsplit(".", 2)
            movements[assignment].append(entry)
        for row in sorter.rows("SELECT * FROM job WHERE step = 'done'"):
            own = movements[f"{row['id']}.{row['assignment']}"]
            packed = any(entry["step"] == "packing" for entry in own)
            text = f"{row['order_id']}: {sorter.node} says that it is packed, its machine does not"
            result.check("I5", packed, text)
            taken, said = +_picked(own), _found(sorter, row)
            text = f"{row['order_id']}: {sorter.node} says {dict(said)}, it took {dict(taken)}"
            result.check("I5", taken == said, text)


def _picked(entries: list[dict[str, Any]]) -> Counter[str]:
    """What a machine has taken in these movements."""
    sums = Counter[str]()
    for entry in entries:
        if entry["step"] == "picking":
            found = entry.get("found")
            sums[entry["sku"]] += entry["quantity"] if found is None else found
    return sums


def _found(sorter: Database, row: Row) -> Counter[str]:
    """What a sorter reports to have taken for a job."""
    sums = Counter[str]()
    found = parsed(row["found"], sorter, "job")
    for pick, count in zip(parsed(row["picks"], sorter, "job"), found, strict=False):
        sums[pick["sku"]] += count
    return +sums
