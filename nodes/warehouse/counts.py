"""The warehouse's SQL for stock counts: what the books say of a location, and past counts."""

import sqlite3
from dataclasses import dataclass

from bus.contract.errors import InvalidField
from bus.contract.refusals import UnknownSku
from bus.contract.timestamp import rfc3339
from bus.contract.warehouse import PastCount
from nodes.warehouse.domain import BookStock

_UNDER_WAY = (
    "SELECT coalesce(sum(json_extract(value, '$.quantity')), 0) FROM ("
    " SELECT picks FROM job WHERE state IN ('assigned', 'waiting') AND picks IS NOT NULL"
    " UNION ALL SELECT picks FROM superseded"
    "), json_each(picks)"
    " WHERE json_extract(value, '$.sku') = ? AND json_extract(value, '$.location') = ?"
)


@dataclass(frozen=True, slots=True)
class StockCount:
    """A count that somebody has entered."""

    caller: str
    request: str
    sku: str
    location: str
    booked: int
    counted: int
    change: int
    reason: str


def place_of(connection: sqlite3.Connection, sku: str) -> str:
    """The one location where a style lies.

    Raises:
        UnknownSku: the warehouse never had any of it.
        InvalidField: it lies in several locations.
    """
    rows = connection.execute(
        "SELECT location, quantity FROM bin WHERE sku = ? ORDER BY location", (sku,)
    ).fetchall()
    if not rows:
        raise UnknownSku(
            f"No location ever held {sku}. Is it written right? For goods that are new to the"
            " store, name the location.",
            sku=sku,
        )
    places = [row["location"] for row in rows if row["quantity"]]
    places = places or [row["location"] for row in rows]
    if len(places) > 1:
        raise InvalidField(
            f"{sku} lies at {', '.join(places)}: count each, and name the location.",
            field="location",
            locations=places,
        )
    return str(places[0])


def refuse_never_seen(connection: sqlite3.Connection, sku: str) -> None:
    """Raise `UnknownSku` for a style that no location ever held."""
    if not connection.execute("SELECT 1 FROM bin WHERE sku = ?", (sku,)).fetchone():
        raise UnknownSku(f"No location ever held {sku}. Is it written right?", sku=sku)


def book_stock(connection: sqlite3.Connection, sku: str, location: str) -> BookStock:
    """What the books say of a style at a location."""
    key = (sku, location)
    booked = connection.execute(
        "SELECT quantity FROM bin WHERE sku = ? AND location = ?", key
    ).fetchone()
    (coming,) = connection.execute(
        "SELECT coalesce(sum(quantity), 0) FROM receipt WHERE sku = ? AND location = ?", key
    ).fetchone()
    (leaving,) = connection.execute(_UNDER_WAY, key).fetchone()
    return BookStock(booked["quantity"] if booked else 0, coming, leaving)


def save(connection: sqlite3.Connection, row: StockCount, now: int, message: str | None) -> int:
    """Write a count; returns its number. `message` is the id of the command to the catalog."""
    values = (row.caller, row.request, row.sku, row.location, row.booked, row.counted, row.change)
    found = connection.execute(
        "INSERT INTO stock_count"
        " (at, caller, request, sku, location, booked, counted, change, reason, message)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (now, *values, row.reason, message),
    ).fetchone()
    return int(found["id"])


def take_told(connection: sqlite3.Connection, message: str) -> tuple[int, StockCount] | None:
    """The number and the count of a command to the catalog that has now been answered."""
    row = connection.execute(
        "UPDATE stock_count SET message = NULL WHERE message = ? RETURNING id, caller, request,"
        " sku, location, booked, counted, change, reason",
        (message,),
    ).fetchone()
    return None if row is None else (row["id"], StockCount(*row[1:]))


def forget(connection: sqlite3.Connection, number: int) -> None:
    """Delete a count that the catalog refused: it has changed nothing."""
    connection.execute("DELETE FROM stock_count WHERE id = ?", (number,))


def past(connection: sqlite3.Connection, sku: str | None, limit: int) -> list[PastCount]:
    """Past counts, newest first; of one style if given."""
    where = "WHERE sku = :sku" if sku is not None else ""
    rows = connection.execute(
        f"SELECT * FROM stock_count {where} ORDER BY id DESC LIMIT :limit",  # noqa: S608 - constants
        {"sku": sku, "limit": limit},
    )
    return [
        PastCount(
            sku=row["sku"],
            location=row["location"],
            booked=row["booked"],
            counted=row["counted"],
            change=row["change"],
            reason=row["reason"],
            by=row["caller"],
            at=rfc3339(row["at"]),
        )
        for row in rows
    ]
