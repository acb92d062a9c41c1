"""Scenario: this version opens the store of a released one, and goes on where that one stopped."""

import asyncio
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path

from faked_time import WallClock
from store_process import StoreProcess, storebus

from bus.contract.settlement import (
    COLLECT,
    ORDERS,
    STATEMENT,
    Collect,
    Orders,
    StatementQuery,
)
from bus.link import MqttConnector
from bus.runtime.caller import Caller

DATA = Path(__file__).parents[1] / "data"
CLOSED = datetime(2026, 11, 29, 15, 30, tzinfo=UTC)
"""A few minutes after the store of version 0.1.0 was closed: what lies at a pickup point may wait
for two days."""
TERMINALS = ("terminal-7", "terminal-1001", "terminal-1002", "terminal-1003")


async def test_a_store_of_version_0_1_0_opens_is_audited_and_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with tarfile.open(DATA / "store-0.1.0.tar.xz") as archive:
        # Python 3.11.2 has no filters yet, 3.14 has this one by default.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(data)  # noqa: S202 - our own
    code, out, err = await storebus("audit", str(data))
    assert code == 0, out + err

    store = StoreProcess(data)
    clock = WallClock(tmp_path / "clock")
    clock.set(round(CLOSED.timestamp() - time.time()))
    with clock.in_force():
        await store.start()
        devices = [
            await store.spawn("node", name, "--broker", store.url, "--data", str(data))
            for name in TERMINALS
        ]
    try:
        await _trade(store, clock)
        await store.quiet()
    finally:
        for device in devices:
            device.terminate()
            await device.communicate()
        await store.stop()
    code, out, err = await storebus("audit", str(data))
    assert code == 0, out + err


async def _trade(store: StoreProcess, clock: WallClock) -> None:
    async with Caller(MqttConnector(store.url), "main", "console-1").connected() as console:
        async with asyncio.timeout(60):  # the terminals are switched on: all are reminded
            while (await console.ask(ORDERS, "settlement", Orders(state="ready"))).orders:
                pass
        reminded = await console.ask(ORDERS, "settlement", Orders(state="reminded"))
        assert len(reminded.orders) == 8 + 6
        cancelled = await console.ask(ORDERS, "settlement", Orders(state="cancelled"))
        assert len(cancelled.orders) == 9
        answer = await console.ask(COLLECT, "settlement", Collect(code="657435"))
        assert (answer.order, answer.state) == ("o-3hqngj01y3", "collected")

        query = StatementQuery(account="C-1001", limit=100)
        before = await console.ask(STATEMENT, "settlement", query)
        with clock.in_force():
            code, out, err = await storebus(
                "buy", "terminal-9", "CAN-40", "--pay", "account:C-1001",
                "--broker", store.url, "--data", str(store.data),
            )  # fmt: skip
        assert code == 0, out + err  # bought, and reminded of it
        after = await console.ask(STATEMENT, "settlement", query)
        assert after.balance == before.balance - 4900
        assert after.entries[1:] == before.entries[:99]
