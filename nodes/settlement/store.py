"""Settlement's SQL for orders and pickup points."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from pydantic_core import from_json, to_json

from bus.contract.catalog import Line, PricedLine
from bus.contract.every import Alarms
from bus.contract.refusals import UnknownOrder
from bus.contract.settlement import OrderState, OrderSummary, OrderView, StateChange
from bus.contract.timestamp import rfc3339
from bus.contract.values import Money
from bus.contract.warehouse import PickupPoint, PickupPoints
from bus.storage.journal import Schema
from nodes.settlement import provider_faults, refusals
from nodes.settlement.domain import payment_receipt
from nodes.settlement.order import FINAL, Order
from nodes.settlement.refusals import Unresolved, UnresolvedRefund

SCHEMA = Schema("nodes.settlement", "nodes.settlement")

_FINAL = ", ".join(f"'{state}'" for state in sorted(FINAL))


def order(connection: sqlite3.Connection, identifier: str) -> Order:
    """An order.

    Raises:
        UnknownOrder: there is none of this id.
    """
    row = connection.execute("SELECT * FROM orders WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        raise UnknownOrder(f"There is no order {identifier}.")
    return _order(row)


def order_by_code(connection: sqlite3.Connection, code: str) -> Order | None:
    """The open order that a pickup code belongs to."""
    row = connection.execute(
        f"SELECT * FROM orders WHERE pickup_code = ? AND state NOT IN ({_FINAL})",  # noqa: S608 - constants
        (code,),
    ).fetchone()
    return None if row is None else _order(row)


def unused_code(connection: sqlite3.Connection, draw: Callable[[], str]) -> str:
    """Draw pickup codes until one is free: no open order has it."""
    while True:
        code = draw()
        if order_by_code(connection, code) is None:
            return code


def save(connection: sqlite3.Connection, row: Order) -> None:
    """Write an order; the states that it has entered go into its history."""
    connection.execute(
        "INSERT INTO orders VALUES (:id, :terminal, :request, :state, :since, :lines,"
        " :expected, :currency, :total, :payment, :reference, :point, :code, :parcel, :undo,"
        " :refunded, :reminder, :missing, :refunding)"
        " ON CONFLICT (id) DO UPDATE SET state = :state, since = :since, lines = :lines,"
        " total = :total, reference = :reference, parcel = :parcel, undo = :undo,"
        " refunded = :refunded, reminder = :reminder, missing = :missing,"
        " refunding = :refunding",
        {
            "id": row.id,
            "terminal": row.terminal,
            "request": row.request,
            "state": row.state,
            "since": row.since,
            "lines": to_json(row.lines).decode(),
            "expected": row.expected.amount,
            "currency": row.expected.currency,
            "total": row.total,
            "payment": to_json(row.payment).decode(),
            "reference": row.reference,
            "point": row.pickup_point,
            "code": row.pickup_code,
            "parcel": row.parcel,
            "undo": to_json(sorted(row.undo)).decode(),
            "refunded": row.refunded,
            "reminder": row.reminder,
            "missing": to_json(row.missing).decode(),
            "refunding": row.refunding,
        },
    )
    for entered in row.entered:
        connection.execute(
            "INSERT INTO order_state SELECT ?, count(*), ?, ?, ? FROM order_state"
            " WHERE order_id = ?",
            (row.id, entered.state, entered.since, entered.reason, row.id),
        )


def view(connection: sqlite3.Connection, identifier: str) -> OrderView:
    """An order as the contract shows it, with its history.

    Raises:
        UnknownOrder: there is none of this id.
    """
    return view_of(connection, order(connection, identifier))


def view_of(connection: sqlite3.Connection, found: Order) -> OrderView:
    """The same for an order that is already loaded."""
    refused = refusals.of_order(connection, found)
    history = connection.execute(
        "SELECT state, at, reason FROM order_state WHERE order_id = ? ORDER BY place",
        (found.id,),
    )
    return OrderView(
        order=found.id,
        state=found.state,
        terminal=found.terminal,
        lines=found.priced,
        total=found.money(),
        pickup_point=found.pickup_point,
        payment=payment_receipt(found),
        parcel=found.parcel,
        missing=list(found.missing),
        refunded=found.refunded,
        waits_for=_waits_for(connection, found, refused),
        refused=[each.view() for each in refused if isinstance(each, UnresolvedRefund)],
        resolved=refusals.resolutions(connection, found.id),
        history=[
            StateChange(state=row["state"], at=rfc3339(row["at"]), reason=row["reason"])
            for row in history
        ],
    )


def orders(
    connection: sqlite3.Connection, state: OrderState | None, terminal: str | None, limit: int
) -> list[OrderSummary]:
    """Orders, newest first; of one state or one terminal if given."""
    wanted = {"state": state, "terminal": terminal}
    given = {column: value for column, value in wanted.items() if value is not None}
    where = " AND ".join(f"{column} = :{column}" for column in given) or "true"
    rows = connection.execute(
        f"SELECT * FROM orders WHERE {where} ORDER BY since DESC LIMIT :limit",  # noqa: S608 - columns
        {**given, "limit": limit},
    )
    return [summary(found) for found in map(_order, rows)]


def summary(found: Order) -> OrderSummary:
    """An order in one line."""
    return OrderSummary(
        order=found.id,
        state=found.state,
        terminal=found.terminal,
        total=found.money(),
        pickup_point=found.pickup_point,
        since=rfc3339(found.since),
    )


_WAITS: dict[str, str] = {
    "charge": "the payment provider's answer",
    "refund": "the money to go back",
    "withdraw": "the goods to be put back on their shelves",
    "release": "the goods to be for sale again",
}


def _waits_for(
    connection: sqlite3.Connection, found: Order, refused: Sequence[Unresolved]
) -> str | None:
    """What an order is waiting for, in words; None if nothing holds it up."""
    if refused:
        return refused[0].sentence()
    if found.undo:
        return "; ".join(_WAITS[step] for step in sorted(found.undo))
    if found.state == "charging":
        reason = provider_faults.why_not_let_in(connection)
        return (
            f"the payment provider to let the store in: {reason}"[:200]
            if reason is not None
            else None
        )
    if found.state in ("settled", "short"):
        alarm = connection.execute("SELECT detail FROM alarm ORDER BY since").fetchone()
        return alarm["detail"] if alarm else None
    return None


def save_alarms(connection: sqlite3.Connection, alarms: Alarms) -> None:
    """Keep those alarms of the warehouse that hold up orders."""
    connection.execute("DELETE FROM alarm")
    connection.executemany(
        "INSERT INTO alarm VALUES (?, ?, ?)",
        [
            (alarm.kind, alarm.detail, alarm.since)
            for alarm in alarms.alarms
            if alarm.kind == "no-sorter"
        ],
    )


def pickup_points(connection: sqlite3.Connection) -> PickupPoints | None:
    """The pickup points as the warehouse last showed them; None if it has not yet."""
    rows = connection.execute("SELECT * FROM pickup_point ORDER BY id").fetchall()
    default = [row["id"] for row in rows if row["is_default"]]
    if not default:  # an older version took points without one: the warehouse shows them again
        return None
    points = [PickupPoint(id=row["id"], name=row["name"]) for row in rows]
    return PickupPoints(points=points, default=default[0])


def save_pickup_points(connection: sqlite3.Connection, points: PickupPoints) -> None:
    """Keep the pickup points, so that a restart need not wait for the warehouse."""
    connection.execute("DELETE FROM pickup_point")
    connection.executemany(
        "INSERT INTO pickup_point VALUES (?, ?, ?)",
        [(point.id, point.name, point.id == points.default) for point in points.points],
    )


def _order(row: Any) -> Order:
    return Order(
        id=row["id"],
        terminal=row["terminal"],
        request=row["request"],
        state=row["state"],
        since=row["since"],
        lines=tuple(_line(line) for line in from_json(row["lines"])),
        expected=Money(amount=row["expected_amount"], currency=row["currency"]),
        payment=from_json(row["payment"]),
        pickup_point=row["pickup_point"],
        pickup_code=row["pickup_code"],
        total=row["total"],
        reference=row["reference"],
        parcel=row["parcel"],
        undo=frozenset(from_json(row["undo"])),
        missing=tuple(Line.model_validate(line) for line in from_json(row["missing"])),
        refunding=row["refunding"],
        refunded=row["refunded"],
        reminder=row["reminder"],
    )


def _line(line: dict[str, Any]) -> Line:
    return PricedLine.model_validate(line) if "price" in line else Line.model_validate(line)
