"""A person resolves what was refused for good: by hand, or by having it tried again."""

from bus.contract.refusals import WrongState
from bus.contract.settlement import Resolve, Resolved
from bus.contract.values import Money
from bus.runtime.requests import Request
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import domain, postings, refusals, store
from nodes.settlement.order import Order, Undo
from nodes.settlement.orders import save
from nodes.settlement.payments import Methods, give_back
from nodes.settlement.refusals import Unresolved, UnresolvedRefund, UnresolvedStep
from nodes.settlement.undoing import begin_step


class Resolving:
    """Ends refusals as a person decides.

    Args:
        methods: the payment methods.
    """

    def __init__(self, methods: Methods) -> None:
        self._methods = methods

    def resolve(self, unit: UnitOfWork, request: Request[Resolve]) -> Resolved:
        """A person has done it by hand, or wants it to be tried again."""
        data = request.data
        order = store.order(unit.connection, data.order)
        chosen = [
            each
            for each in refusals.of_order(unit.connection, order)
            if data.refund in (None, each.name)
        ]
        if not chosen:
            raise WrongState(
                f"Order {order.id} is {order.state}, and nothing of it waits for a person.",
                state=order.state,
            )
        begin: list[Undo] = []
        for each in chosen:
            refusals.resolve(
                unit.connection, each, data.how,
                caller=request.caller, reason=data.reason, now=unit.now,
            )  # fmt: skip
            if data.how == "retry":
                order, step = self._again(unit, order, each)
            else:
                order, step = _by_hand(unit, order, each)
            begin += [step] if step is not None else []
        save(unit, order)
        for step in begin:
            begin_step(unit, order, step)
        unit.alarm()
        amount = sum(each.amount for each in chosen if isinstance(each, UnresolvedRefund))
        return Resolved(
            order=order.id,
            state=order.state,
            amount=Money(amount=amount, currency=order.expected.currency),
            refunds=[each.name for each in chosen],
        )

    def _again(
        self, unit: UnitOfWork, order: Order, refused: Unresolved
    ) -> tuple[Order, Undo | None]:
        """Try it again; returns the order, and the step that another role is to do, if any."""
        if isinstance(refused, UnresolvedStep):
            return order, refused.step
        assert isinstance(refused, UnresolvedRefund)
        return give_back(self._methods, unit, order, refused.amount, refused.name), None


def _by_hand(unit: UnitOfWork, order: Order, refused: Unresolved) -> tuple[Order, Undo | None]:
    """It was done by hand; returns the order, and the step that can begin now, if any."""
    if isinstance(refused, UnresolvedStep):
        return domain.undone(order, refused.step, unit.now)
    assert isinstance(refused, UnresolvedRefund)
    postings.refund_by_hand(unit, order, refused.amount, refused.name)
    return domain.money_back(order, refused.amount, unit.now), None
