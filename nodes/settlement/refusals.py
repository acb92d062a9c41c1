"""Settlement's SQL for refunds and other steps back that were refused for good.

Each is open until a person resolves it; who did that, and how, is kept as well.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from bus.contract.every import Alarm
from bus.contract.settlement import How, RefundRefusal, Resolution, StepRefusal
from bus.contract.timestamp import rfc3339
from bus.contract.values import Money
from nodes.settlement.order import Order, Undo

_SENTENCE = 200
"""Characters of the longest sentence for people."""
_STEP_WORDS = 60
"""Characters of another role's reason that a sentence holds; the order has them all."""
_REFUND_WORDS = 40
"""The same of the payment provider's."""
_BY_HAND: dict[Undo, str] = {
    "withdraw": "bring its goods back",
    "release": "put its goods up for sale (count them)",
}
"""What a person does by hand in place of each step."""


@dataclass(frozen=True, slots=True)
class _Tables:
    """Where refusals of a kind are kept."""

    refused: str
    own: tuple[str, ...]
    """Its columns that only this kind has."""
    resolutions: str
    names: str
    """The column of a resolution that names what was refused."""
    alarms: int
    """The most of this kind that are shown as alarms."""


@dataclass(frozen=True, slots=True)
class Unresolved(ABC):
    """Something that was refused for good, and that no person has resolved yet."""

    tables: ClassVar[_Tables]

    name: str
    order: str
    reason: str
    since: int
    """Milliseconds since the epoch."""
    currency: str
    """Of the order."""

    @abstractmethod
    def sentence(self) -> str:
        """What is wrong, and what to do, for people."""

    @abstractmethod
    def alarm(self) -> Alarm:
        """As an alarm."""


@dataclass(frozen=True, slots=True)
class UnresolvedRefund(Unresolved):
    """A refund that the payment provider refused."""

    tables = _Tables("refused_refund", ("amount",), "resolution", "refund", 100)

    amount: int
    """Minor units."""

    def view(self) -> RefundRefusal:
        """As the contract shows it."""
        return RefundRefusal(
            order=self.order,
            refund=self.name,
            amount=Money(amount=self.amount, currency=self.currency),
            reason=self.reason,
            since=rfc3339(self.since),
        )

    def sentence(self) -> str:
        """The provider's reason, and what to do."""
        reason = self.reason
        if len(reason) > _REFUND_WORDS:
            reason = f"{reason[:_REFUND_WORDS]}..."
        return (
            f"The provider refused to give money back: {reason}."
            f" Ask again, or pay by hand: storebus resolve {self.order}"
        )

    def alarm(self) -> Alarm:
        """As an alarm."""
        return Alarm(
            kind="refund-refused",
            order=self.order,
            detail=self.sentence(),
            since=rfc3339(self.since),
        )


@dataclass(frozen=True, slots=True)
class UnresolvedStep(Unresolved):
    """A step back that another role refused."""

    tables = _Tables("refused_step", ("step", "callee"), "step_resolution", "step", 40)

    step: Undo
    callee: str

    def view(self) -> StepRefusal:
        """As the contract shows it."""
        return StepRefusal(
            order=self.order, step=self.name, callee=self.callee, operation=self.step,
            reason=self.reason, since=rfc3339(self.since),
        )  # fmt: skip

    def sentence(self) -> str:
        """The other role's reason, and what to do."""
        return (
            f"{self.callee} refused to {self.step} for good ({self.reason[:_STEP_WORDS]})."
            f" Retry, or {_BY_HAND[self.step]} by hand: storebus resolve {self.order}"
        )[:_SENTENCE]

    def alarm(self) -> Alarm:
        """As an alarm."""
        return Alarm(
            kind="step-refused",
            detail=self.sentence(),
            since=rfc3339(self.since),
            order=self.order,
            values={
                "callee": self.callee,
                "operation": self.step,
                "reason": self.reason[:_STEP_WORDS],
            },
        )


UnresolvedT = TypeVar("UnresolvedT", bound=Unresolved)
_KINDS: tuple[type[Unresolved], ...] = (UnresolvedRefund, UnresolvedStep)


def step_name(order: str, step: Undo) -> str:
    """What a step back of an order is called."""
    return f"{order}.{step}"


def add(connection: sqlite3.Connection, refusal: Unresolved) -> None:
    """Write a refusal; one of the same name is open again, with its new reason."""
    tables = refusal.tables
    connection.execute(
        f"INSERT INTO {tables.refused} (name, order_id, reason, since, open, {_list(tables)})"  # noqa: S608 - constants
        f" VALUES (?, ?, ?, ?, 1{', ?' * len(tables.own)}) ON CONFLICT (name) DO UPDATE"
        " SET reason = excluded.reason, since = excluded.since, open = 1",
        (
            *(refusal.name, refusal.order, refusal.reason, refusal.since),
            *(getattr(refusal, column) for column in tables.own),
        ),
    )


def of_order(connection: sqlite3.Connection, order: Order) -> list[Unresolved]:
    """All that is open of an order: refunds first, then steps, each oldest first."""
    return [each for kind in _KINDS for each in _of_order(connection, kind, order)]


def _of_order(
    connection: sqlite3.Connection, kind: type[UnresolvedT], order: Order
) -> Iterator[UnresolvedT]:
    tables = kind.tables
    rows = connection.execute(
        f"SELECT name, order_id, reason, since, ?, {_list(tables)} FROM {tables.refused}"  # noqa: S608 - constants
        " WHERE open = 1 AND order_id = ? ORDER BY since, name",
        (order.expected.currency, order.id),
    )
    return (kind(*row) for row in rows)


def open_ones(
    connection: sqlite3.Connection,
    kind: type[UnresolvedT],
    limit: int,
    terminal: str | None = None,
) -> list[UnresolvedT]:
    """All that are open, oldest first; of a terminal's orders if given."""
    tables = kind.tables
    rows = connection.execute(
        f"SELECT name, order_id, reason, refused.since, currency, {_list(tables)}"  # noqa: S608 - constants
        f" FROM {tables.refused} AS refused JOIN orders ON orders.id = order_id"
        " WHERE open = 1 AND (:terminal IS NULL OR terminal = :terminal)"
        " ORDER BY refused.since, name LIMIT :limit",
        {"terminal": terminal, "limit": limit},
    )
    return [kind(*row) for row in rows]


def resolve(
    connection: sqlite3.Connection,
    refusal: Unresolved,
    how: How,
    *,
    caller: str,
    reason: str,
    now: int,
) -> None:
    """A person has resolved one."""
    tables = refusal.tables
    connection.execute(f"UPDATE {tables.refused} SET open = 0 WHERE name = ?", (refusal.name,))  # noqa: S608 - constants
    connection.execute(
        f"INSERT INTO {tables.resolutions} (at, {tables.names}, order_id, how, caller, reason)"  # noqa: S608 - constants
        " VALUES (?, ?, ?, ?, ?, ?)",
        (now, refusal.name, refusal.order, how, caller, reason),
    )


def resolutions(connection: sqlite3.Connection, order: str) -> list[Resolution]:
    """What people did about an order's refusals: refunds first, then steps, each oldest first."""
    rows = (
        row
        for kind in _KINDS
        for row in connection.execute(
            f"SELECT {kind.tables.names} AS name, how, caller, at, reason"  # noqa: S608 - constants
            f" FROM {kind.tables.resolutions} WHERE order_id = ? ORDER BY id",
            (order,),
        )
    )
    return [
        Resolution(
            refund=row["name"],
            how=row["how"],
            by=row["caller"],
            at=rfc3339(row["at"]),
            reason=row["reason"],
        )
        for row in rows
    ]


def alarms(connection: sqlite3.Connection, kind: type[UnresolvedT]) -> list[Alarm]:
    """What of a kind a person should see to now."""
    return [each.alarm() for each in open_ones(connection, kind, kind.tables.alarms)]


def _list(tables: _Tables) -> str:
    return ", ".join(tables.own)
