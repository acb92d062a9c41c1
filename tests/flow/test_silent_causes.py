"""What was silent, as real processes: a console says it within its time, and about whom."""

import asyncio
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from faked_time import host_with_clock
from needs import ENGINE
from raw_client import raw_over_mqtt
from store_process import StoreProcess, running_store_process

from bus.contract.errors import Problem
from bus.contract.every import ABOUT
from bus.contract.topics import Topics
from bus.contract.values import Empty
from bus.link import MqttConnector, Subscription
from bus.runtime.caller import Caller
from tui.model.alarms import Kind
from tui.model.store import StoreModel

SOON = 10.0
"""Seconds within which a cause is told."""
CARD = {
    "lines": [{"sku": "CAN-40", "quantity": 1}],
    "payment": {"method": "card", "token": "tok_approve"},
    "expected_total": {"amount": 4900, "currency": "EUR"},
}
ROLES = ("catalog", "settlement", "warehouse")


class Console:
    """A console's model, fed by a real broker."""

    def __init__(self, store: StoreProcess) -> None:
        self.model = StoreModel(Topics("main"))
        self._connector = MqttConnector(store.url)
        self._looked = asyncio.Event()

    async def hear(self) -> None:
        """Hear all that is said, and ask the roles what they have, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._ask())

    async def _listen(self) -> None:
        async with self._connector.connect("main-listener") as link:
            await link.subscribe([Subscription(Topics("main").everything(), 0)])
            while True:
                self.model.take(_now(), await link.receive())

    async def _ask(self) -> None:
        async with Caller(self._connector, "main", "console-9").connected() as caller:
            while True:
                with suppress(Problem):
                    for role in ROLES:
                        await caller.ask(ABOUT, role, Empty())
                self.model.tick(_now())
                self._looked.set()
                await asyncio.sleep(0.2)

    async def told(self, kind: Kind, *subjects: str, within: float = SOON) -> list[str]:
        """Wait until alarms of a kind hold about these; what they say."""
        async with asyncio.timeout(within):
            while self.model.alarms.subjects(kind) != set(subjects):
                self._looked.clear()
                await self._looked.wait()
        return [str(each.text) for each in self.model.alarms.current() if each.kind == kind]


def _now() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def console_of(store: StoreProcess) -> AsyncIterator[Console]:
    """A console that hears a store within the block."""
    console = Console(store)
    hearing = asyncio.create_task(console.hear())
    try:
        yield console
    finally:
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing


async def _buy(store: StoreProcess, number: int) -> None:
    """Send a purchase by card; its answer may never come."""
    async with raw_over_mqtt(store.url, "main", "terminal-9") as raw:
        await raw.request("settlement", "purchase", {"id": f"p-{number}", "data": CARD})


def _acquirer(store: StoreProcess) -> int:
    """The process of the simulated payment provider."""
    assert store.process is not None
    for child in Path(f"/proc/{store.process.pid}/task").glob("*/children"):
        for pid in child.read_text().split():
            if b"acquirer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
    raise AssertionError("there is no acquirer")


async def test_a_payment_provider_that_falls_silent_is_told_and_one_that_is_killed_comes_back(
    tmp_path: Path,
) -> None:
    async with (
        running_store_process(tmp_path, ENGINE, "inf", "--no-web") as store,
        console_of(store) as console,
    ):
        silent = _acquirer(store)
        os.kill(silent, signal.SIGSTOP)
        buying = asyncio.create_task(_buy(store, 1))
        (said,) = await console.told("provider-silent", "payment provider")
        assert said.startswith("the payment provider does not answer: ")
        os.kill(silent, signal.SIGKILL)
        await store.until("The simulated card acquirer runs again.")
        await console.told("provider-silent", within=40)
        await buying
        assert _acquirer(store) != silent


async def test_a_database_that_is_gone_is_told_and_a_store_on_an_empty_folder_says_that_it_is_new(
    tmp_path: Path,
) -> None:
    data, device = tmp_path / "data", tmp_path / "device"
    async with running_store_process(data, ENGINE, "inf", "--no-web") as store:
        assert f"A new store begins in {data}" in store.greeting
        terminal = await store.spawn(
            "node", "terminal-7", "--broker", store.url, "--data", str(device)
        )
        try:
            await _remembered(device / "terminal-7.db", 3)
            await store.stop()
            (data / "settlement.db").rename(tmp_path / "settlement.db")
            await store.start()
            assert "no database of settlement any more" in store.greeting
            async with console_of(store) as console:
                (said,) = await console.told("database-replaced", "settlement")
                assert "another database" in said
            await store.stop()
            shutil.move(data, tmp_path / "elsewhere")  # as a mistyped --data does
            await store.start()
            async with console_of(store) as console:
                await console.told("database-replaced", *ROLES)
        finally:
            assert terminal.returncode is None, (await terminal.communicate())[0].decode()
            terminal.terminate()
            await terminal.communicate()


async def _remembered(path: Path, count: int) -> None:
    """Wait until a node remembers the databases of so many others."""
    uri = f"file:{path}?mode=ro"
    async with asyncio.timeout(40):
        while True:
            with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True)) as rows:
                if rows.execute("SELECT count(*) FROM peer").fetchone() >= (count,):
                    return
            await asyncio.sleep(0.05)


async def test_a_sorter_whose_clock_is_wrong_is_told_although_it_asks_nobody_anything(
    tmp_path: Path,
) -> None:
    async with (
        running_store_process(tmp_path / "data", ENGINE, "inf", "--no-web") as store,
        console_of(store) as console,
    ):
        with host_with_clock(600):
            sorter = await store.spawn(
                "node", "sorter-2", "--broker", store.url, "--data", str(tmp_path / "device")
            )
        try:
            (said,) = await console.told("clock-wrong", "sorter-2")
            assert said.startswith("the clock of sorter-2 is 10 min ahead of the store's")
        finally:
            sorter.terminate()
            await sorter.communicate()
