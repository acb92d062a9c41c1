"""A database that was moved away, emptied, or exchanged for an older copy is told by the others."""

import json
import shutil
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from running_store import FaultyBroker, Store, eventually, running_store

from bus.contract.catalog import COMMIT, OrderOnly
from bus.contract.errors import Refused
from bus.contract.settlement import ORDER, OrderQuery
from bus.contract.topics import Topics
from bus.link import Incoming
from bus.runtime.settings import RuntimeSettings
from bus.runtime.unit_of_work import UnitOfWork
from tui.model.store import StoreModel

OFTEN = RuntimeSettings(
    retry_first=0.05, retry_limit=0.2, query_retry=0.05, takeover_wait=0.3, show_again=0.1
)
ROLES = ("catalog", "settlement", "warehouse")


class Hall:
    """A store whose nodes show themselves all the time, and a console beside it."""

    def __init__(self, store: Store, broker: FaultyBroker) -> None:
        self.store = store
        self.broker = broker
        self.model = StoreModel(Topics("main"))
        self._heard = 0

    def told(self, kind: str) -> dict[str, set[str]]:
        """By subject, the nodes that show an alarm of a kind now."""
        found: dict[str, set[str]] = {}
        for topic, message in self.broker.retained.items():
            if topic.endswith("/alarms"):
                for alarm in json.loads(message.payload)["data"]["alarms"]:
                    if alarm["kind"] == kind:
                        found.setdefault(alarm["subject"], set()).add(topic.split("/")[-2])
        return found

    def raised(self, kind: str) -> dict[str, str]:
        """By subject, what a console says."""
        for message in self.broker.passed[self._heard :]:
            self.model.take(self._heard, [Incoming(message.topic, message.payload)])
            self._heard += 1
        self.model.tick(self._heard)
        current = self.model.alarms.current()
        return {alarm.subject: str(alarm.text) for alarm in current if alarm.kind == kind}

    async def known(self, *nodes: str) -> None:
        """Wait until others know how far these have come."""
        for node in nodes:
            position = self.store.value(node, "SELECT position FROM database")
            for other in {*ROLES, "terminal-1"} - {node}:
                looking = partial(self._knows, other, node, position)
                await eventually(looking, f"{other} knows {node}")

    def _knows(self, other: str, node: str, position: int) -> bool:
        query = "SELECT 1 FROM peer WHERE node = ? AND position >= ?"
        return bool(self.store.rows(other, query, node, position))

    async def exchange(self, name: str, aside: Path, back: Path | None = None) -> None:
        """Stop a node, move its database away, perhaps put another there, and start it again."""
        await self.store.stop(name)
        _move(self.store.deployment.data, aside, name)
        if back is not None:
            _copy(back, self.store.deployment.data, name)
        await self.store.start(name)


def _move(source: Path, target: Path, name: str) -> None:
    target.mkdir()
    for file in source.glob(f"{name}.db*"):
        shutil.move(file, target)


def _copy(source: Path, target: Path, name: str) -> None:
    for file in source.glob(f"{name}.db*"):
        shutil.copy(file, target)


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    broker = FaultyBroker()
    async with running_store(broker, tmp_path / "data", settings=OFTEN) as store:
        await store.reminded((await store.buy({"MUG": 1})).order)
        await store.quiet()
        yield Hall(store, broker)


async def test_a_database_that_was_moved_away_is_told_until_it_is_back(
    hall: Hall, tmp_path: Path
) -> None:
    await hall.known("warehouse")
    await hall.exchange("warehouse", tmp_path / "right")
    everybody = {"catalog", "settlement", "terminal-1", "sorter-1", "warehouse"}
    await eventually(
        lambda: hall.told("database-replaced") == {"warehouse": everybody}, "everybody says so"
    )
    (said,) = hall.raised("database-replaced").values()
    assert said.startswith("warehouse has another database than ")
    await hall.exchange("warehouse", tmp_path / "wrong", tmp_path / "right")
    others = everybody - {"warehouse"}
    await eventually(
        lambda: not hall.told("database-replaced").get("warehouse", set()) & others,
        "the others are content",
    )


async def test_an_older_copy_of_a_database_is_told(hall: Hall, tmp_path: Path) -> None:
    store = hall.store
    await hall.exchange("settlement", tmp_path / "old")
    await hall.exchange("settlement", tmp_path / "empty", tmp_path / "old")  # a copy is kept
    receipt = await store.buy({"MUG": 2})
    await store.reminded(receipt.order)
    await store.quiet()
    await hall.known("settlement")
    await hall.exchange("settlement", tmp_path / "newest", tmp_path / "old")
    await eventually(lambda: "settlement" in hall.told("database-older"), "somebody says so")
    assert "settlement" in hall.raised("database-older")
    with pytest.raises(Refused, match="There is no order"):
        await store.ask(ORDER, "settlement", OrderQuery(order=receipt.order))


async def test_a_whole_store_on_an_empty_folder_is_told_by_who_has_another_folder(
    hall: Hall, tmp_path: Path
) -> None:
    await hall.known(*ROLES)
    for name in ROLES:
        await hall.exchange(name, tmp_path / name)
    await eventually(
        lambda: (
            {node for node, by in hall.told("database-replaced").items() if "terminal-1" in by}
            == set(ROLES)
        ),
        "the terminal says so",
    )
    assert hall.raised("database-replaced").keys() == set(ROLES)


async def test_a_console_that_has_seen_an_order_tells_that_settlement_does_not_know_it(
    hall: Hall, tmp_path: Path
) -> None:
    order = hall.store.value("settlement", "SELECT id FROM orders")
    assert not hall.raised("database-older")
    await hall.exchange("settlement", tmp_path / "right")
    with pytest.raises(Refused, match="There is no order"):
        await hall.store.ask(ORDER, "settlement", OrderQuery(order=order))
    assert "settlement" in hall.raised("database-older")


async def test_a_role_that_does_not_know_what_it_must_know_is_told(hall: Hall) -> None:
    settlement = hall.store.nodes["settlement"]
    await settlement.decide(_commit)
    await eventually(lambda: hall.told("database-older").get("catalog") == {"settlement"}, "it")
    assert "catalog" in hall.raised("database-older")


def _commit(unit: UnitOfWork) -> None:
    unit.send(COMMIT, "catalog", OrderOnly(order="o-0000000000"))
