"""Settlement's SQL for faults of the payment provider: each is one row for as long as it lasts."""

import sqlite3
from typing import Literal

from bus.contract.every import Alarm
from bus.contract.timestamp import rfc3339

Fault = Literal["provider_fault", "charge_refusal"]
"""A fault's table: the provider does not let the store in; it refuses charges of any card."""
_NOT_LET_IN_WORDS, _CHARGE_WORDS = 40, 60
"""Characters of the provider's reason that a sentence holds."""


def end(connection: sqlite3.Connection, fault: Fault) -> bool:
    """End a fault; returns whether there was one."""
    return bool(connection.execute(f"DELETE FROM {fault}").rowcount)  # noqa: S608 - constants


def not_let_in(connection: sqlite3.Connection, reason: str, now: int) -> bool:
    """The provider does not let the store in; returns whether that or its reason is new."""
    known = why_not_let_in(connection)
    connection.execute(
        "INSERT INTO provider_fault VALUES (1, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET reason = excluded.reason",
        (reason, now),
    )
    return known != reason


def why_not_let_in(connection: sqlite3.Connection) -> str | None:
    """The provider's reason not to let the store in; None if it does."""
    row = connection.execute("SELECT reason FROM provider_fault").fetchone()
    return None if row is None else str(row["reason"])


def charge_refused(connection: sqlite3.Connection, order: str, reason: str, now: int) -> None:
    """Note a charge that the provider refused for a reason that is not the card's."""
    connection.execute(
        "INSERT INTO charge_refusal VALUES (1, ?, ?, 1, ?) ON CONFLICT (id) DO UPDATE SET"
        " reason = excluded.reason, times = times + 1, order_id = excluded.order_id",
        (reason, now, order),
    )


def not_let_in_alarms(connection: sqlite3.Connection) -> list[Alarm]:
    """An alarm while the provider does not let the store in."""
    return [
        Alarm(
            kind="provider-refuses-us",
            detail="The payment provider does not let the store in"
            f" ({row['reason'][:_NOT_LET_IN_WORDS]}):"
            " mend the settings, here or there; payments then go on by themselves.",
            since=rfc3339(row["since"]),
        )
        for row in connection.execute("SELECT reason, since FROM provider_fault")
    ]


def charge_alarms(connection: sqlite3.Connection) -> list[Alarm]:
    """An alarm while the provider refuses charges."""
    found = []
    for row in connection.execute("SELECT reason, since, times, order_id FROM charge_refusal"):
        reason = row["reason"][:_CHARGE_WORDS]
        found.append(
            Alarm(
                kind="charge-refused",
                detail=f"The payment provider refused {row['times']} charges since it last took"
                f" one: {reason}; last {row['order_id']}. Ask the provider.",
                since=rfc3339(row["since"]),
                values={"times": row["times"], "reason": reason, "order": row["order_id"]},
            )
        )
    return found
