"""A sorter's machine in the simulation's time: goes on where it was when its sorter crashed."""

import asyncio
from collections import Counter

from devices.sorter.drivers import MachineFault, Movement
from simulation.trace import Trace
from simulation.weather import Chances, Weather, happens

_USUAL = (0.1, 3.0)
"""Seconds a movement takes, from and to."""
_SLOW = 30.0
"""The most seconds longer that it takes when something drags."""


class Machine:
    """The conveyor of one sorter; it outlives the sorter's process."""

    def __init__(self, name: str, weather: Weather, chances: Chances, trace: Trace) -> None:
        self.stormy = False
        self.begun: dict[str, float] = {}
        """When each movement is, or was, done."""
        self.moved: Counter[tuple[str, str, str]] = Counter()
        """How often a step was begun: job and assignment, step, and what is moved."""
        self._jammed: set[str] = set()
        self._name = name
        self._weather = weather
        self._chance = chances[f"machine/{name}"]
        self._trace = trace

    async def perform(self, key: str, movement: Movement) -> None:
        """Take as long as it takes, counted from when it first began."""
        now = asyncio.get_running_loop().time()
        if key not in self.begun:
            lasting = self._chance.uniform(*_USUAL)
            if self.stormy and happens(self._chance, self._weather.machine):
                lasting += self._chance.uniform(0, _SLOW)
            self.begun[key] = now + lasting
            job = f"{movement.job}.{movement.assignment}"
            self.moved[job, movement.step, movement.pick.model_dump_json()] += 1
            if self.stormy and happens(self._chance, self._weather.jam):
                self._jammed.add(key)
            self._trace.note("moves", self._name, f"{movement.step} for {key}")
        await asyncio.sleep(max(0.0, self.begun[key] - now))
        if key in self._jammed:
            self._trace.note("jams", self._name, key)
            raise MachineFault("something is stuck")
