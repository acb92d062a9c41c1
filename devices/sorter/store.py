"""A sorter's SQL: its jobs."""

import sqlite3
from typing import Any

from pydantic_core import from_json, to_json

from bus.contract.sorter import PickLine
from devices.sorter.domain import Job


def job(connection: sqlite3.Connection, identifier: str) -> Job | None:
    """A job that this sorter took."""
    row = connection.execute("SELECT * FROM job WHERE id = ?", (identifier,)).fetchone()
    return None if row is None else _job(row)


def under_way(connection: sqlite3.Connection) -> Job | None:
    """The job that is not done yet."""
    row = connection.execute("SELECT * FROM job WHERE step <> 'done'").fetchone()
    return None if row is None else _job(row)


def latest(connection: sqlite3.Connection) -> Job | None:
    """The job under way, or the last one that was done."""
    row = connection.execute(
        "SELECT * FROM job ORDER BY step = 'done', since DESC LIMIT 1"
    ).fetchone()
    return None if row is None else _job(row)


def save(connection: sqlite3.Connection, row: Job) -> None:
    """Write a job."""
    connection.execute(
        "INSERT INTO job VALUES (:id, :assignment, :order, :point, :picks, :step, :pick, :since,"
        " :parcel) ON CONFLICT (id) DO UPDATE SET assignment = :assignment, step = :step,"
        " pick = :pick, since = :since, parcel = :parcel",
        {
            "id": row.id,
            "assignment": row.assignment,
            "order": row.order,
            "point": row.pickup_point,
            "picks": to_json(row.picks).decode(),
            "step": row.step,
            "pick": row.pick,
            "since": row.since,
            "parcel": row.parcel,
        },
    )


def _job(row: Any) -> Job:
    return Job(
        id=row["id"],
        assignment=row["assignment"],
        order=row["order_id"],
        pickup_point=row["pickup_point"],
        picks=tuple(PickLine.model_validate(pick) for pick in from_json(row["picks"])),
        step=row["step"],
        pick=row["pick"],
        since=row["since"],
        parcel=row["parcel"],
    )
