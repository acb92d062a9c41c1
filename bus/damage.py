"""What a damaged file makes its reader raise becomes a sentence: which file, what, what to do."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from bus.errors import JournalError

DAMAGE = (sqlite3.Error, UnicodeError, ValidationError, zlib.error, EOFError, RecursionError)
"""What libraries raise at content that is not as it was written."""


@contextmanager
def reading(path: Path, advice: str = "Restore a backup: storebus restore") -> Iterator[None]:
    """Within it a file is read that may hold anything.

    Raises:
        JournalError: instead of what its content, or the disk, made of it.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:  # not of a file
            raise
        raise JournalError(f"{error.filename} cannot be used: {error.strerror}") from error
    except DAMAGE as error:
        raise JournalError(f"{path} cannot be used, {what_is_wrong(error)}. {advice}") from error


def what_is_wrong(error: Exception) -> str:
    """The place and the fault in few words, on one line."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is damaged: {error.object[error.start : error.end]!r} is no UTF-8 text"
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"it is damaged: a {error.title} in it is none: {place} {first['msg']}".rstrip()
    if isinstance(error, sqlite3.OperationalError):
        return str(error)
    return f"it is damaged: {error}"
