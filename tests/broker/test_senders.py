"""Who publishes on a topic, as Mosquitto knows it."""

import asyncio
from pathlib import Path

import pytest
from running_store import PATIENCE, eventually

from broker import senders
from broker.engine import running_broker
from broker.mosquitto import LOGGING
from broker.settings import BrokerSettings
from bus.link import MqttConnector, Outgoing

TOPIC = "storebus/1/main/odd's (d0, q1)"


def test_what_the_log_says_is_read_whatever_the_names_are() -> None:
    log = [
        b"03:04:05: Received PUBLISH from scale 7 (d0, q1, r0, m3, 'a/b', ... (2 bytes))",
        b"03:04:05: Sending PUBLISH to main-console-1 (d0, q0, r0, m0, 'a/b', ... (2 bytes))",
        b"2026-01-02T03:04:05: Received PUBLISH from \xff (d0, q0, r0, m0, 'c', ... (0 bytes))",
        b"nothing of the kind",
    ]
    assert senders.published(log, ["a/b", "c", "d"]) == {"a/b": "scale 7", "c": "\ufffd"}
    assert senders.published(log, ["d"]) == {}


@pytest.mark.needs("mosquitto", "linux")
async def test_a_broker_that_was_left_talking_is_quiet_after_the_next_question(
    tmp_path: Path,
) -> None:
    settings = BrokerSettings(engine="mosquitto", port=0)
    async with running_broker(settings, tmp_path):
        file = tmp_path / "mosquitto.conf"
        log = file.with_suffix(".senders")
        file.write_text(senders.configuration(file.read_text("utf-8"), log), "utf-8")
        assert await senders.senders(file, [TOPIC], 0.1) == {}
        assert LOGGING in file.read_text("utf-8")
        assert str(log) not in file.read_text("utf-8")
        assert not log.exists()


@pytest.mark.needs("mosquitto", "linux")
async def test_mosquitto_says_which_connection_publishes_and_is_quiet_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = BrokerSettings(engine="mosquitto", port=0)
    async with running_broker(settings, Path("data")) as broker:
        file = Path("data") / "mosquitto.conf"
        before = file.read_text("utf-8")
        assert await senders.senders(Path("elsewhere.conf"), [TOPIC]) is None
        async with MqttConnector(broker.url).connect("scale-7") as link:
            asked = asyncio.create_task(senders.senders(file, [TOPIC, "silent"], 1))
            async with asyncio.timeout(PATIENCE):
                while not asked.done():
                    link.send(Outgoing(TOPIC, b"x", 1))
                    await asyncio.sleep(0.05)
        assert asked.result() == {TOPIC: "scale-7"}
        assert file.read_text("utf-8") == before
        given_up = asyncio.create_task(senders.senders(file, [TOPIC], 0.5))
        await eventually(lambda: file.read_text("utf-8") != before, "a broker that talks")
        given_up.cancel()
        await eventually(lambda: file.read_text("utf-8") == before, "one that is quiet again")
        await eventually(lambda: not file.with_suffix(".senders").exists(), "no log")
        assert "PUBLISH" not in file.with_suffix(".log").read_text("utf-8")
        assert broker.restarts == 0
