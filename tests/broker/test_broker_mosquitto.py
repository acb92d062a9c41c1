"""The configuration that Mosquitto is given, and what the doctor learns about it."""

import os
from pathlib import Path

import pytest

from broker.engine import running_broker
from broker.mosquitto import configuration, mosquitto_version
from broker.settings import BrokerSettings


@pytest.mark.usefixtures("installed_mosquitto")
async def test_the_generated_configuration_says_what_the_bus_relies_on(
    tmp_path: Path,
) -> None:
    settings = BrokerSettings(engine="mosquitto", port=0, max_packet_size=200_000)
    async with running_broker(settings, tmp_path) as broker:
        lines = (tmp_path / "mosquitto.conf").read_text().splitlines()
    assert "do not edit" in lines[0]
    assert f"listener {broker.url.rpartition(':')[2]} 127.0.0.1" in lines
    assert "set_tcp_nodelay true" in lines
    assert "max_packet_size 200000" in lines
    assert "allow_anonymous true" in lines
    assert "persistence false" in lines
    assert "retain_available true" in lines
    assert "log_dest stderr" in lines
    assert any(line.startswith("max_queued_messages ") for line in lines)
    assert any(line.startswith("max_inflight_messages ") for line in lines)
    assert not any("per_listener_settings" in line for line in lines)


def test_mosquitto_keeps_its_user_because_it_would_lose_the_parent_death_signal() -> None:
    lines = configuration("127.0.0.1", 1883, 131_072).splitlines()
    assert ("user root" in lines) == (os.geteuid() == 0)


def test_the_doctor_learns_the_version(installed_mosquitto: Path, tmp_path: Path) -> None:
    version = mosquitto_version(installed_mosquitto)
    assert version is not None
    assert version[0].isdigit()
    assert mosquitto_version(tmp_path / "absent") is None
