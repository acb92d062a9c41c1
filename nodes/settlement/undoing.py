"""The ways back: orders that are cancelled, that expire, or of which some goods are missing."""

from bus.contract.catalog import RELEASE, OrderOnly, Release
from bus.contract.refusals import Cancelled
from bus.contract.settlement import Failed, OrderState, OrderStateReply
from bus.contract.warehouse import WITHDRAW
from bus.runtime.requests import Answer, Request
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import domain, postings, store, unresolved
from nodes.settlement.acquirer.outcomes import Captured, Declined
from nodes.settlement.order import Order, Undo
from nodes.settlement.orders import answer_purchase, save
from nodes.settlement.payments import Methods, give_back

_AT_ROLES: frozenset[Undo] = frozenset({"release", "withdraw"})
"""Steps back that another role does."""


class Undoing:
    """Undoes orders: gives money back, and has other roles bring goods back.

    Args:
        methods: the payment methods.
    """

    def __init__(self, methods: Methods) -> None:
        self._methods = methods

    def cancel(self, unit: UnitOfWork, request: Request[OrderOnly]) -> OrderStateReply:
        """Cancel an order; a terminal cancels only its own."""
        order = store.order(unit.connection, request.data.order)
        domain.refuse_other_terminal(order.id, order.terminal, request.caller)
        if order.state not in ("cancelling", "cancelled"):
            order = self.undo(unit, order, "cancelling", f"cancelled by {request.caller}")
        return OrderStateReply(order=order.id, state=order.state)

    def failed(self, unit: UnitOfWork, request: Request[Failed]) -> OrderOnly:
        """The warehouse cannot bring some lines of an order, or any of it."""
        data = request.data
        order = store.order(unit.connection, data.order)
        if data.lines is not None:
            order, price = domain.go_without(order, data.lines, unit.now, data.reason)
            if price:
                save(unit, self._refund(unit, order, price))
                unit.send(RELEASE, "catalog", Release(order=order.id, lines=data.lines))
        elif order.state in ("settled", "short"):
            self.undo(unit, order, "cancelling", data.reason)
        return OrderOnly(order=order.id)

    def undo(self, unit: UnitOfWork, order: Order, state: OrderState, reason: str) -> Order:
        """Begin to undo an order: all the steps back that its state calls for."""
        unanswered = order.state in ("reserving", "charging")
        order = domain.begin_undoing(order, state, unit.now, reason)
        if "refund" in order.undo:
            order = self._refund_rest(unit, order)
        save(unit, order)
        unit.drop(order.reminder)
        if unanswered:
            problem = Cancelled("The order was cancelled before it was paid.", order=order.id)
            answer_purchase(unit, order, problem)
        for step in sorted(order.undo & _AT_ROLES):
            begin_step(unit, order, step)
        return order

    def charged(self, unit: UnitOfWork, order: Order, outcome: Captured | Declined) -> None:
        """A charge has an outcome after its order was cancelled: what was taken goes back."""
        if isinstance(outcome, Captured):
            order = domain.charged_too_late(order, outcome.reference)
            save(unit, self._refund_rest(unit, order))
        else:
            step_done(unit, order, "charge")

    def refunded(self, unit: UnitOfWork, identifier: str, amount: int, name: str) -> None:
        """The acquirer has refunded an amount."""
        order = store.order(unit.connection, identifier)
        postings.card_refund(unit, order, amount, name)
        save(unit, domain.money_back(order, amount, unit.now))

    def released(self, unit: UnitOfWork, answer: Answer[OrderOnly]) -> None:
        """The catalog has released an order's goods, or refused to."""
        if answer.request.lines is None:  # else the rest of its order goes on
            _answered(unit, answer, "release")

    def withdrawn(self, unit: UnitOfWork, answer: Answer[OrderOnly]) -> None:
        """The warehouse has put an order's goods back, or refused to."""
        _answered(unit, answer, "withdraw")

    def _refund_rest(self, unit: UnitOfWork, order: Order) -> Order:
        """Begin to refund all that is not being refunded yet."""
        return self._refund(unit, order, order.money().amount - order.refunding)

    def _refund(self, unit: UnitOfWork, order: Order, amount: int) -> Order:
        """Begin to refund an amount; returns the order, which is to be saved."""
        name = domain.refund_name(order.id, order.refunding)
        return give_back(self._methods, unit, domain.begin_refund(order, amount), amount, name)


def begin_step(unit: UnitOfWork, order: Order, step: Undo) -> None:
    """Have another role do a step back."""
    if step == "release":
        unit.send(RELEASE, "catalog", Release(order=order.id))
    else:
        assert step == "withdraw", f"no role can {step}"
        unit.send(WITHDRAW, "warehouse", OrderOnly(order=order.id))


def step_done(unit: UnitOfWork, order: Order, step: Undo) -> None:
    """A step back is done: save the order, and begin the step that follows."""
    order, following = domain.undone(order, step, unit.now)
    save(unit, order)
    if following is not None:
        begin_step(unit, order, following)


def _answered(unit: UnitOfWork, answer: Answer[OrderOnly], step: Undo) -> None:
    """Another role has done a step back; one that it refused waits for a person."""
    order = store.order(unit.connection, answer.request.order)
    if answer.data is not None:
        step_done(unit, order, step)
    elif answer.problem is not None and step in order.undo:
        unresolved.step_refused(unit, order, step, answer.callee, answer.problem.detail)
