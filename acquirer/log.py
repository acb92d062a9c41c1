"""The simulated acquirer's memory: an append-only file of JSON lines, durable before any answer.

Knows files only; what an entry means is up to `card_processor`.
"""

import os
import sys
import time
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bus.contract.errors import JournalError
from bus.storage.durable import append, flush, sync
from bus.storage.private import make_folder, opener, tighten

if sys.platform != "win32":
    import fcntl

LOCK_SECONDS = 5.0
"""How long a new process waits for the previous one to release the log."""


def now() -> str:
    """The time as RFC 3339, in UTC, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Entry(BaseModel):
    """One thing that has happened and is final."""

    model_config = ConfigDict(frozen=True, strict=True)

    at: str = Field(default_factory=now)
    """When, RFC 3339."""
    kind: Literal["capture", "decline", "void", "refund"]
    """`void` is the tombstone of a key that had never been seen."""
    key: str
    """Its idempotency key."""
    reference: str | None = None
    """The provider's name for it; a decline and a void have none."""
    amount: int | None = None
    """In minor units; a void has none."""
    currency: str | None = None
    """ISO 4217; a void has none."""
    token: str | None = None
    """The card, opaque; a void has none."""
    reason: str | None = None
    """Why it was declined; only a decline has one."""
    capture: str | None = None
    """The key of the capture that a refund gives back."""


class Log:
    """An open log, which belongs to this process alone until `close`.

    Raises:
        JournalError: the file cannot be read as a log, or another process still holds it.
    """

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        tighten(path)
        # The log holds card tokens, which are not for other users of the machine.
        self._file = FileIO(path, "a+", opener=opener)
        try:
            self._lock(path)
            self.entries = self._read(path)
        except BaseException:
            self._file.close()
            raise

    def append(self, entry: Entry) -> None:
        """Make `entry` durable; after an error nothing of it is in the file.

        Raises:
            OSError: the disk refuses, for example because it is full.
        """
        line = entry.model_dump_json().encode() + b"\n"
        append(self._file, line, self._file.seek(0, os.SEEK_END))
        self.entries.append(entry)

    def close(self) -> None:
        """Close the file and release its lock."""
        self._file.close()

    def _lock(self, path: Path) -> None:
        """Wait until no other process has the log: it could write what this one has not read."""
        if sys.platform == "win32":
            return
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise JournalError(f"another acquirer still writes {path}") from None
                time.sleep(0.02)
            else:
                break
        # A file that was just made is lost with the power unless its folder is synced as well.
        sync(path.parent)

    def _read(self, path: Path) -> list[Entry]:
        self._file.seek(0)
        content = self._file.readall()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            # Torn by a kill while it was written, so nobody was ever told of it.
            self._file.truncate(whole)
            flush(self._file)
        entries = []
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                entries.append(Entry.model_validate_json(line))
            except ValidationError as error:
                raise JournalError(f"{path}, line {number}: not an entry of the log") from error
        return entries
