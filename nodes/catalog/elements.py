"""GS1 element strings: application identifiers with their values, as scanners give them.

The formats of values are biip's; what biip lets pass is held here: check digits, an identifier
that comes twice, and a separator that comes first. biip takes 20 MB and a quarter of a second
to load; the labels of most shops never need it, so who calls imports this module only then.
"""

import re

from biip import ParseError
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message
from biip.symbology import SymbologyIdentifier

from bus.contract.values import check_digit

_CHECKED = (
    dict.fromkeys(("01", "02", "03", "8003", "8006"), 14)
    | dict.fromkeys(("253", "255", *(f"41{last}" for last in range(8))), 13)
    | {"00": 18, "402": 17, "8017": 18, "8018": 18}
)
"""How many leading digits of a value a check digit ends."""
_PART = re.compile(r"(?P<kind>[NX])(?P<upto>\.\.)?(?P<length>\d+)")


def without_symbology(text: str) -> tuple[str, str]:
    """The identifier of the symbol that a scanner puts first (ISO/IEC 15424), and the rest."""
    try:
        symbology = SymbologyIdentifier.extract(text)
    except (ParseError, ValueError, IndexError):  # biip lets the last two through
        return "", text
    return symbology.value, text[len(symbology) :].strip()


def read_elements(text: str) -> tuple[tuple[str, str], ...]:
    """Identifiers and values of `(01)...(10)...`, or of a bare string with `^` for FNC1.

    Raises:
        ValueError: it breaks a rule; the message says which.
    """
    try:
        message = (
            GS1Message.parse_hri(text)
            if text.startswith("(")
            else GS1Message.parse(text.lstrip("^").replace("^", "\x1d"))
        )
    except (ParseError, ValueError) as error:
        raise ValueError("its GS1 element strings are broken") from error
    elements = tuple((each.ai.ai, each.value) for each in message.element_strings)
    check_elements(elements)
    return elements


def check_elements(elements: tuple[tuple[str, str], ...]) -> None:
    """Hold each value against the format of its identifier.

    Raises:
        ValueError: it breaks a rule; the message says which.
    """
    if not elements:
        raise ValueError("it has no GS1 element string")
    identifiers = [identifier for identifier, _ in elements]
    for identifier, value in elements:
        if identifiers.count(identifier) > 1:
            raise ValueError(f"it gives ({identifier}) more than once")
        _check_value(identifier, value)


def _check_value(identifier: str, value: str) -> None:
    known = _identifier(identifier)
    try:
        GS1ElementString.parse(identifier + value)
    except (ParseError, ValueError) as error:
        raise ValueError(f"the value of ({identifier}) must be {_described(known)}") from error
    digits = value[: _CHECKED.get(identifier, 0)]
    if digits and check_digit(digits[:-1]) != int(digits[-1]):
        raise ValueError(f"the check digit of ({identifier}) does not match")


def _identifier(number: str) -> GS1ApplicationIdentifier:
    try:
        found = GS1ApplicationIdentifier.extract(number)
    except ParseError:
        found = None
    if found is None or found.ai != number:  # biip is content with how the number begins
        raise ValueError(f"GS1 has no application identifier ({number})")
    return found


def _described(identifier: GS1ApplicationIdentifier) -> str:
    """Such as `1 to 20 characters of GS1 set 82` for `N2+X..20`."""
    _, _, format_ = identifier.format.partition("+")
    parts: list[str] = []
    for part in _PART.finditer(format_):
        least = "up to " if parts and part["upto"] else "1 to " if part["upto"] else ""
        kind = "digits" if part["kind"] == "N" else "characters of GS1 set 82"
        parts.append(f"{least}{part['length']} {kind}")
    name = {"01": "a GTIN of ", "00": "an SSCC of "}.get(identifier.ai, "")
    return name + " and ".join(parts)
