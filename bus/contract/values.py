"""The values that messages are made of: names, quantities, money, trade item numbers.

No floats and no decimals: money is an integer of minor units, quantities are positive integers.
"""

import re
import unicodedata
from typing import Annotated, Any, ClassVar, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

MAX_INTEGER = 2**53 - 1
"""The largest integer that every reader of JSON takes for what it is (RFC 8259 section 6)."""
MAX_PAYLOAD = 64 * 1024
"""The largest payload of a message, in bytes."""
MAX_LINES = 100
"""The most lines of an order and products of an upsert."""
MAX_ENTRIES = 1_000
"""The most entries of a list that grows with time."""
MAX_QUANTITY = 1_000_000
"""The largest quantity of one line."""
MAX_COUNT = 1_000_000_000
"""The most pieces, or things, that are counted."""
MAX_AMOUNT = 1_000_000_000_000
"""The largest amount of money in minor units."""
MAX_EXPLANATION = 8192
"""The longest sentence that says why, in characters: it may quote what it is about."""
NAME_PATTERN = r"[a-z0-9][a-z0-9-]{0,47}"
"""Names of sites and nodes, which are levels of topics."""

_GTIN_LENGTHS = frozenset({8, 12, 13, 14})


class _NamesOrder:
    """Marks a type whose fields name the order that a message is about."""


class Model(BaseModel):
    """A message or a part of one: strict, frozen, and unknown fields are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)
    order_field: ClassVar[str | None] = None
    """The field that names the order which a message is about: the first whose type is `OrderId`;
    None if there is none."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        named = (name for name, field in cls.model_fields.items() if _names_order(field))
        cls.order_field = next(named, cls.order_field)


def _names_order(field: FieldInfo) -> bool:
    """Whether a field is an `OrderId`, or one that may be null."""
    parts = [
        field.metadata,
        *(getattr(part, "__metadata__", ()) for part in get_args(field.annotation)),
    ]
    return any(isinstance(mark, _NamesOrder) for part in parts for mark in part)


T = TypeVar("T")


def distinct(name: str | None = None) -> AfterValidator:
    """Of a list: no two of its items are the same, or the same in this field."""

    def check(items: list[T]) -> list[T]:
        seen: set[Any] = set()
        for item in items:
            key = item if name is None else getattr(item, name)
            if key in seen:
                raise ValueError(f"{key} stands there twice")
            seen.add(key)
        return items

    return AfterValidator(check)


def is_name(text: str) -> bool:
    """Whether `text` can be a site or a node."""
    return re.fullmatch(NAME_PATTERN, text) is not None


def check_digit(digits: str) -> int:
    """The GS1 check digit that belongs after `digits` (GS1 General Specifications 7.9)."""
    total = sum(
        int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))
    )
    return -total % 10


def gtin14(digits: str) -> str:
    """A GTIN-8, -12, -13 or -14 as its 14-digit form.

    Raises:
        ValueError: not digits, of another length, or the check digit does not match.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("a GTIN has digits only")
    if len(digits) not in _GTIN_LENGTHS:
        raise ValueError("a GTIN has 8, 12, 13 or 14 digits")
    if check_digit(digits[:-1]) != int(digits[-1]):
        raise ValueError("the GTIN's check digit does not match")
    return digits.rjust(14, "0")


def _plain(text: str) -> str:
    """Refuse control characters and bidi overrides, which could fake what a person reads.

    Marks, joiners and soft hyphens are letters of their scripts: names in Arabic, Hebrew and
    Persian have them.
    """
    if text.isascii() and text.isprintable():
        return text
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs"} or character in REORDERING:
            raise ValueError("the text has a control or bidi-override character")
    return text


REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates (UAX #9): they reorder what others wrote around them."""


def _with_visible_separators(text: Any) -> Any:
    """Put `^` for FNC1, as GS1's own tools do; no text within a symbol can hold it."""
    return text.replace("\x1d", "^") if isinstance(text, str) else text


Plain = AfterValidator(_plain)
NOT_BLANK = r"\S"
"""Something must be there to be read."""
Name = Annotated[
    str, Field(max_length=48, pattern=f"^{NAME_PATTERN}$", description="A site or node.")
]
Word = Annotated[str, Field(max_length=200, description="A short text, for programs.")]
Time = Annotated[str, Field(max_length=64, description="RFC 3339.")]
Explanation = Annotated[str, Field(max_length=MAX_EXPLANATION, description="Why, in words.")]
Text = Annotated[str, Field(max_length=200, description="One line shown to people."), Plain]
Reason = Annotated[
    str,
    Field(min_length=1, max_length=200, description="Why, in words; it is kept."),
    Plain,
]
GivenReason = Annotated[
    Reason, Field(pattern=NOT_BLANK, description="Why, in words, not blank; it is kept.")
]
"""What somebody gives now; blank ones that were written down before are still told."""
LongText = Annotated[str, Field(max_length=2000, description="A text shown to people."), Plain]
Code = Annotated[
    str,
    Field(min_length=1, max_length=2048, description="What a scanner gives: a URL or digits."),
    Plain,
]
Scanned = Annotated[Code, BeforeValidator(_with_visible_separators)]
"""A code as it comes from a scanner: GS1's separator is a control character there."""
Sku = Annotated[
    str,
    Field(
        max_length=48,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,47}$",
        description="A stock keeping unit: one style of a product.",
    ),
]
ProductId = Annotated[
    str, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]{0,63}$", description="A product.")
]
Gtin14 = Annotated[
    str,
    Field(
        max_length=14,
        pattern=r"^\d{14}$",
        description="A GTIN as 14 digits, with a valid check digit.",
    ),
    AfterValidator(gtin14),
]
Location = Annotated[
    str,
    Field(
        max_length=24,
        pattern=r"^[A-Z0-9][A-Z0-9-]{0,23}$",
        description="A storage location, such as `A-03-2`: aisle, bay, shelf.",
    ),
]
PointId = Annotated[
    str, Field(max_length=48, pattern=f"^{NAME_PATTERN}$", description="A pickup point.")
]
Reference = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[\x21-\x7e]+$",
        description="An opaque identifier: of an order, a job, a parcel, a message.",
    ),
]
OrderId = Annotated[Reference, Field(description="Identifies an order."), _NamesOrder()]
"""The order that a message is about: it is put into the message's envelope as well."""
ORDER_FIELD = "order"
"""What every such field is called in JSON."""
JobId = Annotated[Reference, Field(description="Identifies a pick job of the warehouse.")]
ParcelId = Annotated[Reference, Field(description="Identifies a parcel.")]
Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY, description="A positive number of pieces.")]
Count = Annotated[
    int, Field(ge=0, le=MAX_COUNT, description="A number of pieces that may be none.")
]
Assignment = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
"""Which of a job's sorters: it rises each time the job is given to one."""
Currency = Annotated[
    str, Field(min_length=3, max_length=3, pattern=r"^[A-Z]{3}$", description="ISO 4217.")
]
Total = Annotated[
    int, Field(ge=0, le=MAX_INTEGER, description="A number of pieces that only ever grows.")
]


class Money(Model):
    """An amount of money."""

    amount: Annotated[int, Field(ge=0, le=MAX_AMOUNT)]
    """In minor units of the currency (cents)."""
    currency: Currency
    """ISO 4217, such as `EUR`."""


class Empty(Model):
    """A message that carries nothing."""


def looks_like_card_number(value: Any) -> bool:
    """Whether any text or number within `value` holds 12 to 19 digits that pass the Luhn check.

    Spaces and dashes between digits are skipped (ISO/IEC 7812-1 annex B).
    """
    if isinstance(value, dict):
        return any(looks_like_card_number(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(looks_like_card_number(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return False
    text = str(value)
    if not text.isascii():
        text = "".join(
            "-" if unicodedata.category(character) == "Pd" else character
            for character in unicodedata.normalize("NFKC", text)
        )
    return any(_has_card_number(_GAP.split(run)) for run in _LONG_RUN.findall(text))


_LONG_RUN, _GAP = re.compile(r"[0-9](?:[ -]?[0-9]){11,}"), re.compile("[ -]")


def _has_card_number(groups: list[str]) -> bool:
    """Whether adjacent groups of digits make a number of 12 to 19 digits that passes."""
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > 19:  # noqa: PLR2004 - ISO/IEC 7812-1
                break
            if len(digits) >= 12 and _luhn(digits):  # noqa: PLR2004 - ISO/IEC 7812-1
                return True
    return False


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - sum of a two-digit number
    return total % 10 == 0
