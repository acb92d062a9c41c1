"""What Storebus says on the wire: complete CloudEvents, one trace, presence that can be read."""

import re
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import jsonschema
import pytest
from raw_client import RawClient, Received
from running_store import LABEL, Store, Transport

from bus.contract.every import PING
from bus.contract.values import Empty
from bus.link.memory import MemoryLink

# The required and constrained members of the CloudEvents 1.0.2 JSON schema (cloudevents.json of
# the specification), and its rule for the names of attributes (section 3, naming conventions).
CLOUD_EVENT = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["id", "source", "specversion", "type", "time", "traceparent", "data"],
    "propertyNames": {"pattern": "^[a-z0-9]{1,20}$"},
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1, "format": "uri-reference"},
        "specversion": {"const": "1.0"},
        "type": {"type": "string", "pattern": r"^storebus\.[a-z]+\.[a-z-]+(\.[a-z]+)?$"},
        "datacontenttype": {"const": "application/json"},
        "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
        "traceparent": {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$"},
        "correlationid": {"type": "string", "minLength": 1},
        "causationid": {"type": "string", "minLength": 1},
        "orderid": {"type": "string", "minLength": 1},
        "expirytime": {"type": "string", "pattern": r"Z$"},
        "expiresin": {"type": "integer", "minimum": 1},
        "data": {"type": "object"},
    },
    "additionalProperties": False,
}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def trace_of(message: Received) -> str:
    return str(message.document["traceparent"].split("-")[1])


async def test_everything_that_storebus_sends_is_a_complete_cloud_event(
    store: Store, raw: RawClient
) -> None:
    await store.terminals["terminal-1"].scan(LABEL)
    receipt = await store.buy({"MUG": 1})
    await store.reminded(receipt.order)
    await raw.expect(
        raw.topics.reply("settlement", "terminal-1", "remind")
    )  # the last message of an order
    await raw.request("settlement", "purchase", b"{}")

    messages = [message for message in raw.seen("/") if f"/req/{raw.name}/" not in message.topic]
    kinds = {message.topic.split("/")[3] for message in messages}
    assert kinds == {"req", "rep", "state", "event"}
    for message in messages:
        document = message.document
        jsonschema.validate(document, CLOUD_EVENT)
        _, _, site, kind, first, *rest = message.topic.split("/")
        sender = rest[0] if kind == "rep" else first
        assert document["source"] == f"/{site}/{sender}"
        if kind == "rep" and first != raw.name:
            assert document["correlationid"]
            assert document["type"].endswith(".reply")
        if kind == "req":
            assert document["type"].endswith(f".{rest[1]}.request")
        if document["data"].get("order"):
            assert document["orderid"] == document["data"]["order"]


@pytest.mark.usefixtures("store")
async def test_one_trace_leads_from_the_purchase_to_the_reminder(raw: RawClient) -> None:
    purchase = {
        "id": "1",
        "traceparent": PARENT,
        "data": {
            "lines": [{"sku": "MUG", "quantity": 1}],
            "payment": {"method": "account", "account": "C-1001"},
            "expected_total": {"amount": 1250, "currency": "EUR"},
        },
    }
    receipt = await raw.request("settlement", "purchase", purchase)
    reminder = await raw.expect(raw.topics.request("settlement", raw.name, "remind"))
    assert trace_of(receipt) == trace_of(reminder) == TRACE

    about_it = [each for each in raw.seen("/re") if "orderid" in each.document]
    operations = {message.topic.rpartition("/")[2] for message in about_it}
    assert operations == {"reserve", "commit", "fulfil", "pick", "packed", "ready"}
    assert {trace_of(message) for message in about_it} == {TRACE}
    spans = [message.document["traceparent"].split("-")[2] for message in about_it]
    assert len(set(spans)) == len(spans)


async def test_what_led_to_a_message_is_named_in_it(store: Store, raw: RawClient) -> None:
    receipt = await store.buy({"MUG": 1})
    await store.reminded(receipt.order)
    topics = raw.topics
    purchase = await raw.expect(topics.request("terminal-1", "settlement", "purchase"))
    reserve = await raw.expect(topics.request("settlement", "catalog", "reserve"))
    reserved = await raw.expect(topics.reply("settlement", "catalog", "reserve"))
    fulfil = await raw.expect(topics.request("settlement", "warehouse", "fulfil"))
    assert reserve.document["causationid"] == purchase.document["id"]
    assert reserved.document["correlationid"] == reserve.document["id"]
    assert fulfil.document["causationid"] == reserved.document["id"]


async def test_presence_is_kept_for_whoever_comes_later(
    store: Store, open_raw: Callable[[str], AbstractAsyncContextManager[RawClient]]
) -> None:
    boot = store.nodes["sorter-1"].environment.boot
    topic = store.topics.state("sorter-1", "presence")
    async with open_raw("console-1") as early:
        online = await early.expect(topic)
        assert online.retain
        assert (online.data["status"], online.data["boot"]) == ("online", boot)
        await store.stop("sorter-1")
        assert (await early.expect(topic)).data["status"] == "offline"
    async with open_raw("console-1") as late:
        offline = await late.expect(topic)
        assert (offline.data["status"], offline.data["boot"]) == ("offline", boot)


async def test_a_connection_that_breaks_is_shown_as_lost_and_then_as_online_again(
    store: Store, raw: RawClient
) -> None:
    topic = store.topics.state("sorter-1", "presence")
    await raw.expect(topic, lambda message: message.data["status"] == "online")
    break_connection(store.nodes["sorter-1"])
    lost = await raw.expect(topic)
    online = await raw.expect(topic)
    assert (lost.data["status"], online.data["status"]) == ("lost", "online")
    assert lost.data["boot"] == online.data["boot"]
    assert (await store.ask(PING, "sorter-1", Empty())).node == "sorter-1"
    await store.reminded((await store.buy({"MUG": 1})).order)


async def test_a_node_that_is_stopped_and_started_again_is_never_called_lost(
    store: Store, raw: RawClient
) -> None:
    topic = store.topics.state("sorter-1", "presence")
    await raw.expect(topic, lambda message: message.data["status"] == "online")
    for _ in range(5):
        before = store.nodes["sorter-1"].environment.boot
        await store.stop("sorter-1")
        await store.start("sorter-1")
        seen = [await raw.expect(topic), await raw.expect(topic)]
        boot = store.nodes["sorter-1"].environment.boot
        assert [(each.data["status"], each.data["boot"]) for each in seen] == [
            ("offline", before),
            ("online", boot),
        ]


def break_connection(node: Any) -> None:
    """As a pulled cable does: no goodbye."""
    link = node.running.connection.session._link
    if isinstance(link, MemoryLink):
        link.lose()
    else:
        link._connection._transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


async def test_the_pickup_points_are_kept_for_whoever_comes_later(
    store: Store, raw: RawClient
) -> None:
    state = await raw.expect(store.topics.state("warehouse", "pickup-points"))
    assert state.retain
    assert state.data["default"] == "north"
    assert [point["id"] for point in state.data["points"]] == ["north", "south"]


async def test_a_sorter_shows_each_step_of_its_job(store: Store, raw: RawClient) -> None:
    receipt = await store.buy({"MUG": 1})
    await store.reminded(receipt.order)
    topic = store.topics.state("sorter-1", "job")
    steps = []
    while (state := await raw.expect(topic)).data["step"] != "idle":
        assert state.data["order"] == receipt.order
        steps.append(state.data["step"])
    assert steps == ["assigned", "travelling", "picking", "conveying", "packing", "done"]


async def test_a_sale_is_told_to_whoever_listens(store: Store, raw: RawClient) -> None:
    await store.buy({"MUG": 1})
    changed = await raw.expect(store.topics.event("catalog", "stock-changed"))
    assert changed.data["levels"] == [
        {
            "sku": "MUG",
            "on_hand": 20,
            "reserved": 1,
            "available": 19,
            "received": 20,
            "written_off": 0,
        }
    ]


async def test_each_state_of_an_order_is_told_to_whoever_listens(
    store: Store, raw: RawClient
) -> None:
    receipt = await store.buy({"MUG": 1})
    await store.reminded(receipt.order)
    topic = store.topics.event("settlement", "order-changed")
    told = [(await raw.expect(topic)).data for _ in range(5)]
    assert [each["state"] for each in told] == [
        "reserving", "charging", "settled", "ready", "reminded",
    ]  # fmt: skip
    assert {each["order"] for each in told} == {receipt.order}
    assert {each["terminal"] for each in told} == {"terminal-1"}
    assert told[-1]["total"] == receipt.total.model_dump()


async def test_mqtt_5_repeats_redundantly_what_the_payload_says(
    store: Store, transport: Transport, site: str
) -> None:
    if transport.name != "mosquitto-5":
        pytest.skip("only a broker and nodes that speak MQTT 5 carry properties")
    assert transport.broker is not None
    from raw_client import raw_over_mqtt

    async with raw_over_mqtt(transport.broker.url, site, "terminal-9") as raw:
        found = await raw.request(
            "catalog", "lookup", b'{"id":"1","data":{"code":"40170725"}}', correlation=b"\x00\xff"
        )
        assert found.correlation == b"\x00\xff"
        assert found.properties.ContentType == "application/cloudevents+json"
        assert dict(found.properties.UserProperty)["traceparent"] == found.document["traceparent"]

        await store.buy({"MUG": 1})
        request = await raw.expect(raw.topics.request("terminal-1", "settlement", "purchase"))
        assert request.properties.ResponseTopic == raw.topics.reply(
            "terminal-1", "settlement", "purchase"
        )
        assert request.correlation == request.document["id"].encode()
        assert 0 < request.properties.MessageExpiryInterval <= 60
        assert re.fullmatch("00-.*-01", dict(request.properties.UserProperty)["traceparent"])
