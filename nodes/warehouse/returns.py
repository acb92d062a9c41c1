"""The warehouse's SQL for superseded assignments, goods to put back, paused sorters, alarms."""

import sqlite3

from pydantic_core import from_json, to_json

from bus.contract.catalog import Line
from bus.contract.every import Alarm
from bus.contract.refusals import UnknownParcel
from bus.contract.sorter import PickLine
from bus.contract.timestamp import rfc3339
from nodes.warehouse.domain import Job
from nodes.warehouse.goods_return import GoodsReturn


def save_superseded(connection: sqlite3.Connection, job: Job) -> None:
    """Keep the goods of an assignment until its sorter reports what it had taken."""
    connection.execute(
        "INSERT INTO superseded VALUES (?, ?, ?, ?)",
        (job.id, job.assignment, to_json(job.picks).decode(), job.sorter),
    )


def take_superseded(
    connection: sqlite3.Connection, job: str, assignment: int
) -> tuple[PickLine, ...] | None:
    """Take the goods of a superseded assignment, now that its sorter has reported; None if done."""
    row = connection.execute(
        "DELETE FROM superseded WHERE job = ? AND assignment = ? RETURNING picks",
        (job, assignment),
    ).fetchone()
    if row is None:
        return None
    return tuple(PickLine.model_validate(pick) for pick in from_json(row["picks"]))


def save_return(connection: sqlite3.Connection, goods: GoodsReturn, now: int) -> None:
    """Write goods that are to be put back; if none are left, they are done."""
    if not goods.lines:
        connection.execute("DELETE FROM goods_return WHERE parcel = ?", (goods.parcel,))
        return
    connection.execute(
        "INSERT INTO goods_return VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (parcel) DO UPDATE SET lines = excluded.lines",
        (goods.parcel, goods.job, goods.order, to_json(goods.lines).decode(), now, goods.place),
    )


def goods_return(connection: sqlite3.Connection, parcel: str) -> GoodsReturn:
    """Goods that are to be put back.

    Raises:
        UnknownParcel: there are none of this name.
    """
    row = connection.execute("SELECT * FROM goods_return WHERE parcel = ?", (parcel,)).fetchone()
    if row is None:
        raise UnknownParcel(f"Nothing of {parcel} is to be put back.")
    return _goods_return(row)


def goods_returns(connection: sqlite3.Connection, limit: int) -> list[GoodsReturn]:
    """All goods that are to be put back, oldest first."""
    return [goods for goods, _ in oldest(connection, limit)]


def oldest(connection: sqlite3.Connection, limit: int) -> list[tuple[GoodsReturn, int]]:
    """The oldest goods to put back, each with the time it began, by the steady clock in ms."""
    rows = connection.execute("SELECT * FROM goods_return ORDER BY at, parcel LIMIT ?", (limit,))
    return [(_goods_return(row), row["at"]) for row in rows]


def is_coming_back(connection: sqlite3.Connection, sku: str) -> bool:
    """Whether pieces of a style are off the shelves and will be put back."""
    return any(
        connection.execute(
            f"SELECT 1 FROM {table}, json_each({goods})"  # noqa: S608 - constants
            " WHERE json_extract(value, '$.sku') = ? LIMIT 1",
            (sku,),
        ).fetchone()
        for table, goods in (("superseded", "picks"), ("goods_return", "lines"))
    )


def is_back(connection: sqlite3.Connection, job: str) -> bool:
    """Whether all goods of a job are accounted for and on their shelves."""
    (open_ends,) = connection.execute(
        "SELECT (SELECT count(*) FROM superseded WHERE job = :job)"
        " + (SELECT count(*) FROM goods_return WHERE job = :job)",
        {"job": job},
    ).fetchone()
    return not open_ends


def pause(connection: sqlite3.Connection, sorter: str, until: int) -> None:
    """Give a sorter no job until a time, in milliseconds of the steady clock."""
    connection.execute(
        "INSERT INTO paused_sorter VALUES (?, ?)"
        " ON CONFLICT (sorter) DO UPDATE SET until = excluded.until",
        (sorter, until),
    )


def paused(connection: sqlite3.Connection, steady: int) -> set[str]:
    """The sorters that get no job at a time, in milliseconds of the steady clock."""
    rows = connection.execute("SELECT sorter FROM paused_sorter WHERE until > ?", (steady,))
    return {row["sorter"] for row in rows}


def set_alarm(connection: sqlite3.Connection, kind: str, detail: str | None, now: int) -> bool:
    """Raise an alarm, or end it with None; returns whether anything changed."""
    if detail is None:
        return bool(connection.execute("DELETE FROM alarm WHERE kind = ?", (kind,)).rowcount)
    return bool(
        connection.execute(
            "INSERT INTO alarm VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (kind, detail, now)
        ).rowcount
    )


def alarms(connection: sqlite3.Connection) -> list[Alarm]:
    """Everything that is wrong now, oldest first."""
    return [
        Alarm(kind=row["kind"], detail=row["detail"], since=rfc3339(row["since"]))
        for row in connection.execute("SELECT * FROM alarm ORDER BY since")
    ]


def _goods_return(row: sqlite3.Row) -> GoodsReturn:
    lines = tuple(Line.model_validate(line) for line in from_json(row["lines"]))
    return GoodsReturn(row["parcel"], row["job"], row["order_id"], lines, row["place"])
