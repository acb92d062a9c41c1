"""A thread of aiosqlite's carries out whole functions, and long queries have one of their own."""

import asyncio
import inspect
import sqlite3
import threading
from pathlib import Path

import aiosqlite
import pytest

from bus.storage.journal import Journal
from bus.storage.threaded import ThreadedConnection
from nodes.catalog.store import SCHEMA as CATALOG

PATIENCE = 20.0
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"


def _memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", check_same_thread=False)


def test_aiosqlite_still_has_the_protected_names_that_we_use() -> None:
    """A release without one of them needs another way, or the bound in pyproject.toml."""
    connection = aiosqlite.Connection(_memory, iter_chunk_size=1)
    assert isinstance(connection._thread, threading.Thread)
    assert not connection._thread.is_alive()
    assert connection._connection is None
    assert [*inspect.signature(connection._execute).parameters] == ["fn", "args", "kwargs"]


async def test_a_function_is_carried_out_although_its_caller_is_cancelled() -> None:
    thread, going_on, done = ThreadedConnection(_memory(), "t"), threading.Event(), []
    holding = asyncio.create_task(thread.carry_out(lambda _: going_on.wait(PATIENCE)))
    cancelled = asyncio.create_task(thread.carry_out(lambda _: done.append("done")))
    await asyncio.sleep(0)
    cancelled.cancel()
    going_on.set()
    await holding
    assert await thread.carry_out(lambda _: list(done)) == ["done"]
    assert thread.end()


async def test_a_thread_that_stands_still_is_left_and_keeps_no_process_from_ending() -> None:
    thread, going_on = ThreadedConnection(_memory(), "t"), threading.Event()
    standing = asyncio.create_task(thread.carry_out(lambda _: going_on.wait(PATIENCE)))
    await asyncio.sleep(0)
    (started,) = [each for each in threading.enumerate() if each.name == "t"]
    assert started.daemon
    assert not thread.end(patience=0.01)
    going_on.set()
    assert await standing
    started.join(PATIENCE)


async def test_after_its_end_it_carries_out_nothing() -> None:
    for used in (True, False):
        thread = ThreadedConnection(_memory(), "t")
        if used:
            await thread.carry_out(lambda _: None)
        assert thread.end()
        with pytest.raises((ValueError, sqlite3.ProgrammingError), match="closed"):
            await thread.carry_out(lambda rows: rows.execute("SELECT 1"))


@pytest.mark.parametrize("threaded", [True, False])
async def test_a_long_query_sees_what_is_committed_and_cannot_write(
    tmp_path: Path, *, threaded: bool
) -> None:
    def put(rows: sqlite3.Connection) -> None:
        rows.execute("INSERT INTO product VALUES ('shirt', '', '', 'urn:1')")

    with Journal(tmp_path / "catalog.db", CATALOG, threaded=threaded) as journal:
        await journal.transact(put)
        counted = await journal.look_up(
            lambda rows: rows.execute("SELECT count(*) FROM product").fetchone()[0]
        )
        assert counted == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await journal.look_up(put)


async def test_a_long_query_holds_up_no_transaction_and_ends_with_its_journal(
    tmp_path: Path,
) -> None:
    began = threading.Event()

    def endless(rows: sqlite3.Connection) -> None:
        began.set()
        rows.execute(ENDLESS).fetchone()

    with Journal(tmp_path / "catalog.db", CATALOG) as journal:
        looking = asyncio.create_task(journal.look_up(endless))
        await asyncio.to_thread(began.wait, PATIENCE)
        async with asyncio.timeout(PATIENCE):
            assert await journal.transact(lambda _: 7) == 7
        assert not looking.done()
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        await looking
