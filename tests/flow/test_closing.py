"""`storebus up` says that it closes, however it is ended."""

import signal
from pathlib import Path

import pytest
from store_process import running_store_process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_store_that_is_ended_says_that_it_is_closed(
    number: signal.Signals, tmp_path: Path
) -> None:
    async with running_store_process(tmp_path) as store:
        assert store.process is not None
        store.process.send_signal(number)
        told, _ = await store.process.communicate()
        assert store.process.returncode == 0
        store.process = None
    assert "The store is closed; unfinished work continues at its next start." in told.decode()
    assert "Traceback" not in told.decode()
