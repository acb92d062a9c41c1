"""A sorter's machine in the simulation's time: goes on where it was when its sorter crashed."""

import asyncio
from collections import Counter
from pathlib import Path

from bus.storage.effect_log import EffectLog
from devices.sorter.drivers import MachineFault, Movement
from simulation.trace import Trace
from simulation.weather import Chances, Weather, happens

_USUAL = (0.1, 3.0)
"""Seconds a movement takes, from and to."""
_SLOW = 30.0
"""The most seconds longer that it takes when something drags."""


class Machine:
    """The conveyor of one sorter; it outlives the sorter's process.

    Args:
        name: of the sorter.
        data: the folder of its record.
        weather: how often it drags, jams, and finds fewer pieces than the books say.
        chances: by which.
        trace: where it tells what it does.
    """

    def __init__(
        self, name: str, data: Path, weather: Weather, chances: Chances, trace: Trace
    ) -> None:
        self.stormy = False
        self.stops_at = ""
        """The step that it does not come to the end of, whatever the weather."""
        self.jams_at = ""
        """The step that it cannot do."""
        self.trouble = "something is stuck"
        """What it says when it jams."""
        self.finds: int | None = None
        """The most pieces that a pick finds."""
        self.busy_until = 0.0
        """When the last movement that was begun is done."""
        self.moved: Counter[tuple[str, str, str]] = Counter()
        """How often a step was begun: job and assignment, step, and what is moved."""
        self._done = EffectLog(data / f"{name}.conveyor.jsonl")
        self._name = name
        self._weather = weather
        self._chance = chances[f"machine/{name}"]
        self._trace = trace

    async def perform(self, key: str, movement: Movement) -> int | None:
        """Take as long as it takes, counted from when it first began."""
        now = asyncio.get_running_loop().time()
        if self._done.get(key) is None:
            self._begin(key, movement, now)
        begun = self._done.get(key)
        assert begun is not None
        await asyncio.sleep(max(0.0, begun["due"] - now))
        if movement.step == self.stops_at:
            await asyncio.Event().wait()
        if begun["jams"] or movement.step == self.jams_at:
            self._trace.note("jams", self._name, key)
            raise MachineFault(self.trouble)
        found: int | None = begun["found"]
        return self.finds if movement.step == "picking" and found is None else found

    def close(self) -> None:
        """Close its record."""
        self._done.close()

    def _begin(self, key: str, movement: Movement, now: float) -> None:
        chance, pick = self._chance, movement.pick
        due, jams, found = now + chance.uniform(*_USUAL), False, None
        if self.stormy:
            if happens(chance, self._weather.machine):
                due += chance.uniform(0, _SLOW)
            jams = happens(chance, self._weather.jam)
            if movement.step == "picking" and happens(chance, self._weather.short):
                found = chance.randrange(pick.quantity)
        self.busy_until = max(self.busy_until, due)
        job = f"{movement.job}.{movement.assignment}"
        self.moved[job, movement.step, pick.model_dump_json()] += 1
        self._done.write(
            key, step=movement.step, sku=pick.sku, quantity=pick.quantity, found=found,
            due=due, jams=jams,
        )  # fmt: skip
        less = "" if found is None else f", finds {found} of {pick.quantity} {pick.sku}"
        self._trace.note("moves", self._name, f"{movement.step} for {key}{less}")
