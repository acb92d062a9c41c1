"""I3: every piece is in exactly one place, by the catalog's count and by the warehouse's."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from cli.audit.finding import Tally
from cli.audit.reading import Row
from cli.audit.store import PAID, UNDOING, AuditedStore, parsed

_UNDECIDED = frozenset({"reserving", "charging", *UNDOING})
"""States in which goods may be held, sold or on their way back."""

Lines = Counter[tuple[str, int]]
"""SKU and price, and how many."""


def check_stock(store: AuditedStore, tally: Tally) -> None:
    """Levels, both sides of the books, and what each order holds."""
    reserved = _reserved(store)
    held, sold = _sums(reserved["held"]), _sums(reserved["committed"])
    books = Counter(sold)
    for row in store.catalog.rows("SELECT * FROM style"):
        sku, on_hand = row["sku"], row["on_hand"]
        books[sku] += on_hand
        text = f"{sku}: {row['reserved']} reserved of {on_hand} on hand"
        tally.check("I3", 0 <= row["reserved"] <= on_hand, text)
        text = f"{sku}: {row['reserved']} are reserved, orders hold {held[sku]}"
        tally.check("I3", row["reserved"] == held[sku], text)
    _warehouse(store, tally, books)
    _orders(store, tally, reserved)


def _reserved(store: AuditedStore) -> dict[str, dict[str, Lines]]:
    """By state of the reservation and order, what it is of."""
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


def _warehouse(store: AuditedStore, tally: Tally, books: Counter[str]) -> None:
    """What the catalog has or had sold is what the warehouse has or had picked."""
    pieces, coming = Counter[str](), Counter[str]()
    for row in store.warehouse.rows("SELECT * FROM bin"):
        pieces[row["sku"]] += row["quantity"]
        text = f"{row['location']} holds {row['quantity']} of {row['sku']}"
        tally.check("I3", row["quantity"] >= 0, text)
    for sku, quantity in _picked(store):
        pieces[sku] += quantity
    for row in store.warehouse.rows("SELECT sku, quantity FROM receipt"):
        coming[row["sku"]] += row["quantity"]  # the catalog may have been told already, or not
    for sku in sorted(books.keys() | pieces.keys()):
        least = pieces[sku] - (coming[sku] if store.running else 0)
        tally.check(
            "I3",
            least <= books[sku] <= pieces[sku],
            f"{sku}: the catalog accounts for {books[sku]}, the warehouse for {pieces[sku]}",
        )


def _picked(store: AuditedStore) -> Iterator[tuple[str, int]]:
    """What has left the bins: for parcels, with sorters, or on its way back."""
    for row in store.warehouse.rows(
        "SELECT picks AS goods FROM job WHERE picks IS NOT NULL"
        " UNION ALL SELECT picks FROM superseded UNION ALL SELECT lines FROM goods_return"
    ):
        for line in parsed(row["goods"], store.warehouse, "job"):
            yield line["sku"], line["quantity"]


def _orders(store: AuditedStore, tally: Tally, reserved: dict[str, dict[str, Lines]]) -> None:
    """Goods are sold to the orders that are paid, and to nobody else."""
    states = {order: state for state, orders in reserved.items() for order in orders}
    for name in sorted(states.keys() | store.orders.keys()):
        order, state = store.orders.get(name), states.get(name, "not held")
        if order is None:
            text = f"{name}: goods are {state} for an order that settlement does not know"
            tally.check("I1", not store.still(name), text)
        elif order["state"] in PAID and store.still(name):
            text = f"{name} is {order['state']} but its goods are {state}"
            tally.check("I3", state == "committed", text)
            same = state != "committed" or reserved[state][name] == _wanted(store, order)
            tally.check("I3", same, f"{name} has paid for other goods than were reserved")
        elif order["state"] not in _UNDECIDED and store.still(name):
            text = f"{name} is {order['state']} but its goods are {state}"
            tally.check("I3", state in ("released", "not held"), text)


def _wanted(store: AuditedStore, order: Row) -> Lines:
    lines = Counter[tuple[str, int]]()
    for line in parsed(order["lines"], store.settlement, "orders"):
        lines[line["sku"], line.get("price", {}).get("amount")] += line["quantity"]
    return lines
