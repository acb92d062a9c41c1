"""One simulation, from the first node's start to the verdict."""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bus.contract.errors import StorebusError
from simulation.checks import broken
from simulation.clerk import clerking
from simulation.customers import shopping
from simulation.operator import Operator
from simulation.plan import Plan
from simulation.probe import probe
from simulation.store import SimulatedStore
from simulation.storm import storm
from simulation.weather import drawn
from testing.kit.virtual_time import DeadlockError, VirtualLoop, milliseconds

_WINDOW = 60.0
"""Seconds within which the customers come."""
_SILENCE = 100.0
"""Seconds without a request or reply after which nothing more is to come: every command would
have been repeated by then."""
_PATIENCE = 900.0
"""Seconds after the storm within which everything must have come to rest."""
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


@dataclass(frozen=True, slots=True)
class SimulationOutcome:
    """What became of a simulation."""

    plan: Plan
    broken: tuple[str, ...]
    """The promises that were not kept, in sentences."""
    seconds: float
    """Virtual."""
    digest: str
    """The hash of its history."""
    story: tuple[str, ...]
    """What happened, if a promise was broken."""


def simulate(plan: Plan, operator: Operator | None = None) -> SimulationOutcome:
    """Run a simulation, perhaps watched; the same plan has the same history."""
    with folder() as data, silence(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_live(plan, data, operator))


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for the databases of a simulation, in memory where that can be."""
    prefix = "storebus-simulation-"
    try:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_IN_MEMORY))
    except OSError:  # it is not there, or not for this user
        folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def silence() -> Iterator[None]:
    """What nodes log goes nowhere: errors are taken up by the store itself."""
    logger = logging.getLogger("storebus")
    before, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.propagate = before


async def _live(plan: Plan, data: Path, operator: Operator | None) -> SimulationOutcome:
    store = SimulatedStore(plan.seed, drawn(plan.seed, plan.without), data)
    asyncio.get_running_loop().set_exception_handler(store.unexpected)
    with store.listening():
        try:
            found = await _day(plan, store, operator)
        except DeadlockError:
            found = ["I4: everybody waits for somebody else"]
        except StorebusError as error:
            found = [f"I4: the store could not be opened: {error!r}"]
    found += [f"defect: {each}" for each in dict.fromkeys(store.complaints)]
    story = tuple(store.trace.story()) if found else ()
    seconds = asyncio.get_running_loop().time()
    return SimulationOutcome(plan, tuple(found), seconds, store.trace.digest(), story)


async def _day(plan: Plan, store: SimulatedStore, operator: Operator | None) -> list[str]:
    """Open, sell in the storm, come to rest, close, and count."""
    watching = None if operator is None else operator.begin(store)
    await store.open()
    store.trace.begin()
    clerk = asyncio.create_task(clerking(store))
    visits = asyncio.create_task(shopping(store, plan.customers, _WINDOW))
    await storm(store, plan.storm)
    found = await _rest(store, visits)
    store.trace.told()
    if watching is not None:
        await end(watching)
    found += await probe(store)
    await end(clerk)
    closing = milliseconds()
    await store.close()
    return [*found, *broken(store, closing)]


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait until it is over."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _rest(store: SimulatedStore, visits: asyncio.Task[None]) -> list[str]:
    """Wait until nobody has said anything for long."""
    loop = asyncio.get_running_loop()
    for name in store.names:
        await store.up(name)
    quiet_since = loop.time()
    until = quiet_since + _PATIENCE
    found: list[str] = []
    while loop.time() - max(quiet_since, store.network.said_at) < _SILENCE or store.busy():
        await asyncio.sleep(5)
        if loop.time() > until:
            found.append(f"I4: the store did not come to rest within {_PATIENCE:g} s")
            break
    visits.cancel()  # who has cancelled may wait for a reminder that never comes
    await asyncio.gather(visits, return_exceptions=True)
    return found
