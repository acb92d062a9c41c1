"""A backup that is copied over the files of a node that was killed is noticed before it harms."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bus.contract.errors import ForeignLogError, JournalError
from bus.storage.generation import beside, generation_of, log_of
from bus.storage.journal import Journal, Schema
from devices.sorter.store import SCHEMA as SORTER
from devices.terminal.store import SCHEMA as TERMINAL
from nodes.catalog.store import SCHEMA as CATALOG
from nodes.settlement.store import SCHEMA as SETTLEMENT
from nodes.warehouse.store import SCHEMA as WAREHOUSE
from store.backup import copy_store

SCHEMAS = {
    "catalog": CATALOG, "settlement": SETTLEMENT, "warehouse": WAREHOUSE,
    "sorter-1": SORTER, "terminal-1": TERMINAL,
}  # fmt: skip
_NODE = """
import asyncio, os, sys
from pathlib import Path
from bus.storage.journal import Journal, Schema

def put(rows):
    rows.execute("INSERT INTO outbox VALUES (?, 'timer', 'x', '', randomblob(9000), '', 1, NULL)",
                 (os.urandom(9).hex(),))

async def live(path, name, package, commits):
    journal = Journal(Path(path), Schema(name, package))
    for _ in range(int(commits)):
        await journal.transact(put)
    print("committed", flush=True)
    sys.stdin.readline()
    os._exit(9)  # nothing is closed

asyncio.run(live(*sys.argv[1:]))
"""
"""A node that commits, waits for a line, and is gone without closing its file."""


def _node(path: Path, schema: Schema, commits: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _NODE, str(path), schema.name, schema.package, str(commits)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "committed\n"
    return process


def _killed(path: Path, schema: Schema, commits: int) -> None:
    _node(path, schema, commits).communicate("\n")
    assert log_of(path).stat().st_size > 0


def _rows(path: Path, schema: Schema) -> int:
    with Journal(path, schema) as journal:
        return int(journal.reader.execute("SELECT count(*) FROM outbox").fetchone()[0])


def _copied(source: Path, target: Path) -> None:
    """`cp source/* target/`, and nothing else."""
    for file in source.iterdir():
        shutil.copyfile(file, target / file.name)


@pytest.mark.parametrize(("node", "schema"), SCHEMAS.items(), ids=list(SCHEMAS))
@pytest.mark.parametrize("start", ["same", "earlier"])
def test_a_backup_copied_over_a_killed_node_is_refused_and_nothing_is_changed(
    tmp_path: Path, node: str, schema: Schema, start: str
) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    path = data / f"{node}.db"
    running = _node(path, schema, 3)
    copy_store(data, backup)
    running.communicate("\n")
    if start == "earlier":
        _killed(path, schema, 2)
    _copied(backup, data)
    before = path.read_bytes(), log_of(path).read_bytes()
    for _ in range(2):
        with pytest.raises(ForeignLogError, match=rf"{node}\.db-wal.*storebus restore"):
            Journal(path, schema)
    with pytest.raises(JournalError, match="copied from elsewhere"):
        copy_store(data, tmp_path / "another")
    assert (path.read_bytes(), log_of(path).read_bytes()) == before
    log_of(path).unlink()
    assert _rows(path, schema) == 3


def test_a_copy_of_the_files_themselves_from_before_the_last_start_is_refused(
    tmp_path: Path,
) -> None:
    path, schema = tmp_path / "catalog.db", SCHEMAS["catalog"]
    assert _rows(path, schema) == 0
    shutil.copyfile(path, tmp_path / "kept")
    _killed(path, schema, 3)
    shutil.copyfile(tmp_path / "kept", path)
    with pytest.raises(ForeignLogError):
        Journal(path, schema)


def test_a_node_that_was_killed_again_and_again_goes_on(tmp_path: Path) -> None:
    path, schema = tmp_path / "catalog.db", SCHEMAS["catalog"]
    numbers = set()
    for _ in range(3):
        _killed(path, schema, 2)
        numbers.add(generation_of(path))
    assert (_rows(path, schema), len(numbers)) == (6, 3)


def test_whatever_moment_of_a_start_is_the_last_the_next_one_goes_on(tmp_path: Path) -> None:
    """The number beside the file is written, the one in its header is not, or the other way."""
    path, schema = tmp_path / "catalog.db", SCHEMAS["catalog"]
    _killed(path, schema, 2)
    for before, after in ((0, 1), (1, 0)):
        now = generation_of(path)
        beside(path).write_text(f"{now - before:010} {now + after:010}\n")
        _killed(path, schema, 1)
    assert _rows(path, schema) == 4


def test_a_file_of_an_older_storebus_that_was_killed_is_opened(tmp_path: Path) -> None:
    path, schema = tmp_path / "catalog.db", SCHEMAS["catalog"]
    _killed(path, schema, 2)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 0")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        database.execute("CREATE TABLE later (x)")
        shutil.copyfile(log_of(path), tmp_path / "log")
        shutil.copyfile(path, tmp_path / "file")
    shutil.copyfile(tmp_path / "log", log_of(path))
    shutil.copyfile(tmp_path / "file", path)
    beside(path).unlink()
    assert _rows(path, schema) == 2


def test_a_log_without_its_database_is_not_thrown_away(tmp_path: Path) -> None:
    path, schema = tmp_path / "catalog.db", SCHEMAS["catalog"]
    _killed(path, schema, 2)
    path.unlink()
    with pytest.raises(ForeignLogError, match=r"catalog\.db is gone"):
        Journal(path, schema)
    assert log_of(path).stat().st_size > 0


def test_after_an_unclean_end_a_damaged_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    path, schema = tmp_path / "catalog.db", SCHEMAS["catalog"]
    with Journal(path, schema) as journal:
        journal._writer.execute("PRAGMA foreign_keys = 0").fetchall()
        journal._writer.execute(
            "INSERT INTO style (sku, product, place, attributes, amount, currency, gtin)"
            " VALUES ('A', 'gone', 0, '{}', 1, 'EUR', '1')"
        )
    _killed_without_a_check(path)
    with pytest.raises(JournalError, match=r"not closed, and is damaged.*style.*storebus restore"):
        Journal(path, schema)


def _killed_without_a_check(path: Path) -> None:
    """A log that belongs to the file, as a killed node leaves it."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = wal").fetchall()
        database.execute("CREATE TABLE later (x)")
        log = log_of(path).read_bytes()
        file = path.read_bytes()
    path.write_bytes(file)
    log_of(path).write_bytes(log)
