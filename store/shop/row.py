"""A row of a file, and what is to be said of one."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BadRow:
    """A row that was left out, or what else is to be said of one."""

    file: Path
    line: int
    """Where it begins; the header is line 1."""
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass(frozen=True)
class Row:
    """The cells of one record by the names of their columns."""

    line: int
    cells: dict[str, str]
