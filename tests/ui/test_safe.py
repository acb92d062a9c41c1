"""Whatever is sent is shown as what it is, and obeyed by no terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.text.safe import decoded, exposed, fit, visible, width

_ANY = st.text(st.characters(codec=None), max_size=200)  # surrogates too
_WRITING = "\u200c\u200e\u200f\u061c"
"""What Arabic, Hebrew and Persian are written with, besides letters."""


@given(_ANY)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    hidden = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
    assert not [each for each in exposed(text) if unicodedata.category(each) in hidden]
    left = {each for each in visible(text) if unicodedata.category(each) in hidden}
    assert left <= set(_WRITING)


@given(_ANY)
def test_what_is_visible_once_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert visible(exposed(text)) == exposed(text) == exposed(exposed(text))


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_plain_text_is_left_alone(text: str) -> None:
    assert visible(text) == text


@given(_ANY)
def test_nothing_is_lost_without_a_sign(text: str) -> None:
    assert len(exposed(text)) >= len(text)
    assert len(visible(text)) >= len(text) - text.count("\u00ad") - text.count("\u200d")


@given(_ANY, st.integers(0, 60), st.booleans())
def test_a_fitted_text_is_exactly_as_wide_as_its_place(text: str, cells: int, right: bool) -> None:
    assert width(fit(text, cells, right=right)) == cells


@given(st.binary(max_size=200))
def test_bytes_that_are_no_text_are_shown(payload: bytes) -> None:
    visible(decoded(payload)).encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "␛[2J␛]0;title␇"),
        ("a\nb\tc\r", "a␊b␉c␍"),
        ("abc\u202edef", "abc\\u202edef"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("\x9b31m", "\\u009b31m"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("e\u0301", "e\u0301"),
        ("e\u0301\u0301\u0301", "e\u0301\u0301\\u0301"),
        ("\u0301x", "\\u0301x"),
        ("[bold red]x[/]", "[bold red]x[/]"),
        ("衬衫 shirt", "衬衫 shirt"),
        ("\U000e0041", "\\U000e0041"),
        ("❤\ufe0f", "❤\\ufe0f"),
    ],
)
def test_what_is_hidden_becomes_a_visible_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("\u200fכתב\u200e (XL)", 8),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", 7),  # a Persian verb
        ("\u061cقميص", 4),
        ("\u05e9\u05b8\u05bc\u05c1", 1),  # a letter with a point, a dot and a vowel
    ],
)
def test_a_name_in_arabic_hebrew_or_persian_is_drawn_as_it_is_written(
    text: str, cells: int
) -> None:
    assert visible(text) == text
    assert width(text) == cells
    assert "\\u" in exposed(text) or not set(text) & set(_WRITING)


def test_what_takes_no_room_is_left_out_of_a_name_and_exposed_in_a_message() -> None:
    assert visible("Kaffee\u00admaschine") == "Kaffeemaschine"
    assert exposed("Kaffee\u00admaschine") == "Kaffee\\u00admaschine"
    assert visible("a\u200db") == "ab"
    assert visible("a" + "\u200c" * 4) == "a\u200c\u200c\\u200c\\u200c"


def test_bytes_that_are_no_utf_8_are_shown_by_their_values() -> None:
    assert decoded(b"a\xff\xc3(") == "a\\xff\\xc3("


def test_what_is_cut_off_is_marked() -> None:
    assert fit("settlement", 6) == "settl…"
    assert fit("衬衫衬衫", 6) == "衬衫 …"
