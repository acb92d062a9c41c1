"""On the embedded broker, devices of both protocols share a store."""

import asyncio
from pathlib import Path

from raw_client import raw_over_mqtt
from running_store import LABEL, running_store

from broker.engine import running_broker
from broker.settings import BrokerSettings
from bus.contract.every import PING
from bus.contract.values import Empty
from bus.link import MqttConnector


async def test_an_old_device_and_mqtt_5_nodes_get_along(tmp_path: Path) -> None:
    """Rumqttd's MQTT 3.1.1 listener panics on a PUBLISH that has MQTT 5 properties."""
    settings = BrokerSettings(engine="embedded", port=0)
    async with (
        asyncio.timeout(30),
        running_broker(settings, tmp_path / "broker") as broker,
        running_store(MqttConnector(broker.url), tmp_path / "data", site="main") as store,
        raw_over_mqtt(broker.url_v311, "main", "terminal-9", patience=2) as old,
    ):
        found = await old.request("catalog", "lookup", {"id": "1", "data": {"code": LABEL}})
        assert found.data["scanned"] == "SHIRT-BLUE"
        state = await old.expect(store.topics.state("warehouse", "pickup-points"))
        assert state.data["default"] == "north"
        assert (await store.ask(PING, "catalog", Empty())).node == "catalog"
