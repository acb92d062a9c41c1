"""All files of a store as they are at one moment, also while it runs.

Reading the databases one after the other would not do: a node that is read later may have the
answer to a command that the other node had not yet received when it was read.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bus.contract.errors import JournalError
from bus.storage.damage import what_is_wrong
from bus.storage.generation import refuse_foreign_log

_PATIENCE = 10.0
"""Seconds to wait for a transaction that is under way."""


@contextmanager
def snapshots(
    databases: Sequence[Path], records: Sequence[Path]
) -> Iterator[tuple[list[sqlite3.Connection], list[int]]]:
    """The databases and the sizes of the records as they are now, whatever is committed later.

    Args:
        databases: which nodes may be writing to.
        records: append-only files.

    Raises:
        JournalError: a database cannot be read; names it.
    """
    with ExitStack() as opened:
        with _standing_still(databases):
            connections = [opened.enter_context(_snapshot(file)) for file in databases]
            sizes = [file.stat().st_size for file in records]
        yield connections, sizes


@contextmanager
def _standing_still(databases: Sequence[Path]) -> Iterator[None]:
    """Keep all nodes from committing within the block; they wait some milliseconds."""
    with ExitStack() as locks:
        for file in databases:
            try:
                lock = locks.enter_context(closing(_connect(file, "rw")))
                lock.execute("BEGIN IMMEDIATE")
            except (sqlite3.Error, UnicodeError) as error:
                raise JournalError(f"{file}: {what_is_wrong(error)}") from error
        yield


@contextmanager
def _snapshot(file: Path) -> Iterator[sqlite3.Connection]:
    """A database as it is now, whatever is committed later."""
    try:
        with closing(_connect(file, "ro")) as database:
            database.execute("BEGIN")
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield database
    except (sqlite3.Error, UnicodeError) as error:
        raise JournalError(f"{file}: {what_is_wrong(error)}") from error


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    refuse_foreign_log(file)
    uri = f"{file.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
