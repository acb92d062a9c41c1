"""Hosts with wrong clocks, as real processes on the real broker."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from faked_time import WallClock, host_with_clock
from store_process import StoreProcess, storebus

from audit import findings
from bus.contract.topics import Topics
from bus.link import MqttConnector, Subscription

DAY = 86_400
STOCK = "sku,location,quantity\nOXF-BLU-M,A-01-2,3\n"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[StoreProcess]:
    """A store that is not open yet."""
    store = StoreProcess(tmp_path / "data")
    try:
        yield store
    finally:
        if store.process is not None:
            await store.stop()


async def on_host(wrong: int, store: StoreProcess, *arguments: str) -> tuple[int, str, str]:
    """A command on a host whose clock is so many seconds ahead."""
    with host_with_clock(wrong):
        return await storebus(
            *arguments, "--broker", store.url, "--data", str(store.data / "device")
        )


async def alarms(store: StoreProcess, node: str) -> AsyncIterator[list[dict[str, Any]]]:
    """What a node shows to be wrong, each time that it does."""
    async with MqttConnector(store.url).connect("main-listener") as link:
        await link.subscribe([Subscription(Topics("main").state(node, "alarms"), 1)])
        while True:
            for message in await link.receive():
                yield json.loads(message.payload)["data"]["alarms"]


@pytest.mark.parametrize(("wrong", "said"), [(-70, "70 s behind"), (3 * DAY, "3 days ahead of")])
async def test_a_host_whose_clock_is_wrong_sells_asks_and_imports_and_says_why_times_differ(
    shop: StoreProcess, tmp_path: Path, wrong: int, said: str
) -> None:
    await shop.start()
    code, out, err = await on_host(
        wrong, shop, "buy", "terminal-7", "OXF-BLU-M=2", "--pay", "account:C-1001"
    )
    assert code == 0, err
    assert "Ready to collect" in out
    assert f"The clock of this host is {said} the store's" in err

    code, out, err = await on_host(
        wrong, shop, "request", "tester-9", "catalog", "search", "text=shirt"
    )
    assert code == 0, err
    assert "OXF-BLU-M" in out
    assert f" tester-9 storebus.clock: The clock of this host is {said} the store's" in err

    file = tmp_path / "stock.csv"
    file.write_text(STOCK, encoding="utf-8")
    for clocks in (wrong, 0):  # and again when it was mended
        code, out, err = await on_host(clocks, shop, "import", str(file))
        assert code == 0, err
        assert "all rows were imported" in out
    await shop.quiet()


async def test_the_stores_clock_is_set_while_it_is_open_and_while_it_is_closed(
    shop: StoreProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = WallClock(tmp_path / "clock")
    monkeypatch.setenv("STOREBUS_SETTLEMENT__REMIND_AGAIN", "2")
    with clock.in_force():
        await shop.start()
    code, out, err = await storebus(
        "buy", "terminal-7", "OXF-BLU-M", "--pay", "account:C-1001", "--json",
        "--broker", shop.url, "--data", str(shop.data / "device"),
    )  # fmt: skip
    assert code == 0, err
    receipt, _ = json.JSONDecoder().raw_decode(out)
    order = receipt["order"]

    clock.set(3 * DAY)
    async with asyncio.timeout(60):
        async for shown in alarms(shop, "settlement"):
            if any(alarm["kind"] == "clock-step" for alarm in shown):
                break
    assert await state(shop, order) == "reminded", "packed a moment ago: nobody is late"

    await shop.kill()
    clock.set(-DAY)
    with clock.in_force():
        await shop.start()
    assert await state(shop, order) == "reminded"
    assert await reminders(shop, order), "it is due all the same"
    await shop.stop()
    assert findings([shop.data, shop.data / "device"], running=True) == []


async def state(store: StoreProcess, order: str) -> str:
    """How far an order is."""
    code, out, err = await storebus(
        "request", "console-9", "settlement", "order", f"order={order}", "--broker", store.url
    )
    assert code == 0, err
    return str(json.loads(out)["state"])


async def reminders(store: StoreProcess, order: str) -> bool:
    """Wait until the terminal is asked once more to remind its customer."""
    async with (
        asyncio.timeout(60),
        MqttConnector(store.url).connect("main-reminders") as link,
    ):
        topic = Topics("main").request("settlement", "terminal-7", "remind")
        await link.subscribe([Subscription(topic, 1)])
        while True:
            for message in await link.receive():
                if json.loads(message.payload)["data"]["order"] == order:
                    return True
