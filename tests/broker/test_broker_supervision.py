"""Things die: the broker comes back by itself, and never outlives its store."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from broker_scenario import carry, eventually

from broker.engine import RunningEngine, running_broker
from broker.settings import BrokerSettings
from broker.supervisor import LONGEST_DELAY_SECONDS, restart_delay

CONFIGURATION = {"embedded": "embedded.toml", "mosquitto": "mosquitto.conf"}

# A store reduced to its broker: it says where it is, then waits to be killed.
STORE = """
import asyncio, json, sys
from pathlib import Path
from broker.engine import RunningEngine, running_broker
from broker.settings import BrokerSettings

async def main():
    settings = BrokerSettings(engine=sys.argv[1], port=0)
    async with running_broker(settings, Path(sys.argv[2])) as broker:
        print(json.dumps({"url": broker.url, "url_v311": broker.url_v311}), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_broker_comes_back_by_itself_on_the_same_port(
    engine: RunningEngine, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    async with running_broker(BrokerSettings(engine=engine, port=0), tmp_path) as broker:
        first = broker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: broker.restarts == 1)
        assert broker.pid not in (None, first)
        assert await carry(broker.url, broker.url_v311, b"shirt") == b"shirt"
        assert broker.restarts == 1
    told = [
        record.getMessage() for record in caplog.records if record.name == "storebus.supervisor"
    ]
    assert told[0].startswith(f"The {engine} broker died (status -9).")
    assert "runs again" in told[1]


async def test_a_broker_that_cannot_come_back_is_tried_again_until_it_can(
    engine: RunningEngine, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    async with running_broker(BrokerSettings(engine=engine, port=0), tmp_path) as broker:
        configuration = tmp_path / CONFIGURATION[engine]
        text = configuration.read_text()
        configuration.write_text("neither broker understands this")
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        await eventually(lambda: "not back yet" in caplog.text)
        assert broker.pid is None
        configuration.write_text(text)
        await eventually(lambda: broker.restarts == 1)


async def test_a_store_that_closes_while_its_broker_is_down_leaves_nothing_behind(
    engine: RunningEngine, tmp_path: Path
) -> None:
    async with running_broker(BrokerSettings(engine=engine, port=0), tmp_path) as broker:
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
    assert broker.pid is None


async def test_a_store_killed_with_sigkill_takes_its_broker_along_and_restarts_at_once(
    engine: RunningEngine, tmp_path: Path
) -> None:
    store = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STORE, engine, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert store.stdout is not None
    async with asyncio.timeout(30):
        old = json.loads(await store.stdout.readline())
    assert await carry(old["url"], old["url_v311"], b"shirt") == b"shirt"

    store.kill()
    await store.wait()

    # Had the old broker been left behind, its port would be refused.
    port = urlsplit(old["url_v311"]).port
    async with running_broker(BrokerSettings(engine=engine, port=port), tmp_path) as broker:
        assert broker.url == old["url"]
        assert await carry(broker.url, broker.url_v311, b"shirt") == b"shirt"


async def test_a_cancelled_store_still_ends_its_broker(
    engine: RunningEngine, tmp_path: Path
) -> None:
    brokers = []
    open_now = asyncio.Event()

    async def store() -> None:
        async with running_broker(BrokerSettings(engine=engine, port=0), tmp_path) as broker:
            brokers.append(broker)
            open_now.set()
            await asyncio.Event().wait()

    async with asyncio.timeout(30):
        task = asyncio.create_task(store())
        await open_now.wait()
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()
    assert brokers[0].pid is None


def test_restarts_back_off_with_jitter_up_to_a_ceiling() -> None:
    assert all(0 <= restart_delay(0) <= 0.1 for _ in range(100))
    assert all(0 <= restart_delay(3) <= 0.8 for _ in range(100))
    late = [restart_delay(10_000) for _ in range(100)]
    assert max(late) <= LONGEST_DELAY_SECONDS
    assert len(set(late)) > 1
