"""Read what a scanner gives: a bare GTIN, a GS1 Digital Link, or any other URL.

Pure text work: it must not know which products exist, nor any domain of a shop.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from bus.contract.values import check_digit, gtin14
from bus.errors import InvalidLink, UnknownLabel


@dataclass(frozen=True)
class ScannedCode:
    """What a code says by itself, before anybody looks it up."""

    gtin: str | None
    """The trade item, 14 digits; none if the code carries no GTIN."""
    url: str | None
    """The URL exactly as given; none for a bare number."""


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


@dataclass(frozen=True)
class _Key:
    """A primary identification key and its qualifiers (GS1 Digital Link URI Syntax 1.6)."""

    pattern: str
    described: str
    checked: int = 0
    """How many leading digits a check digit ends; 0 for none."""
    qualifiers: tuple[tuple[str, ...], ...] = ((),)
    """The alternative sequences of key qualifiers, each in its fixed order."""


_X = r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]"""
"""GS1 General Specifications 7.11, the 82 characters of figure 7.11-1."""
_GLN = r"\d{13}"

_KEYS = {
    "00": _Key(r"\d{18}", "an SSCC of 18 digits", 18),
    "01": _Key(
        r"\d{14}",
        "a GTIN of 14 digits, a shorter one with zeros before it",
        14,
        (("22", "10", "21"), ("235",)),
    ),
    "253": _Key(rf"\d{{13}}{_X}{{0,17}}", "13 digits and up to 17 characters", 13),
    "255": _Key(r"\d{13,25}", "13 to 25 digits", 13),
    "401": _Key(rf"{_X}{{1,30}}", "1 to 30 characters"),
    "402": _Key(r"\d{17}", "17 digits", 17),
    "414": _Key(_GLN, "a GLN of 13 digits", 13, (("254",), ("7040",))),
    "415": _Key(_GLN, "a GLN of 13 digits", 13, (("8020",),)),
    "417": _Key(_GLN, "a GLN of 13 digits", 13, (("7040",),)),
    "8003": _Key(rf"0\d{{13}}{_X}{{0,16}}", "0, 13 digits and up to 16 characters", 14),
    "8004": _Key(rf"{_X}{{1,30}}", "1 to 30 characters", 0, (("7040",),)),
    "8006": _Key(r"\d{18}", "18 digits", 14, (("22", "10", "21"),)),
    "8010": _Key(r"[#\-/0-9A-Z]{1,30}", "1 to 30 digits, capitals or #-/", 0, (("8011",),)),
    "8013": _Key(rf"{_X}{{1,25}}", "1 to 25 characters"),
    "8017": _Key(r"\d{18}", "18 digits", 18, (("8019",),)),
    "8018": _Key(r"\d{18}", "18 digits", 18, (("8019",),)),
}

_VALUES = (
    (r"10|21|22|243|254", rf"{_X}{{1,20}}", "1 to 20 characters of GS1 set 82"),
    (r"235", rf"{_X}{{1,28}}", "1 to 28 characters of GS1 set 82"),
    (r"7040", rf"\d{_X}{{3}}", "a digit and 3 characters"),
    (r"8011", r"\d{1,12}", "1 to 12 digits"),
    (r"8019", r"\d{1,10}", "1 to 10 digits"),
    (r"8020", rf"{_X}{{1,25}}", "1 to 25 characters of GS1 set 82"),
    (r"0[23]", r"\d{14}", "14 digits"),
    (r"1[1-7]|3[1-6]\d\d", r"\d{6}", "6 digits"),
    (r"20", r"\d{2}", "2 digits"),
    (r"30|37", r"\d{1,8}", "1 to 8 digits"),
    (r"39[02]\d", r"\d{1,15}", "1 to 15 digits"),
    (r"39[13]\d", r"\d{4,18}", "4 to 18 digits"),
    (r"41\d", _GLN, "a GLN of 13 digits"),
    (r"\d+", rf"{_X}{{1,90}}", "1 to 90 characters of GS1 set 82"),
)
"""Identifiers, the format of their value, and how to say it; the first that matches counts."""

_IDENTIFIER = re.compile(
    r"0[0-3]|1[0-7]|2[0-2]|30|37|9\d"
    r"|2[345]\d|4[012]\d|71\d"
    r"|3[1-69]\d\d|43\d\d|70\d\d|72\d\d|8[0-2]\d\d"
)
"""GS1 General Specifications 3.2: the first two digits decide how many there are."""

_ALIASES = {"gtin": "01", "cpv": "22", "lot": "10", "ser": "21"}
"""The words that GS1 Digital Link 1.0 and 1.1 allowed in place of the numbers."""

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^\s/?#]+)(?P<path>[^\s?#]*)(?:\?(?P<query>[^\s#]*))?(?:#\S*)?",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9A-F:.]+\])(?::\d{1,5})?", re.IGNORECASE | re.ASCII)
_CHARACTERS = re.compile(r"(?:[\w\-.~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*", re.ASCII)
"""RFC 3986, section 2."""


def read_code(code: str) -> ScannedCode:
    """Say what a scanned or typed code carries.

    Args:
        code: a GTIN-8, -12, -13 or -14 in digits, or a URL; white space around it is ignored.

    Raises:
        InvalidLink: the URL looks like a GS1 Digital Link but breaks a rule of it.
        UnknownLabel: neither a URL nor a valid GTIN.
    """
    text = code.strip()
    if text.isascii() and text.isdigit():
        try:
            return ScannedCode(gtin14(text), None)
        except ValueError as error:
            raise UnknownLabel(f"This number is no product's: {error}.") from error
    if _URL.fullmatch(text) is None:
        raise UnknownLabel("A label carries a web address or a GTIN; this is neither.")
    link = read_link(text)
    return ScannedCode(link.gtin if link else None, text)


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
    elements = (*_path_elements(path[start:]), *_query_elements(parts["query"] or ""))
    identifiers = [identifier for identifier, _ in elements]
    for identifier, value in elements:
        if identifiers.count(identifier) > 1:
            raise InvalidLink(f"The link gives ({identifier}) more than once.")
        _check_value(identifier, value)
    return DigitalLink(elements)


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
    return path[place] in _KEYS and path[place + 1][:1].isdigit()


def _path_elements(pairs: list[str]) -> Iterator[tuple[str, str]]:
    if pairs[-1] == "":
        raise InvalidLink("The path of a Digital Link must not end with a slash.")
    if "" in pairs:
        raise InvalidLink("The path of a Digital Link must not have an empty part.")
    if len(pairs) % 2:
        raise InvalidLink("After the primary key the path must go on in pairs of key and value.")
    primary, given = pairs[0], pairs[2::2]
    sequences = _KEYS[primary].qualifiers
    if not any(_in_order(given, sequence) for sequence in sequences):
        allowed = " or ".join(", ".join(sequence) or "nothing" for sequence in sequences)
        raise InvalidLink(f"After ({primary}) the path may only have {allowed}, in this order.")
    yield from zip(pairs[::2], map(unquote, pairs[1::2]), strict=True)


def _in_order(given: list[str], sequence: tuple[str, ...]) -> bool:
    rest = iter(sequence)
    return all(key in rest for key in given)


def _query_elements(query: str) -> Iterator[tuple[str, str]]:
    """The attributes; what has no numeric key is the shop's own business."""
    for attribute in query.split("&"):
        key, equals, value = attribute.partition("=")
        if equals and key.isdigit():
            # A form encodes the space as "+"; set 82 has no space, one at the end is noise.
            yield key, unquote(value.replace("+", " ")).rstrip(" ")


def _check_value(identifier: str, value: str) -> None:
    if _IDENTIFIER.fullmatch(identifier) is None:
        raise InvalidLink(f"GS1 has no application identifier ({identifier}).")
    key = _KEYS.get(identifier)
    pattern, described = (
        (key.pattern, key.described)
        if key
        else next(
            (pattern, described)
            for identifiers, pattern, described in _VALUES
            if re.fullmatch(identifiers, identifier)
        )
    )
    if re.fullmatch(pattern, value, re.ASCII) is None:
        raise InvalidLink(f"The value of ({identifier}) must be {described}.")
    digits = value[: key.checked] if key else ""
    if digits and check_digit(digits[:-1]) != int(digits[-1]):
        raise InvalidLink(f"The check digit of ({identifier}) does not match.")
