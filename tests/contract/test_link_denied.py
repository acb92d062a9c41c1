"""A broker with an access list: what it denies is seen, where the protocol tells."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from needs import require
from ports import free_port
from running_store import PATIENCE

from broker import mosquitto
from broker.child import Program, stop
from bus.link import MqttConnector, Outgoing, Subscription


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a Mosquitto that lets anybody read and lets nobody write below `secret`."""
    require("mosquitto")
    binary = mosquitto.find_mosquitto()
    assert binary is not None
    port = free_port()
    rules = tmp_path / "access.list"
    rules.write_text("topic read #\ntopic write open/#\n")
    file = tmp_path / "mosquitto.conf"
    text = mosquitto.configuration("127.0.0.1", port, 131_072)
    file.write_text(f"{text}acl_file {rules}\n")
    command = mosquitto.command(binary, file)
    process = await Program("mosquitto", command, tmp_path / "log", "127.0.0.1", (port,)).start()
    yield f"mqtt://127.0.0.1:{port}"
    await stop(process)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_denied_publish_is_reported_in_mqtt_5_and_the_link_goes_on(
    guarded: str, version: str
) -> None:
    connector = MqttConnector(f"{guarded}?protocol={version}")
    async with asyncio.timeout(PATIENCE), connector.connect("sender") as link:
        await link.subscribe([Subscription("#", 1)])
        link.send(Outgoing("secret/pick", b"denied", qos=1))
        link.send(Outgoing("open/pick", b"allowed", qos=1))
        assert [message.topic for message in await link.receive()] == ["open/pick"]
        assert link.take_denied() == (["secret/pick"] if version == "5" else [])
        assert link.take_denied() == []
