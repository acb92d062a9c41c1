"""Scenario: this version opens the store of a released one, and goes on where that one stopped."""

import asyncio
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path

from faked_time import WallClock
from store_process import StoreProcess, storebus

from bus.contract.catalog import Line
from bus.contract.settlement import (
    CANCEL,
    COLLECT,
    ORDERS,
    PURCHASE,
    STATEMENT,
    AccountPayment,
    Collect,
    OrderOnly,
    Orders,
    Purchase,
    StatementQuery,
)
from bus.contract.values import Money
from bus.link import MqttConnector
from bus.runtime.caller import Caller

DATA = Path(__file__).parents[1] / "data"
CLOSED = datetime(2026, 11, 29, 15, 30, tzinfo=UTC)
"""A few minutes after the store of version 0.1.0 was closed: what lies at a pickup point may wait
for two days."""
TERMINALS = ("terminal-7", "terminal-1001", "terminal-1002", "terminal-1003")
BOUGHT = Purchase(
    lines=[Line(sku="CAN-40", quantity=1)],
    payment=AccountPayment(method="account", account="C-1001"),
    expected_total=Money(amount=4900, currency="EUR"),
)


async def test_a_store_of_version_0_1_0_opens_is_audited_and_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with tarfile.open(DATA / "store-0.1.0.tar.xz") as archive:
        # Python 3.11.2 has no filters yet, 3.14 has this one by default.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(data)
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
        await _trade(store)
        await store.quiet()
    finally:
        for device in devices:
            device.terminate()
            await device.communicate()
        await store.stop()
    code, out, err = await storebus("audit", str(data))
    assert code == 0, out + err


async def _trade(store: StoreProcess) -> None:
    async with (
        Caller(MqttConnector(store.url), "main", "console-1").connected() as console,
        Caller(MqttConnector(store.url), "main", "terminal-9").connected() as terminal,
    ):
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
        receipt = await terminal.ask(PURCHASE, "settlement", BOUGHT)
        assert receipt.total.amount == 4900
        after = await console.ask(STATEMENT, "settlement", query)
        assert after.balance == before.balance - 4900
        assert after.entries[1:] == before.entries[:99]
        # nobody is at this terminal, who could be reminded
        await terminal.ask(CANCEL, "settlement", OrderOnly(order=receipt.order))
