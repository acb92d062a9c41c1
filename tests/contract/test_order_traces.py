"""Every message of an order says so, and an order has one trace of its own, never another's."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from running_store import FAST, FaultyBroker, Store, eventually, running_store
from test_ways_back import in_state, put_everything_back

from bus.contract.catalog import OrderOnly
from bus.contract.settlement import CANCEL, ORDER, OrderQuery
from bus.contract.topics import Topics
from bus.link import Outgoing
from nodes.warehouse.settings import WarehouseSettings

SOON = WarehouseSettings(lost_sorter=0.2, slow_job=30, refusal_pause=0.1, fault_pause=0.2)
ASKED = frozenset({"order", "cancel", "collect", "receive", "reassign", "resolve"})
"""What somebody asks about an order is in the asker's trace."""
OF_ORDERS = frozenset(
    {"reserve", "commit", "release", "fulfil", "withdraw", "pick", "abort", "packed", "fault",
     "short-pick", "ready", "failed", "remind", "order-changed", "write-off", "purchase"}
)  # fmt: skip


def messages(broker: FaultyBroker) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """All that was said: kind and name of the channel, and the message."""
    topics = Topics("main")
    for each in broker.passed:
        address = topics.parse(each.topic)
        if address is not None and each.payload:
            yield address.kind, address.name, json.loads(each.payload)


def traces(broker: FaultyBroker, but: str = "") -> dict[str, set[str]]:
    """By order, the traces that its own messages, but those of an operation, are in."""
    found = defaultdict(set)
    for kind, name, message in messages(broker):
        order = message.get("orderid")
        if order is not None and (kind == "event" or name not in ASKED | {but}):
            found[order].add(message["traceparent"].split("-")[1])
    return found


async def _busy_day(store: Store) -> list[str]:
    """Orders that queue for one sorter; one is cancelled, one jams, one is short."""
    store.machine.jams_at = "conveying"
    store.machine.finds = {"MUG": 0}
    bought = [await store.buy({"MUG": 1}), await store.buy({"SHIRT-BLUE": 1, "MUG": 2})]
    bought += [await store.buy({"SHIRT-BLUE": 1}) for _ in range(3)]
    cancelled = bought[-1].order
    await store.ask_as("console-1", CANCEL, "settlement", OrderOnly(order=cancelled))
    for each in bought[1:-1]:
        await store.reminded(each.order)
    await store.collect(bought[2].pickup_code)
    await store.ask_as("console-1", ORDER, "settlement", OrderQuery(order=cancelled))
    await put_everything_back(store)
    await in_state(store, cancelled, "cancelled")
    await store.quiet()
    return [each.order for each in bought]


async def test_an_order_has_one_trace_of_its_own_and_every_message_of_it_names_it(
    tmp_path: Path,
) -> None:
    broker = FaultyBroker()
    async with running_store(broker, tmp_path, settings=FAST, sorters=1, warehouse=SOON) as store:
        orders = await _busy_day(store)
    found = traces(broker)
    assert {order: len(found[order]) for order in orders} == dict.fromkeys(orders, 1)
    assert len(set.union(*found.values())) == len(found), "two orders share a trace"
    names = set()
    asked = set()
    for kind, name, message in messages(broker):
        if name in OF_ORDERS and kind != "state" and message.get("type", "").count("count") == 0:
            purchase = (kind, name) == ("req", "purchase")  # nobody knows its number yet
            assert purchase or message.get("orderid"), (kind, name, message)
            names.add(name)
        if name in ASKED and kind != "event":
            asked.add(message["traceparent"].split("-")[1])
        if (kind, name) == ("state", "job") and message["data"]["step"] != "idle":
            assert message["traceparent"].split("-")[1] in found[message["orderid"]]
    assert names >= OF_ORDERS - {"failed"}
    assert not asked & set.union(*found.values())


async def test_two_purchases_of_a_device_that_always_names_the_same_trace_are_kept_apart(
    tmp_path: Path,
) -> None:
    broker = FaultyBroker()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with running_store(broker, tmp_path, settings=FAST) as store:
        styles = await store.terminals["terminal-1"].styles(["MUG"])
        purchase = store.purchase({"MUG": 1}, styles)
        for number in range(2):
            message = {"id": f"p-{number}", "traceparent": trace, "data": purchase.model_dump()}
            topic = Topics("main").request("terminal-9", "settlement", "purchase")
            broker.route(Outgoing(topic, json.dumps(message).encode(), qos=1))
        ready = "SELECT count(*) FROM orders WHERE state = 'ready'"  # nobody is there to remind
        await eventually(lambda: store.value("settlement", ready) == 2, "two parcels")
    found = traces(broker, but="purchase")  # its answer is in the trace of who asked
    assert [len(each) for each in found.values()] == [1, 1]
    assert len(set.union(*found.values())) == 2
