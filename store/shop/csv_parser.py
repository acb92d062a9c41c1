"""Parse a text into rows of cells with line numbers; a badly quoted row does not affect others.

It must not know what the cells mean.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ENDS = re.compile(r"\r\n|\n|\r")
_SEP = re.compile(r'"?sep=(.)"?[,;\t]*', re.IGNORECASE)
QUOTES = (
    'the quotes are not closed as they should be: a cell that begins with " ends with ",'
    ' and a " within it is written twice'
)


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the file."""

    line: int
    """Where it begins; the first line is 1."""
    lines: int
    """How many lines it takes."""
    cells: tuple[str, ...]
    readable: bool = True
    """Whether its quotes are well-formed."""

    @property
    def empty(self) -> bool:
        """Whether all cells are empty."""
        return self.readable and not any(cell.strip() for cell in self.cells)


def split_lines(text: str) -> list[str]:
    """Split a text into lines, with any line ending; a final line ending begins no further line."""
    lines = _ENDS.split(text)
    return lines[:-1] if not lines[-1] else lines


def named_delimiter(line: str) -> str | None:
    """The delimiter in a first line `sep=;`, as spreadsheets write it."""
    found = _SEP.fullmatch(line.strip(" "))
    return found[1] if found else None


def read_records(
    lines: Sequence[str], delimiter: str, start: int = 0, width: int | None = None
) -> Iterator[Record]:
    """Yield row after row.

    A quote that would swallow whole rows is treated as a stray one: only its line is unreadable.

    Args:
        lines: of the file.
        delimiter: between cells.
        start: how many lines have been read already.
        width: the number of cells in a row, if known.
    """
    source = _Source(lines, start)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while source.at < len(lines):
        first = source.at
        try:
            cells = next(reader)
        except csv.Error:
            cells = None
        taken = lines[first : source.at]
        if cells is None or (width and _swallows(taken, delimiter, width)):
            source.at = first + 1
            yield Record(first + 1, 1, (), readable=False)
        else:
            yield Record(first + 1, len(taken), tuple(cells))


class _Source:
    """Feeds lines to the csv reader, and can go back."""

    def __init__(self, lines: Sequence[str], at: int) -> None:
        self._lines = lines
        self.at = at

    def __iter__(self) -> "_Source":
        return self

    def __next__(self) -> str:
        if self.at >= len(self._lines):
            raise StopIteration
        self.at += 1
        return self._lines[self.at - 1] + "\n"


def _swallows(taken: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether the lines that quotes hold together look like rows of their own."""
    if len(taken) == 1:
        return False
    whole = [line.count(delimiter) == width - 1 for line in taken]
    return any(whole[1:-1]) or (whole[0] and whole[-1])
