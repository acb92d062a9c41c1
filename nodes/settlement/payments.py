"""Payment methods behind one interface: charge an order, now or later."""

import sqlite3
from collections.abc import Callable
from typing import Any, Protocol

from bus.contract.errors import Internal, InvalidField, StorebusError
from bus.contract.values import Model, Money, Reference
from bus.runtime.role import Adapter, Timer
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import ledger, store
from nodes.settlement.acquirer.client import Acquirer
from nodes.settlement.acquirer.outcomes import (
    Captured,
    Declined,
    Misconfigured,
    Refunded,
    RefusedRefund,
)
from nodes.settlement.domain import Order

_PROVIDER = "payment provider"


class OutcomeUnknownError(StorebusError):
    """The provider may or may not have captured: ask again with the same key."""


class PaymentMethod(Protocol):
    """One way to pay."""

    def check(self, connection: sqlite3.Connection) -> None:
        """Refuse a purchase that names this method where the store cannot take it at all.

        Raises:
            Problem: why.
        """

    def charge(self, unit: UnitOfWork, order: Order) -> Captured | Declined | None:
        """Charge an order in this unit of work; None when the outcome comes in a later one."""

    def refund(self, unit: UnitOfWork, order: Order, amount: int, name: str) -> bool:
        """Give an amount back under a name that no other refund has.

        False when that is done in a later one.
        """


class AccountMethod:
    """Customers' prepaid accounts: a transfer in settlement's own ledger."""

    def check(self, connection: sqlite3.Connection) -> None:
        """Always there."""

    def charge(self, unit: UnitOfWork, order: Order) -> Captured | Declined:
        """Move the total to sales if the account holds it."""
        account = ledger.customer(order.payment["account"])
        total = order.money()
        found = ledger.balance(unit.connection, account)
        if found is None:
            return Declined("There is no such account.")
        if found[1] != total.currency:
            return Declined(f"The account is kept in {found[1]}.")
        if found[0] < total.amount:
            return Declined("The account does not hold enough.")
        return Captured(record_sale(unit, order, account))

    def refund(self, unit: UnitOfWork, order: Order, amount: int, name: str) -> bool:
        """Move an amount from sales back to the account."""
        _record_refund(unit, order, ledger.customer(order.payment["account"]), amount, name)
        return True


class ChargeCard(Model):
    """A call to the acquirer."""

    order: Reference
    token: Reference
    total: Money


class RefundCard(Model):
    """A call to the acquirer."""

    order: Reference
    charge: Reference
    total: Money
    name: Reference | None = None
    """Of the transfer that is posted when it is done; None in calls of an older Storebus."""


class CardMethod:
    """Cards: an opaque token goes to the acquirer, whose unknown outcomes are asked for again.

    Args:
        provider: the acquirer's client, or None where the store takes no cards.
        charged: told the outcome in the unit of work that records it.
        refunded: told that so much of an order's money went back, in the same way.
        refused: told of a refund that the provider refused: order, amount, name and why.
        let_in: told why the provider does not let us in, or None when it does.
        again: milliseconds after which a provider that does not is asked again.
    """

    def __init__(
        self,
        provider: Acquirer | None,
        charged: Callable[[UnitOfWork, str, Captured | Declined], None],
        refunded: Callable[[UnitOfWork, str, int], None],
        refused: Callable[[UnitOfWork, str, int, str, str], None],
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
            Timer("acquirer-again", ChargeCard, _ask_to_charge),
            Timer("refund-again", RefundCard, _ask_to_refund),
        )

    def check(self, connection: sqlite3.Connection) -> None:  # noqa: ARG002 - the interface
        """Only where an acquirer is set."""
        if self._provider is None:
            raise InvalidField("This store takes no cards.", field="payment.method")

    def charge(self, unit: UnitOfWork, order: Order) -> None:
        """Ask the acquirer after the commit; the key is fixed before the first try."""
        _ask_to_charge(
            unit, ChargeCard(order=order.id, token=order.payment["token"], total=order.money())
        )

    def refund(self, unit: UnitOfWork, order: Order, amount: int, name: str) -> bool:
        """Ask the acquirer after the commit; the name is its key."""
        total = Money(amount=amount, currency=order.expected.currency)
        _ask_to_refund(
            unit, RefundCard(order=order.id, charge=charge_key(order.id), total=total, name=name)
        )
        return False

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
            self._let_in(unit, outcome.reason)
            unit.after(self._again, "refund-again", call)
            return
        self._let_in(unit, None)
        order, amount = store.order(unit.connection, call.order), call.total.amount
        if isinstance(outcome, RefusedRefund):
            self._refused(unit, order.id, amount, _name(call), outcome.reason)
            return
        acquirer = ledger.own(ledger.ACQUIRER, order.expected.currency)
        _record_refund(unit, order, acquirer, amount, _name(call))  # it owes us less
        self._refunded(unit, call.order, amount)

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
            self._let_in(unit, outcome.reason)
            unit.after(self._again, "acquirer-again", call)
            return
        self._let_in(unit, None)
        self._charged(unit, call.order, outcome)


def _ask_to_charge(unit: UnitOfWork, call: ChargeCard) -> None:
    unit.call("acquirer", call, key=charge_key(call.order))


def _ask_to_refund(unit: UnitOfWork, call: RefundCard) -> None:
    unit.call("refund", call, key=_name(call))


def _name(call: RefundCard) -> str:
    return call.name or refund_name(call.order, 0)


def charge_key(order: str) -> str:
    """The idempotency key of an order's charge, and the name of its transfer."""
    return f"{order}.charge"


def refund_name(order: str, begun: int) -> str:
    """The idempotency key of a refund, and the name of its transfer.

    Args:
        order: whose money goes back.
        begun: the minor units of it whose refund was begun before.
    """
    return f"{order}.refund.{begun}"


def _record_refund(unit: UnitOfWork, order: Order, target: str, amount: int, name: str) -> None:
    """Post a refund to the ledger."""
    ledger.transfer(
        unit.connection,
        name,
        source=ledger.own(ledger.SALES, order.expected.currency),
        target=target,
        amount=amount,
        now=unit.now,
        order=order.id,
    )


def record_refund_by_hand(unit: UnitOfWork, order: Order, amount: int, name: str) -> None:
    """Post a refund that was paid in cash, or by a transfer past the payment provider."""
    cash = ledger.own(ledger.CASH, order.expected.currency)
    ledger.open_account(unit.connection, cash, "Cash", order.expected.currency)
    _record_refund(unit, order, cash, amount, name)


def record_sale(unit: UnitOfWork, order: Order, source: str) -> str:
    """Post a sale to the ledger; returns the transfer's name, the payment reference."""
    total = order.money()
    sales = ledger.own(ledger.SALES, total.currency)
    ledger.open_account(unit.connection, sales, "Sales", total.currency)
    name = charge_key(order.id)
    ledger.transfer(
        unit.connection,
        name,
        source=source,
        target=sales,
        amount=total.amount,
        now=unit.now,
        order=order.id,
    )
    return name


def record_card_sale(unit: UnitOfWork, order: Order) -> None:
    """Post a sale by card: the acquirer owes us the money."""
    currency = order.expected.currency
    acquirer = ledger.own(ledger.ACQUIRER, currency)
    ledger.open_account(unit.connection, acquirer, "Acquirer", currency)
    record_sale(unit, order, acquirer)
