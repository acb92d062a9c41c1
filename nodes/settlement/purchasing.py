"""From a purchase to an order that is paid for, or refused."""

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
from bus.contract.errors import Problem, Refused
from bus.contract.problem import ProblemData
from bus.contract.refusals import PaymentDeclined
from bus.contract.settlement import Purchase, Seller
from bus.contract.timestamp import rfc3339
from bus.contract.warehouse import FULFIL, Fulfil
from bus.runtime.requests import Answer, Request
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import domain, postings, store, unresolved
from nodes.settlement.acquirer.outcomes import Captured, Declined
from nodes.settlement.order import UNDOING, Order
from nodes.settlement.orders import answer_purchase, save
from nodes.settlement.payments import Methods
from nodes.settlement.undoing import Undoing


class Purchasing:
    """Reserves the goods of purchases, and charges for them.

    Args:
        methods: the payment methods.
        undoing: goes on with an order that was cancelled while its card was charged.
        seller: who stands on the receipts.
    """

    def __init__(self, methods: Methods, undoing: Undoing, seller: Seller | None) -> None:
        self._methods = methods
        self._undoing = undoing
        self._seller = seller

    def purchase(self, unit: UnitOfWork, request: Request[Purchase]) -> None:
        """Place an order and have the catalog reserve its goods; answered when it is paid."""
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
        save(unit, order)
        unit.send(RESERVE, "catalog", Reserve(order=order.id, lines=list(order.lines)))

    def reserved(self, unit: UnitOfWork, answer: Answer[Reserved]) -> None:
        """The catalog holds the goods, or not: the order is charged, or refused."""
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
        outcome = self._methods[order.payment["method"]].charge(unit, order)
        if outcome is None:
            save(unit, order)
        else:
            _settle(unit, order, outcome, self._seller)

    def charged(self, unit: UnitOfWork, identifier: str, outcome: Captured | Declined) -> None:
        """The outcome of a charge has come, in a later unit of work."""
        unresolved.charged(unit, identifier, outcome)
        order = store.order(unit.connection, identifier)
        if isinstance(outcome, Captured):
            postings.card_sale(unit, order)
        if order.state in UNDOING:
            self._undoing.charged(unit, order, outcome)
        else:
            _settle(unit, order, outcome, self._seller)


def _settle(
    unit: UnitOfWork, order: Order, outcome: Captured | Declined, seller: Seller | None
) -> None:
    order = domain.settle(order, outcome, unit.now)
    save(unit, order)
    if isinstance(outcome, Declined):
        unit.send(RELEASE, "catalog", Release(order=order.id))
        _answer_refused(unit, order, PaymentDeclined(outcome.reason, order=order.id))
        return
    unit.send(COMMIT, "catalog", OrderOnly(order=order.id))
    lines = [Line(sku=line.sku, quantity=line.quantity) for line in order.lines]
    unit.send(
        FULFIL, "warehouse", Fulfil(order=order.id, lines=lines, pickup_point=order.pickup_point)
    )
    answer_purchase(unit, order, domain.receipt(order, rfc3339(unit.now), seller))


def _refuse(unit: UnitOfWork, order: Order, problem: Problem) -> None:
    data = problem.to_data()
    order = order.to("refused", unit.now, data.detail)
    save(unit, order)
    data = ProblemData.model_validate({**data.model_dump(), "order": order.id})
    _answer_refused(unit, order, Refused(data))


def _answer_refused(unit: UnitOfWork, order: Order, problem: Problem) -> None:
    unit.refused = problem.to_data().code
    answer_purchase(unit, order, problem)
