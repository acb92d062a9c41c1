"""What the phone page decides, without any page."""

import pytest

from bus.contract.catalog import Product
from bus.contract.sorter import JobState
from bus.errors import InvalidField, SoldOut
from devices.terminal.web.domain import (
    LOCKED,
    CartLine,
    Guesses,
    line_of,
    progress,
    put,
)
from devices.terminal.web.guard import Allowance

PRODUCT = Product.model_validate(
    {
        "id": "shirt",
        "name": "Shirt",
        "description": "",
        "url": "https://shop.example/shirt",
        "styles": [
            {
                "sku": "S",
                "gtin": "09506000134352",
                "attributes": {"size": "M"},
                "price": {"amount": 999, "currency": "EUR"},
                "available": 3,
            }
        ],
    }
)
LINE = CartLine("S", "09506000134352", "Shirt", "M", 3, 999, "EUR", None)


def test_a_line_has_at_most_what_there_is() -> None:
    assert line_of(PRODUCT, PRODUCT.styles[0], 3) == LINE
    with pytest.raises(SoldOut) as refused:
        line_of(PRODUCT, PRODUCT.styles[0], 4)
    assert refused.value.to_data().model_extra == {"available": {"S": 3}}
    for wrong in (0, -1, 1000):
        with pytest.raises(InvalidField):
            line_of(PRODUCT, PRODUCT.styles[0], wrong)


def test_a_style_that_is_put_in_again_takes_its_own_place() -> None:
    other = CartLine("T", "0", "Tie", "", 1, 100, "EUR", None)
    assert put((LINE, other), LINE) == (LINE, other)


def test_a_cart_has_one_currency_and_a_bound() -> None:
    with pytest.raises(InvalidField):
        put((LINE,), CartLine("T", "0", "Tie", "", 1, 100, "USD", None))
    full = tuple(CartLine(f"S{n}", "0", "", "", 1, 1, "EUR", None) for n in range(50))
    with pytest.raises(InvalidField):
        put(full, LINE)


def test_progress_follows_the_sorter() -> None:
    def job(step: str, pick: int = 0) -> JobState:
        return JobState.model_validate({"step": step, "pick": pick, "picks": 4, "since": "x"})

    way = [progress("settled", None)]
    way += [progress("settled", job("picking", pick)) for pick in range(4)]
    way += [progress("settled", job(step)) for step in ("conveying", "packing", "done")]
    way.append(progress("ready", job("done")))
    assert way == sorted(way, key=lambda each: each or 0)
    assert way[-1] == 100
    assert progress("cancelled", None) is None


def test_the_fifth_wrong_code_locks_for_a_minute_and_old_ones_do_not_count() -> None:
    guesses = Guesses()
    for at in range(4):
        guesses = guesses.another(at, 5)
    assert not guesses.seconds_locked(4)
    assert guesses.another(4, 5).seconds_locked(4) == 60
    assert not guesses.another(4, 5).seconds_locked(4 + LOCKED)
    assert not guesses.another(3 + LOCKED, 5).seconds_locked(3 + LOCKED)


def test_a_client_may_make_so_many_requests_at_once_and_then_at_a_rate() -> None:
    now = 0.0
    allowance = Allowance(2.0, 3, lambda: now)
    assert [allowance.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert allowance.take("b") == 0
    now = 0.5
    assert [allowance.take("a") for _ in range(2)] == [0, 0.5]
