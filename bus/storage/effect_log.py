"""A log of effects in the world: what it holds is not done again.

For machines and screens, whose effects no database transaction can undo. Each effect has a key, and
its line is on the disk before anybody is told.
"""

import json
from collections import OrderedDict
from io import FileIO
from pathlib import Path
from typing import Any, Self

from bus.contract.errors import JournalError
from bus.storage.durable import append, sync
from bus.storage.private import make_folder, opener, tighten

_REMEMBERED = 10_000


class EffectLog:
    """An append-only file of JSON lines, each with a `key`.

    Args:
        path: the file. A torn last line, from a crash while it was written, counts as not done.

    Raises:
        JournalError: a whole line is damaged, or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: OrderedDict[str, int] = OrderedDict()  # of the lines in the file
        try:
            self._open(path)
        except OSError as error:
            raise JournalError(f"cannot write to {path}: {error.strerror}") from error

    def _open(self, path: Path) -> None:
        make_folder(path.parent)
        tighten(path)
        whole = 0
        if path.exists():
            with path.open("rb") as file:
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._remember(self._read(line)["key"], whole)
                    whole += len(line)
        self._file = FileIO(path, "ab", opener=opener)
        self._file.truncate(whole)
        self._whole = whole
        sync(path.parent)

    def get(self, key: str) -> dict[str, Any] | None:
        """The record of a key, or None if it was not done."""
        place = self._places.get(key)
        if place is None:
            return None
        with self._path.open("rb") as file:
            file.seek(place)
            return self._read(file.readline())

    def write(self, key: str, **record: Any) -> dict[str, Any]:
        """Write a line and wait until it is on the disk; returns what `get` will.

        Raises:
            OSError: the disk is full or broken; nothing of the line is kept.
        """
        line = {"key": key, **record}
        encoded = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        end = append(self._file, encoded, self._whole)
        self._remember(key, self._whole)
        self._whole = end
        return line

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, line: bytes) -> dict[str, Any]:
        try:
            record: dict[str, Any] = json.loads(line)
            hash(record["key"])
        except (ValueError, TypeError, KeyError) as error:
            raise JournalError(f"{self._path} is damaged: {error}") from error
        return record

    def _remember(self, key: str, place: int) -> None:
        self._places[key] = place
        while len(self._places) > _REMEMBERED:
            self._places.popitem(last=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
