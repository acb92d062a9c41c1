"""A node's SQLite file: one writer, one transaction at a time, numbered migrations.

Knows nothing of messages: `bus.runtime.node` writes inbox and outbox in the same transaction as
a role's own rows. A unit of work is one synchronous function, so no other task can come between its
statements (see docs/adr/0001).
"""

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

from bus.contract.errors import JournalError
from bus.storage.connecting import check, connect, make_private
from bus.storage.damage import reading, what_is_wrong
from bus.storage.generation import begin_generation, refuse_foreign_log
from bus.storage.lock import hold
from bus.storage.threaded import ThreadedConnection

T = TypeVar("T")

logger = logging.getLogger("storebus.journal")

_ABANDON = 1.0
"""Seconds to wait for each thread of a file that is abandoned."""
_LEFT_OPEN: list[tuple[tuple[ThreadedConnection, ...], ExitStack]] = []
"""Files whose threads stand still: a connection that is in use must not be closed."""


@dataclass(frozen=True)
class Schema:
    """Tables, and the numbered migrations that make them.

    Args:
        name: is stored in the databases, so it never changes, wherever the code moves.
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
        threaded: transactions run in one thread and long queries in another, so that neither a
            slow disk nor a long list keeps anybody waiting; without, they run inline and a
            simulation owns the order of everything.
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
                make_private(path)
                self._writer = opened.enter_context(closing(connect(path, durable=durable)))
                if unclean:
                    check(self._writer, path)
                begin_generation(self._writer, path, durable=durable)
                for schema in (SCHEMA, *schemas):
                    migrate(self._writer, schema)
                self.reader = opened.enter_context(
                    closing(connect(path, durable=durable, only_read=True))
                )
                """For short queries, in the event loop."""
                self._lists = opened.enter_context(
                    closing(connect(path, durable=durable, only_read=True))
                )
            except (sqlite3.Error, UnicodeError) as error:
                why = what_is_wrong(error)
                raise JournalError(f"cannot use the database {path}: {why}") from error
            except OSError as error:
                where = error.filename or path
                raise JournalError(f"cannot use {where}: {error.strerror}") from error
            self._opened = opened.pop_all()
        name = f"journal-{path.stem}"
        self._threads = (
            (ThreadedConnection(self._writer, name), ThreadedConnection(self._lists, name))
            if threaded
            else None
        )
        self._abandoned = False

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out `work` in one transaction, in the writer's thread if there is one.

        When this returns, what `work` wrote survives a power cut. When `work` raises, nothing of
        it was written.

        Raises:
            WorkError: `work` raised something other than an error, such as `SystemExit`.
        """
        if self._threads is None:
            return _transact(self._writer, work)
        return await self._threads[0].carry_out(lambda connection: _transact(connection, work))

    async def look_up(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out a query that may take long, in a thread of its own if there is one.

        It sees what was committed when it begins. Queries are carried out one after the other.

        Raises:
            WorkError: `query` raised something other than an error.
        """
        if self._threads is None:
            return _query(self._lists, query)
        return await self._threads[1].carry_out(lambda connection: _query(connection, query))

    def abandon(self) -> None:
        """Do not wait for the threads in `close`: what they are doing stands still."""
        self._abandoned = True

    def close(self) -> None:
        """Finish the transactions, end a query that is under way, and close the file.

        If a file was abandoned and a thread does not come back, the file stays open, and locked,
        as long as this process lives.
        """
        threads, self._threads = self._threads, None  # whoever comes later finds the file closed
        if threads is not None:
            self._lists.interrupt()
            patience = _ABANDON if self._abandoned else None
            ended = [thread.end(patience) for thread in threads]
            if not all(ended):
                logger.error("%s is left open: its thread does not come back", self.path)
                _LEFT_OPEN.append((threads, self._opened))
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


def _transact(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
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


def _query(connection: sqlite3.Connection, query: Callable[[sqlite3.Connection], T]) -> T:
    with snapshot(connection) as rows:
        return query(rows)


@contextmanager
def snapshot(reader: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Read everything within this context as of one moment, also while others write."""
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
    """Move the WAL into the file: the disk is full, and then less of it is needed."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    """Apply the migrations of a schema that the file lacks, each in a transaction."""
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
    """Open a node's database for reading, whether its node runs or not.

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
