"""Codes as scanners and people give them: what they are made of, and which are pickup codes.

What a product's code means is the catalog's business.
"""

import re
import unicodedata

from bus.contract.values import REORDERING

_CODE = re.compile(r"(?:\][A-Za-z][0-9A-Za-z])?(?:\\[0-9]{6})*([0-9]{6})")
"""Six digits; a scanner may put the symbol's identifier first (ISO/IEC 15424, such as `]Q1`), and
the character set (AIM ECI, such as `\\000026`)."""

_SHORTEST_GTIN = 8


def is_of_a_code(character: str) -> bool:
    """Whether it can be part of a code: of control characters only the separator of GS1.

    Marks and joiners may be: an address that is registered with them has them on its label.
    """
    if unicodedata.category(character) == "Cf":
        return character not in REORDERING
    return character.isprintable() or character == "\x1d"


def pickup_code(text: str) -> str | None:
    """The six digits, also of full width or with spaces between them; None if it is no code."""
    found = _CODE.fullmatch("".join(_as_typed(text).split()))
    return found[1] if found else None


def is_typed_code(text: str) -> bool:
    """Whether what somebody typed is a product's code rather than words to search for."""
    normal = _as_typed(text)
    if ":" in normal or normal.isdigit():
        return True
    digits = re.sub(r"[\s-]+", "", normal)
    return digits.isdigit() and len(digits) >= _SHORTEST_GTIN


def _as_typed(text: str) -> str:
    """Of usual width, without what is not seen: marks come along with what is copied."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(each for each in normal if unicodedata.category(each) != "Cf").strip()
