"""UPC-E: a GTIN-12 without some of its zeros, in eight digits for small packages."""

import re

from bus.contract.values import gtin14

_UPC_E = re.compile(r"([01])(\d{6})(\d)", re.ASCII)
"""Number system, six digits, check digit."""


def upc_a(digits: str) -> str | None:
    """The GTIN of a UPC-E (GS1 General Specifications 5.2.2.4.2); none if it is no valid one."""
    found = _UPC_E.fullmatch(digits)
    if found is None:
        return None
    system, body, check = found.groups()
    last = body[5]
    if last in "012":
        number = f"{body[:2]}{last}0000{body[2:5]}"
    elif last == "3" and body[2] not in "012":
        number = f"{body[:3]}00000{body[3:5]}"
    elif last == "4" and body[3] != "0":
        number = f"{body[:4]}00000{body[4]}"
    elif last > "4" and body[4] != "0":
        number = f"{body[:5]}0000{last}"
    else:  # the same number has a form with fewer zeros
        return None
    try:
        return gtin14(f"{system}{number}{check}")
    except ValueError:
        return None
