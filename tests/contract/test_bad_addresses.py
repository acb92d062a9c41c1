"""Messages to nobody, and answers that should go elsewhere: Mosquitto and MQTT 5."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bad_messages import message, purchase
from raw_client import RawClient, raw_over_mqtt
from running_store import RunBroker, Store, running_store

from broker.engine import Broker
from bus.contract.catalog import LOOKUP, SEARCH, Lookup, Search
from bus.contract.errors import UnknownCallee
from bus.contract.every import PING
from bus.contract.values import Empty
from bus.link import MqttConnector

NO_MATCHING_SUBSCRIBERS = 0x10


@pytest.fixture
def broker(run_broker: RunBroker) -> Broker:
    return run_broker("mosquitto")


@pytest.fixture
async def shop(broker: Broker, site: str, tmp_path: Path) -> AsyncIterator[Store]:
    async with running_store(MqttConnector(broker.url), tmp_path, site=site) as store:
        yield store


@pytest.fixture
async def outsider(broker: Broker) -> AsyncIterator[RawClient]:
    """A client that listens to another site, so that nobody but the store hears this one."""
    async with raw_over_mqtt(broker.url, "elsewhere", "terminal-9") as raw:
        yield raw


async def test_mosquitto_says_that_nobody_plays_an_unknown_role(
    shop: Store, outsider: RawClient
) -> None:
    before = shop.snapshot()
    topic = shop.topics.request("terminal-9", "cashier", "purchase")
    assert await outsider.publish(topic, message("1", purchase())) == NO_MATCHING_SUBSCRIBERS
    assert shop.snapshot() == before


async def test_mosquitto_says_nothing_of_the_kind_for_a_role_that_is_played(
    shop: Store, outsider: RawClient
) -> None:
    topic = shop.topics.request("terminal-9", "catalog", "dance")
    assert await outsider.publish(topic, message("1", {})) == 0


async def test_an_unknown_role_or_operation_is_refused_before_anything_is_sent(
    shop: Store,
) -> None:
    with pytest.raises(UnknownCallee, match="cashier"):
        await shop.tester.ask(LOOKUP, "cashier", Lookup(code="40170725"))
    with pytest.raises(UnknownCallee, match="settlement has no operation search"):
        await shop.tester.ask(SEARCH, "settlement", Search(text="mug"))


@pytest.mark.parametrize(
    "foreign",
    [
        "req/settlement/sorter-1/pick",
        "rep/terminal-8/settlement/purchase",
        "rep/terminal-9/settlement/purchas",
    ],
)
async def test_a_foreign_response_topic_is_refused_where_it_belongs_and_told_to_operators(
    broker: Broker, shop: Store, foreign: str
) -> None:
    before = shop.snapshot()
    async with raw_over_mqtt(broker.url, shop.site, "terminal-9") as raw:
        topic = f"{raw.topics.root}/{foreign}"
        reply = await raw.request(
            "settlement", "purchase", message("1", purchase()), response_topic=topic
        )
        assert (reply.data["status"], reply.data["code"]) == (403, "foreign-response-topic")
        assert reply.data["expected"] == raw.topics.reply("terminal-9", "settlement", "purchase")
        event = await raw.expect(raw.topics.event("settlement", "refused"))
        assert event.data["code"] == "foreign-response-topic"
        assert event.data["caller"] == "terminal-9"
        assert raw.seen(foreign) == []
    assert shop.snapshot() == before
    assert (await shop.ask(PING, "settlement", Empty())).node == "settlement"


async def test_the_computed_response_topic_is_welcome(broker: Broker, shop: Store) -> None:
    async with raw_over_mqtt(broker.url, shop.site, "terminal-9") as raw:
        topic = raw.topics.reply("terminal-9", "catalog", "lookup")
        content = message("1", {"code": "40170725"})
        reply = await raw.request("catalog", "lookup", content, response_topic=topic)
        assert reply.data["product"]["id"] == "mug"


async def test_a_client_of_another_site_is_not_heard(shop: Store, outsider: RawClient) -> None:
    received = shop.nodes["catalog"].counts["received"]
    topic = outsider.topics.request("terminal-9", "catalog", "ping")
    await outsider.publish(topic, message("1", {}))
    await shop.ask(PING, "catalog", Empty())
    assert shop.nodes["catalog"].counts["received"] == received + 1
