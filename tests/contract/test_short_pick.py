"""A location holds fewer than the books say: the rest is brought, and what is missing paid back."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running_store import BALANCES, FAST, FaultyBroker, Store, eventually, running_store
from test_ways_back import cancel, in_state, put_everything_back, to_put_back, view

from audit import findings
from bus.contract.catalog import Line
from bus.contract.settlement import OrderView
from bus.contract.warehouse import RECEIVE, Receive
from nodes.warehouse.settings import WarehouseSettings

HERE, ELSEWHERE = "A-01-1", "A-02-1"
MUGS = 20
SOON = WarehouseSettings(lost_sorter=0.2, slow_job=30, fault_pause=30)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with running_store(FaultyBroker(), tmp_path, settings=FAST, warehouse=SOON) as store:
        yield store


async def put(store: Store, sku: str, location: str, quantity: int) -> None:
    """More goods come in."""
    await store.ask(RECEIVE, "warehouse", Receive(sku=sku, location=location, quantity=quantity))
    await store.quiet()


def bins(store: Store, sku: str) -> dict[str, int]:
    """What the warehouse's books say lies where."""
    return dict(
        store.rows(
            "warehouse", "SELECT location, quantity FROM bin WHERE sku = ? AND quantity", sku
        )
    )  # type: ignore[arg-type]


def on_hand(store: Store, sku: str) -> int:
    """What the catalog's books say."""
    return int(store.value("catalog", "SELECT on_hand FROM style WHERE sku = ?", sku))


def missing(shown: OrderView) -> dict[str, int]:
    """What could not be had of an order."""
    return {line.sku: line.quantity for line in shown.missing}


def parcel(store: Store, order: str) -> dict[str, int]:
    """What the warehouse packed for an order."""
    ((lines,),) = store.rows(
        "warehouse", "SELECT lines FROM job WHERE order_id = ? AND state = 'packed'", order
    )
    return {line["sku"]: line["quantity"] for line in json.loads(lines)}


async def balanced(store: Store) -> None:
    """Nothing is under way, and the books balance."""
    await store.quiet()
    assert findings([store.deployment.data]) == []


async def test_what_is_missing_at_one_location_is_taken_from_another(store: Store) -> None:
    await put(store, "MUG", ELSEWHERE, 3)
    store.machine.finds_elsewhere = {"MUG": 1}
    receipt = await store.buy({"MUG": 3})
    reminder = await store.reminded(receipt.order)
    await balanced(store)
    assert reminder.missing == []
    shown = await view(store, receipt.order)
    assert (missing(shown), shown.refunded) == ({}, 0)
    assert "short" not in [change.state for change in shown.history]
    assert parcel(store, receipt.order) == {"MUG": 3}
    # two of the three in the books were not there, and are nobody's any more
    assert bins(store, "MUG") == {HERE: MUGS - 2}
    assert on_hand(store, "MUG") == MUGS - 2


async def test_what_cannot_be_had_is_paid_back_and_the_rest_is_brought(store: Store) -> None:
    store.machine.finds = {"MUG": 1, "SHIRT-RED": 0}
    receipt = await store.buy({"MUG": 2, "SHIRT-RED": 1, "SHIRT-BLUE": 4})
    reminder = await store.reminded(receipt.order)
    await balanced(store)
    gone = {line.sku: line.quantity for line in reminder.missing}
    assert gone == {"MUG": 1, "SHIRT-RED": 1}
    assert parcel(store, receipt.order) == {"MUG": 1, "SHIRT-BLUE": 4}
    shown = await view(store, receipt.order)
    assert missing(shown) == gone
    states = [change.state for change in shown.history]
    assert states == ["reserving", "charging", "settled", "short", "short", "ready", "reminded"]
    prices = {line.sku: line.price.amount for line in receipt.lines}
    price = sum(prices[sku] * quantity for sku, quantity in gone.items())
    assert shown.refunded == price
    assert store.balance("customer:C-1001") == BALANCES["C-1001"] - receipt.total.amount + price
    assert (shown.lines, shown.total) == (receipt.lines, receipt.total)
    for sku in gone:
        assert bins(store, sku) == {}
        assert on_hand(store, sku) == 0


async def test_an_order_of_which_nothing_is_found_ends_with_all_money_back(store: Store) -> None:
    store.machine.finds = {"MUG": 0}
    receipt = await store.buy({"MUG": 2})
    shown = await in_state(store, receipt.order, "cancelled")
    await balanced(store)
    assert shown.refunded == receipt.total.amount
    assert shown.history[-2].reason == "2 of MUG could not be found"
    assert store.balance("customer:C-1001") == BALANCES["C-1001"]
    assert store.reminders == []
    assert (bins(store, "MUG"), on_hand(store, "MUG")) == ({}, 0)
    # its sorter is free for the next one
    store.machine.finds = {}
    other = await store.buy({"SHIRT-RED": 1})
    await store.reminded(other.order)


async def test_an_order_that_was_promised_the_missing_goods_is_paid_back_too(
    store: Store,
) -> None:
    store.machine.stops_at = "picking"
    first = await store.buy({"MUG": 2})
    await eventually(lambda: not store.machine.free.is_set(), "picking")
    second = await store.buy({"MUG": 5, "SHIRT-RED": 1})
    third = await store.buy({"MUG": 1})
    store.machine.finds = {"MUG": 0}
    store.machine.free.set()
    await in_state(store, first.order, "cancelled")
    await in_state(store, third.order, "cancelled")
    await store.reminded(second.order)
    await balanced(store)
    assert parcel(store, second.order) == {"SHIRT-RED": 1}
    assert on_hand(store, "MUG") == 0
    assert store.value("catalog", "SELECT short FROM style WHERE sku = 'MUG'") == 0
    assert store.value("catalog", "SELECT written_off FROM style WHERE sku = 'MUG'") == MUGS


async def test_goods_that_are_on_their_way_back_are_waited_for(store: Store) -> None:
    store.machine.stops_at = "conveying"
    last = await store.buy({"SHIRT-RED": 2})
    await eventually(lambda: not store.machine.free.is_set(), "conveying")
    await store.stop("sorter-1")
    await store.start("sorter-2")  # its job finds no red shirt in any bin: sorter-1 has it
    await eventually(
        lambda: store.rows("warehouse", "SELECT * FROM superseded"), "a superseded assignment"
    )
    store.machine.free.set()
    await store.start("sorter-1")
    await to_put_back(store)
    await put_everything_back(store)
    await store.reminded(last.order)
    await balanced(store)
    assert missing(await view(store, last.order)) == {}


@pytest.mark.parametrize(
    "hop",
    [
        "sorter-1/warehouse/short-pick",
        "warehouse/settlement/failed",
        "warehouse/catalog/write-off",
        "settlement/catalog/release",
    ],
)
async def test_a_short_pick_survives_lost_and_repeated_messages(store: Store, hop: str) -> None:
    broker = store.deployment.connector
    assert isinstance(broker, FaultyBroker)
    broker.repeat(f"req/{hop}")
    broker.lose(f"rep/{hop}", 2)
    store.machine.finds = {"MUG": 1}
    receipt = await store.buy({"MUG": 2})
    await store.reminded(receipt.order)
    await balanced(store)
    shown = await view(store, receipt.order)
    assert missing(shown) == {"MUG": 1}
    assert shown.refunded == receipt.total.amount // 2


async def test_a_short_order_that_is_cancelled_pays_the_rest_back_and_no_more(
    store: Store,
) -> None:
    store.machine.finds = {"MUG": 1}
    receipt = await store.buy({"MUG": 2})
    await store.reminded(receipt.order)
    await store.quiet()
    await cancel(store, receipt.order)
    await to_put_back(store)
    (goods,) = await put_everything_back(store)
    assert goods.lines == [Line(sku="MUG", quantity=1)]
    shown = await in_state(store, receipt.order, "cancelled")
    await balanced(store)
    assert shown.refunded == receipt.total.amount
    assert store.balance("customer:C-1001") == BALANCES["C-1001"]
    assert on_hand(store, "MUG") == 1


async def test_a_sorter_that_crashes_while_it_waits_for_the_word_goes_on(store: Store) -> None:
    broker = store.deployment.connector
    assert isinstance(broker, FaultyBroker)
    broker.lose("req/sorter-1/warehouse/short-pick", 1)
    store.machine.finds = {"MUG": 1}
    receipt = await store.buy({"MUG": 2})
    await eventually(lambda: broker.lost, "a short pick")
    await store.crash("sorter-1")
    await store.start("sorter-1")
    await store.reminded(receipt.order)
    await balanced(store)
    assert parcel(store, receipt.order) == {"MUG": 1}
