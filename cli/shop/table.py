"""CSV files as spreadsheets write them: UTF-8, a header, one record a row.

It must not know what the columns mean; it keeps the line of each row, so that a fault is found.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bus.errors import ConfigurationError

Kind = Literal["products", "stock", "accounts", "locations", "counts"]

COLUMNS: dict[Kind, tuple[str, ...]] = {
    "products": (
        *("product", "name", "description", "url", "sku", "gtin"),
        *("attributes", "price", "currency", "category"),
    ),
    "stock": ("sku", "location", "quantity"),
    "accounts": ("account", "name", "balance"),
    "locations": ("location", "holds"),
    "counts": ("sku", "location", "counted"),
}
"""What each kind of file must have; further columns are for people."""


@dataclass(frozen=True)
class BadRow:
    """A row that was left out."""

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


def kind_of(file: Path) -> Kind:
    """Say by its header what a file holds.

    Raises:
        ConfigurationError: it cannot be read, or has the columns of no kind.
    """
    header = _header(file, csv.reader(io.StringIO(_text(file))))
    for kind, columns in COLUMNS.items():
        if set(columns) <= set(header):
            return kind
    expected = "; ".join(f"{kind}: {', '.join(columns)}" for kind, columns in COLUMNS.items())
    raise ConfigurationError(f"{file} has the columns of no kind of file. Expected: {expected}.")


def read_table(file: Path, kind: Kind) -> tuple[list[Row], list[BadRow]]:
    """Read all rows that have as many cells as the header, and report the others.

    Raises:
        ConfigurationError: it cannot be read, is not UTF-8, or a column is missing.
    """
    reader = csv.reader(io.StringIO(_text(file), newline=""), strict=True)
    header = _header(file, reader)
    missing = [column for column in COLUMNS[kind] if column not in header]
    if missing:
        raise ConfigurationError(
            f"{file} has no column {', '.join(missing)}."
            f" A file of {kind} has the columns {', '.join(COLUMNS[kind])}, separated by commas."
        )
    rows: list[Row] = []
    bad: list[BadRow] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return rows, bad
        except csv.Error as error:
            bad.append(BadRow(file, line, f"the quotes are not closed as they should be: {error}"))
            continue
        if not cells:
            continue
        if len(cells) == len(header):
            stripped = (cell.strip() for cell in cells)
            rows.append(Row(line, dict(zip(header, stripped, strict=True))))
        else:
            reason = f"{len(cells)} columns where the header has {len(header)}"
            bad.append(BadRow(file, line, reason))


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{file} is not UTF-8 text. Save it as CSV in UTF-8, with commas between columns."
        ) from error


def _header(file: Path, reader: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise ConfigurationError(f"{file} has no header that can be read: {error}.") from error
    if len(set(header)) < len(header):
        raise ConfigurationError(f"{file} has two columns of the same name in its header.")
    return header
