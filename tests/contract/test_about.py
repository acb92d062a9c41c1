"""What a node says of itself to whoever asks: where it runs, what it counted, what went wrong."""

import logging
import os
import socket
from pathlib import Path

import pytest
from running_store import FAST, FaultyBroker, Store, eventually, running_store

from bus.contract.every import ABOUT, MAX_ERRORS, About
from bus.contract.values import Empty


async def _about(store: Store, name: str) -> About:
    answer = await store.ask(ABOUT, name, Empty())
    assert isinstance(answer, About)
    return answer


async def test_a_node_tells_where_it_runs_and_what_it_has_counted(tmp_path: Path) -> None:
    async with running_store(FaultyBroker(), tmp_path, settings=FAST) as store:
        about = await _about(store, "catalog")
        assert about.host == socket.gethostname()
        assert about.process == os.getpid()
        assert about.data == str(tmp_path)
        assert about.connections == 1
        assert about.counts["said"] >= about.counts["answered"] > 0
        again = await _about(store, "catalog")
        assert again.counts["said"] > about.counts["said"]


async def test_a_node_tells_what_it_has_logged_and_how_often_it_has_connected(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = FaultyBroker()
    async with running_store(broker, tmp_path, settings=FAST) as store:
        assert (await _about(store, "catalog")).errors == []
        for link in list(broker.links):
            if link.will and "/catalog/" in link.will.topic:
                link.lose()
        await eventually(lambda: "connected again" in caplog.text, "another connection")
        about = await _about(store, "catalog")
        assert about.connections == 2
        lost, again = (each.detail for each in about.errors)
        assert lost.endswith("; trying again")
        assert again.endswith(": connected again")
        assert (await _about(store, "warehouse")).errors == []


async def test_the_last_errors_are_a_few_short_lines(tmp_path: Path) -> None:
    async with running_store(FaultyBroker(), tmp_path, settings=FAST) as store:
        log = logging.getLogger("storebus.node")
        for number in range(MAX_ERRORS + 5):
            log.error("%s: %s\n\x1b[31m%s", "catalog", number, "x" * 500)
        errors = (await _about(store, "catalog")).errors
    assert [each.detail.split("␊")[0] for each in errors] == [str(5 + n) for n in range(MAX_ERRORS)]
    assert all(len(each.detail) == 200 and "\x1b" not in each.detail for each in errors)


def test_a_device_need_not_say_so() -> None:
    small = {"node": "sorter-9", "role": "sorter", "boot": "1", "version": "1", "counts": {},
             "since": "2026-11-29T12:00:00Z", "operations": [], "outbox": 0}  # fmt: skip
    about = About.model_validate(small)
    assert (about.host, about.process, about.connections, about.errors) == (None, None, None, [])
