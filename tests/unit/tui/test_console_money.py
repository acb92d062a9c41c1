"""The console, the kiosk and the commands write an amount alike."""

import pytest

from commerce.price import price_text
from tui.rendering.canvas import money


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD", "ALL", "COP", "XXX"])
def test_an_amount_has_the_decimals_of_its_currency_everywhere(currency: str) -> None:
    assert money((123_456, currency)) == price_text(123_456, currency)


def test_an_amount_that_is_not_known_is_a_dash() -> None:
    assert money(None) == "-"
