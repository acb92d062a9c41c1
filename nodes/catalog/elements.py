"""GS1 element strings: application identifiers with their values, as scanners give them.

The formats of values are biip's; what biip lets pass is held here: check digits, an identifier
that comes twice, and a separator that comes first. Which may stand together: see `pairs`. biip
takes 20 MB and a quarter of a second to load; the labels of most shops never need it, so who calls
imports this module only then.
"""

import re
from collections.abc import Iterator

from biip import ParseError
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message

from bus.contract.values import check_digit

_CHECKED = (
    dict.fromkeys(("01", "02", "03", "8003", "8006"), 14)
    | dict.fromkeys(("253", "255", *(f"41{last}" for last in range(8))), 13)
    | {"00": 18, "402": 17, "8017": 18, "8018": 18}
)
"""How many leading digits of a value end with a check digit."""
_WRITTEN = re.compile(r"\((\d{2,4})\)((?:\\\(|[^(])+)", re.ASCII)
_PART = re.compile(
    r"(?P<optional>\[\+?)?(?:(?P<kind>[NXYZ])(?P<upto>\d*\.\.[NXYZ]?)?(?P<length>\d+)|-)"
)
"""One part of biip's formats, such as `N13`, `X..20`, `[+N6]`, `[N1..N2]` and `[-]`."""
_KINDS = {
    "N": "digit",
    "X": "character of GS1 set 82",
    "Y": "character of GS1 set 39",
    "Z": "character of base64url",
}


def read_elements(text: str) -> tuple[tuple[str, str], ...]:
    """Identifiers and values of `(01)...(10)...`, or of a bare string with `^` for FNC1.

    What comes again with the same value says nothing new (GS1 General Specifications 4.13).

    Raises:
        ValueError: it breaks a rule; the message says which.
    """
    parts = _written(text) if text.startswith("(") else _scanned(text)
    elements = tuple(dict.fromkeys(parts))
    check_elements(elements)
    return elements


def _written(text: str) -> Iterator[tuple[str, str]]:
    for found in _WRITTEN.finditer(text):
        yield found[1], found[2].replace("\\(", "(")


def _scanned(text: str) -> Iterator[tuple[str, str]]:
    try:
        message = GS1Message.parse(text.strip("^").replace("^", "\x1d"))
    except (ParseError, ValueError) as error:
        raise ValueError("its GS1 element strings are broken") from error
    for each in message.element_strings:
        yield each.ai.ai, each.value


def check_elements(elements: tuple[tuple[str, str], ...]) -> None:
    """Check each value against the format of its identifier.

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
        perhaps = "perhaps " if part["optional"] else ""
        parts.append(perhaps + (f"{least}{_counted(part)}" if part["kind"] else "a minus sign"))
    name = {"01": "a GTIN of ", "00": "an SSCC of "}.get(identifier.ai, "")
    if identifier.description.endswith("(YYMMDD)"):
        name = "a date, YYMMDD, of "
    return name + " and ".join(parts)


def _counted(part: re.Match[str]) -> str:
    one, *more = _KINDS[part["kind"]].split(" ", 1)
    return " ".join((part["length"], one if part["length"] == "1" else f"{one}s", *more))
