"""Codes as they are scanned and typed: their characters, and which are pickup codes.

Only the catalog knows what a product's code means.
"""

import re
import unicodedata

from bus.contract.values import REORDERING

_CODE = re.compile(r"(?:\][A-Za-z][0-9A-Za-z])?(?:\\[0-9]{6})*([0-9]{6})")
"""Six digits; a scanner may prefix the symbology identifier (ISO/IEC 15424, such as `]Q1`) and the
character set (AIM ECI, such as `\\000026`)."""

_SHORTEST_GTIN = 8


def is_of_a_code(character: str) -> bool:
    """Whether a character can be part of a code; of control characters only GS1's separator can.

    Marks and joiners can be: a URL that is registered with them has them on its label.
    """
    if unicodedata.category(character) == "Cf":
        return character not in REORDERING
    return character.isprintable() or character == "\x1d"


def pickup_code(text: str) -> str | None:
    """The six digits, also from full-width digits or with spaces between; None if it is no code."""
    found = _CODE.fullmatch("".join(_as_typed(text).split()))
    return found[1] if found else None


def is_typed_code(text: str) -> bool:
    """Whether a typed text is a product's code, rather than words to search for."""
    normal = _as_typed(text)
    if ":" in normal or normal.isdigit():
        return True
    digits = re.sub(r"[\s-]+", "", normal)
    return digits.isdigit() and len(digits) >= _SHORTEST_GTIN


def _as_typed(text: str) -> str:
    """The text in normal width, without invisible characters, which come with copied text."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(each for each in normal if unicodedata.category(each) != "Cf").strip()
