"""Read the rows of a shop's files as records; each bad row is reported, the others are read.

It must not know where the records go.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bus.contract.settlement import AccountId
from bus.contract.values import Count, Location, Model, Text
from bus.contract.warehouse import CountGoods, Receive
from bus.contract.wording import what_is_wrong
from store.shop.normalisation import NUMBERS
from store.shop.row import BadRow, Row
from store.shop.table import Kind, Table, read_table

Record = TypeVar("Record")


class AccountRecord(Model):
    """A customer's prepaid account."""

    account: AccountId
    name: Text | None
    """The customer's name; None if not given."""
    balance: Count
    """In minor units of the shop's currency."""


class LocationRecord(Model):
    """A storage location."""

    location: Location
    holds: Text
    """What people keep there, in a word."""


def read_stock(
    file: Path | Table,
    *,
    skus: Collection[str] | None = None,
    locations: Collection[str] | None = None,
) -> tuple[list[Receive], list[BadRow]]:
    """Read how many pieces of which style were put where.

    Args:
        file: the CSV file, or its table.
        skus: all SKUs, if known; others are refused.
        locations: all locations, if known; others are refused.

    Raises:
        ConfigurationError: the file cannot be read, is ambiguous, or lacks a column.
    """
    unique = UniqueKeys()

    def read(row: Row) -> Receive:
        sku, location = row.cells["sku"], row.cells["location"]
        if skus is not None and sku not in skus:
            raise ValueError(f"sku: {sku[:60]!r} is not a style of the shop")
        if locations is not None and location not in locations:
            raise ValueError(f"location: {location[:60]!r} is not a location of the shop")
        quantity = _whole(row, "quantity", "pieces")
        record = Receive(sku=sku, location=location, quantity=quantity)
        unique.take(row, "sku and location", f"{sku} at {location}")
        return record

    return _read(file, "stock", read)


def read_counts(file: Path | Table, why: str | None) -> tuple[list[CountGoods], list[BadRow]]:
    """Read how many pieces of which style were counted where.

    Args:
        file: the CSV file; its column `reason` is optional, and its locations may be empty.
        why: the reason for rows that give none.

    Raises:
        ConfigurationError: the file cannot be read, is ambiguous, or lacks a column.
    """
    unique = UniqueKeys()

    def read(row: Row) -> CountGoods:
        sku, location = row.cells["sku"], row.cells["location"]
        counted = _whole(row, "counted", "pieces")
        reason = row.cells.get("reason") or why
        if reason is None:
            raise ValueError("reason: why was it counted? Give --why, or a column `reason`")
        record = CountGoods(sku=sku, location=location or None, counted=counted, reason=reason)
        unique.take(row, "sku and location", f"{sku} at {location}")
        return record

    return _read(file, "counts", read)


def read_accounts(file: Path | Table) -> tuple[list[AccountRecord], list[BadRow]]:
    """Read the customers' prepaid accounts.

    Raises:
        ConfigurationError: the file cannot be read, is ambiguous, or lacks a column.
    """
    unique = UniqueKeys()

    def read(row: Row) -> AccountRecord:
        balance = _whole(row, "balance", "minor units (cents)")
        account, name = row.cells["account"], row.cells.get("name") or None
        record = AccountRecord(account=account, name=name, balance=balance)
        unique.take(row, "account", record.account)
        return record

    return _read(file, "accounts", read)


def read_locations(file: Path | Table) -> tuple[list[LocationRecord], list[BadRow]]:
    """Read the storage locations.

    Raises:
        ConfigurationError: the file cannot be read, is ambiguous, or lacks a column.
    """
    unique = UniqueKeys()

    def read(row: Row) -> LocationRecord:
        record = LocationRecord(location=row.cells["location"], holds=row.cells["holds"])
        unique.take(row, "location", record.location)
        return record

    return _read(file, "locations", read)


class UniqueKeys:
    """Refuses keys that an earlier row already had."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], int] = {}

    def check(self, column: str, value: str | None) -> None:
        """Raise if an earlier row has the key."""
        if value is None:
            return
        line = self._lines.get((column, value))
        if line is not None:
            raise ValueError(f"{column}: {value} is already on line {line}")

    def take(self, row: Row, column: str, value: str | None) -> None:
        """Remember the key and its row."""
        self.check(column, value)
        if value is not None:
            self._lines[column, value] = row.line


def _read(
    file: Path | Table, kind: Kind, read: Callable[[Row], Record]
) -> tuple[list[Record], list[BadRow]]:
    table = file if isinstance(file, Table) else read_table(file, kind)
    bad = list(table.bad)
    records: list[Record] = []
    for row in table.rows:
        try:
            records.append(read(row))
        except ValueError as error:  # pydantic's, too
            bad.append(BadRow(table.file, row.line, reason(error)))
    return records, sorted(bad, key=lambda row: row.line)


def reason(error: ValueError) -> str:
    """Why a row is refused, with its column."""
    if not isinstance(error, ValidationError):
        return str(error)
    faults = []
    for fault in error.errors():
        field = next((str(part) for part in reversed(fault["loc"]) if isinstance(part, str)), "row")
        wrong = what_is_wrong(fault)
        if field == "tax_rate" and fault["type"] == "less_than_equal":
            wrong = "it must be at most 100%"
        if fault["type"] == "string_pattern_mismatch":
            wrong = f"{fault['input'][:60]!r} {wrong.removeprefix('it ')}"
        faults.append(f"{field}: {wrong}")
    return "; ".join(faults)


def _whole(row: Row, column: str, unit: str) -> int:
    """A number of pieces; `10.0`, as spreadsheets write it, is accepted."""
    text = row.cells[column]
    whole, point, places = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= len("1000000000000")) or (
        point and (places.strip("0") or column not in NUMBERS)
    ):
        raise ValueError(f"{column}: {text[:40]!r} is not a whole number of {unit}")
    return int(whole)
