"""The rows of a shop's files as records: each bad row is reported, and the others are read.

It must not know where the records go.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bus.contract.catalog import MAX_STYLES, Price, ProductRecord, StyleRecord
from bus.contract.settlement import AccountId
from bus.contract.values import Count, Location, Model, Text, gtin14
from bus.contract.warehouse import CountGoods, Receive
from cli.shop.money import amount_from
from cli.shop.table import BadRow, Kind, Row, read_table
from devices.terminal.digital_link import digital_link

Record = TypeVar("Record")


class AccountRecord(Model):
    """A customer's prepaid account."""

    account: AccountId
    name: Text
    balance: Count
    """In minor units of the shop's currency."""


class LocationRecord(Model):
    """A storage location."""

    location: Location
    holds: Text
    """What people keep there, in a word."""


def read_products(
    file: Path, *, domain: str = "", currency: str = ""
) -> tuple[list[ProductRecord], list[BadRow]]:
    """Read products, one row a style; rows of one product need its texts only once.

    Args:
        file: the CSV file.
        domain: where labels lead whose URL is left empty: to the first style's Digital Link.
        currency: the only one allowed, if given.

    Raises:
        ConfigurationError: the file cannot be read, is not UTF-8, or a column is missing.
    """
    products = _Products(domain, currency)
    _, bad = _read(file, "products", products.add)
    return list(products.records.values()), bad


def read_stock(
    file: Path,
    *,
    skus: Collection[str] | None = None,
    locations: Collection[str] | None = None,
) -> tuple[list[Receive], list[BadRow]]:
    """Read how many of which style lie where.

    Args:
        file: the CSV file.
        skus: all that there are, if known; others are refused.
        locations: likewise.

    Raises:
        ConfigurationError: the file cannot be read, is not UTF-8, or a column is missing.
    """
    once = _Once()

    def read(row: Row) -> Receive:
        sku, location = row.cells["sku"], row.cells["location"]
        if skus is not None and sku not in skus:
            raise ValueError(f"sku: {sku[:60]!r} is no style of the shop")
        if locations is not None and location not in locations:
            raise ValueError(f"location: {location[:60]!r} is no location of the shop")
        quantity = _whole(row, "quantity", "pieces")
        record = Receive(sku=sku, location=location, quantity=quantity)
        once.take(row, "sku and location", f"{sku} at {location}")
        return record

    return _read(file, "stock", read)


def read_counts(file: Path, why: str | None) -> tuple[list[CountGoods], list[BadRow]]:
    """Read how many of which style were counted where.

    Args:
        file: the CSV file; its column `reason` may be missing, and its locations empty.
        why: the reason of rows that give none.

    Raises:
        ConfigurationError: the file cannot be read, is not UTF-8, or a column is missing.
    """
    once = _Once()

    def read(row: Row) -> CountGoods:
        sku, location = row.cells["sku"], row.cells["location"]
        counted = _whole(row, "counted", "pieces")
        reason = row.cells.get("reason") or why
        if reason is None:
            raise ValueError("reason: why was it counted? Give --why, or a column `reason`")
        record = CountGoods(sku=sku, location=location or None, counted=counted, reason=reason)
        once.take(row, "sku and location", f"{sku} at {location}")
        return record

    return _read(file, "counts", read)


def read_accounts(file: Path) -> tuple[list[AccountRecord], list[BadRow]]:
    """Read the customers' prepaid accounts.

    Raises:
        ConfigurationError: the file cannot be read, is not UTF-8, or a column is missing.
    """
    once = _Once()

    def read(row: Row) -> AccountRecord:
        balance = _whole(row, "balance", "minor units (cents)")
        account, name = row.cells["account"], row.cells["name"]
        record = AccountRecord(account=account, name=name, balance=balance)
        once.take(row, "account", record.account)
        return record

    return _read(file, "accounts", read)


def read_locations(file: Path) -> tuple[list[LocationRecord], list[BadRow]]:
    """Read the storage locations.

    Raises:
        ConfigurationError: the file cannot be read, is not UTF-8, or a column is missing.
    """
    once = _Once()

    def read(row: Row) -> LocationRecord:
        record = LocationRecord(location=row.cells["location"], holds=row.cells["holds"])
        once.take(row, "location", record.location)
        return record

    return _read(file, "locations", read)


class _Once:
    """Refuses what an earlier row already had."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], int] = {}

    def check(self, column: str, value: str) -> None:
        line = self._lines.get((column, value))
        if line is not None:
            raise ValueError(f"{column}: {value} is already on line {line}")

    def take(self, row: Row, column: str, value: str) -> None:
        self.check(column, value)
        self._lines[column, value] = row.line


class _Products:
    """Gathers the styles of each product."""

    def __init__(self, domain: str, currency: str) -> None:
        self.records: dict[str, ProductRecord] = {}
        self._domain = domain
        self._currency = currency
        self._first_rows: dict[str, Row] = {}
        self._once = _Once()

    def add(self, row: Row) -> None:
        identifier = row.cells["product"]
        # The texts count even if the row's style is bad: the rows after it lean on them.
        texts = self._texts(row, self._first_rows.setdefault(identifier, row))
        style = self._style(row)
        known = self.records.get(identifier)
        url = known.url if known else texts["url"] or self._link(style.gtin)
        styles = [*known.styles, style] if known else [style]
        if len(styles) > MAX_STYLES:
            raise ValueError(f"product: {identifier} has more than {MAX_STYLES} styles")
        record = ProductRecord.model_validate(
            {"id": identifier, **texts, "url": url, "styles": styles}
        )
        unique = [("sku", style.sku), ("gtin", style.gtin), *([] if known else [("url", url)])]
        for column, value in unique:
            self._once.check(column, value)
        for column, value in unique:
            self._once.take(row, column, value)
        self.records[identifier] = record

    def _texts(self, row: Row, first: Row) -> dict[str, str]:
        texts = {column: first.cells[column] for column in ("name", "description", "url")}
        for column, text in texts.items():
            if row.cells[column] not in {"", text}:
                raise ValueError(f"{column}: line {first.line} says otherwise of this product")
        if not texts["name"]:
            raise ValueError("name: the first row of a product must have one")
        return texts

    def _style(self, row: Row) -> StyleRecord:
        currency = row.cells["currency"]
        amount = amount_from(row.cells["price"], currency)
        if self._currency and currency != self._currency:
            raise ValueError(f"currency: {currency}, but the shop sells in {self._currency}")
        try:
            gtin = gtin14(row.cells["gtin"])
        except ValueError as error:
            raise ValueError(f"gtin: {error}") from error
        return StyleRecord(
            sku=row.cells["sku"],
            gtin=gtin,
            attributes=_attributes(row.cells["attributes"]),
            price=Price(amount=amount, currency=currency),
            tax_rate=_tax_rate(row.cells.get("tax_rate", "")),
        )

    def _link(self, gtin: str) -> str:
        if not self._domain:
            raise ValueError("url: it may only be empty if the shop's domain is known")
        return digital_link(self._domain, gtin)


def _read(
    file: Path, kind: Kind, read: Callable[[Row], Record]
) -> tuple[list[Record], list[BadRow]]:
    rows, bad = read_table(file, kind)
    records: list[Record] = []
    for row in rows:
        try:
            records.append(read(row))
        except ValidationError as error:
            bad.append(BadRow(file, row.line, _reason(error)))
        except ValueError as error:
            bad.append(BadRow(file, row.line, str(error)))
    return records, sorted(bad, key=lambda row: row.line)


def _reason(error: ValidationError) -> str:
    faults = []
    for fault in error.errors():
        field = next((str(part) for part in reversed(fault["loc"]) if isinstance(part, str)), "row")
        faults.append(f"{field}: {fault['msg'].removeprefix('Value error, ')}")
    return "; ".join(faults)


def _whole(row: Row, column: str, unit: str) -> int:
    text = row.cells[column]
    if not (text.isascii() and text.isdigit() and len(text) <= len("1000000000000")):
        raise ValueError(f"{column}: {text[:40]!r} is not a whole number of {unit}")
    return int(text)


def _tax_rate(text: str) -> int | None:
    """A rate in basis points; none if the cell, or the whole column, is not there."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len("10000")):
        raise ValueError(f"tax_rate: {text[:40]!r} is not in basis points, such as 2000 for 20 %")
    return int(text)


def _attributes(text: str) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise ValueError(f"attributes: {part[:40]!r} is not written like colour=blue")
        if key in attributes:
            raise ValueError(f"attributes: {key[:40]!r} is there twice")
        attributes[key] = value
    return attributes
