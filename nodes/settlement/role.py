"""Wires settlement's decisions to its channels."""

import sqlite3
from dataclasses import replace

from bus.contract.catalog import COMMIT, RELEASE, RESERVE, Line, OrderOnly, Reserve, Reserved
from bus.contract.channel import role_of
from bus.contract.every import PRESENCE, Presence
from bus.contract.problem import ProblemData
from bus.contract.settlement import (
    COLLECT,
    DEPOSIT,
    ORDER,
    ORDERS,
    PURCHASE,
    READY,
    Balance,
    Collect,
    Deposit,
    OrderList,
    OrderQuery,
    Orders,
    OrderStateReply,
    OrderView,
    Purchase,
    Ready,
)
from bus.contract.terminal import REMIND, Shown
from bus.contract.warehouse import FULFIL, PICKUP_POINTS_STATE, Fulfil, PickupPoints
from bus.errors import PaymentDeclined, Problem, Refused, UnknownOrder, UnknownPickupCode
from bus.intake import Answer, Observed, Request
from bus.role import Role
from bus.turn import Turn
from nodes.settlement import domain, ledger, store
from nodes.settlement.acquirer.client import Acquirer
from nodes.settlement.acquirer.outcomes import Captured, Declined
from nodes.settlement.payments import (
    AccountMethod,
    CardMethod,
    PaymentMethod,
    record_card_sale,
)

_ORDERS_IN_A_REPLY = 200


class Settlement:
    """The second server role.

    Args:
        acquirer: the payment provider's client, or None where the store takes no cards.
    """

    def __init__(self, acquirer: Acquirer | None = None) -> None:
        card = CardMethod(acquirer, _charged)
        self._methods: dict[str, PaymentMethod] = {"account": AccountMethod(), "card": card}
        self.role = Role(
            kind="settlement",
            package="nodes.settlement",
            queries={ORDER: _show_order, ORDERS: _list_orders},
            commands={
                PURCHASE: self._purchase,
                READY: _ready,
                COLLECT: _collect,
                DEPOSIT: _deposit,
            },
            answers={
                RESERVE: self._reserved,
                REMIND: _reminded,
            },
            watches={PICKUP_POINTS_STATE: _points, PRESENCE: _presence},
            adapters=(card.adapter,),
        )

    def _purchase(self, turn: Turn, request: Request[Purchase]) -> None:
        purchase = request.data
        self._methods[purchase.payment.method].check(turn.connection)
        points = store.pickup_points(turn.connection)
        order = domain.place_order(
            purchase,
            order=turn.identity.reference("o-"),
            terminal=request.caller,
            request=request.id,
            pickup_point=domain.choose_pickup_point(purchase.pickup_point, points),
            pickup_code=store.unused_code(turn.connection, lambda: turn.identity.digits(6)),
            now=turn.now,
        )
        store.save(turn.connection, order)
        turn.send(RESERVE, "catalog", Reserve(order=order.id, lines=list(order.lines)))

    def _reserved(self, turn: Turn, answer: Answer[Reserved]) -> None:
        order = store.order(turn.connection, answer.request.order)
        if answer.data is None:
            assert answer.problem is not None, "a reserve has no deadline"
            _refuse(turn, order, Refused(answer.problem))
            return
        try:
            order = domain.price(order, answer.data.lines)
        except Problem as problem:
            turn.send(RELEASE, "catalog", OrderOnly(order=order.id))
            _refuse(turn, order, problem)
            return
        order = order.to("charging", turn.now)
        store.save(turn.connection, order)
        outcome = self._methods[order.payment["method"]].charge(turn, order)
        if outcome is not None:
            _settle(turn, order, outcome)


def _charged(turn: Turn, identifier: str, outcome: Captured | Declined) -> None:
    """A card's outcome came in a turn of its own."""
    order = store.order(turn.connection, identifier)
    if isinstance(outcome, Captured):
        record_card_sale(turn, order)
    _settle(turn, order, outcome)


def _settle(turn: Turn, order: domain.Order, outcome: Captured | Declined) -> None:
    if isinstance(outcome, Declined):
        order = order.to("declined", turn.now, outcome.reason)
        store.save(turn.connection, order)
        turn.send(RELEASE, "catalog", OrderOnly(order=order.id))
        _answer(turn, order, PaymentDeclined(outcome.reason, order=order.id))
        return
    order = replace(order.to("settled", turn.now), reference=outcome.reference)
    store.save(turn.connection, order)
    turn.send(COMMIT, "catalog", OrderOnly(order=order.id))
    lines = [Line(sku=line.sku, quantity=line.quantity) for line in order.lines]
    turn.send(
        FULFIL, "warehouse", Fulfil(order=order.id, lines=lines, pickup_point=order.pickup_point)
    )
    turn.answer(PURCHASE, order.terminal, order.request, domain.receipt(order))


def _refuse(turn: Turn, order: domain.Order, problem: Problem) -> None:
    data = problem.to_data()
    store.save(turn.connection, order.to("refused", turn.now, data.detail))
    _answer(turn, order, Refused(_with_order(data, order.id)))


def _with_order(data: ProblemData, order: str) -> ProblemData:
    return ProblemData.model_validate({**data.model_dump(), "order": order})


def _answer(turn: Turn, order: domain.Order, problem: Problem) -> None:
    turn.refused = problem.to_data().code
    turn.answer(PURCHASE, order.terminal, order.request, problem)


def _ready(turn: Turn, request: Request[Ready]) -> OrderOnly:
    order = store.order(turn.connection, request.data.order)
    order = replace(order.to("ready", turn.now), parcel=request.data.parcel)
    store.save(turn.connection, order)
    points = store.pickup_points(turn.connection)
    assert points is not None, "an order was placed without pickup points"
    turn.send(REMIND, order.terminal, domain.reminder(order, points))
    return OrderOnly(order=order.id)


def _reminded(turn: Turn, answer: Answer[Shown]) -> None:
    order = store.order(turn.connection, answer.request.order)
    shown = answer.data is not None and answer.data.shown
    if shown and order.state == "ready":
        store.save(turn.connection, order.to("reminded", turn.now))


def _collect(turn: Turn, request: Request[Collect]) -> OrderStateReply:
    order = store.order_by_code(turn.connection, request.data.code)
    if order is None:
        raise UnknownPickupCode("No parcel waits under this code.")
    order = order.to("collected", turn.now)
    store.save(turn.connection, order)
    return OrderStateReply(order=order.id, state="collected")


def _deposit(turn: Turn, request: Request[Deposit]) -> Balance:
    data = request.data
    account, currency = ledger.customer(data.account), data.amount.currency
    ledger.open_account(turn.connection, account, data.name, currency)
    cash = ledger.own(ledger.CASH, currency)
    ledger.open_account(turn.connection, cash, "Cash", currency)
    if data.amount.amount:
        ledger.transfer(
            turn.connection,
            f"deposit.{request.caller}.{request.id}",
            source=cash,
            target=account,
            amount=data.amount.amount,
            now=turn.now,
        )
    found = ledger.balance(turn.connection, account)
    assert found is not None
    return Balance(account=data.account, balance=found[0], currency=found[1])


def _points(turn: Turn, observed: Observed[PickupPoints]) -> None:
    if observed.node == "warehouse":
        store.save_pickup_points(turn.connection, observed.data)


def _presence(turn: Turn, observed: Observed[Presence]) -> None:
    """Watched so that what waits for a terminal is sent as soon as it is back."""


def _show_order(connection: sqlite3.Connection, request: Request[OrderQuery]) -> OrderView:
    view = store.view(connection, request.data.order)
    if role_of(request.caller) == "terminal" and view.terminal != request.caller:
        raise UnknownOrder(f"There is no order {request.data.order}.")
    return view


def _list_orders(connection: sqlite3.Connection, request: Request[Orders]) -> OrderList:
    terminal = request.caller if role_of(request.caller) == "terminal" else None
    limit = min(request.data.limit, _ORDERS_IN_A_REPLY)
    return OrderList(orders=store.orders(connection, request.data.state, terminal, limit))
