"""What is promised of orders: each purchase survives, once, and goes only where it may go."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bus.envelope import milliseconds
from simulation.rows import all_rows
from simulation.witness import Witness

_LEGAL = {
    "": {"reserving"},
    "reserving": {"charging", "refused", "cancelling"},
    "charging": {"settled", "declined", "cancelling"},
    "settled": {"short", "ready", "cancelling"},
    "short": {"short", "ready", "cancelling"},
    "ready": {"reminded", "collected", "cancelling", "expiring"},
    "reminded": {"collected", "cancelling", "expiring"},
    "cancelling": {"cancelled"},
    "expiring": {"expired"},
}
"""The order's life as the design tells it; the empty state is before there is an order."""
_QUIET = {"refused", "declined", "reminded", "collected", "cancelled", "expired"}
"""Final, or waiting for the customer."""
PAID = {"settled", "short", "ready", "reminded", "collected"}
"""States in which the store keeps the money."""
_GIVEN_UP = {"cancelling", "cancelled"}
_EXPIRED = {"expiring", "expired"}

History = list[tuple[str, int]]
"""The states of an order and when it came into them."""


def orders_broken(data: Path, witness: Witness, expire_after: int) -> Iterator[str]:
    """Promises about orders that were not kept, in sentences.

    Args:
        data: the folder of the databases.
        witness: who has heard everything.
        expire_after: milliseconds that a parcel waits for its customer.
    """
    orders = all_rows(data / "settlement.db", "SELECT * FROM orders ORDER BY id")
    histories: dict[str, History] = {order["id"]: [] for order in orders}
    for row in all_rows(data / "settlement.db", "SELECT * FROM order_state ORDER BY place"):
        histories[row["order_id"]].append((row["state"], row["at"]))
    times = Counter((order["terminal"], order["request"]) for order in orders)
    for (terminal, request), count in sorted(times.items()):
        if count > 1:
            yield f"I7: purchase {request} of {terminal} became {count} orders"
    for order in orders:
        yield from _history(order, histories[order["id"]], witness, expire_after)
        yield from _purchase(order, histories[order["id"]], witness)
    yield from _receipts(orders, witness)


def _history(
    order: sqlite3.Row, history: History, witness: Witness, expire_after: int
) -> Iterator[str]:
    name, state = order["id"], order["state"]
    if state not in _QUIET:
        yield f"I4: {name} is still {state}"
    states = [each for each, _ in history]
    for before, after in zip(["", *states], states, strict=False):
        if after not in _LEGAL.get(before, set()):
            yield f"I9: {name} went from {before or 'nothing'} to {after}"
    if states[-1:] != [state]:
        yield f"I9: {name} is {state}, its history ends with {states[-1:]}"
    if state in _GIVEN_UP and name not in witness.cancelled:
        yield f"I1: {name} is {state}, but nobody has cancelled it"
    at = dict(history)
    if state in _EXPIRED and at["expiring"] < at["ready"] + expire_after:
        yield f"I1: {name} expired too soon"


def _purchase(order: sqlite3.Row, history: History, witness: Witness) -> Iterator[str]:
    """Each order is of the goods that were asked for, and begun in time."""
    name = order["id"]
    event = witness.purchases.get((order["terminal"], order["request"]))
    if event is None:
        yield f"I7: {name} belongs to no purchase that was sent"
        return
    lines = [(line["sku"], line["quantity"]) for line in json.loads(order["lines"])]
    asked = [(line["sku"], line["quantity"]) for line in event["data"]["lines"]]
    if lines != asked:
        yield f"I7: {name} is of {lines}, asked was for {asked}"
    if "expirytime" in event and history[0][1] > milliseconds(event["expirytime"]):
        yield f"I1: {name} was begun after the customer's deadline"
    refused = witness.refusals.get((order["terminal"], order["request"]))
    if refused is not None and order["state"] in PAID:
        yield f"I1: {name} is {order['state']}, but was refused: {refused['code']}"


def _receipts(orders: list[sqlite3.Row], witness: Witness) -> Iterator[str]:
    """What settlement has said is paid was paid, under the same conditions."""
    known = {order["id"]: order for order in orders}
    for (terminal, request), receipt in sorted(witness.receipts.items()):
        order = known.get(receipt["order"])
        if order is None or (order["terminal"], order["request"]) != (terminal, request):
            yield f"I1: {terminal} was told of {receipt['order']}, which settlement does not know"
        elif order["reference"] is None:
            yield f"I1: {terminal} was told that {order['id']} is paid; it is {order['state']}"
        elif (order["total"], order["pickup_code"]) != (
            receipt["total"]["amount"],
            receipt["pickup_code"],
        ):
            yield f"I1: {order['id']} is not what its receipt says"
