"""The warehouse's SQL for alarms: short picks, goods to put back, sorters that refuse jobs."""

import sqlite3
from collections.abc import Iterable, Iterator

from bus.contract.catalog import Line
from bus.contract.every import Alarm
from bus.contract.timestamp import rfc3339
from nodes.warehouse import returns

_SHOWN = 40
"""The most alarms of a kind."""
_REFUSING = 5_000
"""Milliseconds for which a sorter may refuse its jobs before anybody is told."""
_WORDS = 60
"""Characters of a reason, or of a list of goods, that a sentence holds."""


def note_short(
    rows: sqlite3.Connection,
    line: Line,
    location: str | None,
    *,
    order: str,
    sorter: str | None,
    now: int,
) -> None:
    """Note pieces that are not where the books say or, without a location, are nowhere."""
    rows.execute(
        "INSERT INTO short_pick (at, sku, location, order_id, sorter, pieces)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (now, line.sku, location, order, sorter, line.quantity),
    )


def counted(rows: sqlite3.Connection, sku: str, location: str) -> bool:
    """A style was counted at a location; returns whether that ends an alarm."""
    return bool(
        rows.execute(
            "DELETE FROM short_pick WHERE sku = ? AND coalesce(location, ?) = ?",
            (sku, location, location),
        ).rowcount
    )


def refused(rows: sqlite3.Connection, sorter: str, reason: str, steady: int) -> None:
    """Note that a sorter has refused its job; `steady` is the steady clock's time in ms."""
    rows.execute(
        "INSERT INTO refusing_sorter VALUES (?, ?, ?, ?) ON CONFLICT (sorter) DO UPDATE"
        " SET last = excluded.last, reason = excluded.reason",
        (sorter, steady, steady, reason),
    )


def took(rows: sqlite3.Connection, sorter: str) -> bool:
    """A sorter has taken a job, or is offline; returns whether it had refused before."""
    return bool(rows.execute("DELETE FROM refusing_sorter WHERE sorter = ?", (sorter,)).rowcount)


def alarms(rows: sqlite3.Connection) -> list[Alarm]:
    """All alarms of the warehouse."""
    return [*returns.alarms(rows), *_refusing(rows), *_short(rows), *_to_put_back(rows)]


def _refusing(rows: sqlite3.Connection) -> Iterator[Alarm]:
    for row in rows.execute(
        "SELECT * FROM refusing_sorter WHERE last - since >= ? ORDER BY since LIMIT ?",
        (_REFUSING, _SHOWN),
    ):
        sorter, reason = row["sorter"], row["reason"][:_WORDS]
        yield Alarm(
            kind="refuses",
            detail=f"{sorter} refuses every job ({reason}): look at it, or switch it off.",
            since=rfc3339(row["since"]),
            subject=sorter,
            values={"whom": sorter, "operation": "pick", "reason": reason},
        )


def _short(rows: sqlite3.Connection) -> Iterator[Alarm]:
    """One alarm for each style and location, with the last order that it concerned."""
    for row in rows.execute(
        "SELECT sku, location, sorter, order_id, sum(pieces) AS pieces, min(at) AS since,"
        " max(id) FROM short_pick GROUP BY sku, location ORDER BY min(id) LIMIT ?",
        (_SHOWN,),
    ):
        sku, location, pieces, order = (
            row["sku"], row["location"], row["pieces"], row["order_id"],
        )  # fmt: skip
        values = {"sku": sku, "pieces": pieces, "order": order}
        if location is None:
            detail = f"No location holds {pieces} of {sku} for {order}: look for them, and count."
        else:
            values |= {"location": location, "sorter": row["sorter"]}
            detail = (
                f"{row['sorter']} found {pieces} of {sku} too few at {location}, last for {order};"
                f" they are written off: count there, storebus stock count {sku}=N"
            )
        yield Alarm(
            kind="short-pick",
            detail=detail[:200],
            since=rfc3339(row["since"]),
            subject=sku if location is None else f"{sku} {location}",
            values=values,
        )


def _to_put_back(rows: sqlite3.Connection) -> Iterator[Alarm]:
    for goods, since in returns.oldest(rows, _SHOWN):
        what = _listed(goods.lines)
        yield Alarm(
            kind="put-back",
            detail=f"{what} of {goods.order} lie at {goods.place or 'their sorter'}: put them on a"
            f" shelf, and say so: parcel {goods.parcel}",
            since=rfc3339(since),
            subject=goods.parcel,
            values={"goods": what, "place": goods.place or "", "order": goods.order,
                    "parcel": goods.parcel},
        )  # fmt: skip


def _listed(lines: Iterable[Line]) -> str:
    words = ", ".join(f"{line.quantity} x {line.sku}" for line in lines)
    return words if len(words) <= _WORDS else f"{words[:_WORDS]}..."
