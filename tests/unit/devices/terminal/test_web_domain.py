"""What the phone page decides, without any page."""

from dataclasses import replace

import pytest

from bus.contract.catalog import PricedLine, Product
from bus.contract.errors import InvalidField
from bus.contract.refusals import SoldOut
from bus.contract.sorter import JobState
from devices.terminal.web.domain import (
    LOCKED,
    BrowserCart,
    CartLine,
    Guesses,
    line_of,
    progress,
    put,
    receipt_lines,
    renewed,
    style_in_words,
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
    with pytest.raises(SoldOut, match="Not enough left") as refused:
        line_of(PRODUCT, PRODUCT.styles[0], 4)
    assert refused.value.to_data().model_extra == {"available": {"S": 3}}
    for wrong in (0, -1, 1000):
        with pytest.raises(InvalidField, match="A line has 1 to 999 pieces") as out_of_bounds:
            line_of(PRODUCT, PRODUCT.styles[0], wrong)
        assert out_of_bounds.value.more == {"field": "quantity"}
    plenty = PRODUCT.styles[0].model_copy(update={"available": 5000})
    assert [line_of(PRODUCT, plenty, each).quantity for each in (1, 999)] == [1, 999]


def test_a_style_that_is_put_in_again_takes_its_own_place() -> None:
    other = CartLine("T", "0", "Tie", "", 1, 100, "EUR", None)
    assert put((LINE, other), LINE) == (LINE, other)


def test_a_cart_has_one_currency_and_a_bound() -> None:
    with pytest.raises(InvalidField, match="one currency") as other:
        put((LINE,), CartLine("T", "0", "Tie", "", 1, 100, "USD", None))
    assert other.value.more == {"field": "currency"}
    full = tuple(CartLine(f"S{n}", "0", "", "", 1, 1, "EUR", None) for n in range(50))
    with pytest.raises(InvalidField, match="at most 50 lines") as too_many:
        put(full, LINE)
    assert too_many.value.more == {"field": "lines"}
    assert put(full[1:], LINE) == (*full[1:], LINE)


TIE = CartLine("T", "0", "Tie", "", 2, 100, "EUR", 2000)


def test_a_cart_is_summed_up() -> None:
    cart = BrowserCart("c-1", (LINE, TIE))
    assert (cart.total, cart.pieces, cart.currency) == (3 * 999 + 2 * 100, 5, "EUR")
    assert (BrowserCart("c-1").total, BrowserCart("c-1").currency) == (0, "")


def test_a_cart_that_holds_the_same_is_the_same_whatever_it_costs() -> None:
    cart = BrowserCart("c-1", (LINE, TIE))
    dearer = BrowserCart("c-2", (replace(LINE, amount=1_000), TIE))
    assert cart.goods == dearer.goods
    assert len(cart.goods) == 16
    others = ((TIE,), (replace(LINE, quantity=2), TIE), (replace(LINE, sku="S2"), TIE))
    assert cart.goods not in {BrowserCart("c-1", lines).goods for lines in others}


def test_a_style_is_called_by_its_attributes_or_its_sku() -> None:
    style = PRODUCT.styles[0]
    both = style.model_copy(update={"attributes": {"colour": "blue", "size": "M"}})
    none = style.model_copy(update={"attributes": {}})
    assert [style_in_words(each) for each in (style, both, none)] == ["M", "blue, M", "S"]


def test_a_cart_is_renewed_at_the_prices_of_now_without_what_is_gone() -> None:
    fresh = {"S": replace(LINE, amount=500, quantity=1)}
    assert renewed((LINE, TIE), fresh, set()) == (replace(LINE, amount=500), TIE)
    assert renewed((LINE, TIE), fresh, {"T"}) == (replace(LINE, amount=500),)


def test_what_was_paid_for_has_the_names_that_were_shown() -> None:
    price = {"amount": 7, "currency": "USD"}
    paid = [PricedLine.model_validate({"sku": sku, "quantity": 4, "price": price}) for sku in "ST"]
    shown = BrowserCart("c-1", (LINE,))
    assert receipt_lines(paid, shown) == (
        replace(LINE, quantity=4, amount=7, currency="USD"),
        CartLine("T", "", "T", "", 4, 7, "USD", None),
    )


def test_progress_follows_the_sorter() -> None:
    def job(step: str, pick: int = 0) -> JobState:
        return JobState.model_validate({"step": step, "pick": pick, "picks": 4, "since": "x"})

    way = [progress("settled", None)]
    way += [progress("settled", job("picking", pick)) for pick in range(4)]
    way += [progress("settled", job(step)) for step in ("conveying", "packing", "done")]
    way.append(progress("ready", job("done")))
    assert way == [10, 20, 32, 45, 58, 75, 90, 95, 100]
    assert progress("cancelled", job("picking")) is None
    steps = ("assigned", "travelling", "short", "idle")
    assert [progress("short", job(step, 2)) for step in steps] == [45, 45, 45, 15]
    nothing = JobState.model_validate({"step": "picking", "pick": 0, "picks": 0, "since": "x"})
    assert progress("settled", nothing) == 20


def test_the_fifth_wrong_code_locks_for_a_minute_and_old_ones_do_not_count() -> None:
    guesses = Guesses()
    for at in range(4):
        guesses = guesses.another(at, 5)
    assert not guesses.seconds_locked(4)
    assert guesses.another(4, 5).seconds_locked(4) == 60
    assert not guesses.another(4, 5).seconds_locked(4 + LOCKED)
    assert not guesses.another(3 + LOCKED, 5).seconds_locked(3 + LOCKED)
    assert guesses.another(2 + LOCKED, 5).seconds_locked(2 + LOCKED) == 60
    locked = guesses.another(4, 5)
    assert [locked.seconds_locked(4 + at) for at in (0, 1, 1000, 59_999)] == [60, 60, 59, 1]
    assert locked.another(5, 5) == Guesses(1, 5)


def test_who_shares_an_address_with_many_wrong_ones_waits_longer_and_longer() -> None:
    assert Guesses().one_more(LOCKED - 1) == Guesses(1, LOCKED - 1)
    assert Guesses(7, 100).one_more(99 + LOCKED) == Guesses(8, 99 + LOCKED)
    assert Guesses(7, 100).one_more(100 + LOCKED) == Guesses(1, 100 + LOCKED)
    waits = [Guesses(wrong, 100).seconds_slowed(101) for wrong in (19, 20, 21, 23, 24, 5000)]
    assert waits == [0, 1, 2, 8, 10, 10]
    assert Guesses(30, 100).seconds_slowed(99 + LOCKED) == 10
    assert Guesses(30, 100).seconds_slowed(100 + LOCKED) == 0


def test_a_client_may_make_so_many_requests_at_once_and_then_at_a_rate() -> None:
    now = 0.0
    allowance = Allowance(2.0, 3, lambda: now)
    assert [allowance.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert allowance.take("b") == 0
    now = 0.5
    assert [allowance.take("a") for _ in range(2)] == [0, 0.5]
