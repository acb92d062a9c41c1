"""Read what a scanner gives: a GTIN, GS1 element strings, a GS1 Digital Link, or any other URL.

Pure: it must not know which products exist, nor a shop's own domain. `digital_link` reads links,
`elements` element strings, and `symbol` what a scanner puts before the text.
"""

import re
import unicodedata
from dataclasses import dataclass

from bus.contract.errors import InvalidField, Problem
from bus.contract.refusals import UnknownLabel
from bus.contract.values import gtin14
from nodes.catalog.digital_link import URL, read_link
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
    """What a code says by itself, before it is looked up."""

    gtin: str | None
    """The trade item, 14 digits; none if the code carries no GTIN."""
    url: str | None
    """The URL exactly as given; none for a bare number."""
    or_gtin: str | None = None
    """The GTIN of a UPC-E whose eight digits are a valid GTIN-8 as well."""


_WRITTEN = re.compile(r"(?:\(\d{2,4}\)(?:\\\(|[^(\s])+)+", re.ASCII)
"""Element strings as printed under a symbol; a `(` in a value is written `\\(`."""
_BARE = re.compile(r"01\d{14}.*", re.ASCII)
"""Element strings of a scanner that sends no symbology identifier; `^` stands for FNC1."""
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s\-\u2010-\u2015\u2212]+(?=\d)")
"""What people put between groups of digits."""

_ANY_HOST = re.compile(r"\w[\w.-]*(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
"""A host with letters of any script, which programs convert to ASCII (RFC 5891)."""


def read_code(code: str) -> ScannedCode:
    r"""Read what a scanned or typed code carries.

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
    if URL.fullmatch(text) is None:
        text = _as_typed(text)
    if symbology in ELEMENT_STRINGS and URL.fullmatch(text) is None:
        return _read_elements("^".join(split_composite(symbology, text)))
    if URL.fullmatch(text) is not None:
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
    """Check that a product's label can carry a code: an http or https URL, or a code of GS1.

    Raises:
        InvalidField: it cannot; the message says why.
    """
    why = ""
    parts = URL.fullmatch(code)
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
    """A URL with scheme and host in lower case (RFC 3986, section 6.2.2.1); else the same text.

    Labels may have them in capitals, which make a smaller symbol.
    """
    parts = URL.fullmatch(url)
    return url if parts is None else url[: parts.end("host")].lower() + url[parts.end("host") :]


def _as_typed(text: str) -> str:
    """A typed text: full-width characters become ASCII, and direction marks are removed."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(each for each in normal if unicodedata.category(each) != "Cf").strip()


def _read_number(symbology: str, digits: str) -> ScannedCode:
    """Read a number: a GTIN or UPC-E; eight digits that may be either are given as both.

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
    """Whether a text can only be element strings, although its scanner does not say so."""
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
