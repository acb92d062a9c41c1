"""Scenario: a busy store is backed up, and another is opened on the copy."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aftermath import assert_nothing_is_wrong
from customers import SKUS, customers_at
from parts import LONG, NODES, PATIENCE, eventually, running_broker, running_parts

from bus.contract.errors import ConfigurationError, JournalError
from devices.terminal.role import Terminal
from store.backup import copy_store

ORDERS = 60 if LONG else 15
TERMINALS = ("terminal-1", "terminal-2")


async def _served(terminal: Terminal) -> None:
    """Every purchase that this terminal knows of comes to its end."""
    async with asyncio.timeout(PATIENCE):
        for bought in terminal.purchases():
            told = await terminal.outcome(bought.id)
            assert told.receipt is not None, told
            await terminal.reminded(told.receipt.order)


async def test_a_store_on_the_copy_of_a_busy_one_brings_every_order_to_its_end(
    data: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    async with (
        running_broker(tmp_path / "broker") as broker,
        running_parts(data, broker.url, *NODES) as parts,
        customers_at(data, broker.url, *TERMINALS) as customers,
    ):
        rush = asyncio.create_task(customers.come(ORDERS, 0.1))
        await eventually(lambda: len(customers.begun) >= ORDERS // 3, "a third of the purchases")
        assert "settlement.db" in await asyncio.to_thread(copy_store, data, copy)
        assert not rush.done()
        await rush
        await customers.all_served()
        await parts.quiet()
        await parts.stop()
    assert_nothing_is_wrong(data)

    async with (
        running_broker(tmp_path / "another-broker") as broker,
        running_parts(copy, broker.url, *NODES) as parts,
        customers_at(copy, broker.url, *TERMINALS, skus=SKUS) as customers,
    ):
        for terminal in customers.terminals:
            await _served(terminal)
        assert any(terminal.purchases() for terminal in customers.terminals)
        await parts.quiet()
        await parts.stop()
    assert_nothing_is_wrong(copy)


def test_a_backup_goes_into_an_empty_folder(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    target.mkdir()
    (target / "something").touch()
    with pytest.raises(ConfigurationError, match="not empty"):
        copy_store(data, target)


def test_a_folder_without_a_store_is_not_backed_up(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no databases"):
        copy_store(tmp_path, tmp_path / "backup")


def test_a_damaged_database_is_not_backed_up_silently(data: Path, tmp_path: Path) -> None:
    with (data / "catalog.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(3 * 4096))
    with pytest.raises(JournalError, match=r"catalog\.db"):
        copy_store(data, tmp_path / "backup")


def test_a_backup_of_a_store_that_does_not_run_leaves_it_as_it_was(
    data: Path, tmp_path: Path
) -> None:
    before = {file.name for file in data.iterdir()}
    copied = copy_store(data, tmp_path / "backup")
    assert {file.name for file in data.iterdir()} - before <= {
        f"{name}{end}" for name in copied for end in ("-wal", "-shm")
    }
    for name in ("catalog.db", "settlement.db", "warehouse.db"):
        with closing(sqlite3.connect(tmp_path / "backup" / name)) as database:
            assert database.execute("SELECT count(*) FROM inbox").fetchone() > (0,)
