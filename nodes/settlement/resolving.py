"""What the payment provider, or another role, refuses, until a person has seen to it."""

import sqlite3
from collections.abc import Callable
from typing import cast

from bus.contract.channel import role_of
from bus.contract.every import Alarm
from bus.contract.refusals import WrongState
from bus.contract.settlement import (
    RefusalList,
    Refusals,
    Resolve,
    Resolved,
)
from bus.contract.values import Money
from bus.runtime.requests import Request
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import refusals, steps, store
from nodes.settlement.acquirer.outcomes import Captured, Declined
from nodes.settlement.domain import Order, Undo
from nodes.settlement.payments import record_refund_by_hand
from nodes.settlement.refusals import Refusal

_STEPS = 10
"""More than an order has."""


class Resolving:
    """Keeps what was refused, shows it, and ends it as a person says.

    Args:
        refund: asks the provider to give an amount back under a name.
        money_back: told that so much of an order's money is with the customer.
        step: asks another role to do a step back.
        step_done: told that a step back is done.
    """

    def __init__(
        self,
        refund: Callable[[UnitOfWork, Order, int, str], None],
        money_back: Callable[[UnitOfWork, str, int], None],
        step: Callable[[UnitOfWork, Order, Undo], None],
        step_done: Callable[[UnitOfWork, Order, Undo], None],
    ) -> None:
        self._refund = refund
        self._money_back = money_back
        self._step = step
        self._step_done = step_done

    def refused(self, unit: UnitOfWork, order: str, amount: int, name: str, reason: str) -> None:
        """The provider said no to a refund, for good."""
        currency = store.order(unit.connection, order).expected.currency
        refusals.refused(unit.connection, Refusal(name, order, amount, currency, reason, unit.now))
        _show(unit)

    def let_in(self, unit: UnitOfWork, reason: str | None) -> None:
        """The provider does not let us in, and says why; or, with None, does."""
        if refusals.set_fault(unit.connection, reason, unit.now):
            _show(unit)

    def step_refused(
        self, unit: UnitOfWork, order: str, step: Undo, callee: str, reason: str
    ) -> None:
        """Another role said no to a step back, for good."""
        name = steps.name_of(order, step)
        row = steps.RefusedStep(name, order, step, callee, reason, unit.now)
        steps.refused(unit.connection, row)
        _show(unit)

    def charged(self, unit: UnitOfWork, order: str, outcome: Captured | Declined) -> None:
        """The provider has charged a card, or not: not to charge any is a fault of its own."""
        if isinstance(outcome, Captured):
            if steps.charged(unit.connection):
                _show(unit)
        elif outcome.refused:
            steps.charge_refused(unit.connection, order, outcome.reason, unit.now)
            _show(unit)

    def resolve(self, unit: UnitOfWork, request: Request[Resolve]) -> Resolved:
        """A person has done it by hand, or wants whoever refused to be asked again."""
        data = request.data
        order = store.order(unit.connection, data.order)
        chosen = [
            each
            for each in refusals.of_order(unit.connection, order.id)
            if data.refund in (None, each.name)
        ]
        undone = [
            each
            for each in steps.open_ones(unit.connection, _STEPS, order.id)
            if data.refund in (None, each.name)
        ]
        if not chosen and not undone:
            raise WrongState(
                f"Order {order.id} is {order.state}, and nothing of it waits for a person.",
                state=order.state,
            )
        for each in chosen:
            refusals.resolve(unit.connection, each, data.how, request.caller, data.reason, unit.now)
            if data.how == "retry":
                self._refund(unit, order, each.amount, each.name)
            else:
                record_refund_by_hand(unit, order, each.amount, each.name)
                self._money_back(unit, order.id, each.amount)
        for one in undone:
            steps.resolve(unit.connection, one, data.how, request.caller, data.reason, unit.now)
            act = self._step if data.how == "retry" else self._step_done
            act(unit, store.order(unit.connection, order.id), cast("Undo", one.step))
        _show(unit)
        return Resolved(
            order=order.id,
            state=store.order(unit.connection, order.id).state,
            amount=Money(
                amount=sum(each.amount for each in chosen), currency=order.expected.currency
            ),
            refunds=[each.name for each in chosen] + [one.name for one in undone],
        )


def show(connection: sqlite3.Connection, request: Request[Refusals]) -> RefusalList:
    """What waits for a person; a terminal sees what is about its own orders."""
    terminal = request.caller if role_of(request.caller) == "terminal" else None
    found = refusals.open_ones(connection, request.data.limit, terminal)
    waiting = steps.open_ones(connection, request.data.limit, terminal=terminal)
    return RefusalList(
        refusals=[each.view() for each in found], steps=[each.view() for each in waiting]
    )


def alarms(connection: sqlite3.Connection) -> list[Alarm]:
    """What a person should see to now."""
    return [*refusals.alarms(connection), *steps.alarms(connection)]


def _show(unit: UnitOfWork) -> None:
    unit.alarm()
