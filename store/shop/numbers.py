"""Numbers as people write them, and whether a point or a comma is the decimal mark.

It must not use floats: a number stays text, with a decimal point and without digit groups.
"""

import re
from collections.abc import Iterable
from typing import Literal

from store.shop.reading_options import Decimal

Style = Literal["point", "comma", "mixed", "none"]
_SPACES = " \u00a0\u2009\u202f'’"
_NUMERAL = re.compile(rf"[0-9](?:[0-9.,{_SPACES}]*[0-9])?")


def numeral_in(text: str) -> str | None:
    """The only number in a text such as `€59,90`; None if there is none or several, or a sign."""
    found = _NUMERAL.findall(text)
    return found[0] if len(found) == 1 and not re.search(r"[-−+eE(]\s*[0-9]", text) else None


def read_numeral(numeral: str, decimal: Decimal) -> str | None:
    """A numeral of a notation as `1234.50`; None if it is not written in that notation."""
    mark, group = (".", ",") if decimal == "point" else (",", ".")
    whole, _, cents = numeral.partition(mark)
    if cents and not cents.isdigit():
        return None
    parts = re.split(rf"[{re.escape(group)}{_SPACES}]", whole)
    grouped = len(parts) > 1
    if not all(part.isdigit() for part in parts) or (
        grouped and (len(parts[0]) > 3 or any(len(part) != 3 for part in parts[1:]))  # noqa: PLR2004 - thousands
    ):
        return None
    if grouped and len({sign for sign in whole if not sign.isdigit()}) > 1:
        return None
    return "".join(parts) + (f".{cents}" if cents else "")


def _same(one: str, other: str) -> bool:
    return _worth(one) == _worth(other)


def _worth(number: str) -> tuple[str, str]:
    whole, _, cents = number.partition(".")
    return whole.lstrip("0"), cents.rstrip("0")


def style_of(numerals: Iterable[str]) -> tuple[Style, str | None]:
    """Find a file's notation from the numerals that can only be in one.

    Returns:
        The notation, and the first numeral that is ambiguous in it, if there is one.
    """
    only: set[Decimal] = set()
    unclear = None
    for numeral in numerals:
        point, comma = read_numeral(numeral, "point"), read_numeral(numeral, "comma")
        if point is None and comma is None:
            continue
        if comma is None:
            only.add("point")
        elif point is None:
            only.add("comma")
        elif not _same(point, comma) and unclear is None:
            unclear = numeral
    if len(only) == 1:
        return next(iter(only)), None
    return ("mixed" if only else "none"), unclear


def canonical(numeral: str, decimal: Decimal) -> str | None:
    """A numeral with a decimal point and without digit groups; None if it is not a number.

    A numeral that does not fit the notation can only be in the other one.
    """
    other: Decimal = "comma" if decimal == "point" else "point"
    return read_numeral(numeral, decimal) or read_numeral(numeral, other)
