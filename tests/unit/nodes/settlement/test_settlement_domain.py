"""An order's life in settlement: which ways it may go, what it costs, what is told of it."""

from dataclasses import replace
from typing import get_args

import pytest
from settlement_orders import POINTS, order, priced

from bus.contract.catalog import Line, PricedLine
from bus.contract.errors import InvalidField, Unavailable
from bus.contract.refusals import PriceChanged, UnknownPickupPoint, WrongState
from bus.contract.settlement import OrderState, Purchase, Seller
from bus.contract.values import MAX_AMOUNT, MAX_QUANTITY, Money
from bus.contract.warehouse import PickupPoint, PickupPoints
from nodes.settlement.domain import (
    begin_refund,
    begin_undoing,
    charged_too_late,
    choose_pickup_point,
    go_without,
    money_back,
    payment_receipt,
    place_order,
    price,
    receipt,
    reminder,
    undone,
)
from nodes.settlement.order import FINAL, LEGAL, Order

LIFE: dict[str, set[str]] = {
    "reserving": {"charging", "refused", "cancelling"},
    "charging": {"settled", "declined", "cancelling"},
    "settled": {"short", "ready", "cancelling"},
    "short": {"short", "ready", "cancelling"},
    "ready": {"reminded", "collected", "cancelling", "expiring"},
    "reminded": {"collected", "cancelling", "expiring"},
    "cancelling": {"cancelled"},
    "expiring": {"expired"},
    "collected": set(),
    "refused": set(),
    "declined": set(),
    "cancelled": set(),
    "expired": set(),
}
"""The ways of an order, written down apart from the code."""
STEPS = [(before, after) for before in LIFE for after in get_args(OrderState)]


NOW = "2026-11-29T10:00:00.000Z"


@pytest.mark.parametrize(("before", "after"), STEPS, ids="-".join)
def test_an_order_goes_its_legal_ways_and_no_other(before: OrderState, after: OrderState) -> None:
    old = order(state=before, since=1, reason="of old")
    if after in LIFE[before]:
        new = old.to(after, 7, "because")
        assert (new.state, new.since, new.reason) == (after, 7, "because")
        assert (new.id, new.lines, new.payment) == (old.id, old.lines, old.payment)
        assert old.to(after, 7).reason is None
    else:
        with pytest.raises(WrongState, match=f"is {before} and cannot become {after}") as caught:
            old.to(after, 7)
        assert caught.value.more == {"state": before}


def test_no_state_is_of_an_earlier_time_than_the_one_before_though_the_clock_was_set_back() -> None:
    settled = order(state="charging", since=1_000_000).to("settled", 1)
    assert (settled.state, settled.since) == ("settled", 1_000_000)


def test_orders_that_are_collected_refused_or_undone_are_final() -> None:
    assert {"collected", "refused", "declined", "cancelled", "expired"} == FINAL
    assert set(LEGAL) == set(get_args(OrderState))
    assert all(ways <= set(LEGAL) for ways in LEGAL.values())


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        ("reserving", {"release"}),
        ("charging", {"charge", "release"}),
        ("settled", {"refund", "withdraw"}),
        ("short", {"refund", "withdraw"}),
        ("ready", {"refund", "withdraw"}),
        ("reminded", {"refund", "withdraw"}),
    ],
)
def test_an_order_that_is_cancelled_has_its_steps_back(state: OrderState, steps: set[str]) -> None:
    undoing = begin_undoing(order(state=state), "cancelling", 7, "changed her mind")
    assert (undoing.state, undoing.undo, undoing.reason) == (
        "cancelling",
        steps,
        "changed her mind",
    )


def test_goods_are_for_sale_again_only_when_they_are_back_on_their_shelves() -> None:
    undoing = begin_undoing(order(state="ready"), "cancelling", 7, "late")
    undoing, following = undone(undoing, "refund", 8)
    assert (undoing.state, undoing.undo, following) == ("cancelling", {"withdraw"}, None)
    undoing, following = undone(undoing, "withdraw", 9)
    assert (undoing.state, undoing.undo, following) == ("cancelling", {"release"}, "release")
    again, following = undone(undoing, "withdraw", 9)
    assert (again, following) == (undoing, None)
    undoing, following = undone(undoing, "release", 10)
    assert (undoing.state, undoing.since, undoing.undo) == ("cancelled", 10, frozenset())


def test_money_that_was_captured_for_a_cancelled_order_has_to_go_back() -> None:
    undoing = begin_undoing(order(state="charging"), "cancelling", 7, "too slow")
    undoing = charged_too_late(undoing, "acq_1")
    assert (undoing.reference, undoing.undo) == ("acq_1", {"refund", "release"})


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_order_cannot_be_undone(state: OrderState) -> None:
    with pytest.raises(WrongState):
        begin_undoing(order(state=state), "cancelling", 7, "too late")


def test_the_expected_total_is_todays() -> None:
    held = order(expected=11_800, lines=(Line(sku="SHIRT", quantity=2),))
    found = price(held, [priced("SHIRT", 2, 5900)])
    assert found.total == 11_800
    assert found.priced == [priced("SHIRT", 2, 5900)]
    assert found.money() == Money(amount=11_800, currency="EUR")


def test_as_long_as_prices_are_not_known_an_order_costs_what_was_expected() -> None:
    unpriced = order(expected=11_800, lines=(Line(sku="SHIRT", quantity=2),))
    assert unpriced.priced == []
    assert unpriced.money() == Money(amount=11_800, currency="EUR")


@pytest.mark.parametrize(
    ("expected", "currency"), [(11_799, "EUR"), (11_801, "EUR"), (0, "EUR"), (11_800, "USD")]
)
def test_a_price_that_changed_shows_todays_total(expected: int, currency: str) -> None:
    with pytest.raises(PriceChanged) as caught:
        price(order(expected=expected, currency=currency), [priced("SHIRT", 2, 5900)])
    data = caught.value.to_data().model_dump()
    assert (data["status"], data["code"]) == (409, "price-changed")
    assert data["detail"] == "The total has changed."
    assert data["total"] == {"amount": 11_800, "currency": "EUR"}
    assert data["lines"][0]["price"] == {"amount": 5900, "currency": "EUR"}


def test_lines_of_different_currencies_or_beyond_all_measure_have_no_total() -> None:
    dollars = PricedLine.model_validate(
        {"sku": "COAT", "quantity": 1, "price": {"amount": 1, "currency": "USD"}}
    )
    with pytest.raises(InvalidField, match="different currencies") as several:
        price(order(), [priced("SHIRT", 2, 5900), dollars])
    assert several.value.more == {"field": "lines"}
    with pytest.raises(InvalidField, match="too large") as beyond:
        price(order(), [priced("SHIRT", MAX_QUANTITY, MAX_AMOUNT)])
    assert beyond.value.more == {"field": "lines"}
    dearest = price(order(expected=MAX_AMOUNT), [priced("RING", 1, MAX_AMOUNT)])
    assert dearest.total == MAX_AMOUNT


def _place(*skus: str) -> Order:
    purchase = Purchase.model_validate(
        {
            "lines": [{"sku": sku, "quantity": 2} for sku in skus],
            "payment": {"method": "account", "account": "C-1001"},
            "expected_total": {"amount": 11_800, "currency": "EUR"},
        }
    )
    return place_order(
        purchase,
        order="o-1",
        terminal="terminal-1",
        request="m-1",
        pickup_point="north",
        pickup_code="482913",
        now=5,
    )


def test_a_purchase_becomes_an_order_that_reserves_its_goods() -> None:
    placed = _place("SHIRT", "COAT")
    assert (placed.id, placed.expected) == ("o-1", Money(amount=11_800, currency="EUR"))
    assert (placed.state, placed.since, placed.total) == ("reserving", 5, None)
    assert placed.lines == (Line(sku="SHIRT", quantity=2), Line(sku="COAT", quantity=2))
    assert placed.payment == {"method": "account", "account": "C-1001"}
    assert (placed.terminal, placed.request) == ("terminal-1", "m-1")
    assert (placed.pickup_point, placed.pickup_code) == ("north", "482913")


def test_a_purchase_names_its_pickup_point_or_gets_the_default() -> None:
    assert choose_pickup_point("south", POINTS) == "south"
    assert choose_pickup_point(None, POINTS) == "north"
    with pytest.raises(UnknownPickupPoint, match="west") as caught:
        choose_pickup_point("west", POINTS)
    assert caught.value.more == {"points": ["north", "south"]}


@pytest.mark.parametrize("wanted", [None, "north"])
def test_nothing_is_sold_before_the_warehouse_has_named_its_points(wanted: str | None) -> None:
    with pytest.raises(Unavailable, match="has not said yet which pickup points") as caught:
        choose_pickup_point(wanted, None)
    assert caught.value.retryable


def test_a_receipt_says_what_was_bought_and_how_it_is_collected() -> None:
    settled = order(state="settled", reference="o-1.charge", total=11_800)
    seller = Seller(name="Shop", address="1 Street", tax_number="XX 1")
    answer = receipt(settled, NOW, seller)
    assert (answer.order, answer.state) == ("o-1", "settled")
    assert answer.lines == [priced("SHIRT", 2, 5900)]
    assert answer.total == Money(amount=11_800, currency="EUR")
    assert answer.payment.model_dump() == {"method": "account", "reference": "o-1.charge"}
    assert (answer.pickup_point, answer.pickup_code) == ("north", "482913")
    assert (answer.at, answer.seller) == (NOW, seller)


def test_a_receipt_never_shows_the_token_of_a_card() -> None:
    paid = order(payment={"method": "card", "token": "tok_secret"}, reference="cap-1")
    assert "tok_secret" not in receipt(paid, NOW, None).model_dump_json()


def test_what_is_not_paid_has_no_receipt() -> None:
    assert payment_receipt(order(reference=None)) is None
    with pytest.raises(AssertionError, match="not paid"):
        receipt(order(reference=None), NOW, None)


def test_a_reminder_names_the_door_or_its_id_when_the_door_is_gone() -> None:
    told = reminder(order(), POINTS)
    assert (told.order, told.pickup_code) == ("o-1", "482913")
    assert (told.pickup_point, told.pickup_point_name) == ("north", "North door")
    moved = PickupPoints(points=[PickupPoint(id="south", name="South door")], default="south")
    assert reminder(order(), moved).pickup_point_name == "north"
    assert told.missing == []
    short = reminder(order(missing=(Line(sku="SHIRT", quantity=1),)), POINTS)
    assert short.missing == [Line(sku="SHIRT", quantity=1)]


PAID = order(state="settled", reference="o-1.charge", total=11_800)
ONE_SHIRT = [Line(sku="SHIRT", quantity=1)]


def test_what_cannot_be_had_is_remembered_and_its_price_goes_back() -> None:
    short, price = go_without(PAID, ONE_SHIRT, 7, "1 of SHIRT could not be found")
    assert (short.state, short.since, price) == ("short", 7, 5900)
    assert short.missing == tuple(ONE_SHIRT)
    assert short.reason == "1 of SHIRT could not be found"
    again, price = go_without(short, ONE_SHIRT, 8, "the other one, too")
    assert (again.state, again.missing, price) == ("short", (Line(sku="SHIRT", quantity=2),), 5900)
    assert (again.since, again.reason) == (8, "the other one, too")
    with pytest.raises(InvalidField):
        go_without(again, ONE_SHIRT, 9, "")


@pytest.mark.parametrize("state", ["ready", "reminded", "collected"])
def test_word_of_what_is_missing_may_come_after_the_parcel(state: OrderState) -> None:
    late, price = go_without(replace(PAID, state=state), ONE_SHIRT, 7, "late")
    assert (late.state, late.missing, price) == (state, tuple(ONE_SHIRT), 5900)


@pytest.mark.parametrize("state", ["cancelling", "cancelled", "expiring", "expired"])
def test_an_order_that_is_undone_pays_all_of_it_back_anyway(state: OrderState) -> None:
    undone_order = replace(PAID, state=state)
    assert go_without(undone_order, ONE_SHIRT, 7, "late") == (undone_order, 0)


@pytest.mark.parametrize("state", ["reserving", "charging", "refused", "declined"])
def test_what_was_never_paid_cannot_lack_anything(state: OrderState) -> None:
    with pytest.raises(WrongState, match=f"o-1 is {state}") as caught:
        go_without(order(state=state), ONE_SHIRT, 7, "never")
    assert caught.value.more == {"state": state}


@pytest.mark.parametrize("lines", [[Line(sku="SHIRT", quantity=3)], [Line(sku="COAT", quantity=1)]])
def test_more_than_was_ordered_cannot_be_missing(lines: list[Line]) -> None:
    with pytest.raises(InvalidField, match=f"has not . of {lines[0].sku}") as caught:
        go_without(PAID, lines, 7, "too much")
    assert caught.value.more == {"field": "lines"}


def test_an_order_is_undone_only_when_all_its_refunds_are_back() -> None:
    short, price = go_without(PAID, ONE_SHIRT, 7, "short")
    both = begin_undoing(begin_refund(short, price), "cancelling", 8, "changed her mind")
    both = begin_refund(both, both.money().amount - both.refunding)
    assert both.refunding == 11_800
    both, _ = undone(both, "withdraw", 9)
    both, _ = undone(both, "release", 9)
    half = money_back(both, 5900, 10)
    assert (half.state, half.refunded) == ("cancelling", 5900)
    whole = money_back(half, 5900, 11)
    assert (whole.state, whole.refunded, whole.since) == ("cancelled", 11_800, 11)
