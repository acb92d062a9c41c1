"""The catalog: products, their styles, and how many are left."""

from typing import Annotated

from pydantic import Field

from bus.contract.channel import Event, command, query
from bus.contract.values import (
    MAX_AMOUNT,
    MAX_LINES,
    Code,
    Count,
    Gtin14,
    LongText,
    Model,
    Money,
    ProductId,
    Quantity,
    Reference,
    Sku,
    Text,
)

Attributes = Annotated[dict[Text, Text], Field(max_length=20, default_factory=dict)]
MAX_STYLES = 200


class Price(Money):
    """What one piece costs: never nothing."""

    amount: Annotated[int, Field(ge=1, le=MAX_AMOUNT)]


class StyleRecord(Model):
    """One style as it is registered: what it is and costs, not how many there are."""

    sku: Sku
    gtin: Gtin14
    attributes: Attributes
    price: Price


class ProductRecord(Model):
    """A product as it is registered."""

    id: ProductId
    name: Text
    description: LongText = ""
    url: Code
    """What its label carries."""
    styles: Annotated[list[StyleRecord], Field(min_length=1, max_length=MAX_STYLES)]


class Style(StyleRecord):
    """One style as it is sold."""

    available: Count
    """On hand less reserved."""


class Product(Model):
    """A product as it is sold."""

    id: ProductId
    name: Text
    description: LongText
    url: Code
    styles: list[Style]


class Lookup(Model):
    """What a scanner gave: a label's URL, a GS1 Digital Link, or a bare GTIN."""

    code: Code


class Found(Model):
    """The product behind a code."""

    product: Product
    scanned: str | None
    """The SKU whose GTIN the label carries, if it carries one."""


class Search(Model):
    """Find products whose name, description, SKU or attributes have all the words."""

    text: Annotated[str, Field(max_length=200)]
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class SearchResult(Model):
    """Products, best match first."""

    products: list[Product]


class Line(Model):
    """So many of a style."""

    sku: Sku
    quantity: Quantity


class PricedLine(Line):
    """So many of a style at a price for each."""

    price: Price


Lines = Annotated[list[Line], Field(min_length=1, max_length=MAX_LINES)]


class Reserve(Model):
    """Hold these for an order: all of them or none."""

    order: Reference
    lines: Lines


class Reserved(Model):
    """What is held and what each costs today."""

    order: Reference
    lines: list[PricedLine]


class OrderOnly(Model):
    """An order, and nothing more to say of it."""

    order: Reference


class Release(OrderOnly):
    """An order whose goods are for sale again: all of them, or those lines alone."""

    lines: Lines | None = None
    """What of it cannot be had; the rest stays the order's."""


class WriteOff(Model):
    """Goods that the books had and that are not there."""

    sku: Sku
    quantity: Quantity


class Restock(Model):
    """Goods that the warehouse put on a shelf and the catalog may sell."""

    sku: Sku
    quantity: Quantity


class StockLevel(Model):
    """How many of a style there are."""

    sku: Sku
    on_hand: Count
    reserved: Count
    available: Count


class Upsert(Model):
    """Register products or change them; what is on hand stays as it is."""

    products: Annotated[list[ProductRecord], Field(min_length=1, max_length=100)]


class Upserted(Model):
    """How many products are new and how many were there."""

    created: Count
    updated: Count


class StockChanged(Model):
    """The new levels of the styles that changed."""

    levels: list[StockLevel]


LOOKUP = query("catalog", "lookup", Lookup, Found, "Which product is behind this label?")
SEARCH = query("catalog", "search", Search, SearchResult, "Which products have these words?")
RESERVE = command(
    "catalog", "reserve", Reserve, Reserved,
    "Hold goods for an order, all or nothing", callers={"settlement"},
)  # fmt: skip
COMMIT = command(
    "catalog", "commit", OrderOnly, OrderOnly,
    "The order is paid: what was held has left the stock for sale", callers={"settlement"},
)  # fmt: skip
RELEASE = command(
    "catalog", "release", Release, OrderOnly,
    "The order is not to be: what was held is for sale again", callers={"settlement"},
)  # fmt: skip
RESTOCK = command(
    "catalog", "restock", Restock, StockLevel,
    "Goods were put on a shelf and are for sale", callers={"warehouse"},
)  # fmt: skip
WRITE_OFF = command(
    "catalog", "write-off", WriteOff, StockLevel,
    "A location held less than the books said: what is missing cannot be sold",
    callers={"warehouse"},
)  # fmt: skip
UPSERT = command(
    "catalog", "upsert", Upsert, Upserted,
    "Register or change products", callers={"tester", "console"}, timeout=30.0,
)  # fmt: skip
STOCK_CHANGED = Event("catalog", "stock-changed", StockChanged, "Levels of styles changed")

CHANNELS = (
    LOOKUP, SEARCH, RESERVE, COMMIT, RELEASE, RESTOCK, WRITE_OFF, UPSERT, STOCK_CHANGED,
)  # fmt: skip
