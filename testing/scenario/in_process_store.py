"""A whole store in this process, for one scenario: its nodes are tasks that can crash."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bus.contract.channel import ROLES, role_of
from bus.contract.errors import BrokerError, ConfigurationError
from bus.contract.warehouse import PickupPoint, PickupPoints
from bus.link import Connector, Outgoing
from bus.runtime.deployment import Deployment
from bus.runtime.environment import Environment
from bus.runtime.lease import Lease
from bus.runtime.node import Node
from bus.runtime.settings import RuntimeSettings
from bus.storage.journal import Journal
from devices.sorter.drivers import SimulatedConveyor
from devices.sorter.layout import Layout
from devices.terminal.role import Terminal
from nodes.settlement.acquirer.client import Acquirer
from store.roles import RoleFactory, simulated_acquirer
from testing.kit.virtual_time import VirtualEnvironment, VirtualLease
from testing.scenario.fault_injection import FaultInjector, FaultyConnector
from testing.scenario.model import StoreSpec

POINTS = PickupPoints(
    points=[PickupPoint(id="north", name="North door"), PickupPoint(id="south", name="South door")],
    default="north",
)
LOCATIONS = ("A-01-1", "A-02-1", "B-01-1")
"""The locations of its warehouse."""
_PATIENCE = 20.0
"""Seconds that a node may take to start or end."""
_SOON = RuntimeSettings(
    retry_first=0.2, retry_limit=1.0, query_retry=0.2, reconnect_limit=0.2, takeover_wait=0.5
)
"""Short retries, so that a scenario with lost messages does not take long."""
_RARELY = RuntimeSettings(show_again=86_400.0, retry_limit=300.0)
"""Rare retries, so that days of virtual time are not filled with repeated messages."""


@dataclass(frozen=True, slots=True)
class TimeMode:
    """How time passes in a store: real or virtual."""

    environment: Callable[[str], Environment]
    """The environment for one start of a node, by a name that is used only once."""
    journal: Callable[..., Journal]
    lease: type[Lease]
    settings: RuntimeSettings


# A crash is the end of a process, not of the machine's power: commits need not survive that.
REAL = TimeMode(lambda _: Environment(), partial(Journal, durable=False), Lease, _SOON)
VIRTUAL = TimeMode(
    VirtualEnvironment, partial(Journal, durable=False, threaded=False), VirtualLease, _RARELY
)


class InProcessStore:
    """A store that is started for one scenario, within this process.

    Args:
        connector: to the broker.
        site: of its own.
        data: the folder of its databases.
        wants: the store section of the scenario.
        faults: injected into its messages.
        time: real or virtual.
        say_will: publishes the last will of a node that crashed, as the broker would.
    """

    def __init__(
        self, connector: Connector, site: str, data: Path, wants: StoreSpec, faults: FaultInjector,
        time: TimeMode, say_will: Callable[[Outgoing], object],
    ) -> None:  # fmt: skip
        self._connector, self._site, self._data, self._wants = connector, site, data, wants
        self._faults, self._time, self._say_will = faults, time, say_will
        self._acquirer: Acquirer | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._nodes: dict[str, Node] = {}
        self._ends: dict[str, FaultyConnector] = {}
        self._crashing: set[asyncio.Task[None]] = set()
        self._starts = 0
        self._machines: dict[str, SimulatedConveyor] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator["InProcessStore"]:
        """Run all nodes within the block, and stop them at its end."""
        async with _acquirer(self._data, wanted=self._wants.cards) as self._acquirer:
            try:
                await self.start(*self._names())
                yield self
            finally:
                await self._close()

    def _names(self) -> list[str]:
        sorters = [f"sorter-{number + 1}" for number in range(self._wants.sorters)]
        terminals = [f"terminal-{number + 1}" for number in range(self._wants.terminals)]
        return [*sorted(ROLES), *sorters, *terminals]

    def running(self) -> list[str]:
        """Which nodes are up."""
        return [name for name, task in self._tasks.items() if not task.done()]

    async def start(self, *names: str) -> None:
        """Start nodes, and wait until they answer.

        Raises:
            ConfigurationError: there is no such node, or it already runs.
        """
        await self._crashed()
        for name in names:
            if name in self.running():
                raise ConfigurationError(f"{name} runs already.")
            run = self._build(name)
            self._tasks[name] = asyncio.create_task(run(), name=name)
        for name in names:
            ready = asyncio.create_task(self._nodes[name].ready.wait())
            await asyncio.wait(
                {ready, self._tasks[name]}, return_when="FIRST_COMPLETED", timeout=_PATIENCE
            )
            ready.cancel()
            if self._tasks[name].done():
                await self._tasks.pop(name)
            elif not self._nodes[name].ready.is_set():
                raise BrokerError(f"{name} did not come up within {_PATIENCE:g} s.")

    async def stop(self, name: str) -> None:
        """Stop a node cleanly.

        Raises:
            ConfigurationError: it does not run.
        """
        task = self._task(name)
        self._nodes[name].stop()
        async with asyncio.timeout(_PATIENCE):
            await task

    async def crash(self, name: str) -> None:
        """Crash a node, and wait until it is gone.

        Raises:
            ConfigurationError: it does not run.
        """
        self.crash_soon(name)
        await self._crashed()

    def crash_soon(self, name: str) -> None:
        """Crash a node at once, in the middle of what it does, without waiting.

        Raises:
            ConfigurationError: it does not run.
        """
        task, end = self._task(name), self._ends[name]
        end.dead = True
        task.cancel()

        async def vanish() -> None:
            with suppress(asyncio.CancelledError):
                await task
            if end.will is not None:
                self._say_will(end.will)

        self._crashing.add(asyncio.create_task(vanish(), name=f"{name}/crash"))

    def _task(self, name: str) -> asyncio.Task[None]:
        if name not in self.running():
            raise ConfigurationError(f"{name} does not run.")
        return self._tasks.pop(name)

    async def _crashed(self) -> None:
        """Wait until all nodes that crash are gone."""
        crashing, self._crashing = self._crashing, set()
        for task in crashing:
            await task

    def _build(self, name: str) -> Callable[[], Coroutine[Any, Any, None]]:
        self._starts += 1
        end = self._ends[name] = FaultyConnector(self._connector, self._faults)
        time = self._time
        environment = partial(time.environment, f"{self._site}/{name}/{self._starts}")
        deployment = Deployment(
            end, self._site, self._data, time.settings, environment, time.journal, time.lease
        )
        if role_of(name) == "terminal":
            terminal = Terminal(name, deployment)
            self._nodes[name] = terminal.node
            return terminal.run
        roles = RoleFactory(
            POINTS,
            LOCATIONS,
            self._machine,
            lambda: self._acquirer,
            settlement=self._wants.settlement,
            warehouse=self._wants.warehouse,
        )
        self._nodes[name] = Node(name, roles.role(name), deployment)
        return self._nodes[name].run

    def _machine(self, name: str) -> SimulatedConveyor:
        """The machine of a sorter, which outlives its crashes."""
        if name not in self._machines:
            layout = Layout(finds=self._wants.finds)
            record = self._data / f"{name}.conveyor.jsonl"
            self._machines[name] = SimulatedConveyor(layout, record, float("inf"))
        return self._machines[name]

    async def _close(self) -> None:
        await self._crashed()
        for name in self.running():
            self._nodes[name].stop()
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.gather(*self._tasks.values())
        finally:
            for task in self._tasks.values():
                task.cancel()
            for machine in self._machines.values():
                machine.close()


@asynccontextmanager
async def _acquirer(data: Path, *, wanted: bool) -> AsyncIterator[Acquirer | None]:
    if not wanted:
        yield None
        return
    log = data / "acquirer.jsonl"
    async with simulated_acquirer(log) as url, Acquirer(url, timeout=1.0) as client:
        yield client
