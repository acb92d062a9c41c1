"""The double-entry ledger's SQL: accounts, transfers, postings that sum to zero.

Accounts: `customer:C-1001` (prepaid) and, per currency, `sales:EUR`, `acquirer:EUR` (card money)
and `cash:EUR` (money paid in).
"""

import sqlite3
from typing import Literal

from bus.contract.errors import Conflict
from bus.contract.settlement import Renamed, StatementEntry
from bus.contract.timestamp import rfc3339
from nodes.settlement.account import Account

SALES = "sales"
ACQUIRER = "acquirer"
CASH = "cash"


def customer(account: str) -> str:
    """The ledger's name of a customer's account."""
    return f"customer:{account}"


def own(account: str, currency: str) -> str:
    """The ledger's name of one of the store's own accounts."""
    return f"{account}:{currency}"


def balance(connection: sqlite3.Connection, account: str) -> tuple[int, str] | None:
    """What an account holds and its currency, or None if there is no such account."""
    row = connection.execute(
        "SELECT balance, currency FROM account WHERE id = ?", (account,)
    ).fetchone()
    return None if row is None else (row["balance"], row["currency"])


def open_account(connection: sqlite3.Connection, account: str, name: str, currency: str) -> None:
    """Open an account if there is none.

    Raises:
        Conflict: there is one of another currency.
    """
    connection.execute(
        "INSERT INTO account (id, name, currency) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (account, name, currency),
    )
    found = balance(connection, account)
    assert found is not None
    if found[1] != currency:
        raise Conflict(f"The account is kept in {found[1]}.", currency=found[1])


def account(connection: sqlite3.Connection, number: str) -> Account | None:
    """A customer's account, or None if there is none of this number."""
    row = connection.execute(
        "SELECT name, currency, balance FROM account WHERE id = ?", (customer(number),)
    ).fetchone()
    return None if row is None else Account(number, *row)


def rename(
    connection: sqlite3.Connection, account: str, name: str, *, caller: str, reason: str, now: int
) -> None:
    """Rename an account, and record who did it and why."""
    connection.execute(
        "INSERT INTO renaming (account, name, at, caller, reason)"
        " SELECT id, name, ?, ?, ? FROM account WHERE id = ?",
        (now, caller, reason, account),
    )
    connection.execute("UPDATE account SET name = ? WHERE id = ?", (name, account))


def renamed(connection: sqlite3.Connection, account: str, limit: int) -> list[Renamed]:
    """The names that an account had before, newest first."""
    rows = connection.execute(
        "SELECT * FROM renaming WHERE account = ? ORDER BY id DESC LIMIT ?", (account, limit)
    )
    return [
        Renamed(at=rfc3339(row["at"]), name=row["name"], by=row["caller"], reason=row["reason"])
        for row in rows
    ]


def transfer(
    connection: sqlite3.Connection,
    identifier: str,
    *,
    source: str,
    target: str,
    amount: int,
    now: int,
    order: str | None = None,
) -> None:
    """Transfer an amount of minor units between two open accounts.

    `identifier` makes it happen once: a second transfer of the same name is an integrity error.
    """
    connection.execute("INSERT INTO transfer VALUES (?, ?, ?)", (identifier, now, order))
    for account, change in ((source, -amount), (target, amount)):
        connection.execute("INSERT INTO posting VALUES (?, ?, ?)", (identifier, account, change))
        connection.execute(
            "UPDATE account SET balance = balance + ? WHERE id = ?", (change, account)
        )


def note_deposit(
    connection: sqlite3.Connection, identifier: str, caller: str, delivery: str | None
) -> None:
    """Record who made a deposit, and with which delivery."""
    connection.execute("INSERT INTO deposit VALUES (?, ?, ?)", (identifier, caller, delivery))


def note_adjustment(
    connection: sqlite3.Connection, identifier: str, caller: str, reason: str
) -> None:
    """Record who made an adjustment, and why."""
    connection.execute("INSERT INTO adjustment VALUES (?, ?, ?)", (identifier, caller, reason))


def statement(connection: sqlite3.Connection, account: str, limit: int) -> list[StatementEntry]:
    """The entries of an account's statement, newest first."""
    rows = connection.execute(
        "SELECT at, amount, order_id, deposit.caller AS paid_in_by, delivery,"
        " adjustment.caller AS adjusted_by, reason FROM posting"
        " JOIN transfer ON transfer.id = posting.transfer"
        " LEFT JOIN deposit ON deposit.transfer = posting.transfer"
        " LEFT JOIN adjustment ON adjustment.transfer = posting.transfer"
        " WHERE account = ? ORDER BY at DESC, transfer.id DESC LIMIT ?",
        (account, limit),
    )
    return [
        StatementEntry(
            at=rfc3339(row["at"]),
            kind=_kind(row),
            amount=row["amount"],
            order=row["order_id"],
            by=row["adjusted_by"] or row["paid_in_by"],
            reason=row["reason"],
            delivery=row["delivery"],
        )
        for row in rows
    ]


def _kind(row: sqlite3.Row) -> Literal["deposit", "charge", "refund", "adjustment"]:
    if row["adjusted_by"] is not None:
        return "adjustment"
    if row["order_id"] is None:
        return "deposit"
    return "charge" if row["amount"] < 0 else "refund"
