"""The device guide is played against a store: its commands run, its answers are really given.

`sh` blocks are run as they stand, `json` blocks are what is heard then: a topic and a message. The
store's own names differ from day to day: where a recorded one stands in a later command, today's is
put there.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from device_process import PATIENCE, PROJECT, bash
from example_shop import Shop
from raw_client import RawClient

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.needs("mosquitto-clients"),
]

GUIDE = PROJECT / "docs" / "device-guide.md"
OTHER_EACH_DAY = {
    *("id", "time", "traceparent", "causationid", "order", "orderid", "job"),
    *("reference", "pickup_code", "available", "now", "skew", "at"),
}
SIZE = re.compile(r"^\| (reply to )?(`[^|]*`[^|]*) \| ([0-9,]+) \|", re.MULTILINE)
SEARCH = """mosquitto_pub -V mqttv311 -t storebus/1/main/req/terminal-9/catalog/search \
  -m '{"id":"search-1","data":{"text":""}}'"""
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Reader:
    """Somebody who types what the guide says, and compares what comes."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self._reading: list[asyncio.Task[None]] = []
        self.listeners: list[asyncio.subprocess.Process] = []
        self.today: dict[str, str] = {}
        """What the store calls today what has a name in the guide."""
        self.sizes: dict[tuple[str, str], int] = {}
        """Of the largest message of each kind (`req`, `rep`) and operation, in bytes."""

    async def type(self, command: str) -> None:
        """Run a command; one that listens goes on."""
        for recorded, now in self.today.items():
            command = command.replace(recorded, now)
        process = await asyncio.create_subprocess_exec(
            *(bash(), "-c", f"exec {command}"),
            stdout=asyncio.subprocess.PIPE,
            env=self._environment,
        )
        if command.startswith("mosquitto_sub"):
            self.listeners.append(process)
            self._reading.append(asyncio.create_task(self._read(process)))
        else:
            assert await process.wait() == 0, command

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            topic, _, payload = line.partition(b" ")
            kind, *_, operation = topic.decode().split("/")[3:]
            size = max(self.sizes.get((kind, operation), 0), len(payload.rstrip(b"\n")))
            self.sizes[kind, operation] = size
            self._heard.put_nowait(line.decode())

    async def until_it_listens(self, raw: RawClient, name: str) -> None:
        """Ask a window that was opened until it shows what it is asked."""
        async with asyncio.timeout(PATIENCE):
            while True:
                topic = raw.topics.request(raw.name, name, "ping")
                await raw.publish(topic, {"id": "there?", "data": {}})
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.3):
                        while not (await self._heard.get()).startswith(topic):
                            pass
                        return

    async def hear(self, topic: str, recorded: Any) -> None:
        """Wait for a message like the recorded one; repetitions of earlier ones may come before."""
        others = []
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    heard, _, payload = (await self._heard.get()).partition(" ")
                    before = dict(self.today)
                    difference = self.difference(recorded, json.loads(payload))
                    if heard == topic and difference is None:
                        return
                    self.today = before
                    others.append(f"{heard} {difference}")
        except TimeoutError:
            came = "\n  ".join(others) or "nothing"
            raise AssertionError(
                f"not heard on {topic}: {json.dumps(recorded)}\nWhat came:\n  {came}"
            ) from None

    def difference(self, recorded: Any, heard: Any, name: str = "") -> str | None:
        """The first thing in which a message is not as it was recorded."""
        if isinstance(recorded, dict) and isinstance(heard, dict):
            return self._object(recorded, heard, name)
        if isinstance(recorded, list) and isinstance(heard, list):
            return self._list(recorded, heard, name)
        if recorded == heard or (name in OTHER_EACH_DAY and self._is_todays(recorded, heard)):
            return None
        return f"{name} is {heard!r}, not {recorded!r}"

    def _object(self, recorded: dict[str, Any], heard: dict[str, Any], name: str) -> str | None:
        """Fields that the guide does not show may be there: a device ignores them, too."""
        wanted = [key for key in recorded if key != "..."]
        if missing := [key for key in wanted if key not in heard]:
            return f"{name or 'the message'} lacks {', '.join(missing)}"
        parts = (self.difference(recorded[key], heard[key], key) for key in wanted)
        return next(filter(None, parts), None)

    def _list(self, recorded: list[Any], heard: list[Any], name: str) -> str | None:
        if "..." not in recorded and len(recorded) != len(heard):
            return f"{name} has {len(heard)}"
        for each in recorded:
            differences = [self.difference(each, one, name) for one in heard]
            if each != "..." and all(differences):
                return f"{name} has no {each}: {'; '.join(map(str, differences)) or 'it is empty'}"
        return None

    def _is_todays(self, recorded: Any, heard: Any) -> bool:
        """Whether it is what the store calls it today; once it has a name, it keeps it."""
        if not isinstance(recorded, str) or not isinstance(heard, str):
            return type(recorded) is type(heard)
        return self.today.setdefault(recorded, heard) == heard


@asynccontextmanager
async def reader(shop: Shop, folder: Path) -> AsyncIterator[Reader]:
    """A reader whose clients find this store without being told where it is."""
    host, port = shop.address
    for program in ("mosquitto_pub", "mosquitto_sub"):
        (folder / program).write_text(f"-h {host}\n-p {port}\n")
    reading = Reader(os.environ | {"XDG_CONFIG_HOME": str(folder)})
    try:
        yield reading
    finally:
        for listener in reading.listeners:
            listener.kill()
            await listener.wait()


async def test_the_commands_of_the_device_guide_get_the_answers_that_it_shows(
    shop: Shop, tmp_path: Path
) -> None:
    blocks = BLOCK.findall(GUIDE.read_text().partition("\n## Checklist")[0])
    assert [kind for kind, _ in blocks].count("json") >= 10
    async with shop.watched() as raw, reader(shop, tmp_path) as reading:
        for kind, text in blocks:
            if kind == "json":
                topic, _, message = text.partition("\n")
                await reading.hear(topic, json.loads(message))
                continue
            await reading.type(text)
            if text.startswith("mosquitto_sub"):
                (name,) = re.findall(r"req/\+/([a-z0-9-]+)/", text)
                await reading.until_it_listens(raw, name)
        await reading.type(SEARCH)
        await reading.hear("storebus/1/main/rep/terminal-9/catalog/search", {"...": "..."})
        stated = [
            (("rep" if is_reply else "req", operation), int(size.replace(",", "")))
            for is_reply, names, size in SIZE.findall(GUIDE.read_text())
            for operation in re.findall("`([a-z-]+)`", names)
        ]
        assert len(stated) >= 10
        wrong = {
            each: (size, reading.sizes.get(each))
            for each, size in stated
            if not size / 2 <= reading.sizes.get(each, 0) <= size
        }
        assert wrong == {}  # what is said to be that large, and what was heard
