"""Consoles look the same wherever they are tested: in UTC, with colours, without animation."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    # After each key Textual's pilot waits until the process was idle for so many seconds.
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.005)
    yield
    monkeypatch.undo()
    time.tzset()
