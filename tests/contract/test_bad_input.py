"""Bad messages, sent through a real Mosquitto by clients of both protocol versions."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from bad_messages import BAD, CARD, WIDE, Bad, message, purchase
from raw_client import RawClient, raw_over_mqtt
from running_store import RunBroker, Store, eventually, running_store

from bus.contract.every import ABOUT, PING
from bus.contract.timestamp import milliseconds
from bus.contract.values import Empty
from bus.link import MqttConnector

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(
    run_broker: RunBroker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Store]:
    """One store that has to live through all of it."""
    connector = MqttConnector(run_broker("mosquitto").url)
    async with running_store(connector, tmp_path_factory.mktemp("shop"), site="bad-input") as store:
        yield store


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["5", "3.1.1"])
async def sender(
    request: pytest.FixtureRequest, run_broker: RunBroker, shop: Store
) -> AsyncIterator[RawClient]:
    broker = run_broker("mosquitto")
    url = broker.url if request.param == "5" else broker.url_v311
    name = f"terminal-{request.param.replace('.', '')}"
    async with raw_over_mqtt(url, shop.site, name) as raw:
        yield raw


async def still_answers(shop: Store, callee: str) -> None:
    assert (await shop.ask(PING, callee, Empty())).node == callee
    assert all(map(shop.running, shop.nodes))


@pytest.mark.parametrize("bad", BAD, ids=str)
async def test_it_is_refused_and_changes_nothing(shop: Store, sender: RawClient, bad: Bad) -> None:
    before = shop.snapshot(refused=not bad.recorded)
    reply = await sender.request(bad.callee, bad.operation, bad.payload)
    assert (reply.data["status"], reply.data["code"]) == (bad.status, bad.code)
    assert reply.data.items() >= (bad.says or {}).items()
    assert CARD.encode() not in reply.payload
    await shop.quiet()
    assert shop.snapshot(refused=not bad.recorded) == before
    await still_answers(shop, bad.callee)


async def test_no_digit_of_a_card_is_in_any_file_of_the_store(shop: Store) -> None:
    # grep in a process of its own: to close a database's file here would drop SQLite's locks.
    grep = await asyncio.create_subprocess_exec(
        "grep",
        "-rlaE",
        f"{CARD}|4111[ -]1111|{WIDE}",
        str(shop.deployment.data),
        stdout=subprocess.PIPE,
    )
    found, _ = await grep.communicate()
    assert (grep.returncode, found) == (1, b"")


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        ("terminal", 403),
        ("terminal-", 403),
        ("terminals-1", 403),
        ("tester-1", 403),
        ("settlement", 403),
        ("x-terminal-1", 403),
    ],
)
async def test_who_is_no_terminal_cannot_buy_whatever_the_payload_says(
    shop: Store, sender: RawClient, caller: str, status: int
) -> None:
    before = shop.snapshot()
    topics = sender.topics
    content = message("foreign", purchase(), source=f"/{shop.site}/terminal-1")
    await sender.publish(topics.request(caller, "settlement", "purchase"), content)
    reply = await sender.expect(topics.reply(caller, "settlement", "purchase"))
    assert (reply.data["status"], reply.data["code"]) == (status, "forbidden")
    refused = await sender.expect(
        topics.event("settlement", "refused"), lambda event: event.data["caller"] == caller
    )
    assert refused.data["operation"] == "purchase"
    assert shop.snapshot() == before


@pytest.mark.parametrize(
    "caller", ["Terminal-9", "terminal_9", "terminal 9", "-terminal", "t" * 49]
)
async def test_a_name_that_is_none_is_dropped_and_counted(
    shop: Store, sender: RawClient, caller: str
) -> None:
    dropped = await counted(shop, "settlement", "dropped.foreign-topic")
    topic = sender.topics.request(caller, "settlement", "purchase")
    await sender.publish(topic, message("nameless", purchase()))
    await until_counted(shop, "settlement", "dropped.foreign-topic", dropped + 1)


async def counted(shop: Store, node: str, what: str) -> int:
    return int((await shop.ask(ABOUT, node, Empty())).counts.get(what, 0))


async def until_counted(shop: Store, node: str, what: str, count: int) -> None:
    """The count comes to what it should be, and `about` says so."""
    await eventually(lambda: shop.nodes[node].counts[what] >= count, what)
    assert await counted(shop, node, what) == count
    await still_answers(shop, node)


@pytest.mark.parametrize(
    ("topic", "payload", "what"),
    [
        ("req/terminal-9/settlement/purchase", b"", "empty-request"),
        ("rep/settlement/catalog/reserve", b'{"id":"unasked","data":{}}', "unsolicited-reply"),
        ("rep/settlement/catalog/dance", b'{"id":"unasked","data":{}}', "unsolicited-reply"),
        ("rep/settlement/catalog/reserve", b"yes", "malformed-reply"),
        ("state/terminal-9/presence", b"here", "malformed-state"),
        ("state/terminal-9/presence", b'{"id":"1","data":{"status":"away"}}', "malformed-state"),
        ("state/warehouse/pickup-points", b'{"id":"1","data":{}}', "malformed-state"),
        ("state/warehouse/pickup-points", b"", "unwatched-state"),
    ],
)
async def test_what_cannot_be_answered_is_dropped_and_counted(
    shop: Store, sender: RawClient, topic: str, payload: bytes, what: str
) -> None:
    before = shop.snapshot()
    dropped = await counted(shop, "settlement", f"dropped.{what}")
    await sender.publish(f"{sender.topics.root}/{topic}", payload)
    await until_counted(shop, "settlement", f"dropped.{what}", dropped + 1)
    assert shop.snapshot() == before


async def test_a_retained_request_is_refused(shop: Store, sender: RawClient) -> None:
    before = shop.snapshot()
    content = message(f"retained-{sender.name}", purchase())
    reply = await sender.request("settlement", "purchase", content, retain=True)
    await sender.publish(
        sender.topics.request(sender.name, "settlement", "purchase"), b"", retain=True
    )
    assert (reply.data["status"], reply.data["code"]) == (400, "retained-request")
    assert shop.snapshot() == before


async def test_a_repeated_id_with_another_body_is_refused(shop: Store, sender: RawClient) -> None:
    first = message("repeated", purchase(pickup_point="roof"))
    await sender.request("settlement", "purchase", first)
    before = shop.snapshot()
    reply = await sender.request("settlement", "purchase", message("repeated", purchase()))
    assert (reply.data["status"], reply.data["code"]) == (409, "id-reused")
    assert shop.snapshot() == before


async def test_a_bogus_trace_is_ignored(sender: RawClient) -> None:
    data: dict[str, Any] = {"code": "40170725"}
    for trace in ("", "00-xyz", "00-" + "0" * 32 + "-" + "0" * 16 + "-01-more"):
        content = message("traced", data, traceparent=trace)
        reply = await sender.request("catalog", "lookup", content)
        assert reply.data["product"]["id"] == "mug"
        assert len(reply.document["traceparent"]) == 55
        assert reply.document["traceparent"] != trace


async def test_a_query_in_time_is_answered_also_up_to_a_leap_second(sender: RawClient) -> None:
    for deadline in ({"expirytime": "2099-12-31T23:59:60Z"}, {"expiresin": 60}):
        reply = await sender.request("catalog", "ping", message("in time", {}, **deadline))
        assert reply.data["node"] == "catalog"


async def test_what_expired_is_not_carried_out_when_it_comes_again(
    shop: Store, sender: RawClient
) -> None:
    content = message("late", purchase(), expirytime="2020-02-02T20:20:20Z")
    before = shop.snapshot()
    for _ in range(2):
        reply = await sender.request("settlement", "purchase", content)
        assert reply.data["code"] == "expired"
        assert "s ago" in reply.data["detail"]
        assert milliseconds(reply.data["now"]) <= milliseconds(reply.document["time"])
    assert shop.snapshot() == before
