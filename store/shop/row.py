"""A row of a file, and a note about one."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BadRow:
    """A row that was refused, or another note about a row."""

    file: Path
    line: int
    """Where it begins; the header is line 1."""
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass(frozen=True)
class Row:
    """The cells of one record by column name."""

    line: int
    cells: dict[str, str]
