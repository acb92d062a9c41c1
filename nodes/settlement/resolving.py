"""What the payment provider refuses, until a person has seen to it."""

import sqlite3
from collections.abc import Callable

from bus.contract.channel import role_of
from bus.contract.settlement import (
    RefusalList,
    Refusals,
    Resolve,
    Resolved,
)
from bus.contract.values import Money
from bus.errors import WrongState
from bus.intake import Request
from bus.turn import Turn
from nodes.settlement import refusals, store
from nodes.settlement.domain import Order
from nodes.settlement.payments import record_refund_by_hand
from nodes.settlement.refusals import Refusal


class Resolving:
    """Keeps refused refunds, shows them, and ends them as a person says.

    Args:
        refund: asks the provider to give an amount back under a name.
        money_back: told that so much of an order's money is with the customer.
    """

    def __init__(
        self,
        refund: Callable[[Turn, Order, int, str], None],
        money_back: Callable[[Turn, str, int], None],
    ) -> None:
        self._refund = refund
        self._money_back = money_back

    def refused(self, turn: Turn, order: str, amount: int, name: str, reason: str) -> None:
        """The provider said no to a refund, for good."""
        currency = store.order(turn.connection, order).expected.currency
        refusals.refused(turn.connection, Refusal(name, order, amount, currency, reason, turn.now))
        _show(turn)

    def let_in(self, turn: Turn, reason: str | None) -> None:
        """The provider does not let us in, and says why; or, with None, does."""
        if refusals.set_fault(turn.connection, reason, turn.now):
            _show(turn)

    def resolve(self, turn: Turn, request: Request[Resolve]) -> Resolved:
        """A person has paid by hand, or wants the provider to be asked again."""
        data = request.data
        order = store.order(turn.connection, data.order)
        chosen = [
            each
            for each in refusals.of_order(turn.connection, order.id)
            if data.refund in (None, each.name)
        ]
        if not chosen:
            raise WrongState(
                f"Order {order.id} is {order.state}, and no refund of it waits for a person.",
                state=order.state,
            )
        for each in chosen:
            refusals.resolve(turn.connection, each, data.how, request.caller, data.reason, turn.now)
            if data.how == "retry":
                self._refund(turn, order, each.amount, each.name)
            else:
                record_refund_by_hand(turn, order, each.amount, each.name)
                self._money_back(turn, order.id, each.amount)
        _show(turn)
        return Resolved(
            order=order.id,
            state=store.order(turn.connection, order.id).state,
            amount=Money(
                amount=sum(each.amount for each in chosen), currency=order.expected.currency
            ),
            refunds=[each.name for each in chosen],
        )


def show(connection: sqlite3.Connection, request: Request[Refusals]) -> RefusalList:
    """What waits for a person; a terminal sees what is about its own orders."""
    terminal = request.caller if role_of(request.caller) == "terminal" else None
    found = refusals.open_ones(connection, request.data.limit, terminal)
    return RefusalList(refusals=[each.view() for each in found])


def _show(turn: Turn) -> None:
    turn.alarm()
