"""The calls to the acquirer; one whose outcome is unknown is repeated with the same key."""

from collections.abc import Callable
from typing import Any

from bus.contract.errors import Internal, StorebusError
from bus.contract.values import Model, Money, Reference
from bus.runtime.role import Adapter, Timer
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import domain
from nodes.settlement.acquirer.client import Acquirer
from nodes.settlement.acquirer.outcomes import (
    Captured,
    Declined,
    Misconfigured,
    Refunded,
    RefusedRefund,
)

_PROVIDER = "payment provider"


class OutcomeUnknownError(StorebusError):
    """The provider may or may not have done it: call again with the same key."""


class ChargeCard(Model):
    """The data of a call that charges a card, and of the timer to repeat it."""

    order: Reference
    token: Reference
    total: Money


class RefundCard(Model):
    """The data of a call that refunds a charge, and of the timer to repeat it."""

    order: Reference
    charge: Reference
    total: Money
    name: Reference | None = None
    """The refund's; None in calls that an older Storebus stored."""

    @property
    def key(self) -> str:
        """Its idempotency key, and the name of the transfer."""
        return self.name or domain.refund_name(self.order, 0)


class CardCalls:
    """The acquirer's adapters, and the timers after which it is called again.

    Args:
        provider: the acquirer's client, or None where the store takes no cards.
        charged: told an order whose charge has an outcome, and the outcome.
        refunded: told the order, amount and name of a refund that is done.
        refused: told a refund that the provider refused for good, and why.
        let_in: told why the provider does not let the store in, or None when it does.
        again: milliseconds after which a provider that does not is called again.
    """

    def __init__(
        self,
        provider: Acquirer | None,
        charged: Callable[[UnitOfWork, str, Captured | Declined], None],
        refunded: Callable[[UnitOfWork, str, int, str], None],
        refused: Callable[[UnitOfWork, RefundCard, str], None],
        let_in: Callable[[UnitOfWork, str | None], None],
        again: int,
    ) -> None:
        self._provider = provider
        self._charged = charged
        self._refunded = refunded
        self._refused = refused
        self._let_in = let_in
        self._again = again
        self.adapters: tuple[Adapter[Any], ...] = (
            Adapter("acquirer", ChargeCard, self._capture, self._captured, _PROVIDER),
            Adapter("refund", RefundCard, self._give_back, self._given_back, _PROVIDER),
        )
        self.timers: tuple[Timer[Any], ...] = (
            Timer("acquirer-again", ChargeCard, ask_to_charge),
            Timer("refund-again", RefundCard, ask_to_refund),
        )

    async def _capture(self, key: str, call: ChargeCard) -> Captured | Declined | Misconfigured:
        assert self._provider is not None
        outcome = await self._provider.capture(
            key, call.token, call.total.amount, call.total.currency
        )
        if isinstance(outcome, Captured | Declined | Misconfigured):
            return outcome
        raise OutcomeUnknownError(f"the outcome of {key} is not known: {outcome.detail}")

    def _captured(
        self, unit: UnitOfWork, call: ChargeCard, outcome: Captured | Declined | Misconfigured
    ) -> None:
        if isinstance(outcome, Misconfigured):
            self._ask_later(unit, "acquirer-again", call, outcome)
            return
        self._let_in(unit, None)
        self._charged(unit, call.order, outcome)

    async def _give_back(
        self, key: str, call: RefundCard
    ) -> Refunded | RefusedRefund | Misconfigured:
        assert self._provider is not None
        try:
            outcome = await self._provider.refund(key, call.charge, call.total.amount)
        except Internal as error:  # it will say so for ever: a person has to look
            return RefusedRefund(str(error))
        if isinstance(outcome, Refunded | RefusedRefund | Misconfigured):
            return outcome
        raise OutcomeUnknownError(f"the refund {key} is not done yet: {outcome.detail}")

    def _given_back(
        self, unit: UnitOfWork, call: RefundCard, outcome: Refunded | RefusedRefund | Misconfigured
    ) -> None:
        if isinstance(outcome, Misconfigured):
            self._ask_later(unit, "refund-again", call, outcome)
            return
        self._let_in(unit, None)
        if isinstance(outcome, RefusedRefund):
            self._refused(unit, call, outcome.reason)
        else:
            self._refunded(unit, call.order, call.total.amount, call.key)

    def _ask_later(
        self, unit: UnitOfWork, timer: str, call: ChargeCard | RefundCard, why: Misconfigured
    ) -> None:
        self._let_in(unit, why.reason)
        unit.after(self._again, timer, call)


def ask_to_charge(unit: UnitOfWork, call: ChargeCard) -> None:
    """Have the acquirer charge a card after the commit."""
    unit.call("acquirer", call, key=domain.charge_key(call.order))


def ask_to_refund(unit: UnitOfWork, call: RefundCard) -> None:
    """Have the acquirer give money back after the commit."""
    unit.call("refund", call, key=call.key)
