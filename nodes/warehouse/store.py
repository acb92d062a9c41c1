"""The warehouse's SQL: locations, bins, receipts and jobs."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json

from bus.contract.catalog import Line
from bus.contract.refusals import UnknownJob, UnknownLocation
from bus.contract.sorter import PickLine
from bus.contract.warehouse import Bin
from bus.storage.journal import Schema
from nodes.warehouse.domain import Job

SCHEMA = Schema("nodes.warehouse", "nodes.warehouse")


@dataclass(frozen=True, slots=True)
class GoodsReceipt:
    """Goods on a shelf that the catalog has yet to acknowledge."""

    caller: str
    request: str
    sku: str
    location: str
    quantity: int
    delivery: str | None = None
    """The name of the delivery."""
    content: str | None = None
    """The delivery's content, if its name alone does not identify it."""

    @property
    def item(self) -> str:
        """What is remembered of a delivery: the style and its location."""
        return f"{self.sku} {self.location}"


def save_locations(connection: sqlite3.Connection, locations: Iterable[str]) -> None:
    """Add locations that are new."""
    connection.executemany(
        "INSERT INTO location VALUES (?) ON CONFLICT DO NOTHING", [(place,) for place in locations]
    )


def refuse_unknown_location(connection: sqlite3.Connection, location: str) -> None:
    """Raise `UnknownLocation` if the warehouse has no such location."""
    if not connection.execute("SELECT 1 FROM location WHERE id = ?", (location,)).fetchone():
        raise UnknownLocation(f"There is no location {location}.", location=location)


def bins(connection: sqlite3.Connection, sku: str) -> list[Bin]:
    """Where a style lies."""
    rows = connection.execute(
        "SELECT location, quantity FROM bin WHERE sku = ? AND quantity > 0 ORDER BY location",
        (sku,),
    )
    return [Bin(location=row["location"], quantity=row["quantity"]) for row in rows]


def held(connection: sqlite3.Connection, lines: Iterable[Line]) -> dict[str, dict[str, int]]:
    """The quantity at each location, for each SKU of the lines."""
    return {
        line.sku: {place.location: place.quantity for place in bins(connection, line.sku)}
        for line in lines
    }


def move(connection: sqlite3.Connection, sku: str, location: str, change: int) -> int:
    """Put pieces into a bin, or take them out; returns how many it holds then."""
    connection.execute("INSERT INTO bin VALUES (?, ?, 0) ON CONFLICT DO NOTHING", (location, sku))
    (quantity,) = connection.execute(
        "UPDATE bin SET quantity = quantity + ? WHERE location = ? AND sku = ? RETURNING quantity",
        (change, location, sku),
    ).fetchone()
    return int(quantity)


def adjust(
    connection: sqlite3.Connection,
    sku: str,
    location: str,
    change: int,
    *,
    now: int,
    job: str | None = None,
    count: int | None = None,
) -> None:
    """Write into the books that pieces were received or, if negative, written off."""
    kind = "received" if change > 0 else "written-off"
    connection.execute(
        "INSERT INTO adjustment (at, sku, location, change, kind, job, stock_count)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (now, sku, location, change, kind, job, count),
    )


def accounted(connection: sqlite3.Connection, sku: str) -> tuple[int, int]:
    """How many pieces of a style were ever received and written off, as the catalog was told."""
    came, gone = connection.execute(
        "SELECT coalesce(sum(change) FILTER (WHERE kind = 'received'), 0),"
        " coalesce(-sum(change) FILTER (WHERE kind = 'written-off'), 0)"
        " FROM adjustment WHERE sku = ?",
        (sku,),
    ).fetchone()
    (untold,) = connection.execute(
        "SELECT coalesce(sum(json_extract(CAST(payload AS TEXT), '$.data.quantity')), 0)"
        " FROM outbox WHERE operation = 'write-off'"
        " AND json_extract(CAST(payload AS TEXT), '$.data.sku') = ?",
        (sku,),
    ).fetchone()
    return int(came), int(gone - untold)


def save_receipt(connection: sqlite3.Connection, row: GoodsReceipt, restock: str) -> None:
    """Keep a receipt until the catalog acknowledges it with the reply to `restock`."""
    connection.execute(
        "INSERT INTO receipt VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(row.caller, row.request, row.sku, row.location, row.quantity, restock),
            *(row.delivery, row.content),
        ),
    )


def is_on_its_way(connection: sqlite3.Connection, row: GoodsReceipt) -> bool:
    """Whether the catalog has yet to acknowledge the same goods of the same delivery."""
    return any(
        connection.execute(
            "SELECT 1 FROM receipt WHERE (sku, location, delivery) = (?, ?, ?)",
            (row.sku, row.location, row.delivery),
        )
    )


def take_receipt(connection: sqlite3.Connection, restock: str) -> GoodsReceipt | None:
    """Take the receipt that the catalog has acknowledged or refused; None if there is none."""
    row = connection.execute(
        "DELETE FROM receipt WHERE restock = ? RETURNING caller, request, sku, location, quantity,"
        " delivery, content",
        (restock,),
    ).fetchone()
    return None if row is None else GoodsReceipt(*row)


def job(connection: sqlite3.Connection, identifier: str) -> Job:
    """A job.

    Raises:
        UnknownJob: there is none of this id.
    """
    row = connection.execute("SELECT * FROM job WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise UnknownJob(f"There is no job {identifier}.")
    return _job(row)


def job_of_order(connection: sqlite3.Connection, order: str) -> Job | None:
    """The job of an order."""
    row = connection.execute("SELECT * FROM job WHERE order_id = ?", (order,)).fetchone()
    return None if row is None else _job(row)


def waiting(connection: sqlite3.Connection, limit: int) -> dict[str, int]:
    """The places in the queue, by id, of the jobs that no sorter has, first come first.

    To be loaded one by one, as they may be many.
    """
    rows = connection.execute(
        "SELECT place, id FROM job WHERE state = 'waiting' ORDER BY place LIMIT ?", (limit,)
    )
    return {row["id"]: row["place"] for row in rows}


def busy(connection: sqlite3.Connection, besides: str | None = None) -> set[str]:
    """Sorters that have a job, besides one that is not counted."""
    rows = connection.execute("SELECT id, sorter FROM job WHERE state = 'assigned'")
    return {row["sorter"] for row in rows if row["id"] != besides}


def job_of_sorter(connection: sqlite3.Connection, sorter: str) -> Job | None:
    """The job that a sorter has."""
    row = connection.execute(
        "SELECT * FROM job WHERE sorter = ? AND state = 'assigned'", (sorter,)
    ).fetchone()
    return None if row is None else _job(row)


def save_job(connection: sqlite3.Connection, row: Job, now: int) -> None:
    """Write a job; a new one is the last in the queue."""
    connection.execute(
        "INSERT INTO job SELECT :id, :order, :point, :lines, :state, :assignment, :sorter,"
        " :picks, :parcel, :now, (SELECT coalesce(max(place), 0) + 1 FROM job), :pick,"
        " :withdrawer, :withdrawal WHERE true"
        " ON CONFLICT (id) DO UPDATE SET lines = :lines, state = :state, assignment = :assignment,"
        " sorter = :sorter, picks = :picks, parcel = :parcel, pick_message = :pick,"
        " withdrawer = :withdrawer, withdrawal = :withdrawal",
        {
            "id": row.id,
            "order": row.order,
            "point": row.pickup_point,
            "lines": to_json(row.lines).decode(),
            "state": row.state,
            "assignment": row.assignment,
            "sorter": row.sorter,
            "picks": to_json(row.picks).decode() if row.picks else None,
            "parcel": row.parcel,
            "now": now,
            "pick": row.pick_message,
            "withdrawer": row.withdrawer,
            "withdrawal": row.withdrawal,
        },
    )


def _job(row: Any) -> Job:
    return Job(
        id=row["id"],
        order=row["order_id"],
        pickup_point=row["pickup_point"],
        lines=tuple(Line.model_validate(line) for line in from_json(row["lines"])),
        state=row["state"],
        assignment=row["assignment"],
        sorter=row["sorter"],
        picks=tuple(PickLine.model_validate(pick) for pick in from_json(row["picks"] or "[]")),
        parcel=row["parcel"],
        pick_message=row["pick_message"],
        withdrawer=row["withdrawer"],
        withdrawal=row["withdrawal"],
        place=row["place"],
    )
