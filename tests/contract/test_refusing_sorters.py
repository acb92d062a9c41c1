"""A sorter that refuses whatever it is given: the warehouse tries again, and says so."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from running_store import FAST, FaultyBroker, eventually, running_store

from bus.contract.errors import Unavailable
from bus.contract.sorter import ABORT, PICK, Abort, Aborted, Pick, PickReply
from bus.contract.topics import Topics
from bus.runtime.node import Node
from bus.runtime.requests import Request
from bus.runtime.role import Role
from bus.runtime.unit_of_work import UnitOfWork
from devices.sorter.store import SCHEMA as SORTER
from nodes.warehouse.settings import WarehouseSettings

SOON = WarehouseSettings(refusal_pause=0.05, fault_pause=30)


def _not_now(_: UnitOfWork, __: Request[Pick]) -> PickReply:
    raise Unavailable("the lid is open")


def _never(_: UnitOfWork, request: Request[Pick]) -> PickReply:
    return PickReply(job=request.data.job, accepted=False, reason="the lid is open")


def _abort(_: UnitOfWork, request: Request[Abort]) -> Aborted:
    return Aborted(job=request.data.job, taken=[])


@pytest.mark.parametrize("refuse", [_not_now, _never])
async def test_a_sorter_that_refuses_every_job_is_told_with_its_reason_until_it_takes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refuse: Callable[..., PickReply]
) -> None:
    monkeypatch.setattr("bus.runtime.service_watch._SILENT", 300)
    monkeypatch.setattr("nodes.warehouse.troubles._REFUSING", 300)
    broker = FaultyBroker()
    answering = [refuse]

    def pick(unit: UnitOfWork, request: Request[Pick]) -> PickReply:
        return answering[0](unit, request)

    def told() -> list[tuple[str, str]]:
        state = broker.retained[Topics("main").state("warehouse", "alarms")]
        return [
            (alarm["subject"], alarm["values"]["reason"])
            for alarm in json.loads(state.payload)["data"]["alarms"]
            if alarm["kind"] == "refuses"
        ]

    role = Role(kind="sorter", schemas=(SORTER,), commands={PICK: pick, ABORT: _abort})
    async with running_store(broker, tmp_path, settings=FAST, sorters=0, warehouse=SOON) as store:
        sorter = Node("sorter-9", role, store.deployment)
        running = asyncio.create_task(sorter.run())
        await sorter.ready.wait()
        await store.buy({"MUG": 1})
        await eventually(lambda: told() == [("sorter-9", "the lid is open")], "the alarm")
        answering[0] = lambda _, request: PickReply(job=request.data.job, accepted=True)
        await eventually(lambda: not told(), "the end of it")
        sorter.stop()
        await running
