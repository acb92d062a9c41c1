"""I3: every piece is in exactly one place, in the catalog's books and in the warehouse's."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from audit.audited_store import PAID, UNDOING, AuditedStore, parsed
from audit.reading import Row
from audit.result import AuditResult

_UNDECIDED = frozenset({"reserving", "charging", *UNDOING})
"""States in which goods may be reserved, sold or being returned."""

Lines = Counter[tuple[str, int]]
"""How many of each SKU and price."""


def check_stock(store: AuditedStore, result: AuditResult) -> None:
    """Check the levels, both sets of books, and what each order holds."""
    reserved = _reserved(store)
    held, sold = _sums(reserved["held"]), _sums(reserved["committed"])
    styles = {row["sku"]: row for row in store.catalog.rows("SELECT * FROM style")}
    for sku, row in styles.items():
        on_hand, short = row["on_hand"], row["short"]
        text = f"{sku}: {row['reserved']} reserved of {on_hand} on hand"
        result.check("I3", 0 <= row["reserved"] <= on_hand, text)
        text = f"{sku}: {row['reserved']} are reserved, orders hold {held[sku]}"
        result.check("I3", row["reserved"] == held[sku], text)
        came, gone = row["received"], row["written_off"]
        result.check(
            "I3",
            short >= 0 and on_hand - short + sold[sku] == came - gone,
            f"{sku}: {on_hand} on hand ({short} of them lost) and {sold[sku]} sold of {came}"
            f" received and {gone} written off",
        )
    _warehouse(store, result, styles)
    _counted(store, result)
    _orders(store, result, reserved)


def _reserved(store: AuditedStore) -> dict[str, dict[str, Lines]]:
    """The reserved quantities, by state of the reservation and of the order."""
    found: dict[str, dict[str, Lines]] = defaultdict(dict)
    states = {}
    for row in store.catalog.rows("SELECT order_id, state FROM reservation"):
        states[row["order_id"]] = row["state"]
        found[row["state"]][row["order_id"]] = Counter()
    for row in store.catalog.rows("SELECT * FROM reservation_line"):
        lines = found[states[row["order_id"]]][row["order_id"]]
        lines[row["sku"], row["amount"]] += row["quantity"]
    return found


def _sums(orders: dict[str, Lines]) -> Counter[str]:
    sums = Counter[str]()
    for lines in orders.values():
        for (sku, _), quantity in lines.items():
            sums[sku] += quantity
    return sums


def _warehouse(store: AuditedStore, result: AuditResult, styles: dict[str, Row]) -> None:
    """Every piece received is in a bin, was picked, or is written off, in both sets of books."""
    there, coming = Counter[str](), Counter[str]()
    for row in store.warehouse.rows("SELECT * FROM bin"):
        there[row["sku"]] += row["quantity"]
        text = f"{row['location']} holds {row['quantity']} of {row['sku']}"
        result.check("I3", row["quantity"] >= 0, text)
    for sku, quantity in _picked(store):
        there[sku] += quantity
    for row in store.warehouse.rows("SELECT sku, quantity FROM receipt"):
        coming[row["sku"]] += row["quantity"]
    booked: dict[str, Counter[str]] = {"received": Counter(), "written-off": Counter()}
    for row in store.warehouse.rows("SELECT sku, change, kind FROM adjustment"):
        booked[row["kind"]][row["sku"]] += abs(row["change"])
    telling = _untold(store)
    for sku in sorted({*styles, *there, *booked["received"], *booked["written-off"]}):
        came, gone = booked["received"][sku], booked["written-off"][sku]
        text = f"{sku}: the warehouse has {there[sku]} of {came} received and {gone} written off"
        result.check("I3", there[sku] - coming[sku] == came - gone, text)
        known = styles.get(sku)
        said = (known["received"], known["written_off"]) if known is not None else (0, 0)
        most = came + coming[sku]
        result.check(
            "I3",
            came <= said[0] <= most and gone - telling[sku] <= said[1] <= gone,
            f"{sku}: the catalog accounts for {said[0]} received and {said[1]} written off,"
            f" the warehouse for {came} and {gone}",
        )


def _counted(store: AuditedStore, result: AuditResult) -> None:
    """Each count was booked once, with the difference that it found."""
    for row in store.warehouse.rows(
        "SELECT stock_count.*, (SELECT coalesce(sum(adjustment.change), 0) FROM adjustment"
        " WHERE adjustment.stock_count = stock_count.id) AS entered FROM stock_count"
    ):
        waits = row["message"] is not None and row["change"] > 0  # for the catalog's word
        wanted = 0 if waits else row["change"]
        name = f"{row['sku']} at {row['location']}, counted by {row['caller']}"
        text = f"{name}: {row['change']} was to be entered, and {row['entered']} was"
        result.check("I3", row["entered"] == wanted, text)
        quiet = store.running or row["message"] is None
        result.check("I3", quiet, f"{name}: the catalog has not said that it knows")


def _untold(store: AuditedStore) -> Counter[str]:
    """What was written off and the catalog may not have heard of yet."""
    sums = Counter[str]()
    for row in store.warehouse.rows("SELECT payload FROM outbox WHERE operation = 'write-off'"):
        line = parsed(row["payload"], store.warehouse, "outbox")["data"]
        sums[line["sku"]] += line["quantity"]
    return sums


def _picked(store: AuditedStore) -> Iterator[tuple[str, int]]:
    """What has left the bins: in parcels, with sorters, or being returned."""
    for row in store.warehouse.rows(
        "SELECT picks AS goods FROM job WHERE picks IS NOT NULL"
        " UNION ALL SELECT picks FROM superseded UNION ALL SELECT lines FROM goods_return"
    ):
        for line in parsed(row["goods"], store.warehouse, "job"):
            yield line["sku"], line["quantity"]


def _orders(
    store: AuditedStore, result: AuditResult, reserved: dict[str, dict[str, Lines]]
) -> None:
    """Goods are sold to the paid orders, and to no others."""
    states = {order: state for state, orders in reserved.items() for order in orders}
    for name in sorted(states.keys() | store.orders.keys()):
        order, state = store.orders.get(name), states.get(name, "not held")
        if order is None:
            text = f"{name}: goods are {state} for an order that settlement does not know"
            result.check("I1", not store.still(name), text)
        elif order["state"] in PAID and store.still(name):
            text = f"{name} is {order['state']} but its goods are {state}"
            result.check("I3", state == "committed", text)
            same = state != "committed" or reserved[state][name] == _wanted(store, order)
            result.check("I3", same, f"{name} has paid for other goods than were reserved")
        elif order["state"] not in _UNDECIDED and store.still(name):
            text = f"{name} is {order['state']} but its goods are {state}"
            result.check("I3", state in ("released", "not held"), text)


def _wanted(store: AuditedStore, order: Row) -> Lines:
    """What the order has paid for and the store can deliver."""
    prices = {line["sku"]: line["price"]["amount"] for line in store.lines(order)}
    return Counter({(sku, prices[sku]): n for sku, n in store.delivered(order).items()})
