"""A node's file on good and bad days: crashes, a second owner, an older program, a broken disk."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.contract.errors import JournalError, RoleTakenError
from bus.storage.journal import Journal, Schema, _statements, _transact
from devices.sorter.store import SCHEMA as SORTER
from devices.terminal.store import SCHEMA as TERMINAL
from nodes.catalog.store import SCHEMA as CATALOG
from nodes.settlement.store import SCHEMA as SETTLEMENT
from nodes.warehouse.store import SCHEMA as WAREHOUSE

PAGES = ("page_count", "page_size")
ROLES = [
    CATALOG, SETTLEMENT, WAREHOUSE, SORTER, TERMINAL,
]  # fmt: skip


def _put(connection: sqlite3.Connection, identifier: str) -> None:
    connection.execute("INSERT INTO product VALUES (?, 'Oxford shirt', '', ?)", [identifier] * 2)


def _products(connection: sqlite3.Connection) -> list[str]:
    return [row["id"] for row in connection.execute("SELECT id FROM product ORDER BY id")]


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Without the rights of a superuser, who may write everywhere."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


async def test_the_pragmas_that_no_commit_may_be_lost_without_hold(tmp_path: Path) -> None:
    def look(connection: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    with Journal(tmp_path / "catalog.db", CATALOG) as journal:
        assert await journal.transact(look) == ["wal", 2, 1, 5000]
        assert look(journal.reader) == ["wal", 2, 1, 5000]


async def test_the_write_ahead_log_stays_small_whatever_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    wal = tmp_path / "catalog.db-wal"
    with Journal(path, CATALOG) as journal:

        async def write(portions: int) -> int:
            """Each portion is 200 pages; returns the largest size the log had."""
            largest = 0
            for _ in range(portions):
                await journal.transact(_write_much)
                assert len(_products(journal.reader)) == 1
                largest = max(largest, wal.stat().st_size)
            return largest

        await journal.transact(lambda rows: _put(rows, "shirt"))
        assert await write(50) < 8_000_000

        reading = journal.reader.execute("SELECT id FROM product UNION ALL SELECT 'another'")
        assert reading.fetchone()["id"] == "shirt"
        assert await write(30) > 20_000_000
        assert reading.fetchone()["id"] == "another"
        reading.close()
        await write(10)
        assert wal.stat().st_size < 8_000_000
        assert (await journal.transact(_size)) < 8_000_000
    assert not wal.exists()


def _write_much(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO outbox VALUES ('much', 'timer', '', '', randomblob(819200), '', 0, NULL)"
        " ON CONFLICT (id) DO UPDATE SET payload = excluded.payload"
    )


def _size(connection: sqlite3.Connection) -> int:
    pages, size = (connection.execute(f"PRAGMA {each}").fetchone()[0] for each in PAGES)
    return int(pages * size)


async def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "catalog.db"
    with Journal(path, CATALOG) as journal:
        await journal.transact(lambda rows: _put(rows, "shirt"))
        assert _products(journal.reader) == ["shirt"]
    with Journal(path, CATALOG) as again:
        assert _products(again.reader) == ["shirt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, sqlite3.IntegrityError])
async def test_work_that_raises_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def broken(rows: sqlite3.Connection) -> None:
        _put(rows, "half")
        raise error("in the middle")

    with Journal(tmp_path / "catalog.db", CATALOG) as journal:
        with pytest.raises(error, match="in the middle"):
            _transact(journal._writer, broken)
        assert _products(journal.reader) == []
        await journal.transact(lambda rows: _put(rows, "whole"))
        assert _products(journal.reader) == ["whole"]


async def test_a_failed_constraint_leaves_nothing_and_the_next_work_goes_on(tmp_path: Path) -> None:
    def twice(rows: sqlite3.Connection) -> None:
        _put(rows, "shirt")
        _put(rows, "shirt")

    with Journal(tmp_path / "catalog.db", CATALOG) as journal:
        with pytest.raises(sqlite3.IntegrityError):
            await journal.transact(twice)
        await journal.transact(lambda rows: _put(rows, "shirt"))
        assert _products(journal.reader) == ["shirt"]


async def test_a_reader_sees_only_what_is_committed_and_cannot_write(tmp_path: Path) -> None:
    with Journal(tmp_path / "catalog.db", CATALOG) as journal:

        def look_meanwhile(rows: sqlite3.Connection) -> list[str]:
            _put(rows, "shirt")
            return _products(journal.reader)

        assert await journal.transact(look_meanwhile) == []
        assert _products(journal.reader) == ["shirt"]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            _put(journal.reader, "coat")


def test_a_second_process_finds_the_role_taken_until_the_first_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    first = Journal(path, CATALOG)
    for _ in range(2):
        with pytest.raises(RoleTakenError, match=r"another process is running on .*catalog"):
            Journal(path, CATALOG)
    first.close()
    Journal(path, CATALOG).close()


def test_two_nodes_live_side_by_side_in_a_folder(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "sorter-1.db", SORTER),
        Journal(tmp_path / "sorter-2.db", SORTER),
    ):
        pass


@pytest.mark.parametrize("role", ROLES, ids=[role.name for role in ROLES])
def test_migrations_are_applied_once(tmp_path: Path, role: Schema) -> None:
    path = tmp_path / "node.db"
    applied = []
    for _ in range(2):
        with Journal(path, role) as journal:
            rows = journal.reader.execute("SELECT package, number FROM migration")
            applied.append({tuple(row) for row in rows})
            assert journal.reader.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert {("bus", 1), (role.name, 1)} <= applied[0]
    assert applied[0] == applied[1]


async def _of_a_newer_program(path: Path) -> None:
    with Journal(path, CATALOG) as journal:
        await journal.transact(
            lambda rows: rows.execute("INSERT INTO migration VALUES ('bus', 99, '0099_next.sql')")
        )


async def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    await _of_a_newer_program(path)
    with pytest.raises(JournalError, match=r"newer Storebus \(bus 99\)"):
        Journal(path, CATALOG)


async def test_a_refused_file_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    await _of_a_newer_program(path)
    for _ in range(2):
        with pytest.raises(JournalError, match="newer Storebus"):
            Journal(path, CATALOG)


def test_a_damaged_file_is_refused_with_its_name_and_can_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    path.write_bytes(os.urandom(8192))
    with pytest.raises(JournalError, match=r"cannot use the database .*catalog\.db: .*not a data"):
        Journal(path, CATALOG)
    path.unlink()
    Journal(path, CATALOG).close()


def test_a_folder_that_must_not_be_written_is_refused_with_its_name() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        with _as_nobody(), pytest.raises(JournalError, match=f"cannot use the folder {name}: "):
            Journal(Path(name) / "catalog.db", CATALOG)


def test_a_folder_that_is_a_file_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(JournalError, match="cannot use the folder"):
        Journal(tmp_path / "data" / "catalog.db", "nodes.catalog")


def test_a_migration_is_read_statement_by_statement() -> None:
    script = "-- a; b\nCREATE TABLE a (x TEXT DEFAULT ';');\nCREATE INDEX b\n  ON a (x);\n"
    first, second = _statements(script)
    assert first.endswith("DEFAULT ';');\n")
    assert second == "CREATE INDEX b\n  ON a (x);\n"
    with pytest.raises(JournalError, match="middle of a statement"):
        list(_statements("CREATE TABLE a (x TEXT)\n"))
