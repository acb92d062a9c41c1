"""Scenario: somebody speaks to the store with nothing but mosquitto_pub and mosquitto_sub."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from store_process import StoreProcess, running_store_process

from audit import audit

pytestmark = pytest.mark.needs("mosquitto-clients")

ROOT = "storebus/1/main"


class Hand:
    """One terminal in MQTT 3.1.1, typed by hand."""

    def __init__(
        self, store: StoreProcess, name: str, listener: asyncio.subprocess.Process
    ) -> None:
        self._port = str(store.port)
        self._name = name
        self._listener = listener

    async def say(self, topic: str, payload: str) -> None:
        """Publish with mosquitto_pub."""
        process = await asyncio.create_subprocess_exec(
            *("mosquitto_pub", "-V", "mqttv311", "-p", self._port, "-q", "1"),
            *("-t", f"{ROOT}/{topic}", "-m", payload),
        )
        assert await process.wait() == 0

    async def hear(self) -> tuple[str, dict[str, Any]]:
        """The next message: its topic below the root, and what it says."""
        assert self._listener.stdout is not None
        async with asyncio.timeout(20):
            line = (await self._listener.stdout.readline()).decode()
        topic, _, payload = line.partition(" ")
        return topic.removeprefix(f"{ROOT}/"), json.loads(payload)

    async def ask(self, callee: str, operation: str, identifier: str, data: str) -> dict[str, Any]:
        """Send a request with nothing but id and data, and hear its reply."""
        payload = f'{{"id":"{identifier}","data":{data}}}'
        await self.say(f"req/{self._name}/{callee}/{operation}", payload)
        topic, reply = await self.hear()
        assert topic == f"rep/{self._name}/{callee}/{operation}"
        assert reply["correlationid"] == identifier
        return reply


@asynccontextmanager
async def hand(store: StoreProcess, name: str) -> AsyncIterator[Hand]:
    """A terminal whose replies and requests are listened to with mosquitto_sub."""
    listener = await asyncio.create_subprocess_exec(
        *("mosquitto_sub", "-V", "mqttv311", "-p", str(store.port), "-v", "-q", "1"),
        *("-t", f"{ROOT}/rep/{name}/#", "-t", f"{ROOT}/req/+/{name}/#"),
        *("-t", f"{ROOT}/state/warehouse/presence"),
        stdout=asyncio.subprocess.PIPE,
    )
    typing = Hand(store, name, listener)
    topic, presence = await typing.hear()  # retained: from here on it is subscribed
    assert (topic, presence["data"]["status"]) == ("state/warehouse/presence", "online")
    try:
        yield typing
    finally:
        listener.terminate()
        await listener.communicate()


@pytest.mark.parametrize("engine", ["mosquitto", "embedded"])
async def test_id_and_data_are_enough_to_scan_buy_and_be_reminded(
    tmp_path: Path, engine: str
) -> None:
    async with (
        running_store_process(tmp_path, engine) as store,
        hand(store, "terminal-9") as typing,
    ):
        found = await typing.ask("catalog", "lookup", "1", '{"code":"09506000134352"}')
        (style,) = (
            style
            for style in found["data"]["product"]["styles"]
            if style["sku"] == found["data"]["scanned"]
        )

        receipt = await typing.ask(
            "settlement",
            "purchase",
            "2",
            json.dumps(
                {
                    "lines": [{"sku": style["sku"], "quantity": 1}],
                    "payment": {"method": "account", "account": "C-1001"},
                    "expected_total": style["price"],
                }
            ),
        )
        assert receipt["data"]["state"] == "settled"

        topic, reminder = await typing.hear()
        assert topic == "req/settlement/terminal-9/remind"
        assert reminder["data"]["pickup_code"] == receipt["data"]["pickup_code"]
        answer = json.dumps({"id": reminder["id"], "data": {"shown": True}})
        await typing.say("rep/settlement/terminal-9/remind", answer)

        code = json.dumps({"code": receipt["data"]["pickup_code"]})
        collected = await typing.ask("settlement", "collect", "3", code)
        assert collected["data"] == {"order": receipt["data"]["order"], "state": "collected"}
        await store.quiet()
    result = audit([tmp_path])
    assert result.findings == []
    assert [note for note in result.notes if "terminal-9" in note]  # whose screen nobody can read


async def test_a_typing_error_gets_a_sentence_that_says_what_is_wrong(tmp_path: Path) -> None:
    async with running_store_process(tmp_path) as store, hand(store, "terminal-9") as typing:
        refused = await typing.ask("catalog", "lookup", "1", '{"cod":"09506000134352"}')
        assert refused["data"]["status"] == 422
        assert refused["data"]["field"] == "code"
        assert refused["type"] == "storebus.catalog.lookup.problem"

        refused = await typing.ask("catalog", "lookup", "2", '{"code":"09506000134353"}')
        assert (refused["data"]["status"], refused["data"]["code"]) == (404, "unknown-label")

        url = "https://shop.example/01/09506000134353"
        refused = await typing.ask("catalog", "lookup", "3", json.dumps({"code": url}))
        assert (refused["data"]["status"], refused["data"]["code"]) == (422, "invalid-digital-link")
        assert "check digit" in refused["data"]["detail"]
