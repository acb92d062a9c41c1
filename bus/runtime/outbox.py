"""The outbox: commands, calls and timers that are not done yet, as rows of the journal."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic_core import from_json

from bus.contract.envelope import order_of

NEAR = 60_000
"""Milliseconds: a timer that is due later waits in the journal alone, there may be very many."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A row of the outbox."""

    id: str
    kind: str
    """`command`, `call` or `timer`."""
    target: str
    """The node, the adapter or the timer."""
    operation: str
    payload: bytes
    trace: str
    due_at: int
    """Milliseconds of the node's steady clock; so is the deadline."""
    deadline: int | None
    """Negative once it has passed and the role was told: from then on the node only asks what has
    come of the command."""

    @property
    def expires_at(self) -> int | None:
        """When the role is told that nothing has come in time; None if never, or not again."""
        return self.deadline if self.deadline is not None and self.deadline > 0 else None

    @property
    def expired_at(self) -> int | None:
        """When its deadline was, if the role was told; it must not begin any more."""
        return -self.deadline if self.deadline is not None and self.deadline <= 0 else None

    @property
    def order(self) -> str | None:
        """The order that it is about, where it says so."""
        content = from_json(self.payload)
        order: str | None = order_of(content) or content.get("orderid")
        return order


def unfinished(rows: sqlite3.Connection) -> Iterator[Pending]:
    """The commands and calls that an earlier start has left."""
    for row in rows.execute("SELECT * FROM outbox WHERE kind <> 'timer'"):
        yield Pending(*row)


def near_timers(rows: sqlite3.Connection, now: int) -> Iterator[Pending]:
    """The timers that are due soon; `now` is of the steady clock, in milliseconds."""
    query = "SELECT * FROM outbox WHERE kind = 'timer' AND due_at <= ?"
    for row in rows.execute(query, (now + NEAR,)):
        yield Pending(*row)


def insert(rows: sqlite3.Connection, row: Pending) -> None:
    """Write down what is to be done."""
    rows.execute(
        "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.id,
            row.kind,
            row.target,
            row.operation,
            row.payload,
            row.trace,
            row.due_at,
            row.deadline,
        ),
    )


def forget(rows: sqlite3.Connection, identifiers: Iterable[str]) -> None:
    """Delete what is done."""
    for identifier in identifiers:
        rows.execute("DELETE FROM outbox WHERE id = ?", (identifier,))


def count_timers(rows: sqlite3.Connection) -> int:
    """How many timers are set."""
    (count,) = rows.execute("SELECT count(*) FROM outbox WHERE kind = 'timer'").fetchone()
    return int(count)
