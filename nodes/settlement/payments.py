"""Payment methods behind one interface: they charge orders and refund them, now or later."""

import sqlite3
from collections.abc import Mapping
from typing import Protocol

from bus.contract.errors import InvalidField
from bus.contract.values import Money
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import card_calls, domain, ledger, postings
from nodes.settlement.acquirer.outcomes import Captured, Declined
from nodes.settlement.card_calls import ChargeCard, RefundCard
from nodes.settlement.order import Order


class PaymentMethod(Protocol):
    """One way to pay."""

    def check(self, connection: sqlite3.Connection) -> None:
        """Refuse a purchase that names this method where the store cannot take it at all.

        Raises:
            Problem: why.
        """

    def charge(self, unit: UnitOfWork, order: Order) -> Captured | Declined | None:
        """Charge an order in this unit of work; None if the outcome comes in a later one."""

    def refund(self, unit: UnitOfWork, order: Order, amount: int, name: str) -> bool:
        """Refund an amount under a name that no other refund has.

        Returns:
            Whether it is done; if not, a later unit of work is told that it is.
        """


Methods = Mapping[str, PaymentMethod]
"""The payment methods by the names that purchases use."""


class AccountMethod:
    """Customers' prepaid accounts: a transfer in settlement's own ledger."""

    def check(self, connection: sqlite3.Connection) -> None:
        """Always there."""

    def charge(self, unit: UnitOfWork, order: Order) -> Captured | Declined:
        """Move the total to sales if the account holds it."""
        account = ledger.customer(order.payment["account"])
        held = ledger.balance(unit.connection, account)
        declined = domain.account_declines(held, order.money())
        if declined is not None:
            return Declined(declined)
        return Captured(postings.sale(unit, order, account))

    def refund(self, unit: UnitOfWork, order: Order, amount: int, name: str) -> bool:
        """Move an amount from sales back to the account."""
        postings.refund(unit, order, ledger.customer(order.payment["account"]), amount, name)
        return True


class CardMethod:
    """Cards: an opaque token goes to the acquirer after the commit; see `card_calls`.

    Args:
        taken: whether the store takes cards.
    """

    def __init__(self, *, taken: bool) -> None:
        self._taken = taken

    def check(self, connection: sqlite3.Connection) -> None:  # noqa: ARG002 - the interface
        """Only where an acquirer is set."""
        if not self._taken:
            raise InvalidField("This store takes no cards.", field="payment.method")

    def charge(self, unit: UnitOfWork, order: Order) -> None:
        """Ask the acquirer; the key is fixed before the first try."""
        call = ChargeCard(order=order.id, token=order.payment["token"], total=order.money())
        card_calls.ask_to_charge(unit, call)

    def refund(self, unit: UnitOfWork, order: Order, amount: int, name: str) -> bool:
        """Ask the acquirer; the name is its key."""
        total = Money(amount=amount, currency=order.expected.currency)
        charge = domain.charge_key(order.id)
        card_calls.ask_to_refund(
            unit, RefundCard(order=order.id, charge=charge, total=total, name=name)
        )
        return False


def give_back(methods: Methods, unit: UnitOfWork, order: Order, amount: int, name: str) -> Order:
    """Refund an amount by its payment method; returns the order, which is to be saved."""
    done = methods[order.payment["method"]].refund(unit, order, amount, name)
    return domain.money_back(order, amount, unit.now) if done else order
