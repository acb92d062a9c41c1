"""Settlement's SQL for what the payment provider refused, and what people did about it."""

import sqlite3
from dataclasses import dataclass

from bus.contract.every import Alarm
from bus.contract.settlement import How, RefundRefusal, Resolution
from bus.contract.timestamp import rfc3339
from bus.contract.values import Money

_ALARMS = 100
"""The most refused refunds that are shown as alarms."""
_WORDS = 40
"""Characters of the provider's words that a sentence holds; the order has them all."""
_OPEN = (
    "SELECT name, order_id, amount, currency, reason, refused_refund.since AS since"
    " FROM refused_refund JOIN orders ON orders.id = order_id WHERE open = 1"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refund that was refused, and that nobody has seen to yet."""

    name: str
    order: str
    amount: int
    currency: str
    reason: str
    since: int

    def view(self) -> RefundRefusal:
        """As the contract shows it."""
        return RefundRefusal(
            order=self.order,
            refund=self.name,
            amount=Money(amount=self.amount, currency=self.currency),
            reason=self.reason,
            since=rfc3339(self.since),
        )


def refused(connection: sqlite3.Connection, refusal: Refusal) -> None:
    """Write a refusal; of a refund that was refused before, the new words."""
    connection.execute(
        "INSERT INTO refused_refund VALUES (?, ?, ?, ?, ?, 1)"
        " ON CONFLICT (name) DO UPDATE SET reason = excluded.reason, since = excluded.since,"
        " open = 1",
        (refusal.name, refusal.order, refusal.amount, refusal.reason, refusal.since),
    )


def of_order(connection: sqlite3.Connection, order: str) -> list[Refusal]:
    """What of an order's money was refused, and nobody has seen to yet, oldest first."""
    rows = connection.execute(f"{_OPEN} AND order_id = ? ORDER BY since, name", (order,))
    return [Refusal(*row) for row in rows]


def open_ones(
    connection: sqlite3.Connection, limit: int, terminal: str | None = None
) -> list[Refusal]:
    """All refusals that nobody has seen to yet, oldest first; of a terminal's orders if given."""
    rows = connection.execute(
        f"{_OPEN} AND (:terminal IS NULL OR terminal = :terminal)"
        " ORDER BY refused_refund.since, name LIMIT :limit",
        {"terminal": terminal, "limit": limit},
    )
    return [Refusal(*row) for row in rows]


def resolve(
    connection: sqlite3.Connection, refusal: Refusal, how: How, caller: str, reason: str, now: int
) -> None:
    """Somebody has seen to one."""
    connection.execute("UPDATE refused_refund SET open = 0 WHERE name = ?", (refusal.name,))
    connection.execute(
        "INSERT INTO resolution (at, refund, order_id, how, caller, reason)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (now, refusal.name, refusal.order, how, caller, reason),
    )


def resolutions(connection: sqlite3.Connection, order: str) -> list[Resolution]:
    """What people did about an order's refused refunds, oldest first."""
    rows = connection.execute("SELECT * FROM resolution WHERE order_id = ? ORDER BY id", (order,))
    return [
        Resolution(
            refund=row["refund"],
            how=row["how"],
            by=row["caller"],
            at=rfc3339(row["at"]),
            reason=row["reason"],
        )
        for row in rows
    ]


def set_fault(connection: sqlite3.Connection, reason: str | None, now: int) -> bool:
    """The provider does not let us in, or, with None, does; whether that is new."""
    if reason is None:
        return bool(connection.execute("DELETE FROM provider_fault").rowcount)
    found = connection.execute("SELECT reason FROM provider_fault").fetchone()
    connection.execute(
        "INSERT INTO provider_fault VALUES (1, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET reason = excluded.reason",
        (reason, now),
    )
    return found is None or found["reason"] != reason


def alarms(connection: sqlite3.Connection) -> list[Alarm]:
    """What a person should see to now."""
    found = [
        Alarm(
            kind="provider-refuses-us",
            detail=f"The payment provider does not let the store in ({row['reason'][:_WORDS]}):"
            " mend the settings, here or there; payments then go on by themselves.",
            since=rfc3339(row["since"]),
        )
        for row in connection.execute("SELECT * FROM provider_fault")
    ]
    found += [
        Alarm(
            kind="refund-refused",
            order=each.order,
            detail=sentence(each),
            since=rfc3339(each.since),
        )
        for each in open_ones(connection, _ALARMS)
    ]
    return found


def sentence(refusal: Refusal) -> str:
    """What is wrong, and what to do, for people."""
    reason = refusal.reason if len(refusal.reason) <= _WORDS else f"{refusal.reason[:_WORDS]}..."
    return (
        f"The provider refused to give money back: {reason}."
        f" Ask again, or pay by hand: storebus resolve {refusal.order}"
    )
