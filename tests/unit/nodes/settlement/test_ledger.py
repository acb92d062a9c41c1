"""Money moves between accounts: none is made, none is lost, and nothing is paid twice."""

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit_rows import tables

from bus.contract.errors import Conflict
from nodes.settlement import ledger
from nodes.settlement.store import SCHEMA as SETTLEMENT

ADA = ledger.customer("C-1001")
BOB = ledger.customer("C-1002")
ACCOUNTS = [ADA, BOB, ledger.CASH, ledger.SALES, ledger.ACQUIRER]


@pytest.fixture
def rows() -> Iterator[sqlite3.Connection]:
    with tables(SETTLEMENT) as connection:
        _open(connection)
        yield connection


def _open(rows: sqlite3.Connection) -> None:
    for account in ACCOUNTS:
        ledger.open_account(rows, account, account, "EUR")


def _move(rows: sqlite3.Connection, name: str, source: str, target: str, amount: int) -> None:
    """A transfer in a transaction of its own, as the journal would carry it out."""
    rows.execute("BEGIN IMMEDIATE")
    try:
        ledger.transfer(rows, name, source=source, target=target, amount=amount, now=1)
    except sqlite3.Error:
        rows.execute("ROLLBACK")
        raise
    rows.execute("COMMIT")


def _balance(rows: sqlite3.Connection, account: str) -> int:
    found = ledger.balance(rows, account)
    assert found is not None
    return found[0]


def _sum(rows: sqlite3.Connection, query: str) -> int:
    return int(rows.execute(query).fetchone()[0] or 0)


def test_a_deposit_and_a_sale_move_money_from_cash_to_sales(rows: sqlite3.Connection) -> None:
    _move(rows, "deposit", ledger.CASH, ADA, 10_000)
    _move(rows, "o-1.charge", ADA, ledger.SALES, 5900)
    assert _balance(rows, ADA) == 4100
    assert _balance(rows, ledger.SALES) == 5900
    assert _balance(rows, ledger.CASH) == -10_000


def test_a_customer_never_goes_below_zero_and_nothing_of_the_try_stays(
    rows: sqlite3.Connection,
) -> None:
    _move(rows, "deposit", ledger.CASH, ADA, 100)
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        _move(rows, "o-1.charge", ADA, ledger.SALES, 101)
    assert _balance(rows, ADA) == 100
    assert _sum(rows, "SELECT count(*) FROM transfer") == 1
    _move(rows, "o-1.charge", ADA, ledger.SALES, 100)
    assert _balance(rows, ADA) == 0


def test_a_transfer_of_the_same_name_happens_once(rows: sqlite3.Connection) -> None:
    _move(rows, "deposit", ledger.CASH, ADA, 100)
    for amount in (100, 1):
        with pytest.raises(sqlite3.IntegrityError, match=r"transfer\.id"):
            _move(rows, "deposit", ledger.CASH, ADA, amount)
    assert _balance(rows, ADA) == 100


@pytest.mark.parametrize(
    ("source", "target", "amount"),
    [
        (ledger.CASH, "customer:nobody", 1),
        ("customer:nobody", ledger.SALES, 1),
        (ledger.CASH, ledger.CASH, 1),
        (ledger.CASH, ADA, 0),
    ],
    ids=["to nobody", "from nobody", "to itself", "of nothing"],
)
def test_a_transfer_without_two_accounts_or_an_amount_fails(
    rows: sqlite3.Connection, source: str, target: str, amount: int
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        _move(rows, "wrong", source, target, amount)
    assert _sum(rows, "SELECT count(*) FROM posting") == 0
    assert all(_balance(rows, account) == 0 for account in ACCOUNTS)


def test_an_account_is_kept_in_one_currency(rows: sqlite3.Connection) -> None:
    ledger.open_account(rows, ADA, "Ada again", "EUR")
    with pytest.raises(Conflict, match="kept in EUR") as caught:
        ledger.open_account(rows, ADA, "Ada", "USD")
    assert caught.value.more == {"currency": "EUR"}
    assert ledger.balance(rows, ADA) == (0, "EUR")


def test_an_account_that_was_never_opened_has_no_balance(rows: sqlite3.Connection) -> None:
    assert ledger.balance(rows, ledger.customer("C-9")) is None


MOVES = st.lists(
    st.tuples(
        st.integers(0, 12), st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS),
        st.integers(0, 500),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(moves=MOVES)
def test_whatever_is_tried_the_books_balance(moves: list[tuple[int, str, str, int]]) -> None:
    with tables(SETTLEMENT) as rows:
        _open(rows)
        expected = dict.fromkeys(ACCOUNTS, 0)
        for name, source, target, amount in moves:
            try:
                _move(rows, f"t-{name}", source, target, amount)
            except sqlite3.IntegrityError:
                continue
            expected[source] -= amount
            expected[target] += amount
        assert {account: _balance(rows, account) for account in ACCOUNTS} == expected
        assert min(expected[ADA], expected[BOB]) >= 0
        assert _sum(rows, "SELECT sum(balance) FROM account") == 0
        unbalanced = "SELECT count(*) FROM (SELECT 1 FROM posting GROUP BY transfer"
        assert _sum(rows, f"{unbalanced} HAVING sum(amount) <> 0 OR count(*) <> 2)") == 0
        drifted = (
            "SELECT count(*) FROM account WHERE balance <>"
            " (SELECT coalesce(sum(amount), 0) FROM posting WHERE account = account.id)"
        )
        assert _sum(rows, drifted) == 0
