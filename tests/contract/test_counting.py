"""What somebody counted is what the books say; what then cannot be had is paid back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running_store import FAST, STOCK, FaultyBroker, Store, eventually, running_store
from test_short_pick import ELSEWHERE, HERE, SOON, balanced, bins, missing, on_hand, put
from test_ways_back import in_state, put_everything_back, to_put_back, view

from bus.contract.catalog import SEARCH, Search
from bus.contract.errors import Refused
from bus.contract.warehouse import COUNT, COUNTS, Counted, CountGoods, Counts

MUGS = STOCK["MUG"]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with running_store(
        FaultyBroker(), tmp_path, settings=FAST, sorters=1, warehouse=SOON
    ) as store:
        yield store


async def count(
    store: Store, sku: str, counted: int, location: str | None = None, *, by: str = "console-1"
) -> Counted:
    """Somebody counts."""
    goods = CountGoods(sku=sku, location=location, counted=counted, reason="a typing error")
    reply: Counted = await store.ask_as(by, COUNT, "warehouse", goods)
    return reply


async def available(store: Store, sku: str) -> int:
    """What customers are shown."""
    found = await store.ask(SEARCH, "catalog", Search(text=sku))
    return next(s.available for p in found.products for s in p.styles if s.sku == sku)


@pytest.mark.parametrize("counted", [0, 7, MUGS, 33])
async def test_what_was_counted_is_what_there_is_to_sell(store: Store, counted: int) -> None:
    reply = await count(store, "MUG", counted)
    assert (reply.booked, reply.counted, reply.change) == (MUGS, counted, counted - MUGS)
    assert (reply.location, reply.quantity) == (HERE, counted)
    assert await available(store, "MUG") == counted
    assert reply.level is None or reply.level.available == counted
    await balanced(store)
    assert bins(store, "MUG") == ({HERE: counted} if counted else {})


async def test_who_counted_when_and_why_is_remembered(store: Store) -> None:
    await count(store, "MUG", 7, by="tester-ann")
    await count(store, "SHIRT-RED", 1, by="tester-bob")
    await count(store, "MUG", 7, by="console-1")
    listed = (await store.ask(COUNTS, "warehouse", Counts())).counts
    told = [(each.by, each.sku, each.change, each.reason) for each in listed]
    assert told == [
        ("console-1", "MUG", 0, "a typing error"),
        ("tester-bob", "SHIRT-RED", -1, "a typing error"),
        ("tester-ann", "MUG", 7 - MUGS, "a typing error"),
    ]
    (one,) = (await store.ask(COUNTS, "warehouse", Counts(sku="SHIRT-RED"))).counts
    assert one.by == "tester-bob"


async def test_a_style_that_lies_in_several_places_is_counted_in_each(store: Store) -> None:
    await put(store, "MUG", ELSEWHERE, 3)
    with pytest.raises(Refused) as refused:
        await count(store, "MUG", 5)
    data = refused.value.to_data()
    assert (data.code, data.model_dump()["locations"]) == ("invalid-field", [HERE, ELSEWHERE])
    await count(store, "MUG", 5, ELSEWHERE)
    assert bins(store, "MUG") == {HERE: MUGS, ELSEWHERE: 5}
    assert await available(store, "MUG") == MUGS + 5
    await balanced(store)


@pytest.mark.parametrize(
    ("sku", "counted", "location", "code"),
    [
        ("MUGG", 0, None, "unknown-sku"),
        ("MUGG", 0, HERE, "unknown-sku"),
        ("MUGG", 4, HERE, "unknown-sku"),
        ("MUG", 4, "Z-99-9", "unknown-location"),
    ],
)
async def test_a_count_of_what_nobody_knows_is_refused_and_leaves_nothing(
    store: Store, sku: str, counted: int, location: str | None, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        await count(store, sku, counted, location)
    assert refused.value.to_data().code == code
    assert (await store.ask(COUNTS, "warehouse", Counts())).counts == []
    await balanced(store)


async def test_what_a_sorter_is_just_taking_explains_a_difference_and_no_more(
    store: Store,
) -> None:
    store.machine.stops_at = "picking"
    receipt = await store.buy({"MUG": 3})
    await eventually(lambda: not store.machine.free.is_set(), "picking")
    for counted in (MUGS, MUGS - 1, MUGS - 3):  # the three are there still, or in its hands
        reply = await count(store, "MUG", counted)
        assert (reply.change, reply.under_way) == (0, 3)
    more = await count(store, "MUG", MUGS + 2)
    assert (more.change, more.quantity) == (2, MUGS - 1)
    fewer = await count(store, "MUG", 5)
    assert (fewer.change, fewer.quantity) == (5 - (MUGS - 1), 5)
    store.machine.go_on()
    await store.reminded(receipt.order)
    await balanced(store)
    assert (bins(store, "MUG"), on_hand(store, "MUG")) == ({HERE: 5}, 5)
    assert missing(await view(store, receipt.order)) == {}


async def test_what_was_promised_and_is_not_there_is_paid_back(store: Store) -> None:
    store.machine.stops_at = "picking"
    first = await store.buy({"MUG": 2})
    await eventually(lambda: not store.machine.free.is_set(), "picking")
    second = await store.buy({"MUG": 5, "SHIRT-RED": 1})
    third = await store.buy({"MUG": 4})
    await count(store, "MUG", 3)  # of the nine that second and third wait for
    store.machine.go_on()
    await store.reminded(first.order)
    await store.reminded(second.order)
    shown = await in_state(store, third.order, "cancelled")
    await balanced(store)
    assert missing(await view(store, second.order)) == {"MUG": 2}
    assert shown.refunded == third.total.amount
    assert (bins(store, "MUG"), on_hand(store, "MUG")) == ({}, 0)


async def test_more_goods_than_the_books_had_are_brought_to_who_waits_for_them(
    store: Store,
) -> None:
    await store.stop("sorter-1")
    receipt = await store.buy({"SHIRT-RED": 2})
    await count(store, "SHIRT-RED", 1)
    await count(store, "SHIRT-RED", 3)
    await store.start("sorter-1")
    await store.reminded(receipt.order)
    await balanced(store)
    assert (bins(store, "SHIRT-RED"), on_hand(store, "SHIRT-RED")) == ({HERE: 1}, 1)


async def test_a_count_while_goods_are_on_their_way_back_leaves_those_alone(store: Store) -> None:
    store.machine.stops_at = "conveying"
    last = await store.buy({"SHIRT-RED": 2})
    await eventually(lambda: not store.machine.free.is_set(), "conveying")
    await store.stop("sorter-1")
    await store.start("sorter-2")
    await eventually(lambda: store.rows("warehouse", "SELECT * FROM superseded"), "a superseded")
    reply = await count(store, "SHIRT-RED", 0)
    assert (reply.change, reply.under_way) == (0, 2)
    store.machine.go_on()
    await store.start("sorter-1")
    await to_put_back(store)
    await put_everything_back(store)
    await store.reminded(last.order)
    await balanced(store)


@pytest.mark.parametrize("counted", [7, 33])
@pytest.mark.parametrize("hop", ["console-1/warehouse/count", "warehouse/catalog"])
async def test_a_count_survives_lost_and_repeated_messages(
    store: Store, hop: str, counted: int
) -> None:
    broker = store.deployment.connector
    assert isinstance(broker, FaultyBroker)
    broker.repeat(f"req/{hop}")
    broker.lose(f"rep/{hop}", 2)
    reply = await count(store, "MUG", counted)
    assert reply.change == counted - MUGS
    await balanced(store)
    assert (bins(store, "MUG"), on_hand(store, "MUG")) == ({HERE: counted}, counted)
    assert len((await store.ask(COUNTS, "warehouse", Counts())).counts) == 1
