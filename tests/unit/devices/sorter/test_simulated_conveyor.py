"""A simulated machine takes as long as a real one would, whatever becomes of the clock."""

import asyncio
from pathlib import Path

import pytest
from clocks import DAY, Host

from bus.contract.sorter import PickLine
from devices.sorter.drivers import Movement, SimulatedConveyor
from devices.sorter.layout import Layout
from testing.kit.virtual_time import VirtualLoop

PACKING = Movement(
    job="j-1", assignment=1, step="packing", pickup_point="north",
    pick=PickLine(sku="MUG", location="A-01-1", quantity=1),
)  # fmt: skip


@pytest.mark.parametrize("set_by", [0, 3 * DAY, -DAY])
def test_a_movement_that_a_crash_interrupted_goes_on_though_the_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_by: int
) -> None:
    host = Host()
    monkeypatch.setattr("devices.sorter.drivers.simulated.Environment", host.process)

    async def moves() -> float:
        for _ in range(2):
            conveyor = SimulatedConveyor(Layout(pack_ms=6_000), tmp_path / "sorter-1.jsonl")
            begun = asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(0 if host.up == 1_000_000 else None):
                    await conveyor.perform("j-1.1.0.packing", PACKING)
            except TimeoutError:
                host.pass_(2_000)
                host.set_clock(set_by)
            finally:
                conveyor.close()
        return asyncio.get_running_loop().time() - begun

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(moves()) == pytest.approx(4.0)
