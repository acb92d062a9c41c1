"""Codes as scanners and people give them: what they are made of, and which are pickup codes.

What a product's code means is the catalog's business.
"""

import re
import unicodedata

_CODE = re.compile(r"(?:\][A-Za-z][0-9A-Za-z])?([0-9]{6})")
"""Six digits; a scanner may put the symbol's identifier first (ISO/IEC 15424, such as `]Q1`)."""


def is_of_a_code(character: str) -> bool:
    """Whether it can be part of a code: of control characters only the separator of GS1."""
    return character.isprintable() or character == "\x1d"


def pickup_code(text: str) -> str | None:
    """The six digits, also of full width or with spaces between them; None if it is no code."""
    found = _CODE.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    return found[1] if found else None
