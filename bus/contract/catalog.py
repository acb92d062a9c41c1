"""The catalog: products, their styles, and how many are left."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from bus.contract.channel import Event, command, query
from bus.contract.values import (
    MAX_AMOUNT,
    MAX_COUNT,
    MAX_LINES,
    Code,
    Count,
    GivenReason,
    Gtin14,
    LongText,
    Model,
    Money,
    Name,
    OrderId,
    ProductId,
    Quantity,
    Reason,
    Scanned,
    Sku,
    Text,
    Time,
    Total,
    Word,
    distinct,
)

Attributes = Annotated[dict[Text, Text], Field(max_length=20, default_factory=dict)]
MAX_STYLES = 200
TaxRate = Annotated[
    int, Field(ge=0, le=10_000, description="In basis points: 2000 are 20 per cent.")
]


class Price(Money):
    """What one piece costs: never nothing."""

    amount: Annotated[int, Field(ge=1, le=MAX_AMOUNT)]


class StyleRecord(Model):
    """One style as it is registered: what it is and costs, not how many there are."""

    sku: Sku
    gtin: Gtin14
    """The number of this style alone, as 14 digits with a valid check digit."""
    attributes: Attributes
    """What tells it from the other styles: `{"colour": "blue", "size": "M"}`."""
    price: Price
    """Of one piece."""
    tax_rate: TaxRate | None = None
    """Which tax the price includes; null where the receipt is to show none."""


class ProductRecord(Model):
    """A product as it is registered."""

    id: ProductId
    name: Text
    """As the label and the terminal show it."""
    description: LongText = ""
    """A few sentences for the customer."""
    url: Code
    """What its label carries."""
    styles: Annotated[list[StyleRecord], Field(min_length=1, max_length=MAX_STYLES)]
    """What it is sold as, such as sizes and colours."""


class _Update(Model):
    """What is to be changed of something that is registered: what is not sent stays as it is."""

    model_config = ConfigDict(from_attributes=True)

    @model_serializer(mode="wrap")
    def _only_what_was_set(self, write: SerializerFunctionWrapHandler) -> Any:
        return {name: value for name, value in write(self).items() if name in self.model_fields_set}


class StyleUpdate(_Update):
    """One style to be registered or changed: what is missing stays as it is."""

    sku: Sku
    gtin: Gtin14 | None = None
    """The number of this style alone; a new style must have one."""
    attributes: Annotated[dict[Text, Text], Field(max_length=20)] | None = None
    """What tells it from the other styles, all of it; a new style may have none."""
    price: Price | None = None
    """Of one piece; a new style must have one."""
    tax_rate: TaxRate | None = None
    """Which tax the price includes; null, where it is sent, if the receipt is to show none."""


class ProductUpdate(_Update):
    """A product to be registered or changed: what is missing, or null, stays as it is."""

    id: ProductId
    name: Text | None = None
    """As the label and the terminal show it; a new product must have one."""
    description: LongText | None = None
    """A few sentences for the customer; empty if there are to be none."""
    url: Code | None = None
    """What its label carries: an http or https URL, or a code of GS1 that is valid; no other goods
    may have it in any spelling. A new product must have one."""
    styles: Annotated[list[StyleUpdate], Field(max_length=MAX_STYLES, default_factory=list)]
    """Those that are new or change, the new ones after those that there are. A new product has
    at least one."""


class Style(StyleRecord):
    """One style as it is sold."""

    available: Count
    """On hand less reserved."""


class Product(Model):
    """A product as it is sold."""

    id: ProductId
    name: Text
    """As the label and the terminal show it."""
    description: LongText
    """A few sentences for the customer."""
    url: Code
    """What its label carries."""
    styles: Annotated[list[Style], Field(max_length=MAX_STYLES), distinct("sku")]
    """What it is sold as, such as sizes and colours."""


class Lookup(Model):
    """What a scanner gave: a label's URL, a GS1 Digital Link, a GTIN, or GS1 element strings."""

    code: Scanned
    """The text as it was read, also with the scanner's symbology identifier, such as `]Q3`."""


class Found(Model):
    """The product behind a code."""

    product: Product
    """With all of its styles."""
    scanned: Sku | None
    """The SKU whose GTIN the label carries, if it carries one."""
    retired: Sku | None = None
    """The same of a style that is no longer sold, while others of its product are."""

    @model_validator(mode="after")
    def _of_the_product(self) -> Self:
        skus = {style.sku for style in self.product.styles}
        if self.scanned is not None and self.scanned not in skus:
            raise ValueError("what was scanned is no style of the product")
        if self.retired is not None and self.retired in skus:
            raise ValueError("a style of the product cannot be retired")
        return self


class Search(Model):
    """Find products whose name, description, SKU or attributes have all the words."""

    text: Annotated[str, Field(max_length=200)]
    """Words, in any order; upper and lower case are the same."""
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    """The most products to be answered."""
    after: Word | None = None
    """Only products whose id comes after this one, in the order of their ids: to ask on."""


class SearchResult(Model):
    """Products, best match first; as many as fit."""

    products: Annotated[list[Product], Field(max_length=100), distinct("id")]
    """As in the reply to `lookup`."""


class Line(Model):
    """So many of a style."""

    sku: Sku
    quantity: Quantity


class PricedLine(Line):
    """So many of a style at a price for each."""

    price: Price
    """Of one piece."""


Lines = Annotated[list[Line], Field(min_length=1, max_length=MAX_LINES)]
LinesOfStyles = Annotated[Lines, distinct("sku")]
"""One line for each style."""
PricedLines = Annotated[list[PricedLine], Field(max_length=MAX_LINES), distinct("sku")]


def add_up(lines: Sequence[PricedLine]) -> Money:
    """What lines of one currency cost together.

    Raises:
        ValueError: there are none, they are of several currencies, or too large.
    """
    currencies = sorted({line.price.currency for line in lines})
    if len(currencies) != 1:
        raise ValueError("the lines have no price, or several currencies")
    amount = sum(line.quantity * line.price.amount for line in lines)
    if amount > MAX_AMOUNT:
        raise ValueError("the sum is too large")
    return Money(amount=amount, currency=currencies[0])


class Reserve(Model):
    """Hold these for an order: all of them or none."""

    order: OrderId
    lines: LinesOfStyles
    """One line for each style."""


class Reserved(Model):
    """What is held and what each costs today."""

    order: OrderId
    lines: PricedLines
    """As they were asked for, with prices."""


class OrderOnly(Model):
    """An order, and nothing more to say of it."""

    order: OrderId


class Release(OrderOnly):
    """An order whose goods are for sale again: all of them, or those lines alone."""

    lines: LinesOfStyles | None = None
    """What of it cannot be had; the rest stays the order's."""


class WriteOff(Model):
    """Goods that the books had and that are not there."""

    sku: Sku
    quantity: Annotated[int, Field(ge=1, le=MAX_COUNT)]
    """Pieces, as many as the books had at the most."""


class Restock(Model):
    """Goods that the warehouse put on a shelf and the catalog may sell."""

    sku: Sku
    quantity: Quantity


class StockLevel(Model):
    """How many of a style there are."""

    sku: Sku
    on_hand: Count
    """Pieces that the books have, reserved ones too."""
    reserved: Count
    """Pieces held for orders."""
    available: Count
    """On hand less reserved: what can be bought."""
    received: Total | None = None
    """Pieces that ever came in; an older catalog does not say."""
    written_off: Total | None = None
    """Pieces that ever turned out not to be there; likewise."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.available != self.on_hand - self.reserved:
            raise ValueError("`available` must be on hand less reserved")
        return self


class Upsert(Model):
    """Register products or change them; what is on hand stays as it is."""

    products: Annotated[list[ProductUpdate], Field(min_length=1, max_length=100)]
    """New ones, and those whose id is known: of them, what is to change."""


class Upserted(Model):
    """How many products are new and how many were there."""

    created: Count
    """Products that are new."""
    updated: Count
    """Products that were there and are as sent now, with what was not sent as it was."""
    retired: Annotated[list[Sku], Field(max_length=100 * MAX_STYLES, default_factory=list)]
    """Of the styles that were sent, those that stay retired: they are not sold."""


class Retire(Model):
    """Take a style, or all styles of a product, out of the range, or back into it."""

    sku: Sku | None = None
    """The style."""
    product: ProductId | None = None
    """The product; give this or `sku`."""
    reason: GivenReason


class RetiredStyle(Model):
    """A style that is not sold any more, or is again."""

    sku: Sku
    product: ProductId
    """The product that it is a style of."""
    on_hand: Count
    """Pieces that the books have, reserved ones too."""
    reserved: Count
    """Pieces held for orders, which go on."""

    @model_validator(mode="after")
    def _is_there(self) -> Self:
        if self.reserved > self.on_hand:
            raise ValueError("more is reserved than there is")
        return self


class RetireReply(Model):
    """What was retired, or taken back; styles that were so before are not named."""

    product: ProductId
    """The product that they are styles of."""
    styles: Annotated[list[RetiredStyle], Field(max_length=MAX_STYLES), distinct("sku")]
    """Those that are so from now on."""

    @model_validator(mode="after")
    def _of_the_product(self) -> Self:
        if any(style.product != self.product for style in self.styles):
            raise ValueError("a style is another product's")
        return self


class RetiredSince(RetiredStyle):
    """A style that is retired: since when, by whom and why."""

    by: Name
    """The node at which it was entered."""
    at: Time
    reason: Reason


class RetiredQuery(Model):
    """Which styles are retired, in the order of their SKUs?"""

    after: Word | None = None
    """Only styles whose SKU comes after this one: to ask on."""
    limit: Annotated[int, Field(ge=1, le=100)] = 100
    """The most styles to be answered."""


class RetiredList(Model):
    """Styles that are retired."""

    styles: Annotated[list[RetiredSince], Field(max_length=100), distinct("sku")]
    """In the order of their SKUs."""


class Registered(ProductRecord):
    """A product with all of its styles, whether they are sold or not."""

    retired: Annotated[list[Sku], Field(max_length=MAX_STYLES), distinct()]
    """Of its styles, those that are not sold any more."""

    @model_validator(mode="after")
    def _of_the_product(self) -> Self:
        if not set(self.retired) <= {style.sku for style in self.styles}:
            raise ValueError("what is retired is no style of the product")
        return self


class RegisteredQuery(Model):
    """Which products are registered, in the order of their ids, with what is retired?"""

    after: Word | None = None
    """Only products whose id comes after this one: to ask on."""
    limit: Annotated[int, Field(ge=1, le=100)] = 100
    """The most products to be answered."""


class RegisteredList(Model):
    """Products as they are registered; as many as fit."""

    products: Annotated[list[Registered], Field(max_length=100), distinct("id")]
    """In the order of their ids; none if there are no more."""


class StockChanged(Model):
    """The new levels of the styles that changed."""

    levels: Annotated[list[StockLevel], Field(max_length=MAX_LINES), distinct("sku")]
    """Of those styles only."""


LOOKUP = query(
    "catalog", "lookup", Lookup, Found, "Which product is behind this label?",
    problems={"unknown-label", "retired", "invalid-digital-link"},
)  # fmt: skip
SEARCH = query("catalog", "search", Search, SearchResult, "Which products have these words?")
RESERVE = command(
    "catalog", "reserve", Reserve, Reserved,
    "Hold goods for an order, all or nothing", callers={"settlement"},
    problems={"sold-out", "unknown-sku", "retired", "wrong-state"},
)  # fmt: skip
COMMIT = command(
    "catalog", "commit", OrderOnly, OrderOnly,
    "The order is paid: what was held has left the stock for sale", callers={"settlement"},
    problems={"wrong-state"},
)  # fmt: skip
RELEASE = command(
    "catalog", "release", Release, OrderOnly,
    "The order is not to be: what was held is for sale again", callers={"settlement"},
    problems={"wrong-state"},
)  # fmt: skip
RESTOCK = command(
    "catalog", "restock", Restock, StockLevel,
    "Goods were put on a shelf and are for sale", callers={"warehouse"},
    problems={"unknown-sku", "conflict"},
)  # fmt: skip
WRITE_OFF = command(
    "catalog", "write-off", WriteOff, StockLevel,
    "A location held less than the books said: what is missing cannot be sold",
    callers={"warehouse"},
    problems={"unknown-sku"},
)  # fmt: skip
UPSERT = command(
    "catalog", "upsert", Upsert, Upserted,
    "Register or change products", callers={"tester", "console"}, timeout=30.0,
    problems={"conflict"},
)  # fmt: skip
RETIRE = command(
    "catalog", "retire", Retire, RetireReply,
    "Take a style or product out of the range: no longer offered, found or sold",
    callers={"tester", "console"}, timeout=30.0,
    problems={"unknown-sku", "unknown-product"},
)  # fmt: skip
REINSTATE = command(
    "catalog", "reinstate", Retire, RetireReply,
    "Take a retired style or product back into the range",
    callers={"tester", "console"}, timeout=30.0,
    problems={"unknown-sku", "unknown-product"},
)  # fmt: skip
RETIRED = query(
    "catalog", "retired", RetiredQuery, RetiredList, "Which styles are retired, and why?"
)
REGISTERED = query(
    "catalog", "registered", RegisteredQuery, RegisteredList,
    "All products as they are registered, retired ones too",
)  # fmt: skip
STOCK_CHANGED = Event("catalog", "stock-changed", StockChanged, "Levels of styles changed")
