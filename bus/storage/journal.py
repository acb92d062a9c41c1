"""A node's SQLite file: one writer, one transaction at a time, numbered migrations.

Knows nothing of messages: `bus.runtime.node` writes inbox and outbox in the same transaction as
a role's own rows. A unit of work is one synchronous function, so no other task can come between its
statements (see docs/adr/0001).
"""

import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from bus.contract.errors import JournalError, RoleTakenError
from bus.storage.damage import reading, what_is_wrong
from bus.storage.generation import begin_generation, beside, log_of, refuse_foreign_log
from bus.storage.private import make_folder, opener, tighten
from bus.storage.worker import Worker

T = TypeVar("T")

logger = logging.getLogger("storebus.journal")

RESTORING = "restore-under-way"
"""Lies in a folder whose files are just being exchanged; see `store.restore`."""
_CHECKED_AT_ONCE = 256 << 20
"""Bytes: after an unclean end a larger file would keep its node waiting for more than a second."""

_ABANDON = 1.0
"""Seconds for which the thread of a file that is abandoned is waited for."""
_LEFT_OPEN: list[ExitStack] = []
"""Of files whose threads stand still: SQLite must not close a connection that is in use."""

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: a power cut loses no commit
    "foreign_keys": 1,
    "busy_timeout": 5000,
    # Pages after which the WAL goes into the file: 1 MiB. With SQLite's 1000 the WAL can fill a
    # small disk by itself, and then nothing can ever be moved out of it.
    "wal_autocheckpoint": 256,
    "journal_size_limit": 1_048_576,  # what is left of a WAL that a long reader made grow
}


@dataclass(frozen=True)
class Schema:
    """Tables, and the numbered migrations that make them.

    Args:
        name: stands in the databases, so it never changes, wherever the code moves.
        package: whose `migrations/NNNN_name.sql` are applied in order.
    """

    name: str
    package: str

    @cached_property
    def scripts(self) -> list[tuple[str, str]]:
        """Names and texts of the migrations, in order."""
        return sorted(
            (entry.name, entry.read_text())
            for entry in (resources.files(self.package) / "migrations").iterdir()
            if entry.name.endswith(".sql")
        )


SCHEMA = Schema("bus", "bus.storage")
"""Inbox, outbox and clock, which every node has."""


class Journal:
    """One node's database.

    Args:
        path: the file; made, with its folder, if it is not there.
        schemas: whose migrations are applied, in this order, after those of the journal's own.
        threaded: units of work run in a thread of their own, so that a slow disk keeps nobody
            waiting; without, they run inline and a simulation owns the order of everything.
        durable: a commit survives a power cut; without, only the end of the process.

    Raises:
        RoleTakenError: another process has the file open as its own.
        ForeignLogError: the write-ahead log beside it belongs to another file.
        JournalError: the file cannot be opened, is damaged, or is newer than this program.
    """

    def __init__(
        self, path: Path, *schemas: Schema, threaded: bool = True, durable: bool = True
    ) -> None:
        self.path = path
        with ExitStack() as opened:
            opened.callback(os.close, hold(path.with_suffix(".lock")))
            unclean = refuse_foreign_log(path)
            try:
                _make(path)
                self._writer = opened.enter_context(closing(_open(path, durable=durable)))
                if unclean:
                    _check(self._writer, path)
                begin_generation(self._writer, path, durable=durable)
                for schema in (SCHEMA, *schemas):
                    migrate(self._writer, schema)
                self.reader = opened.enter_context(closing(_open(path, durable=durable)))
                self.reader.execute("PRAGMA query_only = 1")
            except (sqlite3.Error, UnicodeError) as error:
                why = what_is_wrong(error)
                raise JournalError(f"cannot use the database {path}: {why}") from error
            except OSError as error:
                where = error.filename or path
                raise JournalError(f"cannot use {where}: {error.strerror}") from error
            self._opened = opened.pop_all()
        self._worker = Worker(f"journal-{path.stem}") if threaded else None
        self._abandoned = False

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out `work` in one transaction in the writer's thread, if there is one.

        When this returns, what `work` wrote survives a power cut. When `work` raises, nothing of
        it was written.

        Raises:
            WorkError: `work` raised what is no error, such as `StopIteration` or `SystemExit`.
        """
        if self._worker is None:
            return self._carry_out(work)
        return await self._worker.do(lambda: self._carry_out(work))

    def _carry_out(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._writer
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                _make_room(connection)
            raise
        return result

    def abandon(self) -> None:
        """What is under way stands still: `close` does not wait for it."""
        self._abandoned = True

    def close(self) -> None:
        """Finish what is under way and close the file.

        A file that was abandoned while the thread is in it stays open, and locked, as long as this
        process lives.
        """
        worker, self._worker = self._worker, None  # whoever comes later finds the file closed
        if worker is not None and not worker.close(_ABANDON if self._abandoned else None):
            logger.error("%s is left open: its thread does not come back", self.path)
            _LEFT_OPEN.append(self._opened)
            return
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def snapshot(reader: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Whatever is read within is of one moment, also while others write."""
    if reader.in_transaction:
        yield reader
        return
    reader.execute("BEGIN")
    with ExitStack() as ending:
        ending.callback(_end, reader)
        yield reader


def _end(reader: sqlite3.Connection) -> None:
    if reader.in_transaction:  # an error may have ended it
        reader.execute("ROLLBACK")


def _make_room(connection: sqlite3.Connection) -> None:
    """The disk is full: what stands in the WAL goes where it belongs, so that less is needed."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def hold(path: Path, *, restoring: bool = False) -> int:
    """Hold a lock file as long as this process lives, also through a crash.

    Args:
        path: the file.
        restoring: whoever asks exchanges the files, and may find that half done.

    Returns:
        The file's descriptor; closing it lets go.

    Raises:
        RoleTakenError: another process holds it.
        JournalError: the folder cannot be used.
    """
    try:
        make_folder(path.parent)
        lock = opener(str(path), os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise JournalError(f"cannot use the folder {path.parent}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise RoleTakenError(
            f"another process is running on {path.with_suffix('')}; stop it first"
        ) from None
    if not restoring and path.with_name(RESTORING).exists():
        os.close(lock)
        raise JournalError(
            f"a restore into {path.parent} was interrupted; run it again:"
            f" storebus restore BACKUP --data {path.parent}"
        )
    return lock


def _make(path: Path) -> None:
    """A new database is its owner's alone, and an older one becomes so, with its folder.

    SQLite gives its log the same rights.
    """
    if path.exists():
        index = path.with_name(f"{path.name}-shm")
        tighten(path.parent, path, log_of(path), index, beside(path), path.with_suffix(".lock"))
    os.close(opener(str(path), os.O_RDWR | os.O_CREAT))


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """The last owner did not close the file: is it whole, and does every row have its parent?"""
    if path.stat().st_size > _CHECKED_AT_ONCE:
        logger.warning(
            "%s was not closed; it is too large to be checked now: storebus doctor", path
        )
        return
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(1)
    if found != "ok" or orphans:
        what = found if found != "ok" else f"rows of {orphans[0][0]} refer to nothing"
        raise JournalError(
            f"{path} was not closed, and is damaged: {what}. Restore a backup:"
            f" storebus restore BACKUP --data {path.parent}"
        )


def _open(path: Path, *, durable: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    with ExitStack() as unless_good:
        unless_good.callback(connection.close)
        connection.row_factory = sqlite3.Row
        pragmas = _PRAGMAS if durable else _PRAGMAS | {"synchronous": 0}
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name} = {value}").fetchall()
            (actual,) = connection.execute(f"PRAGMA {name}").fetchone()
            if actual != value:
                raise JournalError(f"{path}: SQLite keeps {name} = {actual} instead of {value}")
        unless_good.pop_all()
    return connection


def migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    """Apply the migrations of a schema that the file has not seen, each in a transaction."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration ("
        " package TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,"
        " PRIMARY KEY (package, number)) STRICT, WITHOUT ROWID"
    )
    row = connection.execute(
        "SELECT coalesce(max(number), 0) FROM migration WHERE package = ?", (schema.name,)
    ).fetchone()
    scripts = schema.scripts
    if row[0] > len(scripts):
        raise JournalError(f"the database was written by a newer Storebus ({schema.name} {row[0]})")
    for number, (name, script) in enumerate(scripts, 1):
        if number <= row[0]:
            continue
        connection.execute("BEGIN IMMEDIATE")
        for statement in _statements(script):
            connection.execute(statement)
        connection.execute("INSERT INTO migration VALUES (?, ?, ?)", (schema.name, number, name))
        connection.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise JournalError(f"a migration ends in the middle of a statement: {statement!r}")


@contextmanager
def opened(path: Path, schema: Schema) -> Iterator[sqlite3.Connection]:
    """A node's database, only to be read, whether its node runs or not.

    Args:
        path: the file.
        schema: whose migrations it must have, no fewer and no more.

    Raises:
        JournalError: it cannot be read, or was written by an older or a newer Storebus.
    """
    # Without a WAL nobody has it open; `immutable` then leaves no files behind in the folder.
    mode = "mode=ro" if refuse_foreign_log(path) else "immutable=1"
    uri = f"{path.absolute().as_uri()}?{mode}"
    with reading(path), closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        number = connection.execute(
            "SELECT max(number) FROM migration WHERE package = ?", (schema.name,)
        ).fetchone()[0]
        if number != len(schema.scripts):
            age = "a newer" if (number or 0) > len(schema.scripts) else "an older"
            raise JournalError(
                f"{path} was written by {age} Storebus"
                + ("" if age == "a newer" else "; start its store once")
            )
        yield connection
