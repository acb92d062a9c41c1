"""A customer fills a cart at a terminal, and the terminal remembers what became of it."""

import sqlite3
from collections.abc import Iterator

import pytest
from unit_rows import tables

from bus.contract.catalog import Found, Product, Style
from bus.contract.errors import InvalidField, Problem
from bus.contract.refusals import InvalidLink, SeveralProducts, SoldOut, UnknownLabel, UnknownSku
from bus.contract.settlement import AccountPayment, CardPayment, Receipt
from bus.contract.terminal import Remind
from bus.contract.values import Money
from devices.terminal import store
from devices.terminal.domain import Bought, one_product, purchase, style_of
from devices.terminal.store import SCHEMA as TERMINAL

ACCOUNT = AccountPayment(method="account", account="C-1001")


def _style(sku: str, amount: int, currency: str = "EUR") -> Style:
    return Style.model_validate(
        {
            "sku": sku,
            "gtin": "09506000134352",
            "attributes": {},
            "price": {"amount": amount, "currency": currency},
            "available": 3,
        }
    )


STYLES = {
    "SHIRT": _style("SHIRT", 5900),
    "COAT": _style("COAT", 19_900),
    "HAT": _style("HAT", 2500, "USD"),
}
RECEIPT = Receipt.model_validate(
    {
        "order": "o-1",
        "state": "settled",
        "lines": [{"sku": "SHIRT", "quantity": 2, "price": {"amount": 5900, "currency": "EUR"}}],
        "total": {"amount": 11_800, "currency": "EUR"},
        "payment": {"method": "account", "reference": "o-1.charge"},
        "pickup_point": "north",
        "pickup_code": "482913",
    }
)
PROBLEM = SoldOut("Not enough left: 1 of SHIRT.", available={"SHIRT": 1}).to_data()
REMINDER = Remind(
    order="o-1", pickup_point="north", pickup_point_name="North door", pickup_code="482913"
)


@pytest.fixture
def rows() -> Iterator[sqlite3.Connection]:
    with tables(TERMINAL) as connection:
        yield connection


def test_a_cart_costs_what_the_customer_was_shown() -> None:
    asked = purchase({"SHIRT": 2, "COAT": 1}, STYLES, ACCOUNT, None)
    assert [(line.sku, line.quantity) for line in asked.lines] == [("SHIRT", 2), ("COAT", 1)]
    assert asked.expected_total == Money(amount=31_700, currency="EUR")
    assert (asked.payment, asked.pickup_point) == (ACCOUNT, None)


def test_a_cart_says_where_it_is_collected_and_may_be_paid_by_card() -> None:
    card = CardPayment(method="card", token="tok_approve")
    asked = purchase({"HAT": 1}, STYLES, card, "south")
    assert asked.expected_total == Money(amount=2500, currency="USD")
    assert (asked.payment, asked.pickup_point) == (card, "south")


@pytest.mark.parametrize("cart", [{}, {"SHIRT": 1, "HAT": 1}], ids=["empty", "two currencies"])
def test_a_cart_without_a_total_is_refused(cart: dict[str, int]) -> None:
    with pytest.raises(InvalidField, match="empty or has several currencies") as caught:
        purchase(cart, STYLES, ACCOUNT, None)
    assert caught.value.more == {"field": "lines"}


def test_a_cart_of_more_styles_than_an_order_has_lines_is_refused() -> None:
    styles = {f"S-{number}": _style(f"S-{number}", 100) for number in range(101)}
    with pytest.raises(InvalidField, match="at most 100 items") as caught:
        purchase(dict.fromkeys(styles, 1), styles, ACCOUNT, None)
    assert caught.value.more == {"field": "lines"}


def test_a_style_is_found_among_products_by_exactly_its_sku() -> None:
    products = [
        Product(id="a", name="A", description="", url="urn:a", styles=[_style("SHIRT-L", 1)]),
        Product(
            id="b", name="B", description="", url="urn:b",
            styles=[_style("COAT", 2), _style("SHIRT", 3)],
        ),
    ]  # fmt: skip
    assert style_of(products, "SHIRT").price.amount == 3
    with pytest.raises(UnknownSku, match="SHIR") as caught:
        style_of(products, "SHIR")
    assert caught.value.more == {"sku": "SHIR"}
    with pytest.raises(UnknownSku):
        style_of([], "SHIRT")


@pytest.mark.parametrize(
    "outcome",
    [
        Bought("m-1", "settled", receipt=RECEIPT),
        Bought("m-1", "refused", problem=PROBLEM),
        Bought("m-1", "unknown"),
    ],
    ids=lambda outcome: outcome.state,
)
def test_a_purchase_is_remembered_from_sending_to_its_outcome(
    rows: sqlite3.Connection, outcome: Bought
) -> None:
    store.save_purchase(rows, Bought("m-1", "sent"), 1000)
    assert store.purchase(rows, "m-1") == Bought("m-1", "sent")
    store.save_purchase(rows, outcome, 2000)
    assert store.purchase(rows, "m-1") == outcome


def test_purchases_are_listed_oldest_first(rows: sqlite3.Connection) -> None:
    for identifier, now in (("m-3", 1000), ("m-1", 3000), ("m-2", 2000)):
        store.save_purchase(rows, Bought(identifier, "sent"), now)
    store.save_purchase(rows, Bought("m-3", "settled", receipt=RECEIPT), 9000)
    assert [bought.id for bought in store.purchases(rows)] == ["m-3", "m-2", "m-1"]


def test_a_reminder_counts_once_the_customer_has_seen_it(rows: sqlite3.Connection) -> None:
    store.save_reminder(rows, REMINDER, "m-1")
    assert store.shown(rows, "o-1") is None
    store.mark_shown(rows, "o-1", "m-1", 5000)
    assert store.shown(rows, "o-1") == REMINDER
    store.mark_shown(rows, "o-2", "m-1", 6000)
    assert store.shown(rows, "o-2") is None


def test_a_later_reminder_takes_the_place_of_the_earlier(rows: sqlite3.Connection) -> None:
    store.save_reminder(rows, REMINDER, "m-1")
    later = REMINDER.model_copy(update={"pickup_point_name": "New door"})
    store.save_reminder(rows, later, "m-2")
    store.mark_shown(rows, "o-1", "m-1", 5000)
    assert store.shown(rows, "o-1") is None
    store.mark_shown(rows, "o-1", "m-2", 6000)
    assert store.shown(rows, "o-1") == later


def _found(product: str, scanned: str | None = None) -> Found:
    record = {
        "id": product,
        "name": product.capitalize(),
        "description": "",
        "url": f"https://shop.example/p/{product}",
        "styles": [STYLES["SHIRT"], STYLES["COAT"]],
    }
    return Found(product=Product.model_validate(record), scanned=scanned)


WIFI = UnknownLabel("This is a network.", reason="wifi")
FOREIGN = UnknownLabel("Not sold here.", reason="foreign")


@pytest.mark.parametrize(
    ("answers", "scanned"),
    [
        ([_found("jacket")], None),
        ([_found("jacket", "SHIRT")], "SHIRT"),
        ([_found("jacket"), _found("jacket", "SHIRT")], "SHIRT"),
        ([_found("jacket", "SHIRT"), _found("jacket"), _found("jacket", "SHIRT")], "SHIRT"),
        ([_found("jacket", "SHIRT"), _found("jacket", "COAT")], None),
        ([WIFI, _found("jacket", "SHIRT"), FOREIGN, InvalidLink("No.")], "SHIRT"),
    ],
    ids=["address", "number", "both", "thrice", "two styles", "among others"],
)
def test_what_one_label_says_in_several_ways_is_one_product(
    answers: list[Found | Problem], scanned: str | None
) -> None:
    found = one_product({f"code {place}": each for place, each in enumerate(answers)})

    assert (found.product.id, found.scanned) == ("jacket", scanned)


def test_codes_of_different_products_are_refused_with_the_names_of_all() -> None:
    answers = {
        "1": _found("jacket", "SHIRT"),
        "2": WIFI,
        "3": _found("jacket"),
        "4": _found("kite"),
    }

    with pytest.raises(SeveralProducts, match=r"Jacket \(.\), Kite \(4\)") as several:
        one_product(answers)
    assert [each.product.id for each in several.value.found] == ["jacket", "kite"]


@pytest.mark.parametrize("refusals", [[FOREIGN, WIFI], [WIFI, FOREIGN], [FOREIGN]])
def test_of_codes_that_lead_nowhere_the_one_of_a_label_is_told(refusals: list[Problem]) -> None:
    with pytest.raises(UnknownLabel, match="Not sold here"):
        one_product({str(place): each for place, each in enumerate(refusals)})
    with pytest.raises(UnknownLabel, match="network"):
        one_product({"1": WIFI})


def test_a_label_whose_style_is_retired_says_so_however_it_is_scanned() -> None:
    retired = _found("jacket").model_copy(update={"retired": "SHIRT"})

    assert one_product({"address": _found("jacket"), "number": retired}).retired == "SHIRT"
    assert one_product({"number": retired, "address": _found("jacket")}).retired == "SHIRT"
