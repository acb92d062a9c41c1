"""Settlement's SQL for steps back that another role refused, and for charges that were refused."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from bus.contract.every import Alarm
from bus.contract.settlement import How, Resolution, StepRefusal
from bus.contract.timestamp import rfc3339

_ALARMS = 40
"""The most refused steps that are shown as alarms."""
_WORDS = 60
"""Characters of a reason that a sentence holds."""
_TO_DO = {
    "withdraw": "bring its goods back",
    "release": "put its goods up for sale (count them)",
}
"""By step, what a person does in its stead."""


@dataclass(frozen=True, slots=True)
class RefusedStep:
    """A step back that was refused for good, and that nobody has seen to yet."""

    name: str
    order: str
    step: str
    callee: str
    reason: str
    since: int

    def view(self) -> StepRefusal:
        """As the contract shows it."""
        return StepRefusal(
            order=self.order, step=self.name, callee=self.callee, operation=self.step,
            reason=self.reason, since=rfc3339(self.since),
        )  # fmt: skip


def name_of(order: str, step: str) -> str:
    """What a step of an order is called."""
    return f"{order}.{step}"


def refused(rows: sqlite3.Connection, step: RefusedStep) -> None:
    """Write one; of a step that was refused before, the new words."""
    rows.execute(
        "INSERT INTO refused_step VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT (name) DO UPDATE SET"
        " reason = excluded.reason, since = excluded.since, open = 1",
        (step.name, step.order, step.step, step.callee, step.reason, step.since),
    )


def open_ones(
    rows: sqlite3.Connection, limit: int, order: str | None = None, terminal: str | None = None
) -> list[RefusedStep]:
    """All that nobody has seen to yet, oldest first; of an order, or of a terminal's, if given."""
    found = rows.execute(
        "SELECT name, order_id, step, callee, reason, refused_step.since FROM refused_step"
        " JOIN orders ON orders.id = order_id WHERE open = 1"
        " AND (:order IS NULL OR order_id = :order)"
        " AND (:terminal IS NULL OR terminal = :terminal)"
        " ORDER BY refused_step.since, name LIMIT :limit",
        {"order": order, "terminal": terminal, "limit": limit},
    )
    return [RefusedStep(*row) for row in found]


def resolve(
    rows: sqlite3.Connection, step: RefusedStep, how: How, caller: str, reason: str, now: int
) -> None:
    """Somebody has seen to one."""
    rows.execute("UPDATE refused_step SET open = 0 WHERE name = ?", (step.name,))
    rows.execute(
        "INSERT INTO step_resolution (at, step, order_id, how, caller, reason)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (now, step.name, step.order, how, caller, reason),
    )


def resolutions(rows: sqlite3.Connection, order: str) -> list[Resolution]:
    """What people did about an order's refused steps, oldest first."""
    found = rows.execute("SELECT * FROM step_resolution WHERE order_id = ? ORDER BY id", (order,))
    return [
        Resolution(
            refund=row["step"],
            how=row["how"],
            by=row["caller"],
            at=rfc3339(row["at"]),
            reason=row["reason"],
        )
        for row in found
    ]


def sentence(step: RefusedStep) -> str:
    """What is wrong, and what to do, for people."""
    return (
        f"{step.callee} refused to {step.step} for good ({step.reason[:_WORDS]})."
        f" Retry, or {_TO_DO[step.step]} by hand: storebus resolve {step.order}"
    )


def charge_refused(rows: sqlite3.Connection, order: str, reason: str, now: int) -> None:
    """The provider does not charge a card, for a reason that is not the card's."""
    rows.execute(
        "INSERT INTO charge_refusal VALUES (1, ?, ?, 1, ?) ON CONFLICT (id) DO UPDATE SET"
        " reason = excluded.reason, times = times + 1, order_id = excluded.order_id",
        (reason, now, order),
    )


def charged(rows: sqlite3.Connection) -> bool:
    """The provider charges; whether that is new."""
    return bool(rows.execute("DELETE FROM charge_refusal").rowcount)


def alarms(rows: sqlite3.Connection) -> Iterator[Alarm]:
    """What a person should see to now."""
    for row in rows.execute("SELECT * FROM charge_refusal"):
        reason = row["reason"][:_WORDS]
        yield Alarm(
            kind="charge-refused",
            detail=f"The payment provider refused {row['times']} charges since it last took one:"
            f" {reason}; last {row['order_id']}. Ask the provider.",
            since=rfc3339(row["since"]),
            values={"times": row["times"], "reason": reason, "order": row["order_id"]},
        )
    for step in open_ones(rows, _ALARMS):
        yield Alarm(
            kind="step-refused",
            detail=sentence(step)[:200],
            since=rfc3339(step.since),
            order=step.order,
            values={"callee": step.callee, "operation": step.step, "reason": step.reason[:_WORDS]},
        )
