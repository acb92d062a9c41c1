"""Whatever state a node shows again, after a while or a restart, is the one it showed last."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from running_store import FaultyBroker, Store, eventually, running_store

from bus.contract.catalog import OrderOnly
from bus.contract.settlement import CANCEL
from bus.contract.sorter import ABORT, JOB_STATE, Abort
from bus.runtime.settings import RuntimeSettings

NODES = ("catalog", "settlement", "warehouse", "sorter-1", "terminal-1")
OFTEN = RuntimeSettings(retry_first=0.05, retry_limit=0.2, takeover_wait=0.2, show_again=0.05)
_OF_THE_START = frozenset({"boot", "since"})
_COUNTED = frozenset({"counts", "outbox", "timers", "writer", "position"})
"""What `about` and `presence` say of the moment in which it is said."""


class Hall:
    """A store, and every state that was shown in it."""

    def __init__(self, store: Store, broker: FaultyBroker) -> None:
        self.store = store
        self.broker = broker

    def shown(self, node: str) -> list[tuple[str, Any]]:
        """By name, all states of a node, in order."""
        found = []
        for message in self.broker.sent(f"/state/{node}/"):
            name = message.topic.rpartition("/")[2]
            data = json.loads(message.payload)["data"]
            ignored = _COUNTED | _OF_THE_START if name in ("about", "presence") else frozenset()
            found.append((name, {key: data[key] for key in data.keys() - ignored}))
        return found

    async def show_again(self, node: str) -> None:
        """Wait until a node has shown all of its states anew: each is what it was."""
        before = self.shown(node)
        last = dict(before)

        def later() -> list[tuple[str, Any]]:
            return self.shown(node)[len(before) :]

        await eventually(lambda: last.keys() <= dict(later()).keys(), f"all states of {node}")
        assert dict(later()) == last

    async def look(self) -> None:
        """Every node, when nothing is under way."""
        await self.store.quiet()
        for node in NODES:
            await self.show_again(node)


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    """It shows its states all the time."""
    broker = FaultyBroker()
    async with running_store(broker, tmp_path, settings=OFTEN) as store:
        yield Hall(store, broker)


async def _reported(store: Store) -> dict[str, Any]:
    """The job of the sorter as it stands at the broker, once nothing is under way."""
    await store.quiet()
    topic = store.topics.state("sorter-1", JOB_STATE.name)
    return dict(json.loads(store.deployment.connector.retained[topic].payload)["data"])  # type: ignore[attr-defined]


async def test_a_sorter_that_has_reported_its_parcel_is_idle_also_when_it_is_shown_again(
    hall: Hall,
) -> None:
    store = hall.store
    await store.reminded((await store.buy({"MUG": 1})).order)
    assert (await _reported(store))["step"] == "idle"
    await hall.look()
    for restart in (store.stop, store.crash):
        before = await _reported(store)
        await restart("sorter-1")
        await store.start("sorter-1")
        await hall.show_again("sorter-1")
        assert await _reported(store) == before
    assert (await _reported(store))["step"] == "idle"


async def test_a_job_that_was_stopped_before_it_was_seen_changes_nothing_that_is_shown(
    hall: Hall,
) -> None:
    store = hall.store
    await store.reminded((await store.buy({"MUG": 1})).order)
    never = Abort(job="j-never", assignment=1)
    await store.ask_as("warehouse", ABORT, "sorter-1", never)
    await hall.look()
    assert (await _reported(store))["step"] == "idle"


async def test_every_state_is_as_it_was_at_each_point_of_an_order(hall: Hall) -> None:
    store = hall.store
    for stop in ("travelling", "picking", "conveying", "packing"):
        store.machine.stops_at = stop
        order = (await store.buy({"SHIRT-RED": 1})).order if stop == "packing" else (
            await store.buy({"MUG": 1})
        ).order  # fmt: skip
        await eventually(lambda: not store.machine.free.is_set(), "the machine stops")
        for node in NODES:
            await hall.show_again(node)
        await store.crash("sorter-1")
        await store.start("sorter-1")
        await hall.show_again("sorter-1")
        store.machine.go_on()
        await store.reminded(order)
    await store.ask_as("console-1", CANCEL, "settlement", OrderOnly(order=order))
    await eventually(
        lambda: (
            store.value("settlement", "SELECT state FROM orders WHERE id = ?", order)
            == "cancelling"
        ),
        "the order is being undone",
    )
    for node in NODES:
        await hall.show_again(node)


async def test_what_is_wrong_is_shown_again_as_it_was_and_no_longer_than_it_lasts(
    hall: Hall,
) -> None:
    store = hall.store
    await store.stop("sorter-1")
    order = (await store.buy({"MUG": 1})).order
    alarms = store.topics.state("warehouse", "alarms")

    def kinds() -> list[str]:
        payload = hall.broker.retained[alarms].payload
        return [alarm["kind"] for alarm in json.loads(payload)["data"]["alarms"]]

    await eventually(lambda: kinds() == ["no-sorter"], "the alarm")
    await hall.show_again("warehouse")
    await store.crash("warehouse")
    await store.start("warehouse")
    await hall.show_again("warehouse")
    await store.start("sorter-1")
    await store.reminded(order)
    await hall.look()
    assert kinds() == []


async def test_a_sorter_of_an_older_version_shows_what_is_true(hall: Hall, tmp_path: Path) -> None:
    """It has not written down what it showed."""
    store = hall.store
    await store.reminded((await store.buy({"MUG": 1})).order)
    await store.quiet()
    await store.stop("sorter-1")
    with closing(sqlite3.connect(tmp_path / "sorter-1.db")) as rows, rows:
        rows.execute("DELETE FROM shown")
    await store.start("sorter-1")
    await hall.show_again("sorter-1")
    assert (await _reported(store))["step"] == "idle"
