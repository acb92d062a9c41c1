"""I2 and I8: what was taken and given back, in our ledger and in the acquirer's log."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from audit.audited_store import FINAL, PAID, AuditedStore, UnfinishedRow, parsed
from audit.reading import Row
from audit.result import AuditResult


def check_money(store: AuditedStore, result: AuditResult) -> None:
    """Check the ledger, and for each order the ledger, what is owed, and the acquirer's log."""
    _ledger(store, result)
    charged, returned = _posted(store)
    calling = _calling(store)
    by_hand = _by_hand(store)
    _refused(store, result)
    for name in sorted({*store.orders, *charged, *returned}):
        order = store.orders.get(name)
        result.check("I2", order, f"money was moved for {name}, which settlement does not know")
        if order is not None:
            _posted_is_owed(result, order, charged[name], returned[name])
            begun = name in calling or name in store.waits_for_payment
            _kept_is_delivered(store, result, order, begun=begun)
    if "acquirer.jsonl" in store.records:
        _acquirer(store, result, store.records["acquirer.jsonl"], calling, by_hand)
    elif cards := [name for name in store.orders if _by_card(store, name)]:
        result.notes.append(
            f"there is no acquirer.jsonl: {len(cards)} card orders were not compared with it"
        )


def _calling(store: AuditedStore) -> set[str]:
    """Orders about which settlement has a call to the acquirer under way."""
    return {_order_of(each.row["id"]) for each in store.pending if _is_payment(each)}


def _is_payment(each: UnfinishedRow) -> bool:
    return each.node == "settlement" and each.row["kind"] == "call"


def _by_hand(store: AuditedStore) -> Counter[str]:
    """What people refunded by hand, by order."""
    sums = Counter[str]()
    for row in store.settlement.rows(
        "SELECT order_id, amount FROM transfer JOIN posting ON transfer = transfer.id"
        " WHERE order_id IS NOT NULL AND account LIKE 'cash:%'"
    ):
        sums[row["order_id"]] += row["amount"]
    return sums


def _refused(store: AuditedStore, result: AuditResult) -> None:
    """A refund that the provider refused waits for a person, or a person has resolved it."""
    for name, rows in store.refused.items():
        for row in rows:
            text = f"{row['name']} was refused, and {name} has no money that is to go back"
            order = store.orders.get(name)
            waits = order is not None and order["refunding"] - order["refunded"] >= row["amount"]
            result.check("I2", waits, text)
            result.notes.append(
                f"{name} waits for a person: its refund of {row['amount']} was refused"
                f" ({row['reason']}); see storebus resolve {name}"
            )
    for name in sorted(store.unauthorised):
        result.notes.append(f"{name} waits until the payment provider lets the store in")
    for row in store.settlement.rows(
        "SELECT name, how, (SELECT count(*) FROM transfer WHERE transfer.id = name) AS posted"
        " FROM refused_refund JOIN resolution ON refund = name"
        " WHERE open = 0 AND resolution.id ="
        " (SELECT max(id) FROM resolution WHERE refund = name)"
    ):
        done = row["how"] != "by-hand" or row["posted"] == 1
        result.check("I2", done, f"{row['name']} was paid by hand, and the ledger does not know")


# -- I8 -------------------------------------------------------------------------------------------


def _ledger(store: AuditedStore, result: AuditResult) -> None:
    rows = store.settlement.rows
    for row in rows(
        "SELECT currency, sum(amount) AS total FROM posting JOIN account ON account = account.id"
        " GROUP BY currency"
    ):
        text = f"the ledger sums to {row['total']} {row['currency']} instead of 0"
        result.check("I8", row["total"] == 0, text)
    for row in rows("SELECT transfer, sum(amount) AS total FROM posting GROUP BY transfer"):
        text = f"the transfer {row['transfer']} sums to {row['total']} instead of 0"
        result.check("I8", row["total"] == 0, text)
    for row in rows(
        "SELECT account.id, balance, coalesce(sum(amount), 0) AS posted"
        " FROM account LEFT JOIN posting ON account = account.id GROUP BY account.id"
    ):
        name, balance = row["id"], row["balance"]
        text = f"{name} says {balance}, its postings say {row['posted']}"
        result.check("I8", balance == row["posted"], text)
        below = name.startswith("customer:") and balance < 0
        result.check("I8", not below, f"{name} is below zero: {balance}")


# -- I2 -------------------------------------------------------------------------------------------


def _posted(store: AuditedStore) -> tuple[Counter[str], Counter[str]]:
    """What the ledger has charged and refunded, by order."""
    charged, returned = Counter[str](), Counter[str]()
    for row in store.settlement.rows(
        "SELECT order_id, amount FROM transfer JOIN posting ON transfer = transfer.id"
        " WHERE order_id IS NOT NULL AND account LIKE 'sales:%'"
    ):
        (charged if row["amount"] > 0 else returned)[row["order_id"]] += abs(row["amount"])
    return charged, returned


def _posted_is_owed(result: AuditResult, order: Row, charged: int, returned: int) -> None:
    name, owed, gone = order["id"], _charge(order), order["refunded"]
    result.check("I2", charged == owed, f"{name}: charged {charged}, owed {owed}")
    text = f"{name}: the ledger gave back {returned}, the order says {gone}"
    result.check("I2", returned == gone, text)


def _kept_is_delivered(
    store: AuditedStore, result: AuditResult, order: Row, *, begun: bool
) -> None:
    name, state = order["id"], order["state"]
    owed, going, gone = _charge(order), order["refunding"], order["refunded"]
    result.check("I2", gone <= going <= owed, f"{name}: {gone} of {going} went back of {owed}")
    result.check("I2", begun or gone == going, f"{name}: only {gone} of {going} went back")
    result.check("I2", state not in PAID or order["reference"], f"{name} is {state}, but not paid")
    if state in PAID or state in FINAL:
        worth = _delivered(store, order) if state in PAID else 0
        text = f"{name} is {state}: {owed - going} was kept for goods worth {worth}"
        result.check("I2", owed - going == worth, text)


def _charge(order: Row) -> int:
    """The amount charged to the customer, before refunds."""
    return order["total"] or 0 if order["reference"] is not None else 0


def _delivered(store: AuditedStore, order: Row) -> int:
    """The price of the goods that the customer receives."""
    prices = {line["sku"]: line["price"]["amount"] for line in store.lines(order)}
    return sum(prices[sku] * quantity for sku, quantity in store.delivered(order).items())


def _by_card(store: AuditedStore, name: str) -> bool:
    payment = parsed(store.orders[name]["payment"], store.settlement, "orders")
    return bool(payment["method"] == "card")


def _acquirer(
    store: AuditedStore,
    result: AuditResult,
    entries: Iterable[dict[str, Any]],
    calling: set[str],
    by_hand: Counter[str],
) -> None:
    """Check the acquirer's log: at most one capture per order, and what it kept is owed."""
    captures: dict[str, list[dict[str, Any]]] = defaultdict(list)
    back = Counter[str]()
    keys = Counter[str]()
    for entry in entries:
        keys[entry["key"]] += 1
        if entry["kind"] == "capture":
            captures[_order_of(entry["key"])].append(entry)
        elif entry["kind"] == "refund":
            back[_order_of(entry["capture"])] += entry["amount"]
    for key, times in keys.items():
        result.check("I2", times == 1, f"the acquirer has {times} entries under the key {key}")
    for name in sorted(captures.keys() | back.keys() | store.orders.keys()):
        taken = sum(entry["amount"] for entry in captures[name])
        times = len(captures[name])
        result.check("I2", times <= 1, f"{name} was captured {times} times")
        result.check("I2", back[name] <= taken, f"{name}: of {taken}, {back[name]} went back")
        order = store.orders.get(name)
        if order is None or not _by_card(store, name):
            text = f"the acquirer captured {taken} for {name}, which is no order paid by card"
            result.check("I2", not taken, text)
        elif name not in calling:  # else it knows more than settlement yet
            kept = taken - back[name]
            owed = _charge(order) - order["refunded"] + by_hand[name]
            text = f"{name}: the acquirer keeps {kept}, settlement says {owed}"
            result.check("I2", kept == owed, text)
            known = {entry["reference"] for entry in captures[name]}
            same = order["reference"] is None or order["reference"] in known
            result.check("I2", same, f"{name} has a payment reference that the acquirer never gave")


def _order_of(key: str) -> str:
    """The order that an idempotency key belongs to."""
    return key.partition(".")[0]
