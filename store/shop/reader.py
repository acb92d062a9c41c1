"""Read a whole shop from its folder: `shop.toml` and the files beside it.

It must not know the bus's traffic: it produces records, and others send them.
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bus.contract.catalog import ProductRecord
from bus.contract.errors import ConfigurationError
from bus.contract.values import Currency, Name, PointId, Text
from bus.contract.warehouse import PickupPoint, Receive
from bus.contract.wording import what_is_wrong
from devices.sorter.layout import Layout, read_layout
from store.shop.money import CURRENCIES
from store.shop.products import read_products
from store.shop.reading_options import AmbiguousFile, ReadingOptions
from store.shop.records import (
    AccountRecord,
    LocationRecord,
    read_accounts,
    read_locations,
    read_stock,
)
from store.shop.row import BadRow
from store.shop.table import Kind, kind_of, read_table

__all__ = [
    "AccountRecord",
    "BadRow",
    "LocationRecord",
    "Shop",
    "ShopSettings",
    "Sorter",
    "is_domain",
    "kind_of",
    "read_accounts",
    "read_locations",
    "read_products",
    "read_shop",
    "read_stock",
]

_FILES: tuple[Kind, ...] = ("products", "locations", "stock", "accounts")
_DOMAIN = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$"


class Sorter(BaseModel):
    """A sorter of the stockroom."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    name: Name


class FileSettings(BaseModel):
    """How to read the shop's CSV files where they are ambiguous."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    tax: str | None = None

    def how(self) -> ReadingOptions:
        """Return the options for the file reader.

        Raises:
            ConfigurationError: there is no such value.
        """
        how = ReadingOptions()
        for option, value in self.model_dump(exclude_none=True).items():
            how = how.with_option(option, value)
        return how


class ShopSettings(BaseModel):
    """The content of `shop.toml`."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    name: Annotated[Text, Field(min_length=1)]
    address: Text = ""
    """Printed on receipts, in one line."""
    tax_number: Text = ""
    """Printed on receipts."""
    site: Name
    """The level of the topics that separates stores."""
    domain: Annotated[str, Field(pattern=_DOMAIN)]
    """The domain of the labels' links."""
    currency: Currency
    """The currency of all prices and accounts."""
    default_pickup_point: PointId
    """Used if the customer names none."""
    pickup_points: Annotated[tuple[PickupPoint, ...], Field(min_length=1, strict=False)]
    sorters: Annotated[tuple[Sorter, ...], Field(min_length=1, strict=False)]
    files: FileSettings = FileSettings()
    """How to read the CSV files beside it where they are ambiguous."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        points = [point.id for point in self.pickup_points]
        names = [sorter.name for sorter in self.sorters]
        if len(set(points)) < len(points) or len(set(names)) < len(names):
            raise ValueError("two pickup points or two sorters have the same name")
        if self.default_pickup_point not in points:
            raise ValueError("default_pickup_point is not one of the pickup points")
        if self.currency not in CURRENCIES:
            raise ValueError("currency is not an ISO 4217 code")
        return self


class Shop(ShopSettings):
    """A shop with the content of all its files."""

    products: tuple[ProductRecord, ...]
    stock: tuple[Receive, ...]
    accounts: tuple[AccountRecord, ...]
    locations: tuple[LocationRecord, ...]
    layout: Layout
    bad_rows: tuple[BadRow, ...]
    """The rows that were refused, file by file."""


def is_domain(text: str) -> bool:
    """Whether links can have this domain: a domain name, optionally with a port."""
    return re.fullmatch(_DOMAIN, text) is not None


def read_shop(path: Path) -> Shop:
    """Read a shop.

    Args:
        path: a `shop.toml`, or its folder; the other files are beside it.

    Raises:
        ConfigurationError: a file is missing or cannot be used at all, or `shop.toml` is invalid.
            Single bad rows are not errors: see `Shop.bad_rows`.
    """
    file = path / "shop.toml" if path.is_dir() else path
    settings = read_shop_settings(file)
    folder = file.parent
    how = settings.files.how()
    try:
        tables = {kind: read_table(folder / f"{kind}.csv", kind, how) for kind in _FILES}
    except AmbiguousFile as error:
        ways = "; ".join(f'{error.option} = "{value}": {shown}' for value, shown in error.readings)
        raise ConfigurationError(
            f"{error.file}: {error.question} Say in [files] of {file} what is meant: {ways}."
        ) from error
    products, bad_products = read_products(
        tables["products"], domain=settings.domain, currency=settings.currency
    )
    locations, bad_locations = read_locations(tables["locations"])
    stock, bad_stock = read_stock(
        tables["stock"],
        skus={style.sku for product in products for style in product.styles},
        locations={record.location for record in locations},
    )
    accounts, bad_accounts = read_accounts(tables["accounts"])
    return Shop(
        **dict(settings),
        products=tuple(products),
        stock=tuple(stock),
        accounts=tuple(accounts),
        locations=tuple(locations),
        layout=read_layout(folder / "layout.toml"),
        bad_rows=(*bad_products, *bad_locations, *bad_stock, *bad_accounts),
    )


def read_shop_settings(path: Path) -> ShopSettings:
    """Read a shop's `shop.toml` without its other files.

    Raises:
        ConfigurationError: it is missing or invalid.
    """
    file = path / "shop.toml" if path.is_dir() else path
    try:
        return ShopSettings.model_validate(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "shop"
        raise ConfigurationError(f"{file}: {place}: {what_is_wrong(first)}.") from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise ConfigurationError(f"{file} is not a TOML file: {error}.") from error
