"""Remembers in a role's table `delivery` what each delivery brought, so that it counts once.

A migration of each role that takes deliveries makes the table.
"""

import sqlite3

from bus.contract.delivery import Delivered, DeliveredBefore, DeliveredReply, Delivery
from bus.contract.errors import Conflict
from bus.contract.timestamp import rfc3339
from bus.runtime.requests import Request


def brought_before(
    connection: sqlite3.Connection, delivery: Delivery, item: str, amount: int
) -> str | None:
    """When this delivery brought this item (RFC 3339); None if it did not.

    A delivery without content stands for any of its name.

    Raises:
        Conflict: it brought another amount.
    """
    found = _find(connection, delivery, item, ("", delivery.content or ""))
    if found is None and delivery.content is None:
        found = _find(connection, delivery, item)
    if found is None:
        return None
    if found.amount != amount:
        raise Conflict(
            f"{delivery.name} brought {found.amount} of {item} at {found.at}, not {amount}.",
            amount=found.amount,
        )
    return found.at


def note(
    connection: sqlite3.Connection, delivery: Delivery, item: str, amount: int, *, now: int
) -> None:
    """Remember that a delivery brought an item."""
    connection.execute(
        "INSERT INTO delivery (name, item, content, amount, at) VALUES (?, ?, ?, ?, ?)",
        (delivery.name, item, delivery.content or "", amount, now),
    )


def delivered(connection: sqlite3.Connection, request: Request[Delivered]) -> DeliveredReply:
    """Of the items that are asked about, those that deliveries of a name have brought."""
    asked = request.data
    found = (
        _find(connection, asked, item, ("", asked.content or "")) or _find(connection, asked, item)
        for item in asked.items
    )
    return DeliveredReply(before=[each for each in found if each is not None])


def _find(
    connection: sqlite3.Connection,
    delivery: Delivery,
    item: str,
    contents: tuple[str, str] | None = None,
) -> DeliveredBefore | None:
    query = "SELECT amount, content, at FROM delivery WHERE name = ? AND item = ?"
    values: tuple[str, ...] = (delivery.name, item)
    if contents is not None:
        query += " AND content IN (?, ?)"
        values += contents
    row = connection.execute(f"{query} ORDER BY at DESC LIMIT 1", values).fetchone()
    if row is None:
        return None
    content = row["content"] or None
    return DeliveredBefore(item=item, amount=row["amount"], content=content, at=rfc3339(row["at"]))
