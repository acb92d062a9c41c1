"""A simulated conveyor: it takes the time of a real one, and records what it has moved.

Like a real machine it continues where it was: since it records each movement that it begins, a
sorter that crashed and asks again does not make it move twice.
"""

import asyncio
from pathlib import Path

from bus.runtime.clock import passed_since
from bus.runtime.environment import Environment
from bus.storage.effect_log import EffectLog
from devices.sorter.drivers.movement import DeviceReading, Movement, Report
from devices.sorter.layout import Layout


class SimulatedConveyor:
    """A simulated machine.

    Args:
        layout: how long travelling, picking and packing take.
        record: the file of its movements.
        speed: how many times faster than the layout says; if infinite, nothing takes time.
    """

    def __init__(self, layout: Layout, record: Path, speed: float = 1.0) -> None:
        self._layout = layout
        self._speed = speed
        self._environment = Environment()
        self._begun = EffectLog(record)
        self._cycles = 0
        self._report: Report = lambda _: None

    def listen(self, report: Report) -> None:
        """Report its cycles, the movements begun since it was switched on."""
        self._report = report

    async def perform(self, key: str, movement: Movement) -> int | None:
        """Take as long as the movement does, counted from when it first began.

        Setting the wall clock meanwhile makes no difference.
        """
        begun = self._begun.get(key)
        if begun is None:
            begun = self._begun.write(
                key,
                at=self._environment.now(),
                host=self._environment.host(),
                uptime=self._environment.uptime(),
                job=movement.job,
                step=movement.step,
                location=movement.pick.location,
                sku=movement.pick.sku,
                quantity=movement.pick.quantity,
                found=self._found(movement),
                pickup_point=movement.pickup_point,
            )
            self._cycles += 1
            self._report(DeviceReading("cycles", self._cycles))
        took = passed_since(  # of a movement that an earlier release began, only `at` is known
            self._environment, begun.get("host", ""), begun.get("uptime", 0), begun["at"]
        )
        left = self._duration(movement) / self._speed - took
        await asyncio.sleep(max(0.0, left / 1000))
        found: int | None = begun.get("found")
        return found

    def close(self) -> None:
        """Close the machine's file."""
        self._begun.close()

    def _found(self, movement: Movement) -> int | None:
        """The pieces that a pick takes; None for other steps."""
        if movement.step != "picking":
            return None
        pick = movement.pick
        return min(pick.quantity, self._layout.finds.get(pick.location, pick.quantity))

    def _duration(self, movement: Movement) -> int:
        """In milliseconds."""
        travel = self._layout.travel_ms(movement.pick.location, movement.pickup_point)
        return {
            "travelling": travel,
            "picking": self._layout.pick_ms,
            "conveying": travel,
            "packing": self._layout.pack_ms,
        }[movement.step]
