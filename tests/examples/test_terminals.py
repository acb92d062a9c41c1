"""Each example of a terminal scans, buys and reminds; whatever happens, each reminder once."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from device_process import (
    IN_PYTHON,
    MQTT_JS,
    PAHO,
    REQUEST_RESPONSE,
    TERMINALS,
    Device,
    Example,
    device,
)
from example_shop import Shop
from raw_client import RawClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

CODE = "09506000134352"
_numbers = itertools.count(1)
each_terminal = pytest.mark.parametrize("example", TERMINALS, ids=lambda each: each.folder)


def once_at_embedded(shop: Shop, example: Example) -> None:
    """When things break, one example with the embedded broker is enough."""
    if shop.engine == "embedded" and example != PAHO:
        pytest.skip("with the embedded broker, the one on paho-mqtt stands for all")


@asynccontextmanager
async def at(shop: Shop, example: Example, folder: Path) -> AsyncIterator[tuple[Device, str]]:
    """The example as a terminal of this store, and its name."""
    example.require()
    name = f"terminal-{example.folder}-{next(_numbers)}"  # nothing that another test left open
    address: tuple[str, ...] = (*shop.address, name)
    if example == MQTT_JS:
        if shop.websocket_port is None:
            pytest.skip("the embedded broker does not speak WebSocket")
        address = (f"ws://127.0.0.1:{shop.websocket_port}", name)
    if example == REQUEST_RESPONSE and shop.engine == "embedded":
        pytest.skip("the embedded broker loses devices over MQTT 5 properties: docs/adr/0002")
    async with device(example, folder / "terminal", *address) as terminal:
        yield terminal, name


async def until_presence(raw: RawClient, name: str, status: str) -> dict[str, Any]:
    """Wait until the presence of a device says so."""
    topic = raw.topics.state(name, "presence")
    shown = await raw.expect(topic, lambda each: each.data["status"] == status)
    data: dict[str, Any] = shown.data
    return data


async def buy(terminal: Device) -> tuple[str, str]:
    """Read until it is bought: the order and its pickup code."""
    assert (await terminal.line()).startswith("scanned OXF-BLU-M 5900 EUR, ")
    word, order, *between, code = (await terminal.line()).split()
    assert [word, *between] == ["bought", "pickup", "code"]
    return order, code


@each_terminal
async def test_it_scans_buys_and_shows_each_reminder_once(
    shop: Shop, example: Example, tmp_path: Path
) -> None:
    async with at(shop, example, tmp_path) as (terminal, name), shop.watched() as raw:
        await terminal.start(CODE)
        order, code = await buy(terminal)
        # A terminal that buys beside may say first that it is reminded, of a sorter this quick.
        async with shop.sorting(tmp_path / "sorter"):
            assert await terminal.line() == f"remind {order} North door {code}"
        topic, answer = (
            make("settlement", name, "remind") for make in (raw.topics.request, raw.topics.reply)
        )
        reminder = await raw.expect(topic)
        assert (await raw.expect(answer)).data == {"shown": True}

        await raw.publish(topic, b'{"id":')  # nothing that is wrong ends it
        await raw.publish(topic, {"id": "wrong", "data": []})
        for _ in range(2):
            await raw.publish(topic, reminder.payload)
            # A problem may come before, for what is wrong.
            again = await raw.expect(answer, lambda each: "status" not in each.data)
            assert again.data == {"shown": True}
            assert reminder.document["id"] in (
                again.document["id"],
                again.document.get("correlationid"),
            )
        data = {"order": "another", "pickup_point": "north", "pickup_point_name": "North door"}
        data |= {"pickup_code": "000000", "of-a-later-version": 1}  # type: ignore[dict-item]
        foreign = raw.topics.request("tester-1", name, "remind")
        await raw.publish(foreign, {"id": "foreign", "data": data | {"order": "foreign"}})
        await raw.publish(topic, {"id": "another", "data": data})
        assert await terminal.line() == "remind another North door 000000"  # and nothing before

        await raw.publish(raw.topics.request("tester-1", name, "ping"), {"id": "1", "data": {}})
        pong = await raw.expect(raw.topics.reply("tester-1", name, "ping"))
        online = await until_presence(raw, name, "online")
        assert (pong.data["node"], pong.data["boot"]) == (name, online["boot"])
        await terminal.stop()
        assert (await until_presence(raw, name, example.goodbye))["boot"] == online["boot"]


@each_terminal
async def test_killed_between_purchase_and_reminder_it_reminds_when_it_is_back(
    shop: Shop, example: Example, tmp_path: Path
) -> None:
    once_at_embedded(shop, example)
    async with at(shop, example, tmp_path) as (terminal, name), shop.watched() as raw:
        await terminal.start("09506000134353", CODE)
        lines = await terminal.lines_until("bought ")
        if len(lines) == 2:  # the questions go out side by side, and so do their answers
            lines.append(await terminal.line())
        assert sorted(line.split()[0] for line in lines) == ["bought", "refused", "scanned"]
        assert [line for line in lines if line.startswith("refused 404 unknown-label: ")]
        bought = next(line for line in lines if line.startswith("bought "))
        order, code = bought.split()[1], bought.split()[-1]
        online = await until_presence(raw, name, "online")
        await terminal.kill()
        assert (await until_presence(raw, name, "lost"))["boot"] == online["boot"]
        async with shop.sorting(tmp_path / "sorter"):
            await raw.expect(raw.topics.request("settlement", name, "remind"))
            await terminal.start()
            *before, reminder = await terminal.lines_until("remind")
            assert reminder == f"remind {order} North door {code}"
            # It may have been killed before it knew that it had told the customer.
            assert set(before) <= {f"bought {order} pickup code {code}"}


@pytest.mark.parametrize("example", IN_PYTHON, ids=lambda each: each.folder)
async def test_a_broker_that_is_killed_comes_back_and_so_does_the_terminal(
    shop: Shop, example: Example, tmp_path: Path
) -> None:
    once_at_embedded(shop, example)
    async with at(shop, example, tmp_path) as (terminal, name):
        await terminal.start(CODE)
        order, code = await buy(terminal)
        await shop.restart_broker()
        async with shop.watched() as raw:
            await until_presence(raw, name, "online")
        async with shop.sorting(tmp_path / "sorter"):
            assert await terminal.line() == f"remind {order} North door {code}"
