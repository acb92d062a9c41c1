"""What was answered long ago is forgotten in small portions, and never too early."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from running_store import Store, eventually, running_store

from bus.contract.outbound import MessageFactory
from bus.contract.settlement import DEPOSIT, Deposit
from bus.contract.topics import Topics
from bus.contract.values import Money
from bus.link import MemoryBroker
from bus.runtime.clock import Moment
from bus.runtime.environment import Environment
from bus.runtime.processor import Processor
from bus.runtime.settings import RuntimeSettings
from bus.storage.journal import Journal
from nodes.catalog.role import Catalog
from nodes.catalog.store import SCHEMA as CATALOG

SOON = RuntimeSettings(keep_answers=1000, retry_first=0.01, retry_limit=0.01, query_retry=0.05)
LATER = 2_000_000
"""Milliseconds, after which everything was answered too long ago."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with running_store(MemoryBroker(), tmp_path, settings=SOON) as store:
        yield store


async def _deposit(store: Store, identifier: str) -> Any:
    amount = Money(amount=100, currency="EUR")
    data = Deposit(account="C-1002", name="Ann", amount=amount)
    return await store.tester.ask(DEPOSIT, "settlement", data, identifier=identifier)


def _let_time_pass(store: Store) -> None:
    """For settlement and for the one who asks."""
    for environment in (store.nodes["settlement"].environment, store.tester.environment):
        environment.resume(environment.steady() + LATER)


def _remembered(store: Store) -> set[str]:
    return {row[0] for row in store.rows("settlement", "SELECT id FROM inbox")}


async def test_an_answered_command_is_remembered_for_the_keeping_time_and_then_forgotten(
    store: Store,
) -> None:
    before = store.balance("customer:C-1002")
    await _deposit(store, "d-1")
    await _deposit(store, "d-1")
    assert store.balance("customer:C-1002") == before + 100
    _let_time_pass(store)
    number = 1
    while "d-1" in _remembered(store):
        number += 1
        assert number < 50
        await _deposit(store, f"d-{number}")
    assert store.balance("customer:C-1002") == before + number * 100
    assert f"d-{number}" in _remembered(store)


async def test_a_command_that_waits_for_its_answer_is_not_forgotten(store: Store) -> None:
    terminal = store.terminals["terminal-1"]
    styles = await terminal.styles(["MUG"])
    await store.stop("catalog")
    identifier = await terminal.begin(store.purchase({"MUG": 1}, styles))
    await eventually(lambda: identifier in _remembered(store), "the purchase")
    _let_time_pass(store)
    for number in range(20):
        await _deposit(store, f"d-{number}")
    unanswered = "SELECT id FROM inbox WHERE reply IS NULL"
    assert store.rows("settlement", unanswered) == [(identifier,)]


async def test_soon_after_the_start_nothing_is_forgotten(tmp_path: Path) -> None:
    slow = SOON.model_copy(update={"retry_limit": 3600.0, "keep_answers": 0.001})
    async with running_store(MemoryBroker(), tmp_path, settings=slow) as store:
        for number in range(20):
            await _deposit(store, f"d-{number}")
        assert {f"d-{number}" for number in range(20)} <= _remembered(store)


async def test_however_much_is_to_be_forgotten_a_batch_forgets_a_few(tmp_path: Path) -> None:
    def fill(rows: sqlite3.Connection) -> None:
        rows.executemany(
            "INSERT INTO inbox VALUES ('a', ?, 'x', x'', ?, NULL, '', 0, ?, NULL)",
            [(f"{each}", *((b"{}", each) if each % 2 else (None, None))) for each in range(100)],
        )

    def forget(rows: sqlite3.Connection) -> list[int]:
        environment = Environment()
        batches = Processor(
            Catalog().role, MessageFactory(Topics("main"), "catalog", environment), environment
        )
        batches.carry_out(rows, Moment(0, 0), [None, None], [], {}, forget_before=50)
        return [int(row[0]) for row in rows.execute("SELECT id FROM inbox")]

    with Journal(tmp_path / "catalog.db", CATALOG) as journal:
        await journal.transact(fill)
        left = await journal.transact(forget)
        assert set(range(100)) - set(left) == {1, 3, 5, 7}
        for _ in range(20):
            left = await journal.transact(forget)
        assert set(range(100)) - set(left) == {each for each in range(50) if each % 2}
