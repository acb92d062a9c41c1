"""No message makes a node stand still, and one that does says so, ends, and works again."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from bad_messages import message
from raw_client import RawClient, raw_in_memory
from running_store import PATIENCE, Store, running_store

from bus.contract.errors import JournalError, Refused, StandstillError, Unavailable
from bus.contract.every import ABOUT, ALARMS_STATE, PING, PRESENCE
from bus.contract.settlement import PURCHASE
from bus.contract.terminal import REMIND, Remind, Shown
from bus.contract.values import Empty
from bus.link import MemoryBroker
from bus.runtime.caller import Caller
from bus.runtime.deployment import Deployment
from bus.runtime.node import Node
from bus.runtime.requests import Request
from bus.runtime.role import Adapter, Role
from bus.runtime.settings import RuntimeSettings
from bus.runtime.unit_of_work import UnitOfWork
from bus.storage.journal import Journal
from bus.storage.threaded import WorkError
from cli.doctor import _role as look_at
from devices.terminal.store import SCHEMA as TERMINAL

SITE = "still"
REMINDER = Remind(
    order="o-1", pickup_point="north", pickup_point_name="North door", pickup_code="482913"
)
STOPPED = (
    StopIteration("no more"),
    StopAsyncIteration(),
    GeneratorExit(),
    SystemExit(3),
    KeyboardInterrupt(),
    asyncio.CancelledError(),
    MemoryError(),
)
"""What no future takes, or what would pass for something else where it is raised."""
kinds = pytest.mark.parametrize("raised", STOPPED, ids=lambda error: type(error).__name__)


# -- a message --------------------------------------------------------------------------------

IMPOSSIBLE: dict[str, dict[str, Any]] = {
    "a default that is none of the points": {
        "points": [{"id": "north", "name": "North door"}],
        "default": "roof",
    },
    "a point named twice": {
        "points": [{"id": "south", "name": "A"}, {"id": "south", "name": "B"}],
        "default": "south",
    },
    "no point": {"points": [], "default": "north"},
}


async def test_pickup_points_that_cannot_be_are_dropped_and_the_store_sells(
    store: Store, open_raw: Callable[[str], AbstractAsyncContextManager[RawClient]]
) -> None:
    async with open_raw("warehouse") as raw:
        before = (await store.ask(ABOUT, "settlement", Empty())).counts.get(
            "dropped.malformed-state", 0
        )
        for name, points in IMPOSSIBLE.items():
            await raw.publish(
                store.topics.state("warehouse", "pickup-points"), message(name, points)
            )
        async with asyncio.timeout(PATIENCE):
            while (await store.ask(ABOUT, "settlement", Empty())).counts.get(
                "dropped.malformed-state", 0
            ) < before + len(IMPOSSIBLE):
                pass
    assert (await store.buy({"MUG": 1})).pickup_point == "north"
    assert (await store.ask(PING, "settlement", Empty())).writer == "works"


async def test_points_without_a_default_that_an_older_version_took_are_shown_again(
    tmp_path: Path,
) -> None:
    async with running_store(MemoryBroker(), tmp_path) as store:
        await store.stop("settlement")
        with closing(sqlite3.connect(tmp_path / "settlement.db")) as rows, rows:
            rows.execute("UPDATE pickup_point SET is_default = 0")
        await store.stop("warehouse")
        store.deployment.connector.retained.clear()  # type: ignore[attr-defined]
        await store.start("settlement")
        asked = store.purchase({"MUG": 1}, await store.terminals["terminal-1"].styles(["MUG"]))
        with pytest.raises(Refused) as refused:
            await store.ask_as("terminal-8", PURCHASE, "settlement", asked)
        assert refused.value.data.code == Unavailable.code
        await store.start("warehouse")
        assert (await store.buy({"MUG": 1})).pickup_point == "north"


# -- whatever is raised -----------------------------------------------------------------------


@asynccontextmanager
async def terminal(
    data: Path, remind: Callable[[UnitOfWork, Request[Remind]], Shown | None], **settings: Any
) -> AsyncIterator[tuple[Node, Caller]]:
    """A terminal that does this with a reminder, and settlement, which reminds."""
    broker = MemoryBroker()
    runtime = RuntimeSettings.model_validate({"takeover_wait": 0.4, **settings})
    role = Role(kind="terminal", schemas=(TERMINAL,), commands={REMIND: remind})
    node = Node("terminal-1", role, Deployment(broker, SITE, data, runtime))
    running = asyncio.create_task(node.run())
    try:
        async with asyncio.timeout(PATIENCE):
            await node.ready.wait()
        async with Caller(broker, SITE, "settlement", runtime).connected() as caller:
            yield node, caller
    finally:
        node.stop()
        await asyncio.wait({running})
        if not running.cancelled() and not isinstance(running.exception(), StandstillError):
            running.result()


async def remind(caller: Caller, **more: Any) -> Any:
    """Remind, and wait for the answer."""
    return await caller.ask(REMIND, "terminal-1", REMINDER, timeout=PATIENCE, **more)


@kinds
async def test_whatever_a_command_raises_it_is_answered_and_the_next_goes_through(
    tmp_path: Path, raised: BaseException
) -> None:
    left = [raised]

    def shown(_: UnitOfWork, __: Request[Remind]) -> Shown:
        if left:
            raise left.pop()
        return Shown(shown=True)

    async with terminal(tmp_path, shown) as (_, caller):
        with pytest.raises(Refused) as refused:
            await remind(caller)
        assert refused.value.data.code == "internal"
        assert (await remind(caller)).shown
        assert (await caller.ask(PING, "terminal-1", Empty())).writer == "works"


@kinds
async def test_whatever_a_transaction_raises_whoever_waits_is_told(
    tmp_path: Path, raised: BaseException
) -> None:
    def work(_: sqlite3.Connection) -> None:
        raise raised

    with Journal(tmp_path / "terminal-1.db", TERMINAL) as journal:
        async with asyncio.timeout(PATIENCE):
            with pytest.raises((WorkError, MemoryError)) as told:
                await journal.transact(work)
            assert raised in (told.value, told.value.__cause__)
            assert await journal.transact(lambda _: 7) == 7
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        await journal.transact(lambda rows: rows.total_changes)


async def test_a_call_that_is_cancelled_within_is_made_again(tmp_path: Path) -> None:
    calls = []

    async def call(key: str, _: Empty) -> str:
        calls.append(key)
        if len(calls) == 1:
            raise asyncio.CancelledError
        return key

    done, loop = asyncio.Event(), asyncio.get_running_loop()

    def made(*_: Any) -> None:
        loop.call_soon_threadsafe(done.set)

    role = Role(
        kind="terminal",
        schemas=(TERMINAL,),
        started=lambda unit: unit.call("machine", Empty(), key="k-1"),
        adapters=(Adapter("machine", Empty, call, made),),
    )
    settings = RuntimeSettings(retry_first=0.01)
    node = Node("terminal-1", role, Deployment(MemoryBroker(), SITE, tmp_path, settings))
    running = asyncio.create_task(node.run())
    async with asyncio.timeout(PATIENCE):
        await done.wait()
        node.stop()
        await running
    assert calls == ["k-1", "k-1"]


# -- standing still ---------------------------------------------------------------------------


@asynccontextmanager
async def standing_still(data: Path, bound: float) -> AsyncIterator[tuple[Node, Caller, RawClient]]:
    """A terminal whose transaction does not end as long as this lasts."""
    going_on = threading.Event()

    def wait(_: UnitOfWork, __: Request[Remind]) -> Shown:
        going_on.wait(PATIENCE)
        return Shown(shown=True)

    async with terminal(data, wait, standstill=bound) as (node, caller):
        connector = node.deployment.connector
        assert isinstance(connector, MemoryBroker)
        async with raw_in_memory(connector, SITE, "tester-9") as raw:
            reminding = asyncio.create_task(remind(caller))
            try:
                yield node, caller, raw
            finally:
                going_on.set()
                reminding.cancel()
                await asyncio.wait({reminding})


async def test_who_asks_is_told_that_a_node_answers_and_stands_still(tmp_path: Path) -> None:
    async with standing_still(tmp_path, PATIENCE) as (_, caller, __):
        async with asyncio.timeout(PATIENCE):
            while (await caller.ask(PING, "terminal-1", Empty())).writer != "stands-still":
                pass
        assert (await caller.ask(ABOUT, "terminal-1", Empty())).writer == "stands-still"
        good, name, found = await look_at(caller, "terminal-1")
        assert (good, name) == (False, "terminal-1")
        assert "stand still" in found


async def test_a_node_that_stands_still_longer_than_its_bound_says_so_and_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with standing_still(tmp_path, 0.2) as (_, __, raw):
        said = await raw.expect(
            raw.topics.state("terminal-1", ALARMS_STATE.name), lambda each: each.data["alarms"]
        )
        assert [alarm["kind"] for alarm in said.data["alarms"]] == ["standstill"]
        assert "has stood still for 0.2 s" in said.data["alarms"][0]["detail"]
        await raw.expect(
            raw.topics.state("terminal-1", PRESENCE.name),
            lambda each: each.data["status"] == "lost",
        )
    assert "has stood still for 0.2 s" in caplog.text


async def test_a_node_ends_when_its_first_transaction_stands_still(tmp_path: Path) -> None:
    going_on = threading.Event()

    def wait(_: UnitOfWork) -> None:
        going_on.wait(PATIENCE)

    role = Role(kind="terminal", schemas=(TERMINAL,), started=wait)
    settings = RuntimeSettings(standstill=0.1)
    node = Node("terminal-1", role, Deployment(MemoryBroker(), SITE, tmp_path, settings))
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StandstillError):
            await node.run()
    going_on.set()
    for thread in threading.enumerate():
        if thread.name == "journal-terminal-1":
            thread.join(PATIENCE)  # it tells a loop that must still be there


async def test_a_node_whose_transactions_fail_says_so_and_goes_on(tmp_path: Path) -> None:
    async with running_store(MemoryBroker(), tmp_path) as store:
        assert (await store.ask(PING, "catalog", Empty())).writer == "works"
        with closing(sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)) as rows:
            rows.execute("ALTER TABLE clock RENAME TO lost_clock")
            assert (await store.ask(PING, "catalog", Empty())).writer == "fails"
            rows.execute("ALTER TABLE lost_clock RENAME TO clock")
        assert (await store.ask(PING, "catalog", Empty())).writer == "works"


async def test_whoever_decides_at_a_node_that_has_ended_is_told(tmp_path: Path) -> None:
    async with terminal(tmp_path, lambda *_: None) as (node, _):
        pass
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(JournalError):
            await node.decide(lambda _: None)
