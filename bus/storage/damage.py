"""Errors that damaged files cause, as sentences: which file, what is wrong, what to do."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import ValidationError

from bus.contract.errors import JournalError

DAMAGE = (sqlite3.Error, UnicodeError, ValidationError, zlib.error, EOFError, RecursionError)
"""The exceptions that libraries raise over damaged content."""


@contextmanager
def reading(path: Path, advice: str = "Restore a backup: storebus restore") -> Iterator[None]:
    """Read a file that may be damaged within this context.

    Raises:
        JournalError: in place of whatever its content or the disk caused.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:  # not of a file
            raise
        raise JournalError(f"{error.filename} cannot be used: {error.strerror}") from error
    except DAMAGE as error:
        raise JournalError(f"{path} cannot be used, {what_is_wrong(error)}. {advice}") from error
    except (TypeError, ValueError, LookupError, AttributeError, AssertionError) as error:
        fault = fault_of(path) if path.suffix == ".db" else None
        if fault is None:  # the file is whole: a mistake of ours
            raise
        raise JournalError(f"{path} cannot be used, it is damaged: {fault}. {advice}") from error


def fault_of(path: Path) -> str | None:
    """What SQLite finds wrong with a database; None if it is whole, with values of its types."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    except DAMAGE as error:
        return str(error)
    return None if found == "ok" else str(found)


def what_is_wrong(error: Exception) -> str:
    """The place and the fault, on one short line."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is damaged: {error.object[error.start : error.end]!r} is no UTF-8 text"
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"it is damaged: a {error.title} in it is none: {place} {first['msg']}".rstrip()
    if isinstance(error, sqlite3.OperationalError):
        return str(error)
    return f"it is damaged: {error}"
