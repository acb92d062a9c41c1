"""Customers' accounts: deposits, adjustments, other names, and statements."""

import sqlite3

from bus.contract.refusals import UnknownAccount
from bus.contract.settlement import (
    AccountName,
    AdjustAccount,
    Balance,
    Deposit,
    RenameAccount,
    Statement,
    StatementQuery,
)
from bus.runtime.deliveries import brought_before, note
from bus.runtime.requests import Request
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import ledger
from nodes.settlement.account import Account, refuse_other_name


def deposit(unit: UnitOfWork, request: Request[Deposit]) -> Balance:
    """Pay money in; the money of one delivery counts once."""
    data = request.data
    amount, currency = data.amount.amount, data.amount.currency
    known = ledger.account(unit.connection, data.account)
    already = None
    if data.delivery is not None:
        already = brought_before(unit.connection, data.delivery, data.account, amount)
    if already is None:
        refuse_other_name(data.account, data.name, known.name if known else None)
    account = known or Account(data.account, data.name or "", currency)
    account.refuse_other_currency(currency)
    if already is not None:
        return account.shown().model_copy(update={"already": already})
    account = account.moved(amount)
    if known is None:
        name = ledger.customer(account.number)
        ledger.open_account(unit.connection, name, account.name, currency)
    if amount:
        identifier = f"deposit.{request.caller}.{request.id}"
        _pay_in(unit, identifier, account, amount)
        delivery = data.delivery.name if data.delivery else None
        ledger.note_deposit(unit.connection, identifier, request.caller, delivery)
    if data.delivery is not None:
        note(unit.connection, data.delivery, data.account, amount, now=unit.now)
    return account.shown()


def adjust(unit: UnitOfWork, request: Request[AdjustAccount]) -> Balance:
    """Correct a mistake in an account."""
    data = request.data
    account = _account(unit.connection, data.account).adjusted(data.change, data.currency)
    identifier = f"adjust.{request.caller}.{request.id}"
    _pay_in(unit, identifier, account, data.change)
    ledger.note_adjustment(unit.connection, identifier, request.caller, data.reason)
    return account.shown()


def rename(unit: UnitOfWork, request: Request[RenameAccount]) -> AccountName:
    """Rename a customer's account."""
    data = request.data
    account = _account(unit.connection, data.account)
    ledger.rename(
        unit.connection,
        ledger.customer(account.number),
        data.name,
        caller=request.caller,
        reason=data.reason,
        now=unit.now,
    )
    return AccountName(account=data.account, name=data.name)


def statement(connection: sqlite3.Connection, request: Request[StatementQuery]) -> Statement:
    """What an account holds, and how it came to that."""
    data = request.data
    account = _account(connection, data.account)
    name = ledger.customer(account.number)
    return Statement(
        **dict(account.shown()),
        name=account.name,
        entries=ledger.statement(connection, name, data.limit),
        renamed=ledger.renamed(connection, name, data.limit),
    )


def _pay_in(unit: UnitOfWork, identifier: str, account: Account, amount: int) -> None:
    """Transfer cash to a customer's account or, if the amount is negative, from it."""
    cash = ledger.own(ledger.CASH, account.currency)
    ledger.open_account(unit.connection, cash, "Cash", account.currency)
    customer = ledger.customer(account.number)
    source, target = (cash, customer) if amount > 0 else (customer, cash)
    ledger.transfer(
        unit.connection, identifier, source=source, target=target, amount=abs(amount), now=unit.now
    )


def _account(connection: sqlite3.Connection, number: str) -> Account:
    """A customer's account; raises `UnknownAccount` if there is none."""
    found = ledger.account(connection, number)
    if found is None:
        raise UnknownAccount(f"There is no account {number}.")
    return found
