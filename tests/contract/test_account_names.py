"""Money goes to whom it is meant for: the name beside an account's number must fit."""

import sqlite3
from contextlib import closing

import pytest
from running_store import Store

from bus.contract.delivery import Delivery
from bus.contract.errors import Problem
from bus.contract.settlement import (
    DEPOSIT,
    RENAME,
    STATEMENT,
    Deposit,
    RenameAccount,
    Statement,
    StatementQuery,
)
from bus.contract.values import Money


def _deposit(account: str, name: str | None, delivery: str | None = None) -> Deposit:
    came = None if delivery is None else Delivery(name=delivery)
    money = Money(amount=700, currency="EUR")
    return Deposit(account=account, name=name, amount=money, delivery=came)


async def _statement(store: Store, account: str) -> Statement:
    query = StatementQuery(account=account)
    statement: Statement = await store.ask_as("tester-ann", STATEMENT, "settlement", query)
    return statement


async def test_money_for_another_name_is_refused_and_none_is_paid_in(store: Store) -> None:
    before = store.balance("customer:C-1002")
    for account, name, code, detail in (
        ("C-1002", "Somebody Else", "conflict", "C-1002 is Ann, not Somebody Else."),
        ("C-7001", None, "invalid-field", "C-7001 is new and has no name."),
    ):
        with pytest.raises(Problem) as refused:
            await store.ask(DEPOSIT, "settlement", _deposit(account, name))
        data = refused.value.to_data()
        assert (data.code, data.detail) == (code, detail)
    assert store.balance("customer:C-1002") == before
    with pytest.raises(Problem, match="There is no account C-7001"):
        await _statement(store, "C-7001")
    for fitting in ("Ann", " ann ", "\uff21nn", "", None):
        before += 700
        paid = await store.ask(DEPOSIT, "settlement", _deposit("C-1002", fitting))
        assert paid.balance == before


async def test_a_statement_says_who_paid_in_with_what_and_which_names_there_were(
    store: Store,
) -> None:
    deposit = _deposit("C-1002", "Ann", "monday.csv")
    await store.ask_as("tester-bob", DEPOSIT, "settlement", deposit)
    married = RenameAccount(account="C-1002", name="Ann Costa", reason="she has married")
    done = await store.ask_as("tester-bob", RENAME, "settlement", married)
    assert (done.account, done.name) == ("C-1002", "Ann Costa")
    with pytest.raises(Problem, match="C-1002 is Ann Costa, not Ann"):
        await store.ask(DEPOSIT, "settlement", _deposit("C-1002", "Ann"))
    # The delivery that came under the old name counts once, as ever.
    assert (await store.ask(DEPOSIT, "settlement", deposit)).already is not None
    unknown = RenameAccount(account="C-9", name="Eve", reason="a test")
    with pytest.raises(Problem, match="There is no account C-9"):
        await store.ask_as("tester-bob", RENAME, "settlement", unknown)
    told = await _statement(store, "C-1002")
    first = told.entries[0]
    assert (first.kind, first.by, first.delivery) == ("deposit", "tester-bob", "monday.csv")
    assert told.name == "Ann Costa"
    (renamed,) = told.renamed
    assert (renamed.name, renamed.by, renamed.reason) == ("Ann", "tester-bob", "she has married")


async def test_who_paid_in_is_known_of_what_an_older_version_wrote_down(store: Store) -> None:
    await store.ask_as("tester-bob", DEPOSIT, "settlement", _deposit("C-1002", None, "LS-1"))
    await store.ask_as("tester-eve", DEPOSIT, "settlement", _deposit("C-1002", None))
    new = (await _statement(store, "C-1002")).entries
    await store.stop("settlement")
    with closing(sqlite3.connect(store.deployment.data / "settlement.db")) as rows, rows:
        rows.execute("DROP TABLE deposit")
        rows.execute("DROP TABLE renaming")
        rows.execute("DELETE FROM migration WHERE name = '0010_names.sql'")
    await store.start("settlement")
    old = (await _statement(store, "C-1002")).entries
    assert old == new
    assert {(each.by, each.delivery) for each in old} >= {
        ("tester-bob", "LS-1"),
        ("tester-eve", None),
    }
