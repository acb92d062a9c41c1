"""Notes what the payment provider or another role has refused for good, and raises its alarm."""

import sqlite3

from bus.contract.channel import role_of
from bus.contract.every import Alarm
from bus.contract.settlement import RefusalList, Refusals
from bus.runtime.requests import Request
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import provider_faults, refusals
from nodes.settlement.acquirer.outcomes import Captured, Declined
from nodes.settlement.card_calls import RefundCard
from nodes.settlement.order import Order, Undo
from nodes.settlement.refusals import UnresolvedRefund, UnresolvedStep


def refund_refused(unit: UnitOfWork, call: RefundCard, reason: str) -> None:
    """The provider refused a refund for good."""
    total = call.total
    refusals.add(
        unit.connection,
        UnresolvedRefund(call.key, call.order, reason, unit.now, total.currency, total.amount),
    )
    unit.alarm()


def step_refused(unit: UnitOfWork, order: Order, step: Undo, callee: str, reason: str) -> None:
    """Another role refused a step back for good."""
    name = refusals.step_name(order.id, step)
    currency = order.expected.currency
    refusals.add(
        unit.connection, UnresolvedStep(name, order.id, reason, unit.now, currency, step, callee)
    )
    unit.alarm()


def let_in(unit: UnitOfWork, reason: str | None) -> None:
    """The provider does not let the store in, and says why; or lets it in, if `reason` is None."""
    if reason is None:
        changed = provider_faults.end(unit.connection, "provider_fault")
    else:
        changed = provider_faults.not_let_in(unit.connection, reason, unit.now)
    if changed:
        unit.alarm()


def charged(unit: UnitOfWork, order: str, outcome: Captured | Declined) -> None:
    """A charge has an outcome: notes whether the provider charges cards at all."""
    if isinstance(outcome, Captured):
        if provider_faults.end(unit.connection, "charge_refusal"):
            unit.alarm()
    elif outcome.refused:
        provider_faults.charge_refused(unit.connection, order, outcome.reason, unit.now)
        unit.alarm()


def show(connection: sqlite3.Connection, request: Request[Refusals]) -> RefusalList:
    """What waits for a person; a terminal sees only what concerns its own orders."""
    terminal = request.caller if role_of(request.caller) == "terminal" else None
    limit = request.data.limit
    refunds = refusals.open_ones(connection, UnresolvedRefund, limit, terminal)
    steps = refusals.open_ones(connection, UnresolvedStep, limit, terminal)
    return RefusalList(
        refusals=[each.view() for each in refunds], steps=[each.view() for each in steps]
    )


def alarms(connection: sqlite3.Connection) -> list[Alarm]:
    """All alarms of settlement."""
    return [
        *provider_faults.not_let_in_alarms(connection),
        *refusals.alarms(connection, UnresolvedRefund),
        *provider_faults.charge_alarms(connection),
        *refusals.alarms(connection, UnresolvedStep),
    ]
