"""Settlement writes its orders down and reads them back, with all that became of them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
from settlement_orders import POINTS, order, priced
from unit_rows import tables

from bus.contract.catalog import Line
from bus.contract.refusals import UnknownOrder
from bus.contract.settlement import OrderState
from bus.contract.warehouse import PickupPoint, PickupPoints
from nodes.settlement import store
from nodes.settlement.order import FINAL, LEGAL, Order
from nodes.settlement.store import SCHEMA as SETTLEMENT

OPEN = sorted(set(LEGAL) - FINAL)


@pytest.fixture
def rows() -> Iterator[sqlite3.Connection]:
    with tables(SETTLEMENT) as connection:
        yield connection


FULL = order(
    state="ready",
    lines=(priced("SHIRT", 2, 5900), priced("COAT", 1, 19_900)),
    total=31_700,
    reference="o-1.charge",
    parcel="p-1",
    undo=frozenset({"refund", "withdraw"}),
    refunded=100,
    reminder="m-7",
)


@pytest.mark.parametrize(
    "written",
    [
        FULL,
        order(lines=(Line(sku="SHIRT", quantity=2),)),
        order(payment={"method": "card", "token": "tok_approve"}),
        order(total=0, expected=0, currency="JPY"),
    ],
    ids=["all fields", "not priced yet", "by card", "in yen"],
)
def test_an_order_is_read_as_it_was_written(rows: sqlite3.Connection, written: Order) -> None:
    store.save(rows, written)
    assert store.order(rows, "o-1") == written


def test_the_full_order_of_this_test_leaves_only_the_reason_empty() -> None:
    """So that a new field of an order is not forgotten here."""
    empty = [field.name for field in fields(FULL) if getattr(FULL, field.name) is None]
    assert empty == ["reason"]


def test_a_later_state_takes_the_place_of_the_earlier(rows: sqlite3.Connection) -> None:
    store.save(rows, order(lines=(Line(sku="SHIRT", quantity=2),)))
    later = replace(FULL, state="collected", since=2000)
    store.save(rows, later)
    assert store.order(rows, "o-1") == later


def test_an_order_that_is_not_there_is_unknown(rows: sqlite3.Connection) -> None:
    for look in (store.order, store.view):
        with pytest.raises(UnknownOrder, match="o-9"):
            look(rows, "o-9")


def test_the_history_has_each_state_once_with_its_time_and_reason(
    rows: sqlite3.Connection,
) -> None:
    placed = order(since=1_767_225_600_000)
    store.save(rows, placed)
    charging = store.order(rows, "o-1").to("charging", 1_767_225_601_000)
    store.save(rows, replace(charging, total=11_800))
    store.save(rows, replace(store.order(rows, "o-1"), reference="r"))
    charged = store.order(rows, "o-1")
    store.save(rows, charged.to("declined", 1_767_225_602_000, "The card said no."))
    view = store.view(rows, "o-1")
    assert [(change.state, change.at, change.reason) for change in view.history] == [
        ("reserving", "2026-01-01T00:00:00.000Z", None),
        ("charging", "2026-01-01T00:00:01.000Z", None),
        ("declined", "2026-01-01T00:00:02.000Z", "The card said no."),
    ]
    assert view.state == "declined"


def test_the_view_of_an_order_shows_what_is_known_so_far(rows: sqlite3.Connection) -> None:
    store.save(rows, order(lines=(Line(sku="SHIRT", quantity=2),)))
    early = store.view(rows, "o-1")
    assert (early.lines, early.payment, early.parcel) == ([], None, None)
    assert early.total.amount == 11_800
    store.save(rows, FULL)
    late = store.view(rows, "o-1")
    assert [line.sku for line in late.lines] == ["SHIRT", "COAT"]
    assert late.total.amount == 31_700
    assert late.payment is not None
    assert (late.payment.reference, late.parcel) == ("o-1.charge", "p-1")


def test_orders_are_listed_newest_first_by_state_or_terminal(rows: sqlite3.Connection) -> None:
    states: list[OrderState] = ["reserving", "settled", "settled", "collected"]
    for number, state in enumerate(states, 1):
        store.save(
            rows,
            order(
                id=f"o-{number}",
                state=state,
                since=number * 1000,
                terminal=f"terminal-{number % 2}",
                pickup_code=f"{number:06}",
            ),
        )

    def ids(state: OrderState | None, terminal: str | None, limit: int = 100) -> list[str]:
        return [found.order for found in store.orders(rows, state, terminal, limit)]

    assert ids(None, None) == ["o-4", "o-3", "o-2", "o-1"]
    assert ids(None, None, 2) == ["o-4", "o-3"]
    assert ids("settled", None) == ["o-3", "o-2"]
    assert ids("settled", "terminal-1") == ["o-3"]
    assert ids("cancelled", None) == []
    (oldest,) = store.orders(rows, "reserving", None, 1)
    assert oldest.since == "1970-01-01T00:00:01.000Z"


@pytest.mark.parametrize("state", OPEN)
def test_a_pickup_code_opens_the_one_open_order_that_has_it(
    rows: sqlite3.Connection, state: OrderState
) -> None:
    store.save(rows, order(state=state))
    found = store.order_by_code(rows, "482913")
    assert found is not None
    assert found.id == "o-1"
    assert store.order_by_code(rows, "000000") is None
    with pytest.raises(sqlite3.IntegrityError, match="pickup_code"):
        store.save(rows, order(id="o-2"))


@pytest.mark.parametrize("state", sorted(FINAL))
def test_the_code_of_a_final_order_opens_nothing_and_may_be_used_again(
    rows: sqlite3.Connection, state: OrderState
) -> None:
    store.save(rows, order(state=state))
    assert store.order_by_code(rows, "482913") is None
    assert store.unused_code(rows, lambda: "482913") == "482913"
    store.save(rows, order(id="o-2"))
    found = store.order_by_code(rows, "482913")
    assert found is not None
    assert found.id == "o-2"


def test_a_code_that_an_open_order_has_is_drawn_again(rows: sqlite3.Connection) -> None:
    store.save(rows, order(pickup_code="111111"))
    store.save(rows, order(id="o-2", pickup_code="222222"))
    draws = iter(["111111", "222222", "111111", "333333", "444444"])
    assert store.unused_code(rows, lambda: next(draws)) == "333333"


def test_pickup_points_are_kept_until_the_warehouse_names_others(rows: sqlite3.Connection) -> None:
    assert store.pickup_points(rows) is None
    store.save_pickup_points(rows, POINTS)
    assert store.pickup_points(rows) == POINTS
    others = PickupPoints(points=[PickupPoint(id="west", name="West door")], default="west")
    store.save_pickup_points(rows, others)
    assert store.pickup_points(rows) == others
