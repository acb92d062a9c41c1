"""GS1 Digital Link URIs (GS1 Digital Link URI Syntax 1.6, uncompressed form). Pure.

biip's own reading of links differs from the standard (it takes the leftmost key, pads short GTINs,
forgives repeats), so links are taken apart here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from bus.contract.refusals import InvalidLink
from bus.contract.values import gtin14
from nodes.catalog.pairs import check_pairs


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
"""The words that GS1 Digital Link 1.0 and 1.1 allowed in place of numbers."""

_ONLY_QUALIFIERS = frozenset({"21", "22", "235", "254", "7040", "8011", "8019", "8020"})
"""Identifiers that are not an attribute of any key."""
_NOT_IN_A_LINK = {"03", "7041", "8014", "8200"}
"""Identifiers that are neither a key nor a qualifier nor an attribute of a link."""

_GTIN = re.compile(r"\d{14}", re.ASCII)
URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^\s/?#]+)(?P<path>[^\s?#]*)(?:\?(?P<query>[^\s#]*))?(?:#\S*)?",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9A-F:.]+\])(?::\d{1,5})?", re.IGNORECASE | re.ASCII)
_CHARACTERS = re.compile(r"(?:[\w\-.~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*", re.ASCII)
"""RFC 3986, section 2."""


def read_link(url: str) -> DigitalLink | None:
    """Read a GS1 Digital Link URI (GS1 Digital Link URI Syntax 1.6, uncompressed form).

    Returns:
        None if the URL does not look like one: it has no primary key with a value in its path.

    Raises:
        InvalidLink: it looks like one but breaks a rule.
    """
    parts = URL.fullmatch(url)
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
    """Replace words by numbers, but only if a word for a qualifier follows.

    `/gtin/` with only digits after it is a path that any shop may use for its own pages.
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
    """The index of the primary key: the rightmost one that is followed by whole pairs.

    What comes before it is the shop's own path. If there is none, a key without whole pairs
    behind it is taken, so that its fault can be named.
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
    """The attributes; parameters without a numeric key are the shop's own.

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
