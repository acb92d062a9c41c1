"""A terminal's SQL: its purchases and the reminders it has shown; times are of the steady clock."""

import sqlite3
from typing import Any

from bus.contract.problem import ProblemData
from bus.contract.settlement import Receipt
from bus.contract.terminal import Remind
from bus.storage.journal import Schema
from devices.terminal.domain import Bought

SCHEMA = Schema("devices.terminal", "devices.terminal")


def save_purchase(connection: sqlite3.Connection, row: Bought, now: int) -> None:
    """Store a purchase."""
    answer = row.receipt or row.problem
    connection.execute(
        "INSERT INTO purchase VALUES (:id, :state, :order, :answer, :at)"
        " ON CONFLICT (id) DO UPDATE SET state = :state, order_id = :order, answer = :answer",
        {
            "id": row.id,
            "state": row.state,
            "order": row.receipt.order if row.receipt else None,
            "answer": answer.model_dump_json() if answer else None,
            "at": now,
        },
    )


def purchase(connection: sqlite3.Connection, identifier: str) -> Bought:
    """A purchase of this terminal."""
    row = connection.execute("SELECT * FROM purchase WHERE id = ?", (identifier,)).fetchone()
    return _bought(row)


def purchases(connection: sqlite3.Connection) -> list[Bought]:
    """All purchases, oldest first."""
    return [_bought(row) for row in connection.execute("SELECT * FROM purchase ORDER BY at, id")]


def save_reminder(connection: sqlite3.Connection, content: Remind, request: str) -> None:
    """Store a reminder to be shown; it replaces an earlier one of the same order."""
    connection.execute(
        "INSERT INTO reminder VALUES (?, ?, ?, NULL, NULL) ON CONFLICT (order_id) DO UPDATE"
        " SET content = excluded.content, request = excluded.request,"
        " shown_at = NULL, acknowledged_at = NULL",
        (content.order, content.model_dump_json(), request),
    )


def mark_shown(connection: sqlite3.Connection, order: str, request: str, now: int) -> None:
    """Record that the reminder of a request was shown."""
    connection.execute(
        "UPDATE reminder SET shown_at = ? WHERE order_id = ? AND request = ?",
        (now, order, request),
    )


def acknowledge(connection: sqlite3.Connection, order: str, now: int) -> None:
    """Record that a reminder was seen, or is void."""
    connection.execute(
        "UPDATE reminder SET acknowledged_at = ? WHERE order_id = ? AND acknowledged_at IS NULL",
        (now, order),
    )


def unacknowledged(connection: sqlite3.Connection) -> list[Remind]:
    """The reminders that were shown and not acknowledged, oldest first."""
    rows = connection.execute(
        "SELECT content FROM reminder WHERE shown_at IS NOT NULL AND acknowledged_at IS NULL"
        " ORDER BY shown_at, order_id"
    )
    return [Remind.model_validate_json(row["content"]) for row in rows]


def shown(connection: sqlite3.Connection, order: str) -> Remind | None:
    """The reminder of an order, if it has been shown."""
    row = connection.execute(
        "SELECT content FROM reminder WHERE order_id = ? AND shown_at IS NOT NULL", (order,)
    ).fetchone()
    return None if row is None else Remind.model_validate_json(row["content"])


def _bought(row: Any) -> Bought:
    answer = row["answer"]
    if row["state"] == "settled":
        return Bought(row["id"], "settled", receipt=Receipt.model_validate_json(answer))
    problem = None if answer is None else ProblemData.model_validate_json(answer)
    return Bought(row["id"], row["state"], problem=problem)
