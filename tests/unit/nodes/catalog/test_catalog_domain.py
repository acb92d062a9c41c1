"""Orders compete for the last shirts: what is held is never sold twice, and nothing is lost."""

import sqlite3
from dataclasses import replace
from typing import Any

import pytest
from unit_rows import tables

from bus.contract.catalog import Line, PricedLine, ProductRecord, ProductUpdate, StyleRecord
from bus.contract.errors import Conflict, InvalidField
from bus.contract.refusals import Retired, SoldOut, UnknownSku, WrongState
from nodes.catalog import store
from nodes.catalog.codes import codes_of, refuse_taken
from nodes.catalog.domain import (
    Decision,
    Reservation,
    Stock,
    commit,
    release,
    release_some,
    reserve,
    restock,
    write_off,
)
from nodes.catalog.registration import register
from nodes.catalog.store import SCHEMA as CATALOG

SHIRT = Stock("SHIRT", "clothes", 5900, "EUR", on_hand=5, reserved=2)
COAT = Stock("COAT", "clothes", 19_900, "EUR", on_hand=1, reserved=0)
STOCK = {"SHIRT": SHIRT, "COAT": COAT}


def _lines(**wanted: int) -> list[Line]:
    return [Line(sku=sku, quantity=quantity) for sku, quantity in wanted.items()]


def _held(**wanted: int) -> tuple[Reservation, dict[str, Stock]]:
    decision = reserve("o-1", _lines(**wanted), STOCK, None)
    return decision.reservation, {**STOCK, **{stock.sku: stock for stock in decision.stock}}


def test_goods_that_are_there_are_held_at_todays_price() -> None:
    decision = reserve("o-1", _lines(SHIRT=3, COAT=1), STOCK, None)
    assert decision.reservation.state == "held"
    assert [
        (line.sku, line.quantity, line.price.amount) for line in decision.reservation.lines
    ] == [
        ("SHIRT", 3, 5900),
        ("COAT", 1, 19_900),
    ]
    assert [(stock.on_hand, stock.reserved, stock.available) for stock in decision.stock] == [
        (5, 5, 0),
        (1, 1, 0),
    ]


def test_all_lines_are_held_or_none_and_the_refusal_says_what_is_left_of_the_short_ones() -> None:
    with pytest.raises(SoldOut, match="3 of SHIRT, 1 of COAT") as caught:
        reserve("o-1", _lines(SHIRT=4, COAT=2), STOCK, None)
    assert caught.value.more == {"available": {"SHIRT": 3, "COAT": 1}}
    with pytest.raises(SoldOut) as caught:
        reserve("o-1", _lines(SHIRT=3, COAT=2), STOCK, None)
    assert caught.value.more == {"available": {"COAT": 1}}


def test_a_style_that_is_not_registered_or_is_retired_is_refused() -> None:
    with pytest.raises(UnknownSku, match="no style HAT") as unknown:
        reserve("o-1", _lines(SHIRT=1, HAT=1), STOCK, None)
    assert unknown.value.more == {"sku": "HAT"}
    with pytest.raises(Retired, match="COAT is no longer sold") as retired:
        reserve("o-1", _lines(COAT=1), {"COAT": replace(COAT, retired=True)}, None)
    assert retired.value.more == {"sku": "COAT"}


def test_the_same_reserve_again_changes_nothing_and_another_is_refused() -> None:
    held, stock = _held(SHIRT=2)
    assert reserve("o-1", _lines(SHIRT=2), stock, held) == Decision(held)
    for other in (_lines(SHIRT=1), _lines(SHIRT=2, COAT=1), _lines(COAT=2)):
        with pytest.raises(WrongState, match="o-1 is already held") as caught:
            reserve("o-1", other, stock, held)
        assert caught.value.more == {"state": "held"}


def test_what_is_paid_leaves_the_stock_once() -> None:
    held, stock = _held(SHIRT=2)
    paid = commit("o-1", held, stock)
    assert paid.reservation.state == "committed"
    assert [(row.on_hand, row.reserved) for row in paid.stock] == [(3, 2)]
    assert commit("o-1", paid.reservation, stock) == Decision(paid.reservation)


def test_what_is_released_is_for_sale_again_once() -> None:
    held, stock = _held(SHIRT=2)
    undone = release("o-1", held, stock)
    assert undone.reservation.state == "released"
    assert undone.stock == (SHIRT,)
    assert release("o-1", undone.reservation, stock) == Decision(undone.reservation)


def test_a_release_before_its_reserve_leaves_a_tombstone_that_refuses_the_late_reserve() -> None:
    tombstone = release("o-1", None, {})
    assert tombstone == Decision(Reservation("o-1", "released"))
    with pytest.raises(WrongState, match="already released"):
        reserve("o-1", _lines(SHIRT=1), STOCK, tombstone.reservation)
    with pytest.raises(WrongState, match="o-1 holds nothing") as caught:
        commit("o-1", tombstone.reservation, {})
    assert caught.value.more == {"state": "released"}


def test_only_what_is_held_can_be_paid_and_what_is_paid_is_not_held_again() -> None:
    for never in (
        lambda: commit("o-1", None, {}),
        lambda: release_some("o-1", _lines(SHIRT=1), None, STOCK),
    ):
        with pytest.raises(WrongState, match="o-1 holds nothing") as caught:
            never()
        assert caught.value.more == {"state": None}
    held, stock = _held(SHIRT=2)
    paid = commit("o-1", held, stock).reservation
    with pytest.raises(WrongState, match="already committed"):
        reserve("o-1", _lines(SHIRT=2), stock, paid)


def test_goods_of_a_paid_order_that_came_back_are_for_sale_again() -> None:
    held, stock = _held(SHIRT=2)
    paid = commit("o-1", held, stock)
    after = {row.sku: row for row in paid.stock}
    back = release("o-1", paid.reservation, after)
    assert back.reservation.state == "released"
    assert [row.on_hand for row in back.stock] == [stock["SHIRT"].on_hand]
    assert release("o-1", back.reservation, after).stock == ()


def test_some_of_what_is_held_is_for_sale_again_and_the_rest_stays_the_orders() -> None:
    held, stock = _held(SHIRT=3, COAT=1)
    less = release_some("o-1", _lines(SHIRT=1, COAT=1), held, stock)
    assert less.reservation.state == "held"
    assert [(line.sku, line.quantity) for line in less.reservation.lines] == [("SHIRT", 2)]
    assert [(row.sku, row.on_hand, row.reserved) for row in less.stock] == [
        ("SHIRT", 5, 4),
        ("COAT", 1, 0),
    ]
    untouched = release_some("o-1", _lines(COAT=1), held, stock).reservation.lines
    assert [(line.sku, line.quantity) for line in untouched] == [("SHIRT", 3)]
    released = Reservation("o-1", "released")
    assert release_some("o-1", _lines(SHIRT=1), released, stock) == Decision(released)


def test_some_of_a_paid_order_that_came_back_is_on_hand_again() -> None:
    held, stock = _held(SHIRT=3)
    paid = commit("o-1", held, stock)
    back = release_some("o-1", _lines(SHIRT=1), paid.reservation, {r.sku: r for r in paid.stock})
    assert back.reservation.state == "committed"
    assert [(row.on_hand, row.reserved) for row in back.stock] == [(3, 2)]


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        (_lines(SHIRT=3), "o-1 holds 2 of SHIRT"),
        (_lines(COAT=1), "o-1 holds 0 of COAT"),
    ],
)
def test_no_more_than_is_held_is_let_go(lines: list[Line], refusal: str) -> None:
    held, stock = _held(SHIRT=2)
    with pytest.raises(InvalidField, match=refusal) as caught:
        release_some("o-1", lines, held, stock)
    assert caught.value.more == {"field": "lines"}


def test_what_is_not_there_cannot_be_sold_and_what_is_held_comes_off_when_it_is_let_go() -> None:
    gone = write_off(SHIRT, 4)  # five are on hand, two of them held
    assert (gone.on_hand, gone.reserved, gone.short, gone.written_off) == (2, 2, 1, 4)
    held = Reservation("o-1", "held", tuple(_priced("SHIRT", 2)))
    (row,) = release("o-1", held, {"SHIRT": gone}).stock
    assert (row.on_hand, row.reserved, row.short) == (1, 0, 0)
    again = write_off(replace(SHIRT, written_off=1, reserved=0), 1)
    assert (again.on_hand, again.short, again.written_off) == (4, 0, 2)


def _priced(sku: str, quantity: int) -> list[PricedLine]:
    price = {"amount": 5900, "currency": "EUR"}
    return [PricedLine.model_validate({"sku": sku, "quantity": quantity, "price": price})]


def test_restocked_goods_are_for_sale_and_a_level_says_so() -> None:
    level = restock(SHIRT, 10).level()
    assert (level.sku, level.on_hand, level.reserved, level.available) == ("SHIRT", 15, 2, 13)
    assert restock(restock(SHIRT, 10), 5).received == 15


def test_a_price_may_change_while_goods_are_held_at_the_old_one() -> None:
    with tables(CATALOG) as rows:
        _register(rows, _clothes(5900))
        store.save_stock(rows, [SHIRT])
        held = reserve("o-1", _lines(SHIRT=1), store.stock(rows, ["SHIRT"]), None)
        store.save(rows, held, now=1)
        _register(rows, _clothes(6500))
        kept = store.reservation(rows, "o-1")
        assert kept == held.reservation
        assert kept.lines[0].price.amount == 5900
        (shirt,) = store.stock(rows, ["SHIRT", "HAT"]).values()
        assert (shirt.amount, shirt.on_hand, shirt.reserved) == (6500, 5, 3)
        product = store.product(rows, "clothes")
        assert product is not None
        assert (product.styles[0].price.amount, product.styles[0].available) == (6500, 2)


def test_a_label_a_sku_or_a_number_belongs_to_one_product() -> None:
    with tables(CATALOG) as rows:
        _register(rows, _clothes(5900))
        hat, page = "00000096385074", "https://shop.example/hat"
        for other in (
            _clothes(5900, product="others", sku="HAT", gtin=hat),
            _clothes(5900, product="others", url=page, gtin=hat),
            _clothes(5900, product="others", url=page, sku="HAT"),
        ):
            codes = codes_of(other)
            with pytest.raises(Conflict, match="already belongs to"):
                refuse_taken(codes, (), store.owners(rows, codes))
        with pytest.raises(UnknownSku):
            store.stock_or_refuse(rows, "HAT")


def test_what_an_update_does_not_name_is_as_it_was_and_the_styles_keep_their_order() -> None:
    clothes = _clothes(5900).model_copy(update={"description": "Warm."})
    hat = {"sku": "HAT", "gtin": "00000096385074", "price": {"amount": 900, "currency": "EUR"}}
    with_hat = register(clothes, _update(styles=[hat]))
    assert [style.sku for style in with_hat.styles] == ["SHIRT", "HAT"]
    dearer = {"sku": "HAT", "price": {"amount": 950, "currency": "EUR"}, "tax_rate": 2000}
    first = register(with_hat, _update(styles=[dearer]))
    assert [style.sku for style in first.styles] == ["SHIRT", "HAT"]
    assert first.styles[1].model_dump() == {**hat, "attributes": {}, **dearer}
    assert register(first, _update()) == first
    cheaper = [{"sku": sku, "price": {"amount": 1, "currency": "EUR"}} for sku in ("SHIRT", "HAT")]
    cheap = register(first, _update(styles=cheaper))
    assert [style.attributes for style in cheap.styles] == [{"colour": "blue"}, {}]
    assert [style.tax_rate for style in cheap.styles] == [first.styles[0].tax_rate, 2000]
    emptied = register(
        first,
        _update(description="", styles=[{"sku": "SHIRT", "attributes": {}, "tax_rate": None}]),
    )
    assert (emptied.description, emptied.url) == ("", clothes.url)
    assert emptied.styles[0].attributes == {}


def test_something_new_has_all_that_it_must_have() -> None:
    shirt = {"sku": "S", "gtin": "09506000134352", "price": {"amount": 1, "currency": "EUR"}}
    whole = {"name": "Clothes", "url": "https://s.example/1", "styles": [shirt]}
    new = register(None, _update(**whole))
    assert new.model_dump() == {
        "id": "clothes",
        "name": "Clothes",
        "description": "",
        "url": "https://s.example/1",
        "styles": [{**shirt, "attributes": {}, "tax_rate": None}],
    }
    assert (
        register(new, _update(url="https://s.example/2", description="Warm.")).url
        == "https://s.example/2"
    )
    for field, refusal in (("name", "clothes has no name"), ("url", "clothes has no label URL")):
        with pytest.raises(InvalidField, match=refusal) as caught:
            register(None, _update(**{**whole, field: None}))
        assert caught.value.more == {"field": field}
    for field, refusal in (("gtin", "S is new and has no GTIN"), ("price", "without a price")):
        lacking = {name: value for name, value in shirt.items() if name != field}
        with pytest.raises(InvalidField, match=refusal) as caught:
            register(_clothes(1), _update(styles=[lacking]))
        assert caught.value.more == {"field": field}
    for styles, refusal in (([], "is new and has no style"), ([shirt, shirt], "has S twice")):
        with pytest.raises(InvalidField, match=f"clothes {refusal}") as caught:
            register(None, _update(**{**whole, "styles": styles}))
        assert caught.value.more == {"field": "styles"}
    full = _clothes(1).model_copy(update={"styles": _clothes(1).styles * 200})
    numbered = [
        style.model_copy(update={"sku": f"S-{place}"}) for place, style in enumerate(full.styles)
    ]
    full = full.model_copy(update={"styles": numbered})
    with pytest.raises(InvalidField, match="more than 200") as caught:
        register(full, _update(styles=[shirt]))
    assert caught.value.more == {"field": "styles"}
    assert len(register(full, _update()).styles) == 200


def _update(**fields: Any) -> ProductUpdate:
    return ProductUpdate.model_validate({"id": "clothes", **fields})


def _register(rows: sqlite3.Connection, record: ProductRecord) -> None:
    store.upsert(rows, record, codes_of(record))


def _clothes(
    amount: int,
    *,
    product: str = "clothes",
    sku: str = "SHIRT",
    gtin: str = "09506000134352",
    url: str = "https://shop.example/01/09506000134352",
) -> ProductRecord:
    style = {
        "sku": sku,
        "gtin": gtin,
        "attributes": {"colour": "blue"},
        "price": {"amount": amount, "currency": "EUR"},
    }
    return ProductRecord(
        id=product, name="Clothes", url=url, styles=[StyleRecord.model_validate(style)]
    )
