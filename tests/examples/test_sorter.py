"""The example of a sorter: each job once, told until heard. The test plays the warehouse."""

import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from device_process import SORTER, Device, device, host_and_port
from needs import ENGINE
from raw_client import RawClient, Received, raw_over_mqtt
from running_store import RunBroker

_numbers = itertools.count(1)
PICKS = [
    {"sku": "OXF-BLU-M", "location": "A-01-2", "quantity": 2},
    {"sku": "CAN-40", "location": "B-01-4", "quantity": 1},
]
LINES = [{"sku": "OXF-BLU-M", "quantity": 2}, {"sku": "CAN-40", "quantity": 1}]


class Warehouse:
    """Gives jobs to one sorter."""

    def __init__(self, raw: RawClient, name: str, sorter: Device) -> None:
        self.raw = raw
        self.name = name
        self.sorter = sorter

    async def begin(self, seconds: str) -> None:
        """Start the sorter, whose steps take so long; returns when it listens."""
        await self.sorter.start(seconds)
        presence = self.raw.topics.state(self.name, "presence")
        await self.raw.expect(presence, lambda each: each.data["status"] == "online")

    async def ask(self, operation: str, identifier: str, data: Mapping[str, Any]) -> Received:
        """Ask the sorter, and await its answer."""
        request = self.raw.topics.request("warehouse", self.name, operation)
        await self.raw.publish(request, {"id": identifier, "data": data})
        return await self.raw.expect(self.raw.topics.reply("warehouse", self.name, operation))

    async def pick(self, identifier: str, job: str, assignment: int = 1) -> Received:
        """Give it a job."""
        data = {"job": job, "assignment": assignment, "order": f"o-{job}", "picks": PICKS}
        return await self.ask("pick", identifier, data | {"pickup_point": "north"})

    async def report(self) -> Received:
        """The next time it says that a parcel is packed."""
        return await self.raw.expect(self.raw.topics.request(self.name, "warehouse", "packed"))

    async def heard(self, report: Received) -> None:
        """Tell it that it was heard."""
        await self.raw.publish(
            self.raw.topics.reply(self.name, "warehouse", "packed"),
            {
                "id": "w",
                "correlationid": report.document["id"],
                "data": {"job": report.data["job"]},
            },
        )

    async def until_step(self, step: str) -> dict[str, Any]:
        """Wait until it shows this step."""
        topic = self.raw.topics.state(self.name, "job")
        shown = await self.raw.expect(topic, lambda each: each.data["step"] == step)
        data: dict[str, Any] = shown.data
        return data


@pytest.fixture
async def warehouse(run_broker: RunBroker, tmp_path: Path) -> AsyncIterator[Warehouse]:
    url, name = run_broker(ENGINE).url_v311, f"sorter-{next(_numbers)}"
    async with (
        raw_over_mqtt(url, "main", "tester-warehouse") as raw,
        device(SORTER, tmp_path / "sorter", *host_and_port(url), name) as sorter,
    ):
        yield Warehouse(raw, name, sorter)


@pytest.fixture
def sorter(warehouse: Warehouse) -> Device:
    return warehouse.sorter


async def test_a_job_is_done_once_and_its_parcel_told_until_the_warehouse_has_heard(
    warehouse: Warehouse, sorter: Device
) -> None:
    await warehouse.begin("0")
    first = await warehouse.pick("1", "j-1")
    assert first.data == {"job": "j-1", "accepted": True}
    assert (await warehouse.pick("1", "j-1")).payload == first.payload  # a duplicate
    assert (await warehouse.pick("2", "j-1")).data == first.data  # asked anew
    steps = [(await sorter.line()).split()[0] for _ in range(7)]
    assert steps == ["travelling", "picking"] * 2 + ["conveying", "packing", "done"]
    done = await warehouse.until_step("done")
    assert (done["job"], done["order"], done["picks"]) == ("j-1", "o-j-1", 2)

    report, again = await warehouse.report(), await warehouse.report()
    assert report.payload == again.payload
    assert report.data.pop("parcel")
    assert report.data["lines"] == LINES
    await warehouse.heard(report)
    assert await sorter.line() == "packed j-1"
    await warehouse.until_step("idle")


async def test_killed_in_the_middle_it_goes_on_and_packs_one_parcel(
    warehouse: Warehouse, sorter: Device
) -> None:
    await warehouse.begin("0.3")
    await warehouse.pick("1", "k-1")
    await sorter.lines_until("conveying")
    await sorter.kill()
    await warehouse.begin("0")
    lines = await sorter.lines_until("done")
    assert not [line for line in lines if line.startswith(("travelling", "picking"))]
    first = await warehouse.report()
    await sorter.kill()
    await warehouse.begin("0")  # the warehouse has not answered: it is told again, of one parcel
    assert (await warehouse.report()).payload == first.payload
    await warehouse.heard(first)
    await sorter.lines_until("packed k-1")
    assert (await warehouse.pick("1", "k-1")).data == {"job": "k-1", "accepted": True}
    assert (await warehouse.pick("2", "k-2")).data == {"job": "k-2", "accepted": True}
    assert (await sorter.line()) == "travelling k-2"  # and nothing of the first


async def test_a_busy_sorter_takes_no_other_job_and_keeps_to_that_answer(
    warehouse: Warehouse,
) -> None:
    await warehouse.begin("60")
    assert (await warehouse.pick("1", "b-1")).data["accepted"] is True
    assert (await warehouse.pick("2", "b-2")).data["accepted"] is False
    stopped = await warehouse.ask("abort", "3", {"job": "b-1", "assignment": 1})
    assert stopped.data == {"job": "b-1", "taken": []}
    assert (await warehouse.pick("2", "b-2")).data["accepted"] is False  # the same message
    assert (await warehouse.pick("4", "b-1")).data["accepted"] is False  # aborted for good
    assert (await warehouse.pick("5", "b-1", 2)).data["accepted"] is True  # assigned anew
    reused = await warehouse.pick("5", "b-9")
    assert (reused.data["status"], reused.data["code"]) == (409, "id-reused")


async def test_an_older_assignment_and_one_that_was_aborted_before_it_came_are_refused(
    warehouse: Warehouse, sorter: Device
) -> None:
    await warehouse.begin("0")
    gone = await warehouse.ask("abort", "1", {"job": "a-1", "assignment": 3})
    assert gone.data == {"job": "a-1", "taken": []}
    for identifier, assignment in (("2", 3), ("3", 2)):
        late = await warehouse.pick(identifier, "a-1", assignment)
        assert late.data == {"job": "a-1", "accepted": False}
    assert (await warehouse.pick("4", "a-1", 4)).data["accepted"] is True
    report = await warehouse.report()
    await warehouse.heard(report)
    await sorter.lines_until("packed")
    stopped = await warehouse.ask("abort", "5", {"job": "a-1", "assignment": 4})
    assert stopped.data == {"job": "a-1", "taken": LINES}  # somebody else brings it now


async def test_only_the_warehouse_gives_jobs_and_nothing_wrong_ends_the_sorter(
    warehouse: Warehouse,
) -> None:
    await warehouse.begin("0")
    raw = warehouse.raw
    foreign = {"source": "/main/warehouse", "id": "1", "data": {"job": "f", "assignment": 1}}
    await raw.publish(raw.topics.request("terminal-1", warehouse.name, "pick"), foreign)
    refused = await raw.expect(raw.topics.reply("terminal-1", warehouse.name, "pick"))
    assert refused.data["code"] == "forbidden"
    await raw.publish(raw.topics.request("warehouse", warehouse.name, "pick"), b"nonsense")
    assert (await warehouse.ask("pick", "1", {"job": "f"})).data["code"] == "invalid-field"
    assert (await warehouse.ask("dance", "2", {})).data["code"] == "unknown-operation"
    assert (await warehouse.pick("3", "f-1")).data["accepted"] is True
