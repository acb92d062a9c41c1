"""Customers' accounts: what is paid in, what is put right, and what happened to them."""

import sqlite3

from bus.contract.errors import Conflict, InvalidField
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
from nodes.settlement.names import refuse_other_name


def deposit(unit: UnitOfWork, request: Request[Deposit]) -> Balance:
    """Money is paid in; a delivery's counts once."""
    data = request.data
    account, currency = ledger.customer(data.account), data.amount.currency
    already = None
    if data.delivery is not None:
        already = brought_before(unit.connection, data.delivery, data.account, data.amount.amount)
    if already is None:
        refuse_other_name(data.account, data.name, ledger.name_of(unit.connection, account))
    ledger.open_account(unit.connection, account, data.name or "", currency)
    if already is None:
        ledger.refuse_beyond_measure(unit.connection, account, data.amount.amount)
    if data.amount.amount and already is None:
        identifier = f"deposit.{request.caller}.{request.id}"
        _pay_in(unit, identifier, data.account, data.amount.amount, currency)
        delivery = data.delivery.name if data.delivery else None
        ledger.note_deposit(unit.connection, identifier, request.caller, delivery)
    if data.delivery is not None and already is None:
        note(unit.connection, data.delivery, data.account, data.amount.amount, now=unit.now)
    return _balance(unit.connection, data.account).model_copy(update={"already": already})


def adjust(unit: UnitOfWork, request: Request[AdjustAccount]) -> Balance:
    """Somebody puts a mistake right."""
    data = request.data
    before = _balance(unit.connection, data.account)
    if before.currency != data.currency:
        raise Conflict(f"The account is kept in {before.currency}.", currency=before.currency)
    if data.change == 0 or before.balance + data.change < 0:
        raise InvalidField(
            f"{data.account} holds {before.balance} in minor units of {before.currency}:"
            " as much can be taken out, and the change is not 0.",
            field="change",
        )
    ledger.refuse_beyond_measure(unit.connection, ledger.customer(data.account), data.change)
    identifier = f"adjust.{request.caller}.{request.id}"
    _pay_in(unit, identifier, data.account, data.change, data.currency)
    ledger.note_adjustment(unit.connection, identifier, request.caller, data.reason)
    return _balance(unit.connection, data.account)


def rename(unit: UnitOfWork, request: Request[RenameAccount]) -> AccountName:
    """A customer has another name."""
    data = request.data
    _balance(unit.connection, data.account)
    ledger.rename(
        unit.connection,
        ledger.customer(data.account),
        data.name,
        caller=request.caller,
        reason=data.reason,
        now=unit.now,
    )
    return AccountName(account=data.account, name=data.name)


def statement(connection: sqlite3.Connection, request: Request[StatementQuery]) -> Statement:
    """What an account holds, and how it came to that."""
    data = request.data
    held = _balance(connection, data.account)
    account = ledger.customer(data.account)
    return Statement(
        **dict(held),
        name=ledger.name_of(connection, account) or "",
        entries=ledger.statement(connection, account, data.limit),
        renamed=ledger.renamed(connection, account, data.limit),
    )


def _pay_in(unit: UnitOfWork, identifier: str, account: str, amount: int, currency: str) -> None:
    """Cash becomes a customer's money; less than nothing is paid out."""
    cash, customer = ledger.own(ledger.CASH, currency), ledger.customer(account)
    ledger.open_account(unit.connection, cash, "Cash", currency)
    source, target = (cash, customer) if amount > 0 else (customer, cash)
    ledger.transfer(
        unit.connection, identifier, source=source, target=target, amount=abs(amount), now=unit.now
    )


def _balance(connection: sqlite3.Connection, account: str) -> Balance:
    found = ledger.balance(connection, ledger.customer(account))
    if found is None:
        raise UnknownAccount(f"There is no account {account}.")
    return Balance(account=account, balance=found[0], currency=found[1])
