r"""What a scanner puts before a text to identify the symbol that it has read.

The symbology identifier (ISO/IEC 15424), such as `]Q3`; the character sets (AIM ECI), such as
`\000026`; and in a composite symbol (ISO/IEC 24723) an identifier within.
"""

import re

ELEMENT_STRINGS = {"]C1", "]Q3", "]Q4", "]d2", "]d5", "]J1", "]e0", "]e1", "]e2"}
"""Symbols that begin with FNC1: GS1-128, GS1 QR code, GS1 Data Matrix (both also with ECI), GS1
DotCode, and the GS1 DataBar family with the composite components."""
EAN_UPC = {"]E0": (13, 12, 8), "]E3": (18, 15), "]E4": (8,)}
"""How many digits they have: EAN-13, UPC-A and UPC-E; one of these with an add-on; EAN-8.
By the book a UPC comes as 13 digits; many scanners send its own 12 or 8."""
_EAN = 13
_IDENTIFIER = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_ECI = re.compile(r"^(?:\\\d{6})+", re.ASCII)
_COMPONENT = re.compile(r"[|^]?\]e[0-2]")
"""The beginning of the composite component, with a separator from the linear one, if any."""


def split_identifier(text: str) -> tuple[str, str]:
    """The symbology identifier, empty if there is none, and the rest."""
    found = _IDENTIFIER.match(text)
    return (found[0], text[found.end() :].strip()) if found else ("", text)


def without_eci(text: str) -> str:
    """A text without its ECIs; where it has any, the text's own backslashes are doubled."""
    rest = _ECI.sub("", text)
    return text if rest == text else rest.replace("\\\\", "\\")


def split_composite(identifier: str, text: str) -> tuple[str, str]:
    """The linear component and the element strings of the composite one, empty if it has none."""
    if identifier not in EAN_UPC and identifier not in ELEMENT_STRINGS:
        return text, ""
    linear, *components = _COMPONENT.split(text)
    return linear, "^".join(components)


def without_add_on(identifier: str, digits: str) -> str:
    """A number without its add-on: the two or five digits of an issue or a price beside it.

    Raises:
        ValueError: no symbol of that kind has so many digits.
    """
    lengths = EAN_UPC.get(identifier)
    if lengths is None:
        return digits
    if len(digits) not in lengths:
        *few, most = map(str, sorted(lengths))
        count = f"{', '.join(few)} or {most}" if few else most
        raise ValueError(f"a symbol of this kind ({identifier}) has {count} digits")
    return digits[:_EAN]
