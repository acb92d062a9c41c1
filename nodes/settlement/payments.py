"""Payment methods behind one interface: charge an order, now or later."""

import sqlite3
from collections.abc import Callable
from typing import Protocol

from bus.contract.values import Model, Money, Reference
from bus.errors import InvalidField, StorebusError
from bus.role import Adapter
from bus.turn import Turn
from nodes.settlement import ledger
from nodes.settlement.acquirer.client import Acquirer
from nodes.settlement.acquirer.outcomes import Captured, Declined
from nodes.settlement.domain import Order


class OutcomeUnknownError(StorebusError):
    """The provider may or may not have captured: ask again with the same key."""


class PaymentMethod(Protocol):
    """One way to pay."""

    def check(self, connection: sqlite3.Connection) -> None:
        """Refuse a purchase that names this method where the store cannot take it at all.

        Raises:
            Problem: why.
        """

    def charge(self, turn: Turn, order: Order) -> Captured | Declined | None:
        """Charge an order in this turn; None when the outcome comes in a later one."""


class AccountMethod:
    """Customers' prepaid accounts: a transfer in settlement's own ledger."""

    def check(self, connection: sqlite3.Connection) -> None:
        """Always there."""

    def charge(self, turn: Turn, order: Order) -> Captured | Declined:
        """Move the total to sales if the account holds it."""
        account = ledger.customer(order.payment["account"])
        total = order.money()
        found = ledger.balance(turn.connection, account)
        if found is None:
            return Declined("There is no such account.")
        if found[1] != total.currency:
            return Declined(f"The account is kept in {found[1]}.")
        if found[0] < total.amount:
            return Declined("The account does not hold enough.")
        return Captured(record_sale(turn, order, account))


class ChargeCard(Model):
    """A call to the acquirer."""

    order: Reference
    token: Reference
    total: Money


class CardMethod:
    """Cards: an opaque token goes to the acquirer, whose unknown outcomes are asked for again.

    Args:
        provider: the acquirer's client, or None where the store takes no cards.
        charged: told the outcome in the turn that records it.
    """

    def __init__(
        self,
        provider: Acquirer | None,
        charged: Callable[[Turn, str, Captured | Declined], None],
    ) -> None:
        self._provider = provider
        self._charged = charged
        self.adapter: Adapter[ChargeCard] = Adapter(
            "acquirer", ChargeCard, self._capture, self._captured
        )

    def check(self, connection: sqlite3.Connection) -> None:  # noqa: ARG002 - the interface
        """Only where an acquirer is set."""
        if self._provider is None:
            raise InvalidField("This store takes no cards.", field="payment.method")

    def charge(self, turn: Turn, order: Order) -> None:
        """Ask the acquirer after the commit; the key is fixed before the first try."""
        call = ChargeCard(order=order.id, token=order.payment["token"], total=order.money())
        turn.call("acquirer", call, key=f"{order.id}.charge")

    async def _capture(self, key: str, call: ChargeCard) -> Captured | Declined:
        assert self._provider is not None
        outcome = await self._provider.capture(
            key, call.token, call.total.amount, call.total.currency
        )
        if isinstance(outcome, Captured | Declined):
            return outcome
        raise OutcomeUnknownError(f"the acquirer's answer for {key} is not known")

    def _captured(self, turn: Turn, call: ChargeCard, outcome: Captured | Declined) -> None:
        self._charged(turn, call.order, outcome)


def record_sale(turn: Turn, order: Order, source: str) -> str:
    """Post a sale to the ledger; returns the transfer's name, the payment reference."""
    total = order.money()
    sales = ledger.own(ledger.SALES, total.currency)
    ledger.open_account(turn.connection, sales, "Sales", total.currency)
    name = f"{order.id}.charge"
    ledger.transfer(
        turn.connection,
        name,
        source=source,
        target=sales,
        amount=total.amount,
        now=turn.now,
        order=order.id,
    )
    return name


def record_card_sale(turn: Turn, order: Order) -> None:
    """Post a sale by card: the acquirer owes us the money."""
    currency = order.expected.currency
    acquirer = ledger.own(ledger.ACQUIRER, currency)
    ledger.open_account(turn.connection, acquirer, "Acquirer", currency)
    record_sale(turn, order, acquirer)
