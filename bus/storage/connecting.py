"""How a node opens its database: for its owner only, checked after a crash, with our pragmas."""

import logging
import os
import sqlite3
from contextlib import ExitStack
from pathlib import Path

from bus.contract.errors import JournalError
from bus.storage.generation import beside, log_of
from bus.storage.private import opener, tighten

logger = logging.getLogger("storebus.journal")

_CHECKED_AT_ONCE = 256 << 20
"""Bytes; the check of a larger file would delay the start of its node by more than a second."""

PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: a power cut loses no commit
    "foreign_keys": 1,
    "busy_timeout": 5000,
    # Pages after which the WAL goes into the file: 1 MiB. With SQLite's 1000 the WAL can fill a
    # small disk by itself, and then nothing can ever be moved out of it.
    "wal_autocheckpoint": 256,
    "journal_size_limit": 1_048_576,  # what is left of a WAL that a long reader made grow
}


def make_private(path: Path) -> None:
    """Make the file if it is not there, and take it away from other users, with its folder.

    SQLite gives its log the same rights.
    """
    if path.exists():
        index = path.with_name(f"{path.name}-shm")
        tighten(path.parent, path, log_of(path), index, beside(path), path.with_suffix(".lock"))
    os.close(opener(str(path), os.O_RDWR | os.O_CREAT))


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Check a file that was not closed: whether it is whole, and every row has its parent.

    Raises:
        JournalError: it is damaged.
    """
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


def connect(path: Path, *, durable: bool, only_read: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode that any one thread at a time may use.

    Args:
        path: the database.
        durable: each commit survives a power cut.
        only_read: nothing can be written through it.

    Raises:
        JournalError: SQLite does not accept one of the pragmas.
        sqlite3.Error: it cannot be opened.
    """
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    with ExitStack() as unless_good:
        unless_good.callback(connection.close)
        connection.row_factory = sqlite3.Row
        pragmas = PRAGMAS if durable else PRAGMAS | {"synchronous": 0}
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name} = {value}").fetchall()
            (actual,) = connection.execute(f"PRAGMA {name}").fetchone()
            if actual != value:
                raise JournalError(f"{path}: SQLite keeps {name} = {actual} instead of {value}")
        if only_read:
            connection.execute("PRAGMA query_only = 1")
        unless_good.pop_all()
    return connection
