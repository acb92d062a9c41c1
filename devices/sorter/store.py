"""A sorter's SQL: its jobs."""

import sqlite3
from typing import Any

from pydantic_core import from_json, to_json

from bus.contract.sorter import PickLine
from bus.storage.journal import Schema
from devices.sorter.domain import AssignedJob

SCHEMA = Schema("devices.sorter", "devices.sorter")


def job(connection: sqlite3.Connection, identifier: str, assignment: int) -> AssignedJob | None:
    """A job under an assignment, taken or recorded as never to be begun; None if unknown."""
    row = connection.execute(
        "SELECT * FROM job WHERE id = ? AND assignment = ?", (identifier, assignment)
    ).fetchone()
    return None if row is None else _job(row)


def newest_assignment(connection: sqlite3.Connection, identifier: str) -> int:
    """The highest known assignment of a job; 0 if there is none."""
    (newest,) = connection.execute(
        "SELECT coalesce(max(assignment), 0) FROM job WHERE id = ?", (identifier,)
    ).fetchone()
    return int(newest)


def under_way(connection: sqlite3.Connection) -> AssignedJob | None:
    """The job that is neither done nor aborted."""
    row = connection.execute("SELECT * FROM job WHERE step NOT IN ('done', 'aborted')").fetchone()
    return None if row is None else _job(row)


def idle_since(connection: sqlite3.Connection) -> int | None:
    """When the last job ended, in milliseconds since the epoch; None if there was none."""
    (since,) = connection.execute("SELECT max(since) FROM job").fetchone()
    return None if since is None else int(since)


def save(connection: sqlite3.Connection, row: AssignedJob) -> None:
    """Write a job."""
    connection.execute(
        "INSERT INTO job VALUES (:id, :assignment, :order, :point, :picks, :step, :pick, :since,"
        " :parcel, :found) ON CONFLICT (id, assignment) DO UPDATE SET picks = :picks,"
        " step = :step, pick = :pick, since = :since, parcel = :parcel, found = :found",
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
            "found": to_json(row.found).decode(),
        },
    )


def _job(row: Any) -> AssignedJob:
    return AssignedJob(
        id=row["id"],
        assignment=row["assignment"],
        order=row["order_id"],
        pickup_point=row["pickup_point"],
        picks=tuple(PickLine.model_validate(pick) for pick in from_json(row["picks"])),
        step=row["step"],
        pick=row["pick"],
        since=row["since"],
        parcel=row["parcel"],
        found=tuple(from_json(row["found"])),
    )
