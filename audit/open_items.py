"""What a closed store has not finished, and who has to act, although no promise is broken.

Everything unfinished must be explained by something that will finish it: a message in an outbox,
goods for a person to put back, a job that waits for a sorter. Anything unexplained is stuck, and
the checks report it.
"""

from collections.abc import Iterator

from audit.audited_store import ANSWER_IGNORED, PAID, UNDOING, AuditedStore, UnfinishedRow, parsed
from audit.result import AuditResult, OpenItem

_OUTBOX_ENTRIES = {
    "withdraw": "withdraw",
    "release": "release",
    "refund": "refund",
    "charge": "acquirer",
}
"""For each compensating step, what settlement has in its outbox until the step is done."""
_REMINDED_STILL = frozenset({"ready", "reminded", "collected"})


def check_open_items(store: AuditedStore, result: AuditResult) -> None:
    """List what a closed store waits for; a running one is still at work."""
    if not store.running:
        result.open_items += [*_goods(store), *_jobs(store), *_parcels(store), *_payments(store)]


def _goods(store: AuditedStore) -> Iterator[OpenItem]:
    """Goods taken from a location for an order that was cancelled or went to another sorter."""
    for row in store.warehouse.rows("SELECT * FROM goods_return ORDER BY at, parcel"):
        lines = parsed(row["lines"], store.warehouse, "goods_return")
        goods = ", ".join(f"{line['quantity']} x {line['sku']}" for line in lines)
        order = store.orders.get(row["order_id"])
        held_up = order is not None and order["state"] in UNDOING
        yield OpenItem("put-back", "warehouse", f"parcel={row['parcel']} {goods}", held_up)


def _jobs(store: AuditedStore) -> Iterator[OpenItem]:
    for name, job in store.jobs.items():
        if job["state"] in ("waiting", "assigned"):
            yield OpenItem("sort", job["sorter"] or "any sorter", name)


def _parcels(store: AuditedStore) -> Iterator[OpenItem]:
    for name, order in store.orders.items():
        if order["state"] in ("ready", "reminded"):
            yield OpenItem("collect", order["pickup_point"], name, unfinished=False)


def _payments(store: AuditedStore) -> Iterator[OpenItem]:
    for name, rows in store.refused.items():
        for row in rows:
            yield OpenItem("resolve", "settlement", f"{name}: {row['name']}", unfinished=False)
    for name, rows in store.refused_steps.items():
        for row in rows:
            yield OpenItem("resolve", "settlement", f"{name}: {row['name']}", unfinished=False)
    for name in store.unauthorised - store.refused.keys():
        yield OpenItem("pay", "settlement", name)


def order_is_explained(store: AuditedStore, name: str) -> bool:
    """Whether an order that is neither final nor with its customer will continue, or waits."""
    order, asked = store.orders[name], store.asked(name)
    state = order["state"]
    if name in store.waits_for_payment:
        return True
    if state == "reserving":
        return "reserve" in asked
    if state == "charging":
        return "acquirer" in asked
    if state in ("settled", "short"):
        return job_is_explained(store, name) or name in store.in_transit
    if state not in UNDOING:
        return False
    steps = parsed(order["undo"], store.settlement, "orders")
    refused = {row["step"] for row in store.refused_steps.get(name, ())}
    return bool(steps) and all(
        _OUTBOX_ENTRIES.get(step) in asked or step in refused for step in steps
    )


def job_is_explained(store: AuditedStore, name: str) -> bool:
    """Whether an unfinished job of the warehouse waits for a sorter or for goods."""
    job, order = store.jobs.get(name), store.orders.get(name)
    if job is None or order is None:
        return False
    if job["state"] in ("waiting", "assigned"):
        return order["state"] in PAID or name in store.in_transit
    return job["state"] == "withdrawing" and name in store.being_returned


def explanation(store: AuditedStore, each: UnfinishedRow) -> list[OpenItem] | None:
    """Explain why something is still in an outbox of a closed store.

    Returns:
        What to list for it, empty if something else lists it; None if nothing explains it.
    """
    kind = _call(store, each) if each.row["kind"] == "call" else _command(store, each)
    if kind is None:
        return None
    text = each.order or each.row["id"]
    if kind == "go-on":
        text = f"{each.what} {text} of {each.node}"
    return [OpenItem(kind, each.row["target"], text)] if kind else []


def _call(store: AuditedStore, each: UnfinishedRow) -> str | None:
    """Explain a call to an adapter: the payment provider, a screen, a machine."""
    order = store.orders.get(each.order or "")
    if each.node != "settlement":
        return ""  # listed with the command that caused it
    if order is None:
        return None
    if each.what == "acquirer":
        open_ = order["state"] == "charging" or "charge" in order["undo"]
    else:
        open_ = order["refunded"] < order["refunding"]
    return "pay" if open_ else None


def _command(store: AuditedStore, each: UnfinishedRow) -> str | None:
    """The kind of waiting of a command; empty if something else lists it, None if unexplained."""
    order, job = store.orders.get(each.order or ""), store.jobs.get(each.order or "")
    if each.order is not None and order is None:
        return None
    if each.heard == "answered":
        return "" if each.what in ANSWER_IGNORED else "go-on"
    kind, explained = "go-on", True
    if each.what == "remind":
        newest = order is not None and order["reminder"] == each.row["id"]
        still = order is not None and order["state"] in _REMINDED_STILL
        kind, explained = "remind", newest and still
    elif each.what == "abort":
        kind, explained = "sort", each.order in store.being_returned
    elif each.what == "pick":  # its job is listed
        kind, explained = "", job is not None and job["pick_message"] == each.row["id"]
    elif each.what == "withdraw" and each.heard == "accepted":  # its goods are listed
        own = job is not None and job["withdrawal"] == each.row["id"]
        kind, explained = "", own and each.order in store.being_returned
    return kind if explained else None
