"""An operator starts a store: the broker is there, speaks both protocols and says where it is."""

import asyncio
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from broker_scenario import carry, eventually

from broker.engine import RunningEngine, running_broker
from broker.ports import port_in_use
from broker.settings import BrokerSettings
from store.checkup import store_files

CONNACK = 0x20


async def test_the_broker_carries_messages_within_and_between_both_protocols(
    engine: RunningEngine, tmp_path: Path
) -> None:
    async with running_broker(BrokerSettings(engine=engine, port=0), tmp_path) as broker:
        assert broker.engine == engine
        urls = (broker.url, broker.url_v311)
        for publisher, subscriber in product(urls, repeat=2):
            assert await carry(publisher, subscriber, b"shirt") == b"shirt"


async def test_a_payload_over_the_buss_limit_reaches_the_node_that_will_refuse_it(
    engine: RunningEngine, tmp_path: Path
) -> None:
    too_large = b"x" * 70 * 1024
    async with running_broker(BrokerSettings(engine=engine, port=0), tmp_path) as broker:
        assert await carry(broker.url, broker.url, too_large) == too_large
        assert await carry(broker.url_v311, broker.url_v311, too_large) == too_large


@pytest.mark.usefixtures("installed_mosquitto")
async def test_mosquitto_speaks_both_protocols_on_one_port(tmp_path: Path) -> None:
    async with running_broker(BrokerSettings(engine="mosquitto", port=0), tmp_path) as broker:
        port = urlsplit(broker.url).port
        assert broker.url == f"mqtt://127.0.0.1:{port}"
        assert broker.url_v311 == f"mqtt://127.0.0.1:{port}?protocol=3.1.1"


async def test_the_embedded_broker_speaks_mqtt_5_on_the_next_port_and_qos_0_on_both(
    tmp_path: Path,
) -> None:
    async with running_broker(BrokerSettings(engine="embedded", port=0), tmp_path) as broker:
        port = urlsplit(broker.url_v311).port
        assert port is not None
        assert broker.url == f"mqtt://127.0.0.1:{port + 1}?qos=0&properties=0"
        assert broker.url_v311 == f"mqtt://127.0.0.1:{port}?protocol=3.1.1&qos=0"
        assert broker.notice is not None
        assert "no access control" in broker.notice


async def test_a_broker_for_the_whole_network_listens_there_and_says_who_can_read_along(
    engine: RunningEngine, tmp_path: Path
) -> None:
    settings = BrokerSettings(engine=engine, host="0.0.0.0", port=0)  # noqa: S104 - the scenario
    async with running_broker(settings, tmp_path) as broker:
        assert broker.notice is not None
        assert "Anyone who can reach 0.0.0.0" in broker.notice
        assert await carry(broker.url, broker.url_v311, b"shirt") == b"shirt"


@pytest.mark.usefixtures("installed_mosquitto")
async def test_auto_takes_mosquitto_where_it_is_installed(tmp_path: Path) -> None:
    async with running_broker(BrokerSettings(port=0), tmp_path) as broker:
        assert broker.engine == "mosquitto"


@pytest.mark.usefixtures("no_mosquitto")
async def test_auto_takes_the_embedded_broker_where_no_mosquitto_is_installed(
    tmp_path: Path,
) -> None:
    async with running_broker(BrokerSettings(port=0), tmp_path) as broker:
        assert broker.engine == "embedded"
        assert await carry(broker.url_v311, broker.url, b"shirt") == b"shirt"


async def test_an_external_broker_is_used_as_given_and_nothing_is_started(tmp_path: Path) -> None:
    url = "mqtts://store:secret@broker.example:8883?qos=1"
    async with running_broker(
        BrokerSettings(engine="external", url=url), tmp_path / "data"
    ) as broker:
        assert (broker.engine, broker.url) == ("external", url)
        assert broker.url_v311 == f"{url}&protocol=3.1.1"
        assert (broker.pid, broker.restarts, broker.notice) == (None, 0, None)
    assert not (tmp_path / "data").exists()


async def test_auto_with_an_url_means_the_external_broker(tmp_path: Path) -> None:
    settings = BrokerSettings(url="mqtt://broker.example")
    async with running_broker(settings, tmp_path) as broker:
        assert broker.engine == "external"


async def test_a_closed_store_leaves_the_port_free_and_no_process(
    engine: RunningEngine, tmp_path: Path
) -> None:
    async with running_broker(BrokerSettings(engine=engine, port=0), tmp_path) as broker:
        ports = {urlsplit(url).port for url in (broker.url, broker.url_v311)}
        assert broker.pid is not None
        assert all(port_in_use("127.0.0.1", port) for port in ports if port)
    assert broker.pid is None
    assert not any(port_in_use("127.0.0.1", port) for port in ports if port)


async def test_what_goes_wrong_inside_the_store_comes_out_as_it_is(
    engine: RunningEngine, tmp_path: Path
) -> None:
    running = running_broker(BrokerSettings(engine=engine, port=0), tmp_path / "made" / "here")
    with pytest.raises(LookupError, match="a node's own"):
        async with running as broker:
            raise LookupError("a node's own")
    assert broker.pid is None


@pytest.mark.usefixtures("installed_mosquitto")
async def test_a_web_page_speaks_over_websocket_with_a_device_that_does_not(
    tmp_path: Path,
) -> None:
    settings = BrokerSettings(engine="mosquitto", port=0, websocket_port=0)
    async with running_broker(settings, tmp_path) as broker:
        assert broker.websocket_url is not None
        assert broker.websocket_url.startswith("ws://127.0.0.1:")
        for publisher, subscriber in (
            (broker.websocket_url, broker.url_v311),
            (broker.url, broker.websocket_url),
        ):
            assert await carry(publisher, subscriber, b"shirt") == b"shirt"


async def test_nobody_listens_for_websockets_unless_told_to(
    engine: RunningEngine, tmp_path: Path
) -> None:
    async with running_broker(BrokerSettings(engine=engine, port=0), tmp_path) as broker:
        assert broker.websocket_url is None


CONNECT_WITHOUT_KEEP_ALIVE = {
    "3.1.1": b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01k",
    "5": b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01k",
}
"""The whole packet of a client `k` (MQTT 3.1.1 and 5, section 3.1)."""


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_a_device_without_a_keep_alive_is_let_in_or_the_log_and_the_doctor_say_why_not(
    engine: RunningEngine, tmp_path: Path, version: str
) -> None:
    async with running_broker(BrokerSettings(engine=engine, port=0), tmp_path) as broker:
        url = urlsplit(broker.url if version == "5" else broker.url_v311)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(CONNECT_WITHOUT_KEEP_ALIVE[version])
        answer = await reader.read(4)
        writer.close()
        if engine == "mosquitto":
            assert answer[0] == CONNACK
            return
        assert answer == b""
        log = tmp_path / "embedded.log"
        await eventually(lambda: "its keep-alive is 0" in log.read_text())
        assert await carry(broker.url, broker.url, b"others go on") == b"others go on"
        assert len(log.read_text().splitlines()) == 1
    assert any("keep-alive is 0" in found for _, _, found in store_files(tmp_path))
