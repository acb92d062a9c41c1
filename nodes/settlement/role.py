"""Wires settlement's decisions to its channels."""

import sqlite3
from dataclasses import replace

from bus.contract.catalog import (
    COMMIT,
    RELEASE,
    RESERVE,
    Line,
    OrderOnly,
    Release,
    Reserve,
    Reserved,
)
from bus.contract.channel import keeps_customers_apart, role_of
from bus.contract.delivery import Delivered, DeliveredReply
from bus.contract.errors import InvalidField, Problem, Refused
from bus.contract.every import ALARMS_STATE, PRESENCE, Alarms, Presence
from bus.contract.problem import ProblemData
from bus.contract.refusals import Cancelled, PaymentDeclined, UnknownOrder, UnknownPickupCode
from bus.contract.settlement import (
    ADJUST,
    CANCEL,
    COLLECT,
    DELIVERED,
    DEPOSIT,
    FAILED,
    ORDER,
    ORDER_CHANGED,
    ORDERS,
    PAYMENT_METHODS_STATE,
    PURCHASE,
    READY,
    REFUSALS,
    RENAME,
    RESOLVE,
    STATEMENT,
    Collect,
    Failed,
    OrderChanged,
    OrderList,
    OrderQuery,
    Orders,
    OrderState,
    OrderStateReply,
    OrderView,
    PaymentMethods,
    Purchase,
    Ready,
    Seller,
)
from bus.contract.terminal import REMIND, Shown
from bus.contract.timestamp import rfc3339
from bus.contract.values import Model, Reference
from bus.contract.warehouse import (
    FULFIL,
    PICKUP_POINTS_STATE,
    WITHDRAW,
    Fulfil,
    PickupPoints,
)
from bus.runtime.deliveries import delivered
from bus.runtime.requests import Answer, Observed, Request
from bus.runtime.role import Role, Timer
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import accounts, domain, resolving, store
from nodes.settlement.acquirer.client import Acquirer
from nodes.settlement.acquirer.outcomes import Captured, Declined
from nodes.settlement.guessing import Lock
from nodes.settlement.payments import (
    AccountMethod,
    CardMethod,
    PaymentMethod,
    record_card_sale,
    refund_name,
)
from nodes.settlement.settings import SettlementSettings

_ORDERS_IN_A_REPLY = 200
_WAREHOUSE_ALARMS = replace(ALARMS_STATE, owner="warehouse")
"""Those of the other nodes hold up no order."""
_AT_ROLES: frozenset[domain.Undo] = frozenset({"release", "withdraw"})
"""Steps back that another role does."""


class Unclaimed(Model):
    """Set when a parcel is ready: is it still there?"""

    order: Reference
    expires_at: int
    """Milliseconds of the steady clock."""


class Settlement:
    """The second server role.

    Args:
        acquirer: the payment provider's client, or None where the store takes no cards.
        settings: how long it waits for a customer.
        seller: who stands on the receipts.
    """

    def __init__(
        self,
        acquirer: Acquirer | None = None,
        settings: SettlementSettings | None = None,
        seller: Seller | None = None,
    ) -> None:
        self._seller = seller
        settings = settings or SettlementSettings()
        self._remind_again = round(settings.remind_again * 1000)
        self._expire_after = round(settings.expire_after * 1000)
        self._lock = Lock(settings.wrong_codes, round(settings.code_lock * 1000))
        self._resolving = resolving.Resolving(
            self._give_back, _money_back, _begin_step, self._undone
        )
        card = CardMethod(
            acquirer,
            self._charged,
            _money_back,
            self._resolving.refused,
            self._resolving.let_in,
            round(settings.acquirer_again * 1000),
        )
        self._methods: dict[str, PaymentMethod] = {"account": AccountMethod(), "card": card}
        taken = PaymentMethods(methods=["account"] if acquirer is None else ["account", "card"])
        self.role = Role(
            kind="settlement",
            schemas=(store.SCHEMA,),
            queries={
                ORDER: self._show_order,
                ORDERS: _list_orders,
                REFUSALS: resolving.show,
                STATEMENT: accounts.statement,
                DELIVERED: _delivered,
            },
            commands={
                PURCHASE: self._purchase,
                READY: self._ready,
                FAILED: self._failed,
                COLLECT: self._collect,
                CANCEL: self._cancel,
                RESOLVE: self._resolving.resolve,
                DEPOSIT: accounts.deposit,
                ADJUST: accounts.adjust,
                RENAME: accounts.rename,
            },
            answers={
                RESERVE: self._reserved,
                REMIND: _reminded,
                RELEASE: self._released,
                WITHDRAW: self._withdrawn,
            },
            watches={PICKUP_POINTS_STATE: _points, _WAREHOUSE_ALARMS: _alarms, PRESENCE: _presence},
            timers=(Timer("unclaimed", Unclaimed, self._unclaimed), *card.timers),
            adapters=card.adapters,
            states=lambda _: [(PAYMENT_METHODS_STATE, taken)],
            alarms=resolving.alarms,
        )

    def _purchase(self, unit: UnitOfWork, request: Request[Purchase]) -> None:
        purchase = request.data
        self._methods[purchase.payment.method].check(unit.connection)
        points = store.pickup_points(unit.connection)
        order = domain.place_order(
            purchase,
            order=unit.environment.reference("o-"),
            terminal=request.caller,
            request=request.id,
            pickup_point=domain.choose_pickup_point(purchase.pickup_point, points),
            pickup_code=store.unused_code(unit.connection, lambda: unit.environment.digits(6)),
            now=unit.now,
        )
        _save(unit, order)
        unit.send(RESERVE, "catalog", Reserve(order=order.id, lines=list(order.lines)))

    def _reserved(self, unit: UnitOfWork, answer: Answer[Reserved]) -> None:
        order = store.order(unit.connection, answer.request.order)
        if order.state != "reserving":
            return  # it was cancelled meanwhile, and what was held is being released
        if answer.data is None:
            assert answer.problem is not None, "a reserve has no deadline"
            _refuse(unit, order, Refused(answer.problem))
            return
        try:
            order = domain.price(order, answer.data.lines)
        except Problem as problem:
            unit.send(RELEASE, "catalog", Release(order=order.id))
            _refuse(unit, order, problem)
            return
        order = order.to("charging", unit.now)
        _save(unit, order)
        outcome = self._methods[order.payment["method"]].charge(unit, order)
        if outcome is not None:
            _settle(unit, order, outcome, self._seller)

    def _charged(self, unit: UnitOfWork, identifier: str, outcome: Captured | Declined) -> None:
        """A card's outcome came in a unit of work of its own."""
        self._resolving.charged(unit, identifier, outcome)
        order = store.order(unit.connection, identifier)
        if isinstance(outcome, Captured):
            record_card_sale(unit, order)
        if order.state not in domain.UNDOING:
            _settle(unit, order, outcome, self._seller)
        elif isinstance(outcome, Captured):
            order = domain.charged_too_late(order, outcome.reference)
            self._refund(unit, order, order.money().amount)
        else:
            self._undone(unit, order, "charge")

    def _cancel(self, unit: UnitOfWork, request: Request[OrderOnly]) -> OrderStateReply:
        order = store.order(unit.connection, request.data.order)
        if role_of(request.caller) == "terminal" and order.terminal != request.caller:
            raise UnknownOrder(f"There is no order {order.id}.")
        if order.state not in ("cancelling", "cancelled"):
            order = self._undo(unit, order, "cancelling", f"cancelled by {request.caller}")
        return OrderStateReply(order=order.id, state=order.state)

    def _collect(self, unit: UnitOfWork, request: Request[Collect]) -> OrderStateReply | None:
        if not keeps_customers_apart(request.caller):  # else one who guesses would lock out all
            self._lock.check(unit.connection, request.caller, unit.steady)
        order = store.order_by_code(unit.connection, request.data.code)
        if order is None and keeps_customers_apart(request.caller):
            raise UnknownPickupCode("No parcel waits under this code.")
        if order is None:  # answered, not raised: that would take back that it was counted
            problem = self._lock.wrong(unit.connection, request.caller, unit.steady)
            unit.answer_at_once(request, problem)
            unit.refused = problem.code
            return None
        self._lock.right(unit.connection, request.caller)
        order = order.to("collected", unit.now)
        _save(unit, order)
        return OrderStateReply(order=order.id, state="collected")

    def _failed(self, unit: UnitOfWork, request: Request[Failed]) -> OrderOnly:
        data = request.data
        order = store.order(unit.connection, data.order)
        if data.lines is not None:
            order, price = domain.go_without(order, data.lines, unit.now, data.reason)
            if price:
                _save(unit, order)
                unit.send(RELEASE, "catalog", Release(order=order.id, lines=data.lines))
                self._refund(unit, order, price)
        elif order.state in ("settled", "short"):
            self._undo(unit, order, "cancelling", data.reason)
        return OrderOnly(order=order.id)

    def _ready(self, unit: UnitOfWork, request: Request[Ready]) -> OrderOnly:
        order = store.order(unit.connection, request.data.order)
        if order.state in domain.UNDOING or order.state in domain.FINAL:
            return OrderOnly(order=order.id)  # withdrawn while it was packed
        order = replace(order.to("ready", unit.now), parcel=request.data.parcel)
        self._remind(unit, order)
        expires = unit.steady + self._expire_after
        wait = min(self._remind_again, self._expire_after)
        unit.after(wait, "unclaimed", Unclaimed(order=order.id, expires_at=expires))
        return OrderOnly(order=order.id)

    def _remind(self, unit: UnitOfWork, order: domain.Order) -> None:
        points = store.pickup_points(unit.connection)
        assert points is not None, "an order was placed without pickup points"
        unit.drop(order.reminder)  # of a terminal that was away it is enough to ask once
        reminder = unit.send(REMIND, order.terminal, domain.reminder(order, points))
        _save(unit, replace(order, reminder=reminder))

    def _unclaimed(self, unit: UnitOfWork, unclaimed: Unclaimed) -> None:
        order = store.order(unit.connection, unclaimed.order)
        if order.state not in ("ready", "reminded"):
            return
        if unit.steady >= unclaimed.expires_at:
            self._undo(unit, order, "expiring", "nobody collected it")
            return
        if order.state == "reminded":  # else the first reminder is still on its way
            self._remind(unit, order)
        wait = min(self._remind_again, unclaimed.expires_at - unit.steady)
        unit.after(wait, "unclaimed", unclaimed)

    def _show_order(
        self, connection: sqlite3.Connection, request: Request[OrderQuery]
    ) -> OrderView:
        if request.data.code is not None:
            return self._show_by_code(connection, request, request.data.code)
        if request.data.order is None:
            raise InvalidField("Give either `order` or `code`.", field="order")
        view = store.view(connection, request.data.order)
        if role_of(request.caller) == "terminal" and view.terminal != request.caller:
            raise UnknownOrder(f"There is no order {request.data.order}.")
        return view

    def _show_by_code(
        self, connection: sqlite3.Connection, request: Request[OrderQuery], code: str
    ) -> OrderView:
        """An order to whoever has its code, who must not find codes by trying them."""
        counts = not keeps_customers_apart(request.caller)
        if counts:
            self._lock.check(connection, request.caller, request.at)
        found = store.order_by_code(connection, code)
        if found is not None:
            return store.view(connection, found.id)
        if counts:
            raise self._lock.asked_wrong(connection, request.caller, code, request.at)
        raise UnknownPickupCode("No open order has this pickup code.")

    def _undo(
        self, unit: UnitOfWork, order: domain.Order, state: OrderState, reason: str
    ) -> domain.Order:
        """Begin to undo an order: every step back that is possible from where it is."""
        unanswered = order.state in ("reserving", "charging")
        order = domain.begin_undoing(order, state, unit.now, reason)
        _save(unit, order)
        unit.drop(order.reminder)
        if unanswered:
            problem = Cancelled("The order was cancelled before it was paid.", order=order.id)
            unit.answer(PURCHASE, order.terminal, order.request, problem)
        for step in sorted(order.undo & _AT_ROLES):
            _begin_step(unit, order, step)
        if "refund" in order.undo:
            self._refund(unit, order, order.money().amount - order.refunding)
        return store.order(unit.connection, order.id)

    def _refund(self, unit: UnitOfWork, order: domain.Order, amount: int) -> None:
        name = refund_name(order.id, order.refunding)
        order = domain.begin_refund(order, amount)
        _save(unit, order)
        self._give_back(unit, order, amount, name)

    def _give_back(self, unit: UnitOfWork, order: domain.Order, amount: int, name: str) -> None:
        if self._methods[order.payment["method"]].refund(unit, order, amount, name):
            _money_back(unit, order.id, amount)

    def _released(self, unit: UnitOfWork, answer: Answer[OrderOnly]) -> None:
        if answer.request.lines is None:  # else the rest of its order goes on
            self._step(unit, answer, "release")

    def _withdrawn(self, unit: UnitOfWork, answer: Answer[OrderOnly]) -> None:
        self._step(unit, answer, "withdraw")

    def _step(self, unit: UnitOfWork, answer: Answer[OrderOnly], step: domain.Undo) -> None:
        """Another role has done a step back; one that it refused waits for a person."""
        order = store.order(unit.connection, answer.request.order)
        if answer.data is not None:
            self._undone(unit, order, step)
        elif answer.problem is not None and step in order.undo:
            self._resolving.step_refused(unit, order.id, step, answer.callee, answer.problem.detail)

    def _undone(self, unit: UnitOfWork, order: domain.Order, step: domain.Undo) -> None:
        order, following = domain.undone(order, step, unit.now)
        _save(unit, order)
        if following is not None:
            _begin_step(unit, order, following)


def _begin_step(unit: UnitOfWork, order: domain.Order, step: domain.Undo) -> None:
    """Have another role do a step back."""
    if step == "release":
        unit.send(RELEASE, "catalog", Release(order=order.id))
    else:
        assert step == "withdraw", f"no role can {step}"
        unit.send(WITHDRAW, "warehouse", OrderOnly(order=order.id))


def _save(unit: UnitOfWork, order: domain.Order) -> None:
    """Write an order, and tell whoever listens of its new state."""
    if store.save(unit.connection, order):
        told = store.summary(order).model_dump()
        unit.emit(ORDER_CHANGED, OrderChanged(**told, reason=order.reason))


def _money_back(unit: UnitOfWork, identifier: str, amount: int) -> None:
    """So much is back with the customer."""
    order = store.order(unit.connection, identifier)
    _save(unit, domain.money_back(order, amount, unit.now))


def _settle(
    unit: UnitOfWork, order: domain.Order, outcome: Captured | Declined, seller: Seller | None
) -> None:
    if isinstance(outcome, Declined):
        order = order.to("declined", unit.now, outcome.reason)
        _save(unit, order)
        unit.send(RELEASE, "catalog", Release(order=order.id))
        _answer(unit, order, PaymentDeclined(outcome.reason, order=order.id))
        return
    order = replace(order.to("settled", unit.now), reference=outcome.reference)
    _save(unit, order)
    unit.send(COMMIT, "catalog", OrderOnly(order=order.id))
    lines = [Line(sku=line.sku, quantity=line.quantity) for line in order.lines]
    unit.send(
        FULFIL, "warehouse", Fulfil(order=order.id, lines=lines, pickup_point=order.pickup_point)
    )
    receipt = domain.receipt(order, rfc3339(unit.now), seller)
    unit.answer(PURCHASE, order.terminal, order.request, receipt)


def _refuse(unit: UnitOfWork, order: domain.Order, problem: Problem) -> None:
    data = problem.to_data()
    _save(unit, order.to("refused", unit.now, data.detail))
    _answer(unit, order, Refused(_with_order(data, order.id)))


def _with_order(data: ProblemData, order: str) -> ProblemData:
    return ProblemData.model_validate({**data.model_dump(), "order": order})


def _answer(unit: UnitOfWork, order: domain.Order, problem: Problem) -> None:
    unit.refused = problem.to_data().code
    unit.answer(PURCHASE, order.terminal, order.request, problem)


def _reminded(unit: UnitOfWork, answer: Answer[Shown]) -> None:
    order = store.order(unit.connection, answer.request.order)
    shown = answer.data is not None and answer.data.shown
    if shown and order.state == "ready":
        _save(unit, order.to("reminded", unit.now))


def _delivered(connection: sqlite3.Connection, request: Request[Delivered]) -> DeliveredReply:
    return delivered(connection, request.data)


def _points(unit: UnitOfWork, observed: Observed[PickupPoints]) -> None:
    if observed.node == "warehouse":
        store.save_pickup_points(unit.connection, observed.data)


def _presence(unit: UnitOfWork, observed: Observed[Presence]) -> None:
    """Watched so that what waits for a terminal is sent as soon as it is back."""


def _alarms(unit: UnitOfWork, observed: Observed[Alarms]) -> None:
    if observed.node == "warehouse":
        store.save_alarms(unit.connection, observed.data)


def _list_orders(connection: sqlite3.Connection, request: Request[Orders]) -> OrderList:
    terminal = request.caller if role_of(request.caller) == "terminal" else None
    limit = min(request.data.limit, _ORDERS_IN_A_REPLY)
    return OrderList(orders=store.orders(connection, request.data.state, terminal, limit))
