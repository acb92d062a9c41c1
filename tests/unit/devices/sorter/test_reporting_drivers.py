"""A machine reports readings and faults by itself, also while it is asked for nothing."""

import asyncio
from pathlib import Path

import pytest

from bus.contract.sorter import PickLine
from devices.sorter.drivers import (
    DeviceReading,
    MachineFault,
    Movement,
    Report,
    ReportingDriver,
    SimulatedConveyor,
)
from devices.sorter.layout import Layout
from devices.sorter.role import Sorter

PICKING = Movement(
    job="j-1", assignment=1, step="picking", pickup_point="north",
    pick=PickLine(sku="MUG", location="A-01-1", quantity=2),
)  # fmt: skip


class Lift:
    """A machine with sensors; its steps take until they are let go on."""

    def __init__(self) -> None:
        self.report: Report
        self.begun = asyncio.Event()
        self.free = asyncio.Event()
        self.stopped = False

    def listen(self, report: Report) -> None:
        """Take the function to report to."""
        self.report = report

    async def perform(self, key: str, movement: Movement) -> int | None:  # noqa: ARG002
        """Wait until it is let go on."""
        self.begun.set()
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise
        return 1


async def test_a_reading_is_told_whatever_the_machine_is_doing() -> None:
    lift, told = Lift(), list[DeviceReading]()
    sorter = Sorter(lift, told.append)
    lift.report(DeviceReading("motor temperature", 41.5, "°C"))
    step = asyncio.create_task(sorter._perform("k", PICKING))
    await lift.begun.wait()
    lift.report(DeviceReading("motor temperature", 44.0, "°C"))
    lift.free.set()
    assert await step == 1
    assert [each.value for each in told] == [41.5, 44.0]


async def test_a_fault_that_is_reported_ends_the_step_that_is_under_way() -> None:
    lift = Lift()
    sorter, fault = Sorter(lift), MachineFault("a door is open")
    step = asyncio.create_task(sorter._perform("k", PICKING))
    await lift.begun.wait()
    lift.report(fault)
    assert await step is fault
    assert lift.stopped


async def test_a_fault_of_an_idle_machine_fails_the_next_step_and_no_other() -> None:
    lift = Lift()
    sorter, fault = Sorter(lift), MachineFault("a door is open")
    lift.report(fault)
    assert await sorter._perform("k", PICKING) is fault
    assert not lift.begun.is_set()
    lift.free.set()
    assert await sorter._perform("k", PICKING) == 1


async def test_a_step_that_is_cancelled_by_the_sorter_itself_is_no_fault() -> None:
    lift = Lift()
    step = asyncio.create_task(Sorter(lift)._perform("k", PICKING))
    await lift.begun.wait()
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    await asyncio.sleep(0)  # the machine's own task ends
    assert lift.stopped


async def test_the_simulated_conveyor_reports_its_cycles(tmp_path: Path) -> None:
    conveyor = SimulatedConveyor(Layout(), tmp_path / "sorter-1.jsonl", float("inf"))
    assert isinstance(conveyor, ReportingDriver)
    told: list[DeviceReading] = []
    sorter = Sorter(conveyor, told.append)
    try:
        for key in ("a", "b", "b"):  # what is done is not done again
            assert await sorter._perform(key, PICKING) == 2
    finally:
        conveyor.close()
    assert told == [DeviceReading("cycles", 1), DeviceReading("cycles", 2)]
