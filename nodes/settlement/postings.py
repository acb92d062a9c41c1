"""Posts sales and refunds of orders to the ledger."""

from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import ledger
from nodes.settlement.domain import charge_key
from nodes.settlement.order import Order


def sale(unit: UnitOfWork, order: Order, source: str) -> str:
    """Post a sale; returns the transfer's name, which is the payment reference."""
    total = order.money()
    sales = ledger.own(ledger.SALES, total.currency)
    ledger.open_account(unit.connection, sales, "Sales", total.currency)
    name = charge_key(order.id)
    _transfer(unit, order, source, sales, total.amount, name)
    return name


def card_sale(unit: UnitOfWork, order: Order) -> None:
    """Post a sale by card: the acquirer owes the store the money."""
    currency = order.expected.currency
    acquirer = ledger.own(ledger.ACQUIRER, currency)
    ledger.open_account(unit.connection, acquirer, "Acquirer", currency)
    sale(unit, order, acquirer)


def refund(unit: UnitOfWork, order: Order, target: str, amount: int, name: str) -> None:
    """Post a refund of so many minor units."""
    sales = ledger.own(ledger.SALES, order.expected.currency)
    _transfer(unit, order, sales, target, amount, name)


def card_refund(unit: UnitOfWork, order: Order, amount: int, name: str) -> None:
    """Post a refund to a card: the acquirer owes the store less."""
    acquirer = ledger.own(ledger.ACQUIRER, order.expected.currency)
    refund(unit, order, acquirer, amount, name)


def refund_by_hand(unit: UnitOfWork, order: Order, amount: int, name: str) -> None:
    """Post a refund that was paid in cash, or by a transfer past the payment provider."""
    cash = ledger.own(ledger.CASH, order.expected.currency)
    ledger.open_account(unit.connection, cash, "Cash", order.expected.currency)
    refund(unit, order, cash, amount, name)


def _transfer(
    unit: UnitOfWork, order: Order, source: str, target: str, amount: int, name: str
) -> None:
    ledger.transfer(
        unit.connection,
        name,
        source=source,
        target=target,
        amount=amount,
        now=unit.now,
        order=order.id,
    )
