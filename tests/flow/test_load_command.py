"""Scenarios of a load against one store: what is counted, and what the store says afterwards."""

import asyncio
import json
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from store_process import STOREBUS, StoreProcess, free_port, running_store_process, storebus

from bus.contract.envelope import Reading
from bus.contract.every import PRESENCE
from bus.contract.topics import Topics
from bus.link import Incoming, MqttConnector, Subscription
from store.settings import read_settings
from store.terminal import running_terminal

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOPICS = Topics("main")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StoreProcess]:
    """One store for all: each load leaves it as a day of customers would."""
    async with running_store_process(tmp_path_factory.mktemp("load")) as running:
        yield running


async def _load(store: StoreProcess, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run a load to its end: its exit code, its JSON, and what it said beside."""
    code, out, err = await storebus(
        "load", "--timeout", "60", *options, "--json", "--data", str(store.data)
    )
    assert "Traceback" not in err, err
    return code, json.loads(out) if out else {}, err


@asynccontextmanager
async def _loading(store: StoreProcess, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A load that goes on; it is gone afterwards whatever happened."""
    process = await asyncio.create_subprocess_exec(
        *STOREBUS, "load", "--timeout", "60", *options, "--json", "--data", str(store.data),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _ended(process: asyncio.subprocess.Process) -> tuple[int | None, dict[str, Any]]:
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert "Traceback" not in err.decode()
    return process.returncode, json.loads(out)


class _Listener:
    """Hears the labels that are looked up: a message at a time, each arrival once."""

    def __init__(self, link: Any) -> None:
        self._link = link
        self._heard: list[Incoming] = []
        self._known: set[str] = set()

    async def arrival(self) -> None:
        """Wait for the next."""
        while True:
            if not self._heard:
                self._heard = await self._link.receive()
            reading = Reading(self._heard.pop(0).payload)
            reading.envelope()
            if reading.id not in self._known:
                self._known.add(str(reading.id))
                return


@asynccontextmanager
async def _listening(store: StoreProcess) -> AsyncIterator[_Listener]:
    async with MqttConnector(store.url).connect("observer") as link, asyncio.timeout(60):
        await link.subscribe([Subscription(TOPICS.request("+", "catalog", "lookup"))])
        yield _Listener(link)


@asynccontextmanager
async def _standing_still(store: StoreProcess) -> AsyncIterator[None]:
    """The store's roles do nothing within the block; its broker goes on."""
    assert store.process is not None
    store.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        store.process.send_signal(signal.SIGCONT)


async def test_every_kind_of_arrival_is_counted_and_the_books_balance(store: StoreProcess) -> None:
    code, said, err = await _load(
        store, "--terminals", "3", "--rate", "30", "--duration", "2s", "--stock",
        "--mix", "scan=3,buy=2,search=1,order=1,cancel=1",
    )  # fmt: skip
    assert code == 0, (said, err)
    assert said["together"]["sent"] == said["together"]["answered"] == 60
    assert sum(kind["sent"] for kind in said["kinds"].values()) == 60
    bought = sum(said["kinds"][kind]["answered"] for kind in ("buy", "cancel"))
    assert said["orders"] == bought + 1  # one before the load, for those who ask after an order
    assert (said["checked"], said["wrong"]) == (True, [])
    assert said["audit"]["holds"]
    latency = said["together"]["latency_ms"]
    assert 0 < latency["p50"] <= latency["p99.9"] <= latency["max"]

    async with MqttConnector(store.url).connect("observer") as link:
        await link.subscribe([Subscription(TOPICS.state("+", PRESENCE.name))])
        shown = await link.receive()  # what is retained: the roles, and no terminal of the load
    assert not [each.topic for each in shown if "/terminal-" in each.topic and each.payload]


async def test_people_get_a_table_and_a_picture_and_a_store_elsewhere_is_asked_only(
    store: StoreProcess,
) -> None:
    code, out, err = await storebus(
        "load", "--timeout", "60", "--rate", "10", "--duration", "1s", "--mix", "scan=1,buy=1",
        "--stock", "--broker", store.url,
    )  # fmt: skip
    assert code == 0, err
    for word in ("answered", "p99.9", "percentile 0%", "90%", "* scan", "o buy", "reminded"):
        assert word in out
    assert "The store says of every purchase what it told the customer." in out
    assert "not audited, since they lie with the store" in err
    assert "The books balance" not in out


async def test_a_store_that_stands_still_does_not_keep_the_others_from_arriving(
    store: StoreProcess,
) -> None:
    load = ("--rate", "50", "--duration", "4s", "--mix", "scan=1", "--first", "40")
    arrived = []
    async with _listening(store) as listener, _loading(store, *load) as process:
        await listener.arrival()
        async with _standing_still(store):
            stopped = time.monotonic()
            await listener.arrival()  # this one may have been answered before the store stood still
            while not arrived or arrived[-1] < stopped + 1.2:
                await listener.arrival()
                arrived.append(time.monotonic())
            went_on = time.monotonic()
        code, said = await _ended(process)
    assert code == 0, said
    assert said["kinds"]["scan"]["sent"] == said["kinds"]["scan"]["answered"] == 200
    # Each was due before it was heard, and was answered after the store went on.
    longer = said["kinds"]["scan"]["longer_than_ms"]
    for milliseconds in (100, 1000):
        waited = [at for at in arrived[1:] if (went_on - at) * 1000 > milliseconds]
        assert waited
        assert longer[str(milliseconds)] >= len(waited)
    assert said["kinds"]["scan"]["latency_ms"]["max"] > 1000


async def test_what_is_not_answered_in_time_is_counted(store: StoreProcess) -> None:
    load = ("--rate", "20", "--duration", "3s", "--mix", "scan=1", "--timeout", "0.2")
    async with _listening(store) as listener, _loading(store, *load) as process:
        await listener.arrival()
        async with _standing_still(store):
            code, said = await _ended(process)
    counted = said["kinds"]["scan"]
    assert code == 1
    assert counted["no_answer"] > 0
    assert counted["sent"] == counted["answered"] + counted["no_answer"] == 60


async def test_refusals_are_counted_by_their_code(store: StoreProcess) -> None:
    code, said, _ = await _load(
        store, "--rate", "20", "--duration", "1s", "--mix", "buy=1", "--pay", "card:tok_decline",
        "--broker", store.url,
    )  # fmt: skip
    assert code == 1  # and --data beside --broker lets the books be audited
    assert said["kinds"]["buy"]["refused"] == {"payment-declined": 20}
    assert said["kinds"]["buy"]["answered"] == 0
    assert said["audit"]["holds"]
    assert any("20 payments were declined" in note for note in said["notes"])


async def test_ctrl_c_ends_the_arrivals_and_prints_what_there_is(store: StoreProcess) -> None:
    load = ("--rate", "40", "--duration", "1h", "--mix", "scan=9,buy=1", "--stock")
    async with _listening(store) as listener, _loading(store, *load) as process:
        for _ in range(20):
            await listener.arrival()
        process.send_signal(signal.SIGINT)
        code, said = await _ended(process)
    assert code == 0, said
    assert said["stopped"]
    assert 20 <= said["together"]["sent"] == said["together"]["answered"] < 40 * 3600
    assert said["audit"]["holds"]
    assert said["wrong"] == []


async def test_durable_terminals_write_down_what_they_buy(store: StoreProcess) -> None:
    code, said, err = await _load(
        store, "--terminals", "2", "--first", "70", "--durable", "--stock",
        "--rate", "10", "--duration", "1s", "--mix", "buy=1",
    )  # fmt: skip
    assert code == 0, (said, err)
    assert said["reminded"] == 10
    written = 0
    for name in ("terminal-70", "terminal-71"):
        with closing(sqlite3.connect(store.data / f"{name}.db")) as file:
            written += file.execute("SELECT count(*) FROM purchase").fetchone()[0]
    assert written == 10


async def test_names_that_are_online_are_left_alone(store: StoreProcess, tmp_path: Path) -> None:
    settings = read_settings(data=tmp_path)
    async with running_terminal("terminal-92", store.url, settings) as terminal:
        code, said, err = await _load(store, "--terminals", "3", "--first", "91")
        assert (code, said) == (1, {})
        assert "terminal-92 is already running elsewhere" in err
        assert "--first" in err
        await terminal.styles(["CAN-40"])


async def test_a_tampered_book_is_found(store: StoreProcess) -> None:
    def tamper(amount: int) -> None:
        with closing(sqlite3.connect(store.data / "settlement.db")) as file, file:
            file.execute(
                "UPDATE account SET balance = balance + ? WHERE id = 'customer:C-1004'", (amount,)
            )

    load = ("--rate", "10", "--duration", "500ms", "--mix", "scan=1")
    tamper(5)
    try:
        code, said, _ = await _load(store, *load)
    finally:
        tamper(-5)
    assert code == 1
    assert not said["audit"]["holds"]
    assert said["audit"]["findings"][0]["invariant"] == "I8"


async def test_no_broker_is_told_and_wrong_usage_before_it() -> None:
    nowhere = ("--broker", f"mqtt://127.0.0.1:{free_port()}")
    code, out, err = await storebus("load", *nowhere)
    assert (code, out) == (3, "")
    assert "No broker" in err
    code, out, err = await storebus("load", "--mix", "dance=1", *nowhere)
    assert (code, out) == (2, "")
    assert "'dance'" in err
