"""The connection that publishes garbage stands in its alarm, where the broker runs beside it."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from console_fixtures import shows, watching
from ports import free_port
from running_store import eventually

from broker.engine import running_broker
from broker.senders import senders
from broker.settings import BrokerSettings
from bus.link import Link, MqttConnector, Outgoing
from tui.senders import Senders

ODD = "storebus/1/main/odd"
PURCHASE = "storebus/1/main/req/terminal-7/settlement/purchase"


async def again_and_again(link: Link) -> None:
    """Publish what nobody can read."""
    while True:
        link.send(Outgoing(ODD, b"x", 1))
        link.send(Outgoing(PURCHASE, b"{", 1))
        await asyncio.sleep(0.05)


@pytest.mark.needs("mosquitto", "linux")
async def test_garbage_is_told_with_the_connection_that_publishes_it(tmp_path: Path) -> None:
    settings = BrokerSettings(engine="mosquitto", port=free_port())
    async with running_broker(settings, tmp_path) as broker:
        who = partial(senders, tmp_path / "mosquitto.conf", seconds=0.5)
        console = watching(MqttConnector(broker.url), senders=Senders(who))
        async with (
            MqttConnector(broker.url).connect("kitchen-scale") as link,
            console.run_test(size=(160, 30)) as pilot,
        ):
            publishing = asyncio.create_task(again_and_again(link))
            await pilot.press("5")
            await shows(pilot, f"a message on {ODD} (published by the connection kitchen-scale)")
            told = await shows(
                pilot, "under the name terminal-7 came purchase: not JSON (published"
            )
            assert told.count("kitchen-scale") >= 2
            publishing.cancel()


@pytest.mark.needs("mosquitto", "linux")
async def test_where_the_broker_cannot_be_asked_the_alarm_stands_without(tmp_path: Path) -> None:
    settings = BrokerSettings(engine="mosquitto", port=free_port())
    async with running_broker(settings, tmp_path) as broker:
        asked: list[object] = []

        async def elsewhere(topics: list[str]) -> dict[str, str] | None:
            asked.append(found := await senders(tmp_path / "elsewhere.conf", topics, 0.1))
            return found

        console = watching(MqttConnector(broker.url), senders=Senders(elsewhere))
        async with (
            MqttConnector(broker.url).connect("kitchen-scale") as link,
            console.run_test(size=(160, 30)) as pilot,
        ):
            await shows(pilot, "console-1")
            link.send(Outgoing(ODD, b"x", 1))
            await pilot.press("5")
            await shows(pilot, f"a message on {ODD}")
            await eventually(lambda: bool(asked), "a question")
            assert "connection" not in await shows(pilot, f"a message on {ODD}")
        assert asked == [None]
