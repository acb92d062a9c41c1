"""Turn rows of products, one for each style, into what is to be registered or changed.

An empty cell changes nothing; `-` clears the field. It must not know how the store is queried.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bus.contract.catalog import (
    MAX_STYLES,
    ProductRecord,
    ProductUpdate,
    Registered,
    StyleRecord,
    StyleUpdate,
)
from bus.contract.values import gtin14
from labels.digital_link import digital_link
from store.shop.money import amount_from, stands_for
from store.shop.normalisation import EMPTY
from store.shop.records import UniqueKeys, reason
from store.shop.row import BadRow, Row
from store.shop.table import Table, read_table

_TEXTS = ("name", "description", "url")
_NEVER_EMPTY = ("product", "name", "sku", "gtin", "price", "currency")


@dataclass(slots=True)
class Updates:
    """What a file says about products."""

    products: list[ProductUpdate] = field(default_factory=list)
    lines: dict[str, list[int]] = field(default_factory=dict)
    """The line numbers of each product."""
    bad: list[BadRow] = field(default_factory=list)


def read_products(
    file: Path | Table, *, domain: str = "", currency: str = ""
) -> tuple[list[ProductRecord], list[BadRow]]:
    """Read whole products, one row per style; only one row of a product needs its texts.

    Args:
        file: the CSV file, or its table.
        domain: the domain of labels without a URL, which link to the first style's GS1 Digital
            Link.
        currency: the only one allowed, and the default of prices without one, if given.

    Raises:
        ConfigurationError: the file cannot be read, is ambiguous, or lacks a column.
    """
    table = file if isinstance(file, Table) else read_table(file, "products")
    updates = read_updates(table, {}, domain=domain, currency=currency)
    records = [
        ProductRecord.model_validate(
            {**product.model_dump(), "description": product.description or ""}
        )
        for product in updates.products
    ]
    return records, updates.bad


def read_updates(
    table: Table, known: Mapping[str, Registered], *, domain: str = "", currency: str = ""
) -> Updates:
    """Read what is new or to be changed.

    Args:
        table: the file.
        known: the store's products by id, including retired ones.
        domain: as in `read_products`.
        currency: as in `read_products`.
    """
    builder = _UpdateBuilder(known, domain, currency)
    bad = list(table.bad)
    for row in table.rows:
        try:
            builder.add(row)
        except ValueError as error:  # pydantic's, too
            bad.append(BadRow(table.file, row.line, reason(error)))
    updates = Updates(bad=sorted(bad, key=lambda row: row.line))
    for draft in builder.drafts.values():
        if draft.lines:
            updates.products.append(draft.update(draft.texts))
            updates.lines[draft.id] = draft.lines
    return updates


@dataclass(slots=True)
class _Draft:
    """What the rows so far say about one product."""

    id: str
    first: Row
    texts: dict[str, str] = field(default_factory=dict)
    styles: list[StyleUpdate] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def update(self, texts: Mapping[str, str], *further: StyleUpdate) -> ProductUpdate:
        return ProductUpdate.model_validate(
            {"id": self.id, **texts, "styles": [*self.styles, *further]}
        )


class _UpdateBuilder:
    """Collects the styles of each product."""

    def __init__(self, known: Mapping[str, Registered], domain: str, currency: str) -> None:
        self.drafts: dict[str, _Draft] = {}
        self._known = known
        self._of_sku = {style.sku: each.id for each in known.values() for style in each.styles}
        self._domain = domain
        self._currency = currency
        self._unique = UniqueKeys()

    def add(self, row: Row) -> None:
        """Add a row, completely or not at all.

        Raises:
            ValueError: says what is wrong with it.
        """
        _refuse_emptied(row)
        identifier = self._product(row)
        known = self._known.get(identifier)
        # The texts count even if the row's style is bad: the rows after it lean on them.
        draft = self.drafts.setdefault(identifier, _Draft(identifier, row))
        texts = self._texts(row, draft, known)
        style = self._style(row, known)
        if "url" not in texts and known is None:
            texts["url"] = self._link(style.gtin or "")
        if len(draft.styles) == MAX_STYLES:
            raise ValueError(f"product: {identifier} has more than {MAX_STYLES} styles")
        draft.update(texts, style)
        unique = {"sku": style.sku, "gtin": style.gtin}
        if not draft.styles:
            unique["url"] = texts.get("url")
        for column, value in unique.items():
            self._unique.check(column, value)
        for column, value in unique.items():
            self._unique.take(row, column, value)
        draft.texts = texts
        draft.styles.append(style)
        draft.lines.append(row.line)

    def _product(self, row: Row) -> str:
        given = row.cells.get("product", "")
        if given:
            return given
        found = self._of_sku.get(row.cells["sku"])
        if found is None:
            raise ValueError(f"sku: {row.cells['sku'][:60]!r} is not a style of the store")
        return found

    def _texts(self, row: Row, draft: _Draft, known: Registered | None) -> dict[str, str]:
        """The product's texts from its first row; later rows may only repeat them."""
        first = draft.first
        for column in _TEXTS:
            text = row.cells.get(column, "")
            if text not in {"", first.cells.get(column, "")}:
                raise ValueError(f"{column}: line {first.line} has another value for this product")
        texts = {column: first.cells.get(column, "") for column in _TEXTS}
        if not texts["name"] and known is None:
            raise ValueError("name: the first row of a product must have one")
        if texts["url"] == EMPTY:
            texts["url"] = self._link(_first_style(known).gtin) if known else ""
        given = {column: "" if text == EMPTY else text for column, text in texts.items() if text}
        return draft.texts or given

    def _style(self, row: Row, product: Registered | None) -> StyleUpdate:
        cells = row.cells
        styles = product.styles if product else []
        known = next((style for style in styles if style.sku == cells["sku"]), None)
        update: dict[str, Any] = {"sku": cells["sku"]}
        price = self._price(cells)
        if price is not None:
            update["price"] = price
        if cells.get("gtin"):
            update["gtin"] = _gtin(cells["gtin"])
        if cells.get("attributes"):
            update["attributes"] = _attributes(cells["attributes"])
        if cells.get("tax_rate"):
            update["tax_rate"] = _tax_rate(cells["tax_rate"])
        if known is None:
            for column in ("price", "gtin"):
                if column not in update:
                    raise ValueError(f"{column}: a new style must have one")
        return StyleUpdate.model_validate(update)

    def _price(self, cells: Mapping[str, str]) -> dict[str, Any] | None:
        currency = cells.get("currency") or self._currency
        if self._currency and stands_for(currency, self._currency):
            currency = self._currency
        text = cells.get("price", "")
        if self._currency and currency != self._currency and (text or cells.get("currency")):
            amount_from("1", currency)
            raise ValueError(f"currency: {currency}, but the shop sells in {self._currency}")
        return {"amount": amount_from(text, currency), "currency": currency} if text else None

    def _link(self, gtin: str) -> str:
        if not self._domain:
            raise ValueError("url: it may only be empty if the shop's domain is known")
        return digital_link(self._domain, gtin)


def _first_style(product: Registered) -> StyleRecord:
    """The first style that is sold, or else the first one."""
    sold = (style for style in product.styles if style.sku not in product.retired)
    return next(sold, product.styles[0])


def _refuse_emptied(row: Row) -> None:
    for column in _NEVER_EMPTY:
        if row.cells.get(column) == EMPTY:
            raise ValueError(f"{column}: it cannot be empty")


def _gtin(text: str) -> str:
    if re.fullmatch(r"[0-9]([.,][0-9]+)?[eE]\+?[0-9]+", text):
        raise ValueError(
            f"gtin: the spreadsheet has cut digits off {text!r}. Format the column as text, enter"
            " the number again, and save the file again"
        )
    try:
        return gtin14(text)
    except ValueError as error:
        raise ValueError(f"gtin: {error}") from error


def _tax_rate(text: str) -> int | None:
    """A rate in basis points; None for `-`."""
    if text == EMPTY:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len("1000000")):
        raise ValueError(f"tax_rate: {text[:40]!r} is not a rate such as 20%")
    return int(text)


def _attributes(text: str) -> dict[str, str]:
    attributes: dict[str, str] = {}
    if text == EMPTY:
        return attributes
    for part in filter(None, map(str.strip, text.split(";"))):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise ValueError(f"attributes: {part[:40]!r} is not written like colour=blue")
        if key in attributes:
            raise ValueError(f"attributes: {key[:40]!r} is there twice")
        attributes[key] = value
    return attributes
