"""Which GS1 application identifiers must not stand together, and which need others beside them.

GS1 General Specifications, section 4.13 (invalid pairs) and section 4.14 (mandatory associations).
The facts are those of the GS1 Barcode Syntax Dictionary (GS1 AISBL, Apache License 2.0), its `ex=`
and `req=`. In the tables `n` stands for any digit, `+` joins identifiers that are needed together,
and one of the alternatives is enough.

They hold for all symbols of one item together. Who has read only one of them should ask for what
is needed only when that one names the item.
"""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

_ITEM = "01 02 8006 8026"
_ITEM_OR_MADE = "01 02 03 8006 8026"
_MEASURED = "30 31nn 32nn 35nn 36nn"

_EXCLUDES = (
    ("01", "255 37"),
    ("02", "01 03"),
    ("03", "01 37 235"),
    ("21", "235"),
    ("255", "02 415 8006 8020 8026"),
    ("390n", "391n 394n 8111"),
    ("392n", "393n"),
    ("394n", "8111"),
    ("395n", "392n 393n 8005"),
    ("420", "421"),
    ("421", "4307"),
    ("422 423 424 425", "426"),
    ("4330", "4331"),
    ("4332", "4333"),
    ("7240", "03"),
    ("7250", "7251"),
    ("7253 7254 7255", "7256 7259"),
    ("7259", "7256"),
    ("8006", "01 03 37"),
    ("8017", "8018"),
    ("8026", "02 03 8006"),
)
"""Each of the first must not stand with any of the second."""

_REQUIRES = (
    ("02", "37"),
    ("10 11 13 15 16 20 240 241 422", _ITEM_OR_MADE),
    ("242 7001", _ITEM),
    ("17", f"{_ITEM_OR_MADE} 255"),
    ("12", "8020"),
    ("21 251 7021 8012", "01 03 8006"),
    ("22 235 337n 71n 8001 8014 8200", "01"),
    ("243", "01 03"),
    ("250", "01+21 03+21 8006+21"),
    ("254", "414"),
    ("30 31nn 32nn 350n 351n 352n 356n 357n 360n 361n 364n 365n 366n", "01 02"),
    ("330n 331n 332n 333n 334n 335n 336n 34nn", "00 01"),
    ("353n 354n 355n 362n 363n 367n 368n 369n", "00 01"),
    ("37", "00+02 00+8026"),
    ("390n", "255 8020"),
    ("391n", "8020"),
    ("392n", "01+30 01+31nn 01+32nn 01+35nn 01+36nn"),
    ("393n 395n", _MEASURED),
    ("394n 8111", "255"),
    ("403 43nn 7041", "00"),
    ("4303", "4302"),
    ("4313", "4312"),
    ("415", "8020"),
    ("423 424 425 426 7003 7010 7011 8008", "01 02 03"),
    ("427", "01+422 02+422 03+422"),
    ("7002 7005 7006 7007 7008 7009 703n 8005", "01 02"),
    ("7004", "01+10 03+10"),
    ("7020", "01+416 03+416 8006+416"),
    ("7022", "01+7021 03+7021 8006+7021"),
    ("723n", "01 8004"),
    ("7240", "01 8006"),
    ("7241 7242 7253 7254 7255 7256 8019", "8017 8018"),
    ("7250 7251 7252 7257 7259", "8018"),
    ("7258", "8018+7259"),
    ("8007 8020", "415"),
    ("8009", "00 01 03"),
    ("8011", "8010"),
    ("8026", "37"),
    ("8030", "00 01+21 03+21 253 255 8003 8004 8006+21 8010+8011 8017 8018"),
    ("8040", "01+21"),
    ("8041 8042 8043", "01+21+8040"),
)
"""Each of the first needs one of the second beside it, in every line that names it."""

_DECIMALS = re.compile(r"3[1-69]\d\d", re.ASCII)
"""A measure or an amount: the last digit only says where the decimal point is, so the first three
stand once."""


_SIGNATURE = "8030"
_SERIALISED = {"253": 13, "255": 13, "8003": 14}
"""Keys with an optional serial number, which a signature requires, and the digits before it."""


def check_pairs(elements: Mapping[str, str]) -> None:
    """Check that these application identifiers, with their values, may be on one item.

    Raises:
        ValueError: two must not stand together, or one lacks what it needs; the message says which.
    """
    given = tuple(elements)
    for first in given:
        for second in given:
            if _exclude(first, second):
                raise ValueError(f"({first}) and ({second}) must not stand together")
    for identifier in given:
        for holders, alternatives in _REQUIRES:
            if _is_any(identifier, holders) and not any(
                _has_all(given, each) for each in alternatives.split()
            ):
                raise ValueError(f"({identifier}) needs {_in_words(alternatives)} beside it")
    for key, digits in _SERIALISED.items():
        if _SIGNATURE in elements and len(elements.get(key, "")) == digits:
            raise ValueError(f"({key}) needs its serial number beside ({_SIGNATURE})")


def _exclude(first: str, second: str) -> bool:
    if first == second:
        return False
    if _DECIMALS.fullmatch(first) and first[:3] == second[:3] and len(second) == len(first):
        return True
    return any(_is_any(first, ones) and _is_any(second, others) for ones, others in _EXCLUDES)


def _has_all(given: tuple[str, ...], group: str) -> bool:
    return all(any(_is_any(each, one) for each in given) for one in group.split("+"))


@lru_cache(4096)
def _is_any(identifier: str, patterns: str) -> bool:
    """Cached: a shop's labels carry the same few identifiers."""
    return any(fnmatchcase(identifier, each.replace("n", "[0-9]")) for each in patterns.split())


def _in_words(alternatives: str) -> str:
    """Such as `(01) with (21), or (8006) with (21)`."""
    groups = (
        " with ".join(f"({one})" for one in group.split("+")) for group in alternatives.split()
    )
    return ", or ".join(groups)
