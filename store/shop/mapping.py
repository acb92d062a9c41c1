"""Maps the columns of other programs to ours: presets, and files that people write.

It must not know how a file is read: it turns rows of cells into rows of cells.
"""

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Mapping as Cells
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bus.contract.errors import ConfigurationError
from bus.contract.wording import what_is_wrong

PRESETS = {file.stem: file for file in (Path(__file__).parent / "maps").glob("*.toml")}

_Names = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    Field(min_length=1, strict=False),
]


UNMISTAKABLE: dict[str, tuple[str, ...]] = {
    "currency": ("currency", "currency_code", "price_currency"),
    "tax_rate": ("tax_rate",),
}
"""Columns that change what others mean, and their names in files of any program."""
_WORDS = """
currency currencies tax taxes taxable vat gst mwst ust iva tva moms net netto gross brutto incl
included including includes inclusive excl excluding unit units uom per pack price prices sale
discount rebate preis währung einheit steuer rabatt
"""
_MEANING = frozenset(_WORDS.split())


def changes_meaning(name: str) -> bool:
    """Whether a column of this name may change what others mean: a currency, a unit, a tax."""
    return not _MEANING.isdisjoint(re.split(r"[\W_]+", name.casefold()))


def plain_name(name: str) -> str:
    """A column's name in the form used for comparison: `Tax Rate` is `tax_rate`."""
    return re.sub(r"[\s_-]+", "_", name.strip().strip("\ufeff").casefold())


class Family(BaseModel):
    """How rows of styles refer to their product's row, in files where that is a separate row."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    id: str
    """The column of a row's number, which `id:12` refers to."""
    sku: str
    """The column of a row's SKU."""
    parent: str
    """The column in which a style names its product's row."""
    type: str
    """The column of a row's type."""
    products: _Names
    """The types of products that have no price of their own."""


class Mapping(BaseModel):
    """A column map."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    columns: dict[str, _Names]
    """For each of our columns theirs; if there are several, the first that is not empty."""
    attributes: dict[str, str] = {}
    """Columns with an attribute's name, and those with its value."""
    no_attributes: _Names = ("",)
    """Values that mean no attribute."""
    html: tuple[str, ...] = Field((), strict=False)
    """Our columns whose text is HTML in the file."""
    defaults: dict[str, str] = {}
    """The values of our columns where theirs are empty."""
    skip: dict[str, _Names] = {}
    """Rows to skip: values by column."""
    goods: _Names = ("sku",)
    """Our columns that a row of goods must have; other rows are, for example, further pictures."""
    family: Family | None = None

    @property
    def all_columns(self) -> dict[str, tuple[str, ...]]:
        """The columns, with those that every map must read unless it maps them."""
        return UNMISTAKABLE | self.columns

    def ours(self, theirs: Collection[str]) -> frozenset[str]:
        """Our columns that a file with these plain names has."""
        found = {
            column
            for column, names in self.all_columns.items()
            if any(plain_name(name) in theirs for name in names)
        }
        if self.family is not None and plain_name(self.family.sku) in theirs:
            found.add("product")
        return frozenset({*found, *self.defaults, "attributes"})

    def knows(self) -> frozenset[str]:
        """The plain names of all columns that the map reads."""
        names = [name for each in self.all_columns.values() for name in each]
        family = self.family.model_dump(exclude={"products"}).values() if self.family else ()
        names += [*self.attributes, *self.attributes.values(), *self.skip, *family]
        return frozenset(map(plain_name, names))


def read_mapping(name: str) -> Mapping:
    """Return a preset, or the map in a TOML file.

    Raises:
        ConfigurationError: there is none, or it is invalid.
    """
    file = PRESETS.get(name, Path(name))
    try:
        return Mapping.model_validate(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise ConfigurationError(
            f"--map: {name} is neither one of {', '.join(sorted(PRESETS))} nor a file that can be"
            f" read: {error.strerror}."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigurationError(f"{file}: {place}: {what_is_wrong(first)}.") from error
    except ValueError as error:
        raise ConfigurationError(f"{file} is not a TOML file: {error}.") from error


class Translation:
    """Turns rows with another program's columns into rows with ours."""

    def __init__(self, mapping: Mapping, rows: Iterable[Cells[str, str]]) -> None:
        self._map = mapping
        self._names: dict[tuple[str, str], str] = {}
        self._said: dict[tuple[str, str], str] = {}
        self._parents = self._find_parents(rows)

    def why_not(self, row: Cells[str, str]) -> str | None:
        """Why a row is skipped; None if it is a style of the shop."""
        product = self._product(row, self._parent(row), self._first(row, "product"))
        for column, values in self._map.skip.items():
            # A product's values are in its own row, or in the first of its styles.
            own, parent = row.get(plain_name(column)), self._parent(row).get(plain_name(column))
            value = parent or own or self._said.get((product, column), "")
            self._said.setdefault((product, column), value)
            if value and value.casefold() in map(str.casefold, values):
                return f"{column} is {value}"
        family = self._map.family
        if family and row.get(plain_name(family.type), "").casefold() in family.products:
            return "it is a product without a price; its styles have rows of their own"
        if not any(self._first(row, column) for column in self._map.goods):
            return f"it has no {' and no '.join(self._map.goods)}"
        return None

    def cells(self, row: Cells[str, str]) -> dict[str, str]:
        """The cells of a row by our column names."""
        parent = self._parent(row)
        cells = {
            column: (self._first(parent, column) if column in _TEXTS else "")
            or self._first(row, column)
            or self._map.defaults.get(column, "")
            for column in {*self._map.all_columns, *self._map.defaults}
        }
        for column in self._map.html:
            cells[column] = text_of_html(cells.get(column, ""))
        cells["product"] = self._product(row, parent, cells.get("product", ""))
        cells["attributes"] = self._attributes(row, cells["product"])
        return cells

    def _first(self, row: Cells[str, str], column: str) -> str:
        names = map(plain_name, self._map.all_columns.get(column, ()))
        return next((row[name] for name in names if row.get(name)), "")

    def _find_parents(self, rows: Iterable[Cells[str, str]]) -> dict[str, Cells[str, str]]:
        family, found = self._map.family, {}
        if family is None:
            return {}
        for row in rows:
            found[f"id:{row.get(plain_name(family.id), '')}"] = row
            if sku := row.get(plain_name(family.sku)):
                found[sku] = row
        return found

    def _parent(self, row: Cells[str, str]) -> Cells[str, str]:
        family = self._map.family
        return self._parents.get(row.get(plain_name(family.parent), ""), {}) if family else {}

    def _product(self, row: Cells[str, str], parent: Cells[str, str], given: str) -> str:
        family = self._map.family
        if family is None:
            return slug(given)
        whole = parent or row
        named = row.get(plain_name(family.parent), "")
        sku = whole.get(plain_name(family.sku), "")
        return slug(sku or named or f"id-{whole.get(plain_name(family.id), '')}")

    def _attributes(self, row: Cells[str, str], product: str) -> str:
        pairs = []
        for name_column, value_column in self._map.attributes.items():
            value = row.get(plain_name(value_column), "")
            name = row.get(plain_name(name_column), "")
            # Only the first row of a product has the name.
            name = self._names.setdefault((product, name_column), name) or name
            if name and value and value not in self._map.no_attributes:
                pairs.append(f"{name.replace('=', '-')}={value}".replace(";", ","))
        return ";".join(pairs)


_TEXTS = frozenset({"name", "description", "url"})
"""What a style inherits from its product."""


def slug(text: str) -> str:
    """A text as a product's id: lower-case letters, digits and hyphens."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.casefold()).strip("-")[:64]


def text_of_html(html: str) -> str:
    """The visible text of a piece of HTML, in one line."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.words).split())


class _Words(HTMLParser):
    """Collects text, and separates blocks."""

    _INLINE = frozenset({"a", "b", "strong", "i", "em", "span", "u", "sup", "sub", "small", "font"})
    _SILENT = frozenset({"script", "style"})

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """A block begins on a new line."""
        del attrs
        self._silent += tag in self._SILENT
        if tag not in self._INLINE:
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """So does what follows a block."""
        self._silent -= tag in self._SILENT
        if tag not in self._INLINE:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        """Collect a piece of text."""
        if self._silent <= 0:
            self.words.append(data)
