"""From a parcel at its pickup point to the customer who collects it, or does not."""

import sqlite3
from dataclasses import replace

from bus.contract.catalog import OrderOnly
from bus.contract.channel import keeps_customers_apart
from bus.contract.errors import InvalidField
from bus.contract.refusals import UnknownPickupCode
from bus.contract.settlement import Collect, OrderQuery, OrderStateReply, OrderView, Ready
from bus.contract.terminal import REMIND, Shown
from bus.contract.values import Model, Reference
from bus.runtime.requests import Answer, Request
from bus.runtime.role import Timer
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import domain, orders, store
from nodes.settlement.attempt_limiter import AttemptLimiter
from nodes.settlement.order import Order
from nodes.settlement.orders import save
from nodes.settlement.settings import SettlementSettings
from nodes.settlement.undoing import Undoing


class Unclaimed(Model):
    """Set when a parcel is ready: is it still there?"""

    order: Reference
    expires_at: int
    """Milliseconds of the steady clock."""


class Pickup:
    """Reminds customers of their parcels, and hands them out against pickup codes.

    Args:
        undoing: takes back what nobody collects.
        settings: how long it waits for a customer.
    """

    def __init__(self, undoing: Undoing, settings: SettlementSettings) -> None:
        self._undoing = undoing
        self._remind_again = round(settings.remind_again * 1000)
        self._expire_after = round(settings.expire_after * 1000)
        self._limiter = AttemptLimiter(settings.wrong_codes, round(settings.code_lock * 1000))
        self.timer = Timer("unclaimed", Unclaimed, self._unclaimed)

    def ready(self, unit: UnitOfWork, request: Request[Ready]) -> OrderOnly:
        """The warehouse has brought a parcel: remind the customer, now and later."""
        order = store.order(unit.connection, request.data.order)
        there = domain.ready(order, request.data.parcel, unit.now)
        if there is not None:
            _remind(unit, there)
            expires = unit.steady + self._expire_after
            wait = min(self._remind_again, self._expire_after)
            unit.after(wait, "unclaimed", Unclaimed(order=order.id, expires_at=expires))
        return OrderOnly(order=order.id)

    def reminded(self, unit: UnitOfWork, answer: Answer[Shown]) -> None:
        """A terminal has reminded the customer, or could not."""
        order = store.order(unit.connection, answer.request.order)
        shown = answer.data is not None and answer.data.shown
        if shown and order.state == "ready":
            save(unit, order.to("reminded", unit.now))

    def _unclaimed(self, unit: UnitOfWork, unclaimed: Unclaimed) -> None:
        order = store.order(unit.connection, unclaimed.order)
        todo = domain.uncollected(order, unit.steady, unclaimed.expires_at)
        if todo == "expire":
            self._undoing.undo(unit, order, "expiring", "nobody collected it")
        elif todo != "over":
            if todo == "remind":
                _remind(unit, order)
            wait = min(self._remind_again, unclaimed.expires_at - unit.steady)
            unit.after(wait, "unclaimed", unclaimed)

    def collect(self, unit: UnitOfWork, request: Request[Collect]) -> OrderStateReply | None:
        """Hand a parcel out against its code; wrong codes are counted."""
        limited = not keeps_customers_apart(request.caller)  # else a guesser locks all others out
        if limited:
            self._limiter.check(unit.connection, request.caller, unit.steady)
        order = store.order_by_code(unit.connection, request.data.code)
        if order is None and not limited:
            raise UnknownPickupCode("No parcel waits under this code.")
        if order is None:  # answered, not raised: that would take back that it was counted
            problem = self._limiter.wrong_command(unit.connection, request.caller, unit.steady)
            unit.answer_at_once(request, problem)
            unit.refused = problem.code
            return None
        self._limiter.reset(unit.connection, request.caller)
        order = order.to("collected", unit.now)
        save(unit, order)
        return OrderStateReply(order=order.id, state="collected")

    def show(self, connection: sqlite3.Connection, request: Request[OrderQuery]) -> OrderView:
        """An order by its id or its pickup code."""
        if request.data.code is not None:
            return self._show_by_code(connection, request.caller, request.data.code, request.at)
        if request.data.order is None:
            raise InvalidField("Give either `order` or `code`.", field="order")
        return orders.show(connection, request.data.order, request.caller)

    def _show_by_code(
        self, connection: sqlite3.Connection, caller: str, code: str, steady: int
    ) -> OrderView:
        """An order to whoever has its code, who must not find codes by trying them."""
        limited = not keeps_customers_apart(caller)
        if limited:
            self._limiter.check(connection, caller, steady)
        found = store.order_by_code(connection, code)
        if found is not None:
            return store.view_of(connection, found)
        if limited:
            raise self._limiter.wrong_query(connection, caller, code, steady)
        raise UnknownPickupCode("No open order has this pickup code.")


def _remind(unit: UnitOfWork, order: Order) -> None:
    """Have the terminal remind the customer; saves the order."""
    points = store.pickup_points(unit.connection)
    assert points is not None, "an order was placed without pickup points"
    unit.drop(order.reminder)  # of a terminal that was away it is enough to ask once
    reminder = unit.send(REMIND, order.terminal, domain.reminder(order, points))
    save(unit, replace(order, reminder=reminder))
