"""A recording of several files as one: read lazily, with a bounded index of its times."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bus.contract.errors import ConfigurationError
from bus.contract.topics import site_of
from bus.history.recording import Connected, Recorded, read_from

_MARKS = 4_096
"""The most places that are known by their time."""
_APART = 1_000_000
"""Bytes between two of them at least."""
_MULTIPLE = 1 << 32
"""A gzip file says how long it is without compression, modulo this (RFC 1952 2.3.1)."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where an entry begins."""

    file: int
    """Counts from 0 in the order of time."""
    offset: int
    """Bytes, of what is not compressed."""


@dataclass(frozen=True, slots=True)
class _Mark:
    at: int
    position: Position


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    begins: int
    size: int
    """Bytes without compression, as far as that is known without reading them."""
    before: int
    """Bytes of the files before it."""


class Archive:
    """What was recorded, in the order of time; nothing of it is kept in memory.

    Files are read as they are when it is opened. Of a compressed part only the beginning is
    indexed: to go to a place within it, it is read up to there.

    Args:
        paths: a recording and, if it has some, its parts, in any order.

    Raises:
        JournalError: a file cannot be read.
        ConfigurationError: there is no message in them.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files: list[_File] = []
        before = 0
        for begins, path in sorted(filter(None, map(_beginning, paths))):
            self._files.append(_File(path, begins, size := _size(path), before))
            before += size
        if not self._files:
            names = ", ".join(map(str, paths))
            raise ConfigurationError(f"There is no message in {names}.")
        self.size = before
        """Bytes, without compression."""
        self._marks = list(self._index(max(_APART, before // _MARKS)))
        self._times = [mark.at for mark in self._marks]
        self.start = self._files[0].begins
        """When it begins, in milliseconds since the epoch."""
        self.end = self._times[-1]
        """When its last message was received."""
        for _, entry in self.entries(self._marks[-1].position):
            self.end = max(self.end, entry.at)

    def site(self) -> str:
        """The site that its first message names.

        Raises:
            ConfigurationError: none does.
        """
        for _, entry in self.entries():
            if isinstance(entry, Recorded) and (site := site_of(entry.message.topic)):
                return site
        raise ConfigurationError("The recording names no site: say which with --site.")

    def entries(
        self, start: Position | None = None
    ) -> Iterator[tuple[Position, Recorded | Connected]]:
        """The entries from a place on, each with the place of the next one.

        Raises:
            JournalError: a file cannot be read, or is damaged.
        """
        start = start or Position(0, 0)
        for number in range(start.file, len(self._files)):
            offset = start.offset if number == start.file else 0
            for end, entry in read_from(self._files[number].path, offset):
                yield Position(number, end), entry

    def before(self, at: int, ahead: int = 0) -> Position:
        """A place that is known, so many bytes or more ahead of a time; or the beginning."""
        last = max(0, bisect_right(self._times, at) - 1)
        wanted = self.bytes_to(self._marks[last].position) - ahead
        while last and self.bytes_to(self._marks[last].position) > wanted:
            last -= 1
        return self._marks[last].position

    def bytes_to(self, position: Position) -> int:
        """How many bytes of the recording are ahead of a place."""
        return self._files[position.file].before + position.offset

    def _index(self, apart: int) -> Iterator[_Mark]:
        """Places with their times, which do not go back where the recorder's clock did."""
        latest = 0
        for number, file in enumerate(self._files):
            latest = max(latest, file.begins)
            yield _Mark(latest, Position(number, 0))
            if file.path.suffix == ".gz":
                continue
            offset = apart
            while offset < file.size:
                first = next(read_from(file.path, offset), None)
                if first is None:
                    break
                position, entry = first
                latest = max(latest, entry.at)
                yield _Mark(latest, Position(number, position))
                offset = max(position, offset + apart)


def _beginning(path: Path) -> tuple[int, Path] | None:
    first = next(read_from(path), None)
    return None if first is None else (first[1].at, path)


def _size(path: Path) -> int:
    size = path.stat().st_size
    if path.suffix != ".gz":
        return size
    with path.open("rb") as file:
        file.seek(-4, 2)
        told = int.from_bytes(file.read(4), "little")
    while told < size // 2:
        told += _MULTIPLE
    return told
