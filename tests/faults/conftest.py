"""Shops that are filled once: each scenario gets a copy of its own."""

import signal
import subprocess
from pathlib import Path

import pytest
from needs import ENGINE
from parts import PYTHON, copy_store

_FILLING = 60


@pytest.fixture(scope="session")
def filled_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The databases of the sample shop, just opened and closed again."""
    data = tmp_path_factory.mktemp("filled-shop")
    up = ("-m", "cli", "up", "--engine", ENGINE, "--port", "0", "--sorters", "0")
    with subprocess.Popen(
        (*PYTHON, *up, "--data", str(data)), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        greeting = ""
        for line in process.stdout:
            greeting += line
            if "Try, in another terminal" in line:
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=_FILLING)
    assert "is open" in greeting, greeting
    return data


@pytest.fixture
def data(filled_shop: Path, tmp_path: Path) -> Path:
    """The data folder of a store that has its goods and accounts."""
    return copy_store(filled_shop, tmp_path / "data")
