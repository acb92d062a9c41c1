"""Read what a scanner gives: a GTIN, GS1 element strings, a GS1 Digital Link, or any other URL.

Pure text work: it must not know which products exist, nor any domain of a shop. biip knows the
formats of values; its own reading of links differs from the standard (it takes the leftmost key,
pads short GTINs, forgives repeats), so the link is taken apart here. What a scanner puts in front
is `symbol`'s, element strings are `elements`'.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from bus.contract.errors import InvalidField, Problem
from bus.contract.refusals import InvalidLink, UnknownLabel
from bus.contract.values import gtin14
from nodes.catalog.foreign import not_a_gtin, not_a_product, refuse_other_keyboard
from nodes.catalog.pairs import check_pairs
from nodes.catalog.symbol import (
    EAN_UPC,
    ELEMENT_STRINGS,
    split_composite,
    split_identifier,
    without_add_on,
    without_eci,
)
from nodes.catalog.upc import upc_a


@dataclass(frozen=True)
class ScannedCode:
    """What a code says by itself, before anybody looks it up."""

    gtin: str | None
    """The trade item, 14 digits; none if the code carries no GTIN."""
    url: str | None
    """The URL exactly as given; none for a bare number."""
    or_gtin: str | None = None
    """What a number of eight digits says as UPC-E, where it is a valid GTIN-8 as well."""


@dataclass(frozen=True)
class DigitalLink:
    """The GS1 element strings of a valid Digital Link: primary key, qualifiers, attributes."""

    elements: tuple[tuple[str, str], ...]
    """Application identifier and decoded value, in the order of the link."""

    @property
    def gtin(self) -> str | None:
        """The GTIN if it is the primary key; one among the attributes identifies nothing."""
        identifier, value = self.elements[0]
        return value if identifier == "01" else None


_QUALIFIERS: dict[str, tuple[tuple[str, ...], ...]] = {
    **dict.fromkeys(("00", "253", "255", "401", "402", "8003", "8013"), ((),)),
    "01": (("22", "10", "21"), ("235",)),
    "414": (("254",), ("7040",)),
    "415": (("8020",),),
    "417": (("7040",),),
    "8004": (("7040",),),
    "8006": (("22", "10", "21"),),
    "8010": (("8011",),),
    "8017": (("8019",),),
    "8018": (("8019",),),
}
"""The primary keys, and for each the alternative sequences of qualifiers, in their fixed order
(GS1 Digital Link URI Syntax 1.6). biip has one sequence a key, and lets lot and 235 stand together.
"""

_ALIASES = {"gtin": "01", "cpv": "22", "lot": "10", "ser": "21"}
"""The words that GS1 Digital Link 1.0 and 1.1 allowed in place of the numbers."""

_ONLY_QUALIFIERS = frozenset({"21", "22", "235", "254", "7040", "8011", "8019", "8020"})
"""Identifiers that are no attribute of any key."""
_NOT_IN_A_LINK = {"03", "7041", "8014", "8200"}
"""Identifiers that are neither a key nor a qualifier nor an attribute of a link."""

_WRITTEN = re.compile(r"(?:\(\d{2,4}\)(?:\\\(|[^(\s])+)+", re.ASCII)
"""Element strings as they stand under a symbol; a `(` of a value is written `\\(`."""
_BARE = re.compile(r"01\d{14}.*", re.ASCII)
"""Element strings of a scanner that puts no identifier first; `^` stands for FNC1 in them."""
_GTIN = re.compile(r"\d{14}", re.ASCII)
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-\u2010-\u2015\u2212]+(?=\d)")
"""What people put between groups of digits."""

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^\s/?#]+)(?P<path>[^\s?#]*)(?:\?(?P<query>[^\s#]*))?(?:#\S*)?",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9A-F:.]+\])(?::\d{1,5})?", re.IGNORECASE | re.ASCII)
_ANY_HOST = re.compile(r"\w[\w.-]*(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
"""In letters of any script, too: programs make ASCII of them (RFC 5891)."""
_CHARACTERS = re.compile(r"(?:[\w\-.~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*", re.ASCII)
"""RFC 3986, section 2."""


def read_code(code: str) -> ScannedCode:
    r"""Say what a scanned or typed code carries.

    Args:
        code: a GTIN-8, -12, -13 or -14 or a UPC-E in digits, GS1 element strings, or a URL, each
            also with what scanners put before it: the symbology identifier (ISO/IEC 15424, such as
            `]Q3`) and the ECI (AIM ECI, such as `\000026`), and with the component of a composite
            symbol behind it. Digits may be of full width, with spaces or hyphens between them;
            white space around it is ignored.

    Raises:
        InvalidLink: the URL looks like a GS1 Digital Link but breaks a rule of it.
        UnknownLabel: none of these, or the GTIN or element strings are not valid.
    """
    symbology, text = split_identifier(code.strip())
    text = without_eci(text)
    if _URL.fullmatch(text) is None:
        text = _as_typed(text)
    if symbology in ELEMENT_STRINGS and _URL.fullmatch(text) is None:
        return _read_elements("^".join(split_composite(symbology, text)))
    if _URL.fullmatch(text) is not None:
        link = read_link(text)
        return ScannedCode(link.gtin if link else None, text)
    refuse_other_keyboard(text)
    if symbology not in EAN_UPC and _is_element_string(symbology, text):
        return _read_elements(text)
    linear, component = split_composite(symbology, text)
    digits = _BETWEEN_DIGITS.sub("", linear)
    if not (digits.isascii() and digits.isdigit()):
        raise not_a_product(text)
    item = _read_number(symbology, digits)
    return _read_elements(f"01{item.gtin}^{component}") if component else item


def check_label(code: str) -> None:
    """Look whether a product's label can carry this: an http or https URL, or a code of GS1.

    Raises:
        InvalidField: it cannot; says why.
    """
    why = ""
    parts = _URL.fullmatch(code)
    try:
        read_code(code)
    except Problem as problem:
        why = problem.detail
    if parts is not None and _ANY_HOST.fullmatch(parts["host"]) is None:
        why = why or "The link has no valid domain name or address."
    if code != code.strip() or split_identifier(code)[0]:
        why = why or "It begins or ends with what is no part of a label."
    if why:
        raise InvalidField(f"{code[:60]!r} cannot be on a label. {why}", field="url")


def in_one_spelling(url: str) -> str:
    """A URL with scheme and host in small letters (RFC 3986, section 6.2.2.1); else the text.

    Labels may have them in capitals, which make a smaller symbol.
    """
    parts = _URL.fullmatch(url)
    return url if parts is None else url[: parts.end("host")].lower() + url[parts.end("host") :]


def _as_typed(text: str) -> str:
    """Full width, as an input method types, becomes ASCII; marks of direction are no part of it."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(each for each in normal if unicodedata.category(each) != "Cf").strip()


def _read_number(symbology: str, digits: str) -> ScannedCode:
    """A GTIN; of eight digits that may be both, whichever is registered.

    Args:
        symbology: its identifier. With `]E0` eight digits are a UPC-E, with `]E4` an EAN-8.
        digits: without anything between them.
    """
    full = None if symbology == "]E4" else upc_a(digits)
    try:
        digits = without_add_on(symbology, digits)
        gtin = gtin14(digits)
    except ValueError as error:
        if full is None:
            raise not_a_gtin(digits, str(error)) from error
        return ScannedCode(full, None)
    if full is not None and symbology == "]E0":
        return ScannedCode(full, None)
    return ScannedCode(gtin, None, full)


def _is_element_string(symbology: str, text: str) -> bool:
    """Whether a text whose scanner does not say so can only be element strings."""
    has_separator = "^" in text and not symbology
    return bool(has_separator or _WRITTEN.fullmatch(text) or _BARE.fullmatch(text))


def _read_elements(text: str) -> ScannedCode:
    from nodes.catalog.elements import read_elements  # noqa: PLC0415 - see there

    try:
        elements = dict(read_elements(text))
        gtin = elements.get("01")
        if gtin is not None:
            check_pairs(elements)
    except ValueError as error:
        raise UnknownLabel(f"This is no product's label: {error}.", reason="elements") from error
    if gtin is None:
        raise UnknownLabel(
            "This label is on a parcel or a place and names no product; scan the product's.",
            reason="not-a-product",
        )
    return ScannedCode(gtin, None)


def read_link(url: str) -> DigitalLink | None:
    """Read a GS1 Digital Link URI (GS1 Digital Link URI Syntax 1.6, uncompressed form).

    Returns:
        none if the URL does not look like one: it has no primary key with a value in its path.

    Raises:
        InvalidLink: it looks like one but breaks a rule.
    """
    parts = _URL.fullmatch(url)
    if parts is None or parts["scheme"] not in {"http", "https", "HTTP", "HTTPS"}:
        return None
    path = _without_aliases(parts["path"].split("/")[1:])
    start = _place_of_key(path)
    if start is None:
        return None
    if _CHARACTERS.fullmatch(url) is None:
        raise InvalidLink("The link has a character that must be percent-encoded.")
    if _HOST.fullmatch(parts["host"]) is None:
        raise InvalidLink("The link has no valid domain name or address.")
    in_path = tuple(_path_elements(path[start:]))
    elements = (*in_path, *_query_elements([key for key, _ in in_path], parts["query"] or ""))
    try:
        _check(elements)
    except ValueError as error:
        raise InvalidLink(f"This is no valid GS1 Digital Link: {error}.") from error
    return DigitalLink(elements)


def _check(elements: tuple[tuple[str, str], ...]) -> None:
    (identifier, value), *others = elements
    if identifier == "01" and not others and _GTIN.fullmatch(value):
        gtin14(value)
        return
    from nodes.catalog.elements import check_elements  # noqa: PLC0415 - see there

    check_elements(elements)
    check_pairs(dict(elements))


def _without_aliases(path: list[str]) -> list[str]:
    """Put numbers for words, but only where a word for a qualifier follows.

    `/gtin/` with digits alone is a path that any shop may use for pages of its own.
    """
    for place, word in enumerate(path[:-2]):
        if word == "gtin" and path[place + 2] in _ALIASES:
            keys = [_ALIASES.get(key, key) for key in path[place::2]]
            return [*path[:place], *_interleave(keys, path[place + 1 :: 2])]
    return path


def _interleave(keys: list[str], values: list[str]) -> Iterator[str]:
    for place, key in enumerate(keys):
        yield key
        yield from values[place : place + 1]


def _place_of_key(path: list[str]) -> int | None:
    """Where the primary key stands: the rightmost one that leaves whole pairs behind it.

    Whatever is before is the shop's own stem. If there is none, a key that leaves no whole
    pairs is taken, so that its fault can be named.
    """
    whole = range(len(path) - 2, -1, -2)
    return next((place for place in (*whole, *range(len(path) - 1)) if _starts(path, place)), None)


def _starts(path: list[str], place: int) -> bool:
    if path[place] == "01":
        return any(path[place + 1 :])
    # All other keys begin with a company's digits; `/8010/about-us` is an ordinary address.
    return path[place] in _QUALIFIERS and path[place + 1][:1].isdigit()


def _path_elements(pairs: list[str]) -> Iterator[tuple[str, str]]:
    if pairs[-1] == "":
        raise InvalidLink("The path of a Digital Link must not end with a slash.")
    if "" in pairs:
        raise InvalidLink("The path of a Digital Link must not have an empty part.")
    if len(pairs) % 2:
        raise InvalidLink("After the primary key the path must go on in pairs of key and value.")
    primary, given = pairs[0], pairs[2::2]
    sequences = _QUALIFIERS[primary]
    if not any(_in_order(given, sequence) for sequence in sequences):
        allowed = " or ".join(", ".join(sequence) or "nothing" for sequence in sequences)
        raise InvalidLink(f"After ({primary}) the path may only have {allowed}, in this order.")
    yield from zip(pairs[::2], map(unquote, pairs[1::2]), strict=True)


def _in_order(given: list[str], sequence: tuple[str, ...]) -> bool:
    rest = iter(sequence)
    return all(key in rest for key in given)


def _query_elements(in_path: list[str], query: str) -> Iterator[tuple[str, str]]:
    """The attributes; what has no numeric key is the shop's own business.

    A lot (10) is a qualifier of a GTIN, but not beside a 235, nor of an SSCC.
    """
    primary, *given = in_path
    fitting = [sequence for sequence in _QUALIFIERS[primary] if _in_order(given, sequence)]
    qualifiers = _ONLY_QUALIFIERS.union(*fitting)
    for attribute in query.split("&"):
        key, equals, value = attribute.partition("=")
        if equals and key.isdigit():
            if key in qualifiers:
                raise InvalidLink(f"In a link ({key}) stands in the path, never in the query.")
            if key in _NOT_IN_A_LINK:
                raise InvalidLink(f"In a link ({key}) must not stand.")
            # A form encodes the space as "+"; set 82 has no space, one at the end is noise.
            yield key, unquote(value.replace("+", " ")).rstrip(" ")
