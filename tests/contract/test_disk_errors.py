"""A database that cannot be written: a clear error, nothing sent, and no crash on the way out."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running_store import FAST, PRODUCTS, Store, running_store

from bus.contract.catalog import UPSERT
from bus.contract.errors import JournalError, Refused
from bus.contract.every import PING
from bus.contract.topics import Topics
from bus.contract.values import Empty
from bus.link import MemoryBroker
from bus.runtime.deployment import Deployment
from bus.runtime.node import Node
from bus.storage.journal import Journal, Schema
from nodes.catalog.role import Catalog

BREAK = {"full": "max_page_count = 1", "readonly": "query_only = 1"}
MEND = {"full": "max_page_count = 1000000", "readonly": "query_only = 0"}
"""SQLite then behaves as it does on a full disk and on one that can only be read."""


def _set(journal: Journal, pragma: str) -> None:
    journal._writer.execute(f"PRAGMA {pragma}").fetchall()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with running_store(MemoryBroker(), tmp_path, settings=FAST) as store:
        yield store


def _fill(rows: sqlite3.Connection) -> None:
    """A row that needs a page of its own."""
    rows.execute(
        "INSERT INTO outbox VALUES ('x', 'timer', 'x', '', ?, '', 0, NULL)", (bytes(9000),)
    )


@pytest.mark.parametrize("how", BREAK)
async def test_a_node_whose_first_transaction_cannot_be_written_ends_and_says_why(
    tmp_path: Path, how: str
) -> None:
    def broken(path: Path, *schemas: Schema) -> Journal:
        journal = Journal(path, *schemas)
        _set(journal, BREAK[how])
        return journal

    role = Catalog().role
    role.started = lambda unit: _fill(unit.connection)
    node = Node("catalog", role, Deployment(MemoryBroker(), "main", tmp_path, FAST, journal=broken))
    async with asyncio.timeout(30):
        with pytest.raises(JournalError, match=r"catalog cannot write to .*catalog\.db: .*" + how):
            await node.run()
    assert not node.ready.is_set()


@pytest.mark.parametrize("how", BREAK)
async def test_a_purchase_that_cannot_be_written_down_is_not_sent(store: Store, how: str) -> None:
    terminal = store.terminals["terminal-1"]
    styles = await terminal.styles(["MUG"])
    _set(terminal.node.running.journal, BREAK[how])

    async def buy_on() -> None:
        for _ in range(50):  # until the free pages are used up
            await terminal.begin(store.purchase({"MUG": 1}, styles))

    with pytest.raises(JournalError, match=r"terminal-1 cannot write to .*terminal-1\.db"):
        await buy_on()
    _set(terminal.node.running.journal, MEND[how])
    kept = len(terminal.purchases())
    for bought in terminal.purchases():
        await terminal.outcome(bought.id)
    await store.quiet()
    assert store.value("settlement", "SELECT count(*) FROM orders") == kept
    await store.reminded((await store.buy({"MUG": 1})).order)


async def test_a_node_that_stops_on_a_failed_disk_ends_without_a_crash(store: Store) -> None:
    settlement = store.nodes["settlement"]
    await store.buy({"MUG": 1})
    await store.quiet()
    settlement.running.inputs.acknowledge("a command that is done")
    _set(settlement.running.journal, BREAK["readonly"])
    await store.stop("settlement")


@pytest.mark.parametrize(("how", "said"), [("full", "disk is full"), ("readonly", "read-only")])
async def test_a_disk_that_cannot_be_written_is_an_alarm_until_it_is_mended(
    tmp_path: Path, how: str, said: str
) -> None:
    broker = MemoryBroker()

    def shown() -> list[tuple[str, str]]:
        state = json.loads(broker.retained[Topics("main").state("catalog", "alarms")].payload)
        return [(alarm["kind"], alarm["detail"]) for alarm in state["data"]["alarms"]]

    async with running_store(broker, tmp_path, settings=FAST) as store:
        catalog = store.nodes["catalog"]
        _set(catalog.running.journal, BREAK[how])
        with pytest.raises(JournalError):
            await catalog.decide(lambda unit: _fill(unit.connection))
        ((kind, detail),) = shown()
        assert kind == "cannot-write"
        assert said in detail
        assert detail.startswith("catalog cannot write its database")
        _set(catalog.running.journal, MEND[how])
        await store.ask(PING, "catalog", Empty())
        assert shown(), "small rows fit on a full disk, too"
        while shown():
            await store.ask(PING, "catalog", Empty())  # each carries out a transaction
        await store.reminded((await store.buy({"MUG": 1})).order)


async def test_a_full_disk_is_told_in_sentences_not_in_tracebacks(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = store.nodes["catalog"]
    _set(catalog.running.journal, BREAK["readonly"])
    with pytest.raises(Refused, match="had no effect"):
        await store.ask(UPSERT, "catalog", PRODUCTS)
    _set(catalog.running.journal, MEND["readonly"])
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert told
    assert not any(record.exc_info for record in told)
    assert "cannot write to" in caplog.text
