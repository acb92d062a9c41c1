"""A day in a store that has everything an audit looks at, with all of its messages recorded."""

import asyncio
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from needs import ENGINE
from raw_client import RawClient, raw_over_mqtt
from store_process import StoreProcess, running_store_process, storebus

from bus.contract.catalog import OrderOnly
from bus.contract.errors import Refused
from bus.contract.settlement import (
    CANCEL,
    COLLECT,
    ORDER,
    AccountPayment,
    CardPayment,
    Collect,
    OrderQuery,
    Receipt,
)
from bus.contract.values import Empty
from bus.contract.warehouse import RECEIVE, RETURNS, Receive
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from devices.terminal.role import Terminal
from store.settings import read_settings
from store.shop import SAMPLE
from store.terminal import running_terminal

ANN = AccountPayment(method="account", account="C-1001")
BY_HAND = "terminal-9"
"""A terminal that speaks as little as it may."""
PLENTY, RARE = "OXF-BLU-M", "OXF-BLU-L"
PRICE = {"amount": 5900, "currency": "EUR"}


def card(token: str) -> CardPayment:
    """A card of the simulated acquirer."""
    return CardPayment(method="card", token=token)


@dataclass(frozen=True, slots=True)
class Day:
    """What is left when the store is closed."""

    data: Path
    """The folder of the roles, the sorter and the acquirer."""
    elsewhere: Path
    """The folder of the terminals."""
    history: Path
    orders: dict[str, str]
    """By what became of them."""

    @property
    def folders(self) -> list[Path]:
        """Both of them: one store."""
        return [self.data, self.elsewhere]

    def copy(self, target: Path) -> "Day":
        """The same day in a folder of its own."""
        shutil.copytree(self.data.parent, target)
        names = (self.data.name, self.elsewhere.name, self.history.name)
        return Day(*(target / name for name in names), self.orders)


async def live(folder: Path) -> Day:
    """Open, sell in every way, close."""
    day = Day(folder / "data", folder / "elsewhere", folder / "history.jsonl", {})
    shop = folder / "shop"
    shutil.copytree(SAMPLE, shop)
    with (shop / "layout.toml").open("a") as layout:
        layout.write("[finds]\nA-01-3 = 1\n")  # where the large blue shirts lie
    options = ("--shop", str(shop))
    async with running_store_process(day.data, ENGINE, "inf", *options) as store:
        recorder = await recording(store, day.history)
        await _trade(store, day)
        code, out, err = await storebus("audit", *map(str, day.folders), "--open")
        assert code == 0, out + err
        await store.quiet()
        recorder.terminate()
        said, _ = await recorder.communicate()
        assert "messages are in" in said.decode()
    return day


async def recording(store: StoreProcess, history: Path) -> asyncio.subprocess.Process:
    """A recorder that is connected."""
    recorder = await store.spawn("record", str(history), "--broker", store.url)
    await until(recorder, "Recording")
    return recorder


async def until(process: asyncio.subprocess.Process, text: str) -> None:
    """Wait until it has printed this."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while text not in (line := (await process.stdout.readline()).decode()):
            assert line, f"it ended before it said {text!r}"


async def _trade(store: StoreProcess, day: Day) -> None:
    settings = read_settings(data=day.elsewhere)
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(running_terminal(name, store.url, settings))
            for name in ("terminal-1", "terminal-2")
        ]
        connector = MqttConnector(store.url)
        console = await stack.enter_async_context(
            Caller(connector, "main", "console-1").connected()
        )
        day.orders["account"] = (await _buy(first, {PLENTY: 2, "CAN-40": 1}, ANN)).order
        day.orders["card"] = (await _buy(second, {PLENTY: 1}, card("tok_approve_1"))).order
        short = await _buy(first, {RARE: 2, "CAN-40": 1}, card("tok_approve_2"))
        day.orders["short"] = short.order
        collected = await _buy(second, {PLENTY: 1}, ANN)
        day.orders["collected"] = collected.order
        await console.ask(COLLECT, "settlement", Collect(code=collected.pickup_code))
        for payment, quantity in ((card("tok_decline"), 1), (ANN, 500)):
            try:
                await _buy(first, {PLENTY: quantity}, payment)
            except Refused:
                continue
            raise AssertionError("it should have been refused")
        undone = await _buy(first, {PLENTY: 1}, card("tok_approve_3"))
        day.orders["cancelled"] = undone.order
        await _cancel(console, undone.order)
        raw = await stack.enter_async_context(raw_over_mqtt(store.url, "main", BY_HAND))
        day.orders["by hand"] = await _by_hand(raw)


async def _buy(terminal: Terminal, cart: dict[str, int], payment: object) -> Receipt:
    async with asyncio.timeout(30):
        receipt = await terminal.buy(cart, await terminal.styles(list(cart)), payment)  # type: ignore[arg-type]
        await terminal.reminded(receipt.order)
        return receipt


async def _cancel(console: Caller, order: str) -> None:
    """Cancel a packed order and put its goods back."""
    async with asyncio.timeout(30):
        await console.ask(CANCEL, "settlement", OrderOnly(order=order))
        while not (listed := (await console.ask(RETURNS, "warehouse", Empty())).returns):
            pass
        for line in listed[0].lines:
            goods = Receive(
                sku=line.sku, location="A-02-1", quantity=line.quantity, parcel=listed[0].parcel
            )
            await console.ask(RECEIVE, "warehouse", goods)
        query = OrderQuery(order=order)
        while (await console.ask(ORDER, "settlement", query)).state != "cancelled":
            pass


async def _by_hand(raw: RawClient) -> str:
    """A small device buys, repeats itself, uses its id again, reminds and collects."""
    data = {
        "lines": [{"sku": PLENTY, "quantity": 1}],
        "payment": ANN.model_dump(),
        "expected_total": PRICE,
    }
    replies = [
        await raw.request("settlement", "purchase", {"id": "p-1", "data": data}) for _ in range(3)
    ]
    assert len({reply.payload for reply in replies}) == 1
    other = {**data, "lines": [{"sku": PLENTY, "quantity": 3}]}
    refused = await raw.request("settlement", "purchase", {"id": "p-1", "data": other})
    assert refused.data["code"] == "id-reused"
    reminder = await raw.expect(raw.topics.request("settlement", BY_HAND, "remind"))
    answer = {"id": reminder.document["id"], "data": {"shown": True}}
    await raw.publish(raw.topics.reply("settlement", BY_HAND, "remind"), answer)
    code = {"code": replies[0].data["pickup_code"]}
    await raw.request("settlement", "collect", {"id": "p-2", "data": code})
    return str(replies[0].data["order"])
