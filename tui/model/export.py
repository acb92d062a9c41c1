"""Writes messages into a file: as a recording, or as a table for a spreadsheet."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bus.contract.errors import JournalError
from bus.contract.timestamp import rfc3339
from bus.history.message import Message
from bus.history.recording import Recording
from bus.link import Incoming
from bus.storage.private import opener

COLUMNS = (
    "time", "kind", "from", "to", "operation", "order", "id", "size", "latency", "code",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of texts that a spreadsheet would evaluate as a formula."""


def export(messages: Iterable[Message], path: Path) -> int:
    """Write messages into a new file that only its owner can read.

    Args:
        messages: in the order of receipt.
        path: ends with `.csv` for a table (size in bytes, latency in milliseconds); anything else
            becomes a recording.

    Raises:
        JournalError: the file is there already, or cannot be written.
    """
    try:
        file = opener(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with open(file, "w", encoding="utf-8", newline="") as table:  # noqa: PTH123 - by number
            if path.suffix.lower() == ".csv":
                return _table(messages, csv.writer(table))
    except FileExistsError as error:
        raise JournalError(f"there is already a file {path}") from error
    except OSError as error:
        raise JournalError(f"cannot write {path}: {error.strerror}") from error
    with Recording(path) as recording:
        for message in messages:
            recording.write(message.at, _incoming(message))
        return recording.messages


def save_picture(picture: str, path: Path) -> Path:
    """Write a picture into a new file that only its owner can read; returns its absolute path.

    Raises:
        JournalError: there is such a file already, or it cannot be written.
    """
    try:
        file = opener(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with open(file, "w", encoding="utf-8") as svg:  # noqa: PTH123 - by number
            svg.write(picture)
    except FileExistsError as error:
        raise JournalError(f"there is already a file {path}") from error
    except OSError as error:
        raise JournalError(f"cannot write {path}: {error.strerror}") from error
    except ValueError as error:  # a name that no file can have
        raise JournalError(f"cannot write {path}: {error}") from error
    return path.absolute()


def _table(messages: Iterable[Message], table: Any) -> int:
    table.writerow(COLUMNS)
    count = 0
    for message in messages:
        count += 1
        row = (
            rfc3339(message.at), message.kind, message.sender, message.receiver, message.name,
            message.order, message.id, message.size, message.latency, message.code,
        )  # fmt: skip
        table.writerow([_harmless(each) if isinstance(each, str) else each for each in row])
    return count


def _harmless(text: str) -> str:
    """A text that a spreadsheet does not evaluate."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def _incoming(message: Message) -> Incoming:
    return Incoming(
        message.topic, message.payload, message.retain, message.response_topic,
        message.correlation, message.qos, message.expiry, message.user,
    )  # fmt: skip
