"""What terminals share: pickup codes as people give them, the tax in a price."""

import re
from inspect import getsource

import pytest

from commerce.tax import TaxLine, rate_text, taxes
from devices.terminal.code import is_typed_code, pickup_code
from devices.terminal.kiosk import refusals
from devices.terminal.web import words
from nodes.catalog import code, foreign


@pytest.mark.parametrize(
    "text",
    [
        "482913",
        " 482 913\r",
        "]Q1482913",
        "]C0482913",
        "]d1482913",
        "\uff14\uff18\uff12913",
        "]Q2\\000026482913",
        "\u200e482913",
    ],
)
def test_a_pickup_code_is_known_however_it_is_typed_or_scanned(text: str) -> None:
    assert pickup_code(text) == "482913"


@pytest.mark.parametrize(
    "text",
    ["", "48291", "4829131", "]E048291312", "]]1482913", "]Q482913", "48291x", "\u0664" * 6],
)
def test_what_is_no_pickup_code_is_none(text: str) -> None:
    assert pickup_code(text) is None


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("9506000134352", True),
        ("9 506000 134352", True),
        ("950-6000-13435-2", True),
        ("\uff19\uff15\uff10\uff16000134352", True),
        ("https://shop.example/p/kite", True),
        ("\u200e9506000134352", True),
        ("36", True),
        ("36 37", False),
        ("jumper 36", False),
        ("", False),
    ],
)
def test_a_code_that_is_typed_is_told_from_words(text: str, is_code: bool) -> None:
    assert is_typed_code(text) == is_code


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([(2000, 12000)], [TaxLine(2000, 12000, 2000)]),
        ([(2000, 5900), (2000, 5900)], [TaxLine(2000, 11800, 1967)]),  # 983.33 twice is not 1967
        ([(2000, 3)], [TaxLine(2000, 3, 1)]),  # a half is rounded up
        ([(2000, 2)], [TaxLine(2000, 2, 0)]),
        ([(0, 500)], [TaxLine(0, 500, 0)]),
        (
            [(700, 1070), (1900, 1190), (None, 99)],
            [TaxLine(1900, 1190, 190), TaxLine(700, 1070, 70)],
        ),
        ([(None, 5)], []),
    ],
)
def test_the_tax_in_a_price_is_rounded_once_per_rate(
    lines: list[tuple[int | None, int]], expected: list[TaxLine]
) -> None:
    assert taxes(lines) == expected


@pytest.mark.parametrize(("rate", "text"), [(2000, "20 %"), (550, "5.5 %"), (5, "0.05 %")])
def test_a_rate_is_written_in_per_cent(rate: int, text: str) -> None:
    assert rate_text(rate) == text


def test_each_reason_why_a_code_is_no_label_is_said_at_kiosks_and_on_phones() -> None:
    sources = getsource(foreign) + getsource(code)
    reasons = {*re.findall(r'reason="([a-z-]+)"', sources), *(kind[1] for kind in foreign._KINDS)}
    assert len(reasons) >= 7
    assert set(refusals._LABELS) == set(words._LABELS) == reasons
