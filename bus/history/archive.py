"""Reads a recording and its parts as one, lazily, with a bounded index of times."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bus.contract.errors import ConfigurationError
from bus.contract.topics import site_of
from bus.history.recording import Connected, Recorded, read_from

_MARKS = 4_096
"""The most positions in the index."""
_APART = 1_000_000
"""The least bytes between two of them."""
_MULTIPLE = 1 << 32
"""A gzip file has its uncompressed length modulo this number (RFC 1952 2.3.1)."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """The position at which an entry begins."""

    file: int
    """The index of the file in the order of time."""
    offset: int
    """In uncompressed bytes."""


@dataclass(frozen=True, slots=True)
class _Mark:
    at: int
    position: Position


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    begins: int
    size: int
    """Uncompressed bytes, as far as known without reading them."""
    before: int
    """Uncompressed bytes of the files before it."""


class Archive:
    """The entries of a recording in the order of time; none is kept in memory.

    Of a compressed part only the beginning is indexed: to go to a position within it, it is read
    up to there.

    Args:
        paths: a recording and its parts, in any order.

    Raises:
        JournalError: a file cannot be read.
        ConfigurationError: they have no messages.
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
        """The size in uncompressed bytes."""
        self._marks = list(self._index(max(_APART, before // _MARKS)))
        self._times = [mark.at for mark in self._marks]
        self.start = self._files[0].begins
        """The time of the first entry, in milliseconds since the epoch."""
        self.end = self._times[-1]
        """The time of the last entry."""
        for _, entry in self.entries(self._marks[-1].position):
            self.end = max(self.end, entry.at)

    def site(self) -> str:
        """The site of its first message.

        Raises:
            ConfigurationError: no message names one.
        """
        for _, entry in self.entries():
            if isinstance(entry, Recorded) and (site := site_of(entry.message.topic)):
                return site
        raise ConfigurationError("The recording names no site: say which with --site.")

    def entries(
        self, start: Position | None = None
    ) -> Iterator[tuple[Position, Recorded | Connected]]:
        """The entries from a position on, each with the position of the next one.

        Raises:
            JournalError: a file cannot be read, or is damaged.
        """
        start = start or Position(0, 0)
        for number in range(start.file, len(self._files)):
            offset = start.offset if number == start.file else 0
            for end, entry in read_from(self._files[number].path, offset):
                yield Position(number, end), entry

    def before(self, at: int, ahead: int = 0) -> Position:
        """An indexed position at least so many bytes before a time; or the beginning."""
        last = max(0, bisect_right(self._times, at) - 1)
        wanted = self.bytes_to(self._marks[last].position) - ahead
        while last and self.bytes_to(self._marks[last].position) > wanted:
            last -= 1
        return self._marks[last].position

    def bytes_to(self, position: Position) -> int:
        """The number of bytes before a position."""
        return self._files[position.file].before + position.offset

    def _index(self, apart: int) -> Iterator[_Mark]:
        """Positions with times that never decrease, even if the recorder's clock went back."""
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
