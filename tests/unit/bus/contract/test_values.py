"""A tester types wrong numbers and worse text; the contract's values refuse them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bus.contract.catalog import Line, Price, StyleRecord
from bus.contract.settlement import CardPayment, Purchase
from bus.contract.values import (
    MAX_AMOUNT,
    MAX_QUANTITY,
    Code,
    LongText,
    Money,
    Text,
    check_digit,
    gtin14,
    looks_like_card_number,
)

KNOWN = ["96385074", "036000291452", "4006381333931", "9506000134352", "09506000134352"]
VISA = "4111111111111111"
DIGITS = st.text("0123456789", min_size=7, max_size=13)


@pytest.mark.parametrize("gtin", KNOWN)
def test_a_printed_number_passes_its_check_and_gets_fourteen_digits(gtin: str) -> None:
    assert check_digit(gtin[:-1]) == int(gtin[-1])
    assert gtin14(gtin) == "0" * (14 - len(gtin)) + gtin


@given(digits=DIGITS, place=st.integers(0, 13), shift=st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(digits: str, place: int, shift: int) -> None:
    whole = digits + str(check_digit(digits))
    place %= len(whole)
    wrong = str((int(whole[place]) + shift) % 10)
    broken = whole[:place] + wrong + whole[place + 1 :]
    assert check_digit(broken[:-1]) != int(broken[-1])
    with pytest.raises(ValueError, match=r"check digit|8, 12, 13 or 14"):
        gtin14(broken)


@given(digits=st.text("0123456789", min_size=13, max_size=13))
def test_leading_zeros_do_not_change_a_check_digit(digits: str) -> None:
    assert check_digit("000" + digits) == check_digit(digits)


@pytest.mark.parametrize(
    "text",
    ["", "9506000134353", "950600013435", "123456789", "9506000134352 ", "95060001343-2",
     "\uff19506000134352", "\u0669506000134352", "9" * 15],
)  # fmt: skip
def test_what_is_no_trade_item_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="GTIN"):
        gtin14(text)


@pytest.mark.parametrize("gtin", ["9506000134352", "09506000134353", "\u0660" * 14])
def test_a_registered_number_has_fourteen_valid_digits(gtin: str) -> None:
    with pytest.raises(ValidationError):
        StyleRecord.model_validate(
            {"sku": "S", "gtin": gtin, "attributes": {}, "price": {"amount": 1, "currency": "EUR"}}
        )


@pytest.mark.parametrize(
    "value",
    [
        VISA,
        int(VISA),
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1",
        "4111\u00a01111\u00a01111\u00a01111",
        f"my card: {VISA}, please",
        f"tok_{VISA}",
        "378282246310005",
        "6304000000000000",
        "\uff14" + "\uff11" * 15,
        {"token": "tok_1", "note": {"deep": ["er", {"number": VISA}]}},
        {VISA: "as a field's name"},
        ["x", [[int(VISA)]]],
    ],
    ids=str,
)
def test_a_card_number_is_found_wherever_it_hides(value: Any) -> None:
    assert looks_like_card_number(value)
    with pytest.raises(ValidationError, match="card number"):
        Purchase.model_validate(
            {
                "lines": [{"sku": "OXF-BLU-M", "quantity": 1}],
                "payment": {"method": "card", "token": "tok_approve", "unknown": value},
                "expected_total": {"amount": 1, "currency": "EUR"},
            }
        )


@pytest.mark.parametrize(
    "value",
    [
        "4111 1111 1111 1111 123",
        f"{VISA} 12 30",
        float(VISA),
        "4111\u20111111\u20111111\u20111111",
    ],
    ids=["with its security code", "with its expiry", "as a float", "with printed hyphens"],
)
def test_a_card_number_is_found_beside_what_is_printed_on_the_card(value: Any) -> None:
    assert looks_like_card_number(value)


@given(
    prefix=st.text("0123456789", min_size=11, max_size=18),
    gaps=st.lists(st.sampled_from(["", " ", "-"]), min_size=19, max_size=19),
)
def test_a_card_number_is_found_with_any_spaces_and_dashes(prefix: str, gaps: list[str]) -> None:
    digits = next(prefix + last for last in "0123456789" if looks_like_card_number(prefix + last))
    apart = "".join(digit + gap for digit, gap in zip(digits, gaps, strict=False))
    assert looks_like_card_number(apart)


@pytest.mark.parametrize(
    "value",
    ["", "tok_approve", "C-1001", "00000000000"[:11], 41111111111, "4111111111111112", True,
     None, {"method": "account", "account": "C-12345678901"}, "0" * 20, 10**19],
)  # fmt: skip
def test_a_token_or_a_short_number_is_no_card_number(value: Any) -> None:
    assert not looks_like_card_number(value)


@pytest.mark.parametrize("wrong", [True, False, 1.0, 1.5, "1", None, [1], -1])
def test_money_is_an_integer_and_nothing_that_looks_like_one(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": wrong, "currency": "EUR"})
    with pytest.raises(ValidationError):
        Money.model_validate_json(f'{{"amount": {wrong!r}, "currency": "EUR"}}'.lower())


@pytest.mark.parametrize("wrong", [True, 1.0, "1", None, 0, -1, MAX_QUANTITY + 1, 10**400])
def test_a_quantity_is_a_positive_integer(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        Line.model_validate({"sku": "OXF-BLU-M", "quantity": wrong})


def test_amounts_and_quantities_reach_their_limits_and_no_further() -> None:
    assert Money(amount=0, currency="EUR").amount == 0
    assert Money(amount=MAX_AMOUNT, currency="EUR").amount == MAX_AMOUNT
    assert Line(sku="S", quantity=MAX_QUANTITY).quantity == MAX_QUANTITY
    with pytest.raises(ValidationError):
        Money(amount=MAX_AMOUNT + 1, currency="EUR")
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        Price(amount=0, currency="EUR")


@pytest.mark.parametrize("currency", ["", "eur", "EU", "EURO", "EUR\n", "\uff25UR", 978])
def test_a_currency_is_three_capital_letters(currency: Any) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": 1, "currency": currency})


HARMFUL = [
    *"\0\a\b\t\n\r\x1b\x7f\x80\x9f",
    *"\u202a\u202b\u202c\u202d\u202e",
    *"\u2066\u2067\u2068\u2069",
]


@pytest.mark.parametrize("kind", [Text, LongText, Code], ids=["text", "long text", "code"])
@pytest.mark.parametrize("character", HARMFUL, ids=ascii)
def test_text_for_people_carries_no_control_or_bidi_characters(kind: Any, character: str) -> None:
    with pytest.raises(ValidationError, match="control or bidi"):
        TypeAdapter(kind).validate_python(f"Oxford{character}shirt")


WRITTEN = {
    "right-to-left mark": "שולחן\u200f (XL)",
    "left-to-right mark": "קמיץ Oxford\u200e!",
    "arabic letter mark": "\u061cقميص 5",
    "non-joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "joiner": "\u0647\u200d.\u0634",
    "soft hyphen": "Kaffee\u00admaschine",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_marks_joiners_and_soft_hyphens_are_letters_of_a_name(text: str) -> None:
    for kind in (Text, LongText, Code):
        assert TypeAdapter(kind).validate_python(text) == text


@pytest.mark.parametrize("text", ["", "Hemd größe M", "シャツ", "קמיץ", "👕🏽", "a" * 200])
def test_text_in_any_language_is_welcome(text: str) -> None:
    assert TypeAdapter(Text).validate_python(text) == text


@pytest.mark.parametrize("token", ["", "tok 1", "tok\n", "t\u00f6k", "x" * 65, 17])
def test_a_reference_is_short_printable_ascii(token: Any) -> None:
    with pytest.raises(ValidationError):
        CardPayment.model_validate({"method": "card", "token": token})
