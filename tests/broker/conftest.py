"""The engines that the broker's scenarios are played on, and a computer without Mosquitto."""

from pathlib import Path

import pytest
from needs import require

from broker import mosquitto
from broker.engine import RunningEngine


@pytest.fixture(params=["embedded", "mosquitto"])
def engine(request: pytest.FixtureRequest) -> RunningEngine:
    if request.param == "mosquitto":
        request.getfixturevalue("installed_mosquitto")
        return "mosquitto"
    return "embedded"


@pytest.fixture
def installed_mosquitto() -> Path:
    require("mosquitto")
    binary = mosquitto.find_mosquitto()
    assert binary is not None
    return binary


@pytest.fixture
def no_mosquitto(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mosquitto, "SYSTEM_FOLDERS", ())
