"""The way of an order as it is seen from the bus alone, and why it is not done yet."""

import json
from pathlib import Path

import pytest
from console_fixtures import START, heard_store, incoming, model, told
from running_store import FaultyBroker, Store, eventually
from story import recorded

from bus.contract.catalog import OrderOnly
from bus.contract.settlement import CANCEL, ORDER, ORDERS, OrderQuery, Orders
from bus.link import Outgoing
from tui.model.lane import lane
from tui.model.orders import ORDERS as MOST
from tui.model.store import StoreModel
from tui.model.track import HOPS, Track

LONG = 90_000
"""Milliseconds without a step, after which an order is stuck."""


def track(store: StoreModel, order: str) -> Track:
    found = store.orders.get(order)
    assert found is not None
    return found


def without_events(messages: list[Outgoing]) -> list[Outgoing]:
    """What is heard where settlement's events got lost: they are best effort."""
    return [message for message in messages if "/event/" not in message.topic]


_EVENTS = pytest.mark.parametrize("events", [True, False])


@_EVENTS
async def test_an_order_that_is_collected_is_known_with_and_without_events(
    tmp_path: Path, events: bool
) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 2}, point="south")
        await store.reminded(receipt.order)
        await store.collect(receipt.pickup_code)
        seen = model()
        told(seen, broker.passed if events else without_events(broker.passed))
    order = track(seen, receipt.order)
    assert order.state == "collected"
    assert order.final
    assert (order.terminal, order.pickup_point) == ("terminal-1", "south")
    assert order.total == (2500, "EUR")
    assert seen.why(order) is None


@_EVENTS
async def test_the_states_of_an_order_come_one_after_the_other(
    tmp_path: Path, events: bool
) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        await store.quiet()
        seen, states = model(), []
        said = broker.passed if events else without_events(broker.passed)
        for at, message in enumerate(said):
            seen.take(START + at, [incoming(message)])
            found = seen.orders.get(receipt.order)
            if found is not None and found.state not in (None, *states[-1:]):
                states.append(found.state)
    assert states == ["reserving", "charging", "settled", "ready", "reminded"]


async def test_messages_that_were_overtaken_do_not_take_an_order_back(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        await store.quiet()
        seen = model()
        told(seen, [*broker.passed, *broker.sent("/reserve"), *broker.sent("/purchase")])
    assert track(seen, receipt.order).state == "reminded"


async def test_the_purchase_is_part_of_the_way_though_it_names_no_order(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        await store.quiet()
        seen = model()
        told(seen, broker.passed)
    hops = track(seen, receipt.order).hops
    names = [(hop.kind, hop.name) for hop in hops]
    assert names[0] == ("req", "purchase")
    for name in ("reserve", "commit", "fulfil", "pick", "packed", "ready", "remind"):
        assert ("req", name) in names
        assert ("rep", name) in names
    picture = lane(track(seen, receipt.order))
    assert picture.columns == ("terminal-1", "settlement", "catalog", "warehouse", "sorter-1")
    assert next(arrow.gap for arrow in picture.arrows) == 0
    assert not any(arrow.open for arrow in picture.arrows)


async def test_a_message_that_is_repeated_is_one_arrow_that_says_so(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        broker.lose("rep/settlement/catalog/reserve")
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        await store.quiet()
        seen = model()
        told(seen, broker.passed)
    arrows = [
        arrow for arrow in lane(track(seen, receipt.order)).arrows if arrow.hop.name == "reserve"
    ]
    assert [(arrow.hop.kind, arrow.again) for arrow in arrows] == [("req", 1), ("rep", 0)]


async def test_an_order_of_which_nothing_was_heard_is_known_from_settlements_answer(
    tmp_path: Path,
) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        await store.quiet()
        before = len(broker.passed)
        await store.ask(ORDERS, "settlement", Orders(state="reminded"))
        await store.ask(ORDER, "settlement", OrderQuery(order=receipt.order))
        seen = model()
        told(seen, broker.passed[before:])
    order = track(seen, receipt.order)
    assert order.state == "reminded"
    assert order.view is not None
    assert [change.state for change in order.view.history][-1] == "reminded"
    assert order.terminal == "terminal-1"
    assert order.hops == []


async def stuck_at(store: Store, broker: FaultyBroker, step: str) -> tuple[str, list[Outgoing]]:
    """Buy, and let the sorter stop in a step."""
    store.machine.stops_at = step
    receipt = await store.buy({"MUG": 1})
    await eventually(lambda: not store.machine.free.is_set(), f"a sorter that is {step}")
    return receipt.order, list(broker.passed)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("picking", "waits for sorter-1: takes the goods"),
        ("conveying", "waits for sorter-1: conveys the goods"),
        ("packing", "waits for sorter-1: packs the parcel"),
    ],
)
async def test_an_order_waits_for_the_step_its_sorter_is_in(
    tmp_path: Path, step: str, said: str
) -> None:
    async with heard_store(tmp_path) as (store, broker):
        order, messages = await stuck_at(store, broker, step)
        seen = model()
        told(seen, messages)
        reason = seen.why(track(seen, order))
        store.machine.free.set()
        await store.reminded(order)
    assert reason is not None
    assert str(reason.reason) == said
    assert reason.node == "sorter-1"
    assert reason.normal


def test_an_order_whose_sorter_is_lost_is_stuck_at_its_job() -> None:
    seen, heard = model(), recorded()
    for at, message in heard.messages:
        seen.take(at, [message])
    order = track(seen, heard.stuck)
    reason = seen.why(order)
    assert reason is not None
    assert str(reason.reason).endswith(": takes the goods, and it is lost")
    assert not reason.normal
    assert reason.hop is not None
    assert (reason.hop.kind, reason.hop.name) == ("req", "pick")
    seen.tick(seen.now + LONG)
    assert heard.stuck in seen.alarms.subjects("stuck")


async def test_an_order_whose_only_sorter_jams_says_what_is_wrong(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        store.machine.jams_at = "conveying"
        receipt = await store.buy({"MUG": 1})
        await eventually(lambda: broker.sent("req/sorter-1/warehouse/fault"), "a fault")
        await eventually(lambda: broker.sent("rep/sorter-1/warehouse/fault"), "its reply")
        seen = model()
        told(seen, broker.passed)
        reason = seen.why(track(seen, receipt.order))
    assert reason is not None
    assert "jam at the lift" in str(reason.reason)
    assert reason.node == "sorter-1"


async def test_an_order_waits_for_the_node_that_does_not_answer(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        broker.lose("req/settlement/warehouse/fulfil", 10_000)
        receipt = await store.buy({"MUG": 1})
        await eventually(lambda: len(broker.lost) > 2, "three tries")
        seen = model()
        at = told(seen, [*broker.passed, *broker.lost])
        seen.tick(at + LONG)
        reason = seen.why(track(seen, receipt.order))
    assert reason is not None
    assert str(reason.reason).startswith("settlement waits for warehouse to take the order")
    assert not reason.normal


async def test_an_order_whose_warehouse_is_gone_says_so(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        await store.stop("warehouse")
        receipt = await store.buy({"MUG": 1})
        seen = model()
        at = told(seen, broker.passed)
        seen.tick(at + LONG)
        reason = seen.why(track(seen, receipt.order))
    assert reason is not None
    said = str(reason.reason)
    assert said.startswith("settlement waits for warehouse to take the order")
    assert said.endswith("and it is switched off")
    assert not reason.normal


async def test_an_order_waits_for_the_customer_when_all_is_done(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        await store.quiet()
        seen = model()
        at = told(seen, broker.passed)
    reason = seen.why(track(seen, receipt.order))
    assert reason is not None
    assert str(reason.reason) == "waits for the customer to collect it"
    seen.tick(at + 10 * LONG)
    assert not seen.alarms.subjects("stuck")


async def test_a_cancelled_order_goes_its_way_back(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        store.machine.stops_at = "picking"
        receipt = await store.buy({"MUG": 1})
        await eventually(lambda: not store.machine.free.is_set(), "a sorter that picks")
        await store.ask_as("console-1", CANCEL, "settlement", OrderOnly(order=receipt.order))
        seen = model()
        told(seen, broker.passed)
        store.machine.free.set()
    order = track(seen, receipt.order)
    reason = seen.why(order)
    assert order.state == "cancelling"
    assert reason is not None
    assert str(reason.reason) == "waits for its goods and its money to go back"


def test_orders_and_their_messages_are_bounded() -> None:
    seen = model()
    payload = b'{"id":"%d","orderid":"%s","data":{}}'
    topic = seen.topics.request("settlement", "catalog", "commit")
    for number in range(HOPS + 20):
        seen.take(START, [incoming(Outgoing(topic, payload % (number, b"o-1")))])
    assert len(track(seen, "o-1").hops) == HOPS
    assert track(seen, "o-1").dropped == 20
    for number in range(MOST + 10):
        seen.take(START, [incoming(Outgoing(topic, payload % (1, b"o-x%d" % number)))])
    assert len(seen.orders) == MOST
    assert seen.orders.dropped == 11


def test_what_an_older_store_said_of_two_orders_in_one_trace_is_kept_apart() -> None:
    seen = model()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    topics = seen.topics

    def hear(topic: str, identifier: str, data: dict[str, object], **more: str) -> None:
        document = {"id": identifier, "traceparent": trace, "data": data, **more}
        seen.take(START, [incoming(Outgoing(topic, json.dumps(document).encode()))])

    packed, pick = topics.request("sorter-1", "warehouse", "packed"), "pick"
    hear(packed, "1", {"job": "j-a"}, orderid="o-a")
    hear(topics.request("warehouse", "sorter-1", pick), "2", {"job": "j-b", "order": "o-b"})
    # A small device's answers say no order, and a minimal one's not even what they answer.
    hear(topics.reply("warehouse", "sorter-1", pick), "3", {"job": "j-b"}, correlationid="2")
    hear(topics.reply("sorter-1", "warehouse", "packed"), "1", {"job": "j-a"})
    hear(topics.request("warehouse", "sorter-1", "abort"), "9", {"job": "j-c"})
    kept = {name: [hop.id for hop in track(seen, name).hops] for name in ("o-a", "o-b")}
    assert kept == {"o-a": ["1", "1"], "o-b": ["2", "3"]}
