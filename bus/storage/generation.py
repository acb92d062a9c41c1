"""Does a write-ahead log belong to the database beside it?

SQLite replays whatever `-wal` lies there, also into a file that was copied over the one that it
was written for. So every start of a node gives its database a new number: in the file's header
(`user_version`), and in a small file beside it that no backup has. While a log is there, the two
must agree. See docs/adr/0017.
"""

import os
import secrets
import sqlite3
from pathlib import Path

from bus.contract.errors import ForeignLogError, JournalError
from bus.storage.durable import sync
from bus.storage.private import opener

_HEADER = 100
"""Bytes of a database file's header (SQLite file format, section 1.3)."""
_USER_VERSION = slice(60, 64)


def new_generation() -> int:
    """A number that no other start has had."""
    return secrets.randbelow(2**31 - 1) + 1


def generation_of(path: Path) -> int:
    """The number in a database's own header, whatever its log says; 0 if it never had one.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER)
    return int.from_bytes(header[_USER_VERSION], "big") if len(header) == _HEADER else 0


def log_of(path: Path) -> Path:
    """A database's write-ahead log."""
    return path.with_name(f"{path.name}-wal")


def beside(path: Path) -> Path:
    """The file that says which database the log beside it was written for."""
    return path.with_name(f"{path.name}-generation")


def has_log(path: Path) -> bool:
    """Whether a node runs on the database, or ended without closing it."""
    log = log_of(path)
    return log.exists() and log.stat().st_size > 0


def refuse_foreign_log(path: Path) -> bool:
    """Check the log before SQLite opens a database and replays it.

    Returns:
        Whether there is a log: a node runs on it, or ended without closing it.

    Raises:
        ForeignLogError: the log was written for another file.
        JournalError: they cannot be read.
    """
    try:
        if not has_log(path):
            return False
        if not path.exists():
            raise ForeignLogError(
                f"{path} is gone and its log {log_of(path).name} is still there. {_ADVICE}"
            )
        found, known = generation_of(path), _known(path)
    except OSError as error:
        raise JournalError(f"cannot read {error.filename}: {error.strerror}") from error
    if found not in known:
        raise ForeignLogError(
            f"{path} is not the file that the log {log_of(path).name} beside it was written for:"
            f" one of them was copied from elsewhere. Nothing was changed. {_ADVICE}"
        )
    return True


_ADVICE = (
    "Put a whole backup in place with `storebus restore BACKUP --data FOLDER`, which moves the old"
    " files aside"
)


def begin_generation(connection: sqlite3.Connection, path: Path, *, durable: bool) -> None:
    """Give an opened database a new number, before anything else is written.

    Whenever the power is cut, the header has one of the numbers beside it.

    Raises:
        OSError: the disk refuses.
    """
    before, new = generation_of(path), new_generation()
    _write_down(path, before, new, durable=durable)
    connection.execute(f"PRAGMA user_version = {new}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if generation_of(path) == new:  # else a reader keeps the log from going into the file
        _write_down(path, new, new, durable=durable)


def _write_down(path: Path, *numbers: int, durable: bool) -> None:
    """Write a fixed number of bytes, fewer than a disk's sector: never half of it is there."""
    file = beside(path)
    is_new = not file.exists()
    descriptor = opener(str(file), os.O_WRONLY | os.O_CREAT)
    try:
        os.pwrite(descriptor, " ".join(f"{number:010}" for number in numbers).encode() + b"\n", 0)
    finally:
        os.close(descriptor)
    if durable:
        sync(file)
        if is_new:
            sync(path.parent)


def _known(path: Path) -> set[int]:
    """The numbers beside a database; 0 for one of an older Storebus, which wrote none."""
    try:
        return {int(number) for number in beside(path).read_bytes().split()}
    except FileNotFoundError:
        return {0}
    except ValueError:
        return set()
