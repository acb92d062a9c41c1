"""Pairs that GS1 forbids are refused, and identifiers that need others beside them."""

import pytest
from biip.gs1_application_identifiers import _GS1_APPLICATION_IDENTIFIERS as KNOWN
from biip.gs1_application_identifiers import GS1ApplicationIdentifier

from nodes.catalog.elements import _described
from nodes.catalog.pairs import _EXCLUDES, _REQUIRES, _is_any, check_pairs

ALONE = (
    "00 01 03 253 255 400 401 402 410 411 412 413 414 416 417 420 421 7023 7040 8002 8003 8004 8006"
    " 8010 8013 8017 8018 8110 8112 9n"
)
"""Keys, and what may stand beside anything."""


def _given(identifiers: str) -> dict[str, str]:
    return dict.fromkeys(identifiers.split(), "1" * 20)


@pytest.mark.parametrize("identifier", KNOWN)
def test_every_identifier_of_gs1_stands_alone_or_needs_something(identifier: str) -> None:
    needs = [second for first, second in _REQUIRES if _is_any(identifier, first)]

    assert bool(needs) != _is_any(identifier, ALONE)
    if needs:
        with pytest.raises(ValueError, match=rf"^\({identifier}\) needs \(.*\) beside it$"):
            check_pairs(_given(identifier))
    else:
        check_pairs(_given(identifier))


def test_the_tables_name_only_identifiers_of_gs1() -> None:
    for first, second in (*_EXCLUDES, *_REQUIRES):
        for pattern in f"{first} {second}".replace("+", " ").split():
            assert any(_is_any(known, pattern) for known in KNOWN), pattern


@pytest.mark.parametrize(
    ("given", "others"),
    [
        ("01", "37"),
        ("01 37 00 02", "02"),
        ("01", "255"),
        ("01 21", "235"),
        ("01 422", "426"),
        ("00 3300", "3301"),
        ("01 3103 3922", "3925"),
        ("01 3103 3922", "3932"),
        ("8020 415 3900", "3910 3911"),
        ("00 421", "420"),
        ("8018 7250", "7251"),
        ("8017", "8018"),
        ("8006", "01"),
    ],
)
def test_what_must_not_stand_together_does_not_in_either_order(given: str, others: str) -> None:
    for order in (f"{given} {others}", f"{others} {given}"):
        with pytest.raises(ValueError, match="must not stand together"):
            check_pairs(_given(order))


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ("37 00", "02"),
        ("01 250", "21"),
        ("01 3922", "30"),
        ("01 3922", "3103"),
        ("01 3103 3952", ""),
        ("01 427", "422"),
        ("00 4303", "4302"),
        ("01 8030", "21"),
        ("01 21 8041", "8040"),
        ("01 7022", "7021"),
        ("01 7020", "416"),
        ("415", "8020"),
        ("254", "414"),
    ],
)
def test_what_needs_another_stands_beside_it(given: str, needed: str) -> None:
    if needed:
        with pytest.raises(ValueError, match="needs"):
            check_pairs(_given(given))

    check_pairs(_given(f"{given} {needed}"))


@pytest.mark.parametrize(("key", "digits"), [("253", 13), ("255", 13), ("8003", 14)])
def test_what_is_signed_has_its_serial_number(key: str, digits: int) -> None:
    with pytest.raises(ValueError, match=rf"\({key}\) needs its serial number beside \(8030\)"):
        check_pairs({key: "1" * digits, "8030": "x"})

    check_pairs({key: "1" * (digits + 1), "8030": "x"})


@pytest.mark.parametrize("known", KNOWN.values(), ids=lambda known: known.ai)
def test_every_format_has_words(known: GS1ApplicationIdentifier) -> None:
    words = _described(known)

    assert any(kind in words for kind in ("digit", "character"))
    assert not set(words) & set("[].+")


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("01", "a GTIN of 14 digits"),
        ("17", "a date, YYMMDD, of 6 digits"),
        ("253", "13 digits and perhaps up to 17 characters of GS1 set 82"),
        ("4330", "6 digits and perhaps a minus sign"),
        ("7007", "6 digits and perhaps 6 digits"),
        ("7040", "1 digit and 3 characters of GS1 set 82"),
        ("8010", "1 to 30 characters of GS1 set 39"),
        ("8030", "1 to 90 characters of base64url"),
        ("8043", "18 digits and perhaps up to 2 digits"),
    ],
)
def test_a_format_is_told_in_words(identifier: str, words: str) -> None:
    assert _described(KNOWN[identifier]) == words
