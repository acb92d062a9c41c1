"""A simulated store: every node with its lives, the network between them and the storm."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from bus.contract.catalog import UPSERT
from bus.contract.channel import role_of
from bus.contract.errors import BrokerError, LinkError, RoleTakenError
from bus.contract.settlement import DEPOSIT
from bus.contract.warehouse import RECEIVE
from bus.runtime.caller import Caller
from bus.runtime.deployment import Deployment
from bus.runtime.node import Node
from devices.terminal.role import Terminal
from nodes.settlement.settings import SettlementSettings
from nodes.warehouse.settings import WarehouseSettings
from simulation.goods import DEPOSITS, GOODS_RECEIPTS, LOCATIONS, POINTS, PRODUCTS, SITE
from simulation.life import Crash, Disk, GoneError, Life, SteppedJournal
from simulation.machine import Machine
from simulation.network import Network, Socket
from simulation.provider import Provider, VirtualLog
from simulation.trace import Trace
from simulation.weather import Chances, Weather, happens
from simulation.witness import Witness
from store.roles import RoleFactory
from testing.kit.virtual_time import VirtualEnvironment, VirtualLease

T = TypeVar("T")

SORTERS = ("sorter-1", "sorter-2")
TERMINALS = ("terminal-1", "terminal-2", "terminal-3")
_MORE_OFTEN = 4
"""Times as often as elsewhere, a step of a terminal ends in a crash."""
ROLES = ("catalog", "settlement", "warehouse")


class _Complaints(logging.Handler):
    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        if "wrong-state" in record.getMessage():
            return  # a command that its undoing has overtaken is refused, as it must be
        error = record.exc_info[1] if record.exc_info else None
        self._found.append(record.getMessage() + (f": {error!r}" if error else ""))


class SimulatedStore:
    """All nodes of a store on one virtual clock.

    Args:
        seed: of everything that is left to chance.
        weather: which faults happen.
        data: the folder of the databases.
        names: of the nodes; the roles, the terminals and as many sorters as the seed says if none
            are given.
    """

    def __init__(
        self, seed: int, weather: Weather, data: Path, names: tuple[str, ...] = ()
    ) -> None:
        self.seed = seed
        self.data = data
        self.weather = weather
        self.trace = Trace()
        self.chances = Chances(seed)
        self.network = Network(SITE, weather, self.chances, self.trace)
        self.acquirer_log = VirtualLog(data / "acquirer.jsonl")
        self.provider = Provider(self.acquirer_log, weather, self.chances, self.trace)
        self.machines = {
            name: Machine(name, data, weather, self.chances, self.trace) for name in SORTERS
        }
        self.witness = Witness(data / "history.jsonl")
        """Hears everything that nodes publish."""
        self.network.witness = self.witness.hear
        self.patience = _patience(self.chances["patience"])
        self.sorting = _sorting(self.chances["sorting"])
        self.waiting = _waiting(self.chances["waiting"])
        self.complaints: list[str] = []
        """What the nodes reported as errors: in a simulation each is a defect."""
        sorters = SORTERS[: self.chances["sorters"].choice((1, 2))]
        self.names = names or (*ROLES, *sorters, *TERMINALS)
        """Of all nodes."""
        self.disks = {name: Disk() for name in self.names}
        self._crashes: dict[str, tuple[str, float]] = {}
        self.wrong = _clocks(self.chances["clocks"], weather)
        """By how many milliseconds each node's wall clock is ahead now; devices begin like that."""
        self.set_back = False
        """Whether settlement's was ever set back: what it refused as too late is then in time."""
        self.stormy = False
        self.lives: dict[str, Life] = {}
        self._nodes: dict[str, Node] = {}
        self._terminals: dict[str, Terminal] = {}
        self._starts: dict[str, int] = {}
        self._started = {name: asyncio.Event() for name in self.names}
        """Set while a node has a life."""
        self._closing = False
        self._keepers: list[asyncio.Task[None]] = []
        self._absent: dict[str, float] = {}

    # -- life ---------------------------------------------------------------------------------

    async def open(self) -> None:
        """Start every node and put goods on the shelves, in good weather."""
        for name in self.names:
            keeper = asyncio.create_task(self._keep(name), name=f"keep {name}")
            keeper.add_done_callback(lambda task: task.cancelled() or task.result())
            self._keepers.append(keeper)
        await asyncio.gather(*(self.up(name) for name in self.names))
        async with self.tool("tester-1").connected() as tester:
            await tester.ask(UPSERT, "catalog", PRODUCTS)
            for goods in GOODS_RECEIPTS:
                await tester.ask(RECEIVE, "warehouse", goods)
            for deposit in DEPOSITS:
                await tester.ask(DEPOSIT, "settlement", deposit)

    def set_storm(self, stormy: bool) -> None:
        """Let faults begin, or end."""
        self.stormy = self.network.stormy = self.provider.stormy = stormy
        for machine in self.machines.values():
            machine.stormy = stormy

    async def close(self) -> None:
        """Stop every node with a goodbye."""
        self._closing = True
        for name in self.names:
            await self.up(name)
            self._nodes[name].stop()
        await asyncio.gather(*self._keepers)
        self.witness.flush()

    async def abandon(self) -> None:
        """End every node at once, and start none again."""
        for life in self.lives.values():
            life.die("abandoned")
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take up what the nodes report; at the end, let go of what they do not own."""
        handler = _Complaints(self.complaints)
        logging.getLogger("storebus").addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger("storebus").removeHandler(handler)
            self.acquirer_log.close()
            self.witness.close()
            for machine in self.machines.values():
                machine.close()

    def unexpected(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The loop's word of an error that nobody took; a crash is none."""
        error = context.get("exception")
        if not isinstance(error, Crash | GoneError) and not _is_crash(error):
            self.complaints.append(f"{context.get('message')}: {error!r}")

    def busy(self) -> bool:
        """Whether a payment or a movement is under way."""
        now = asyncio.get_running_loop().time()
        done = max(machine.busy_until for machine in self.machines.values())
        return now < max(done, self.provider.busy_until) + 5

    async def up(self, name: str) -> Life:
        """The present life of a node, once it can be asked."""
        while True:
            life = self.lives.get(name)
            if life is None or life.dead:
                await self._started[name].wait()
                continue
            ready = self._nodes[name].ready
            try:
                await life.lasting(ready.wait())
            except GoneError:
                continue
            return life

    async def at(self, name: str, action: Callable[[Terminal], Awaitable[T]]) -> T:
        """Do something at a terminal that is up.

        Raises:
            GoneError: it died meanwhile.
        """
        life = await self.up(name)
        return await life.lasting(action(self._terminals[name]))

    def tool(self, name: str) -> Caller:
        """A client that never crashes, such as a tester or console."""
        return Caller(
            Socket(self.network), SITE, name, environment=VirtualEnvironment(f"{self.seed}/{name}")
        )

    def kill(self, name: str, absent: float = 0.0) -> None:
        """End a node's process now; `absent` seconds until it is started again at the least."""
        life = self.lives.get(name)
        if life is not None and not life.dead:
            self._absent[name] = absent
            life.die("killed")

    def crash_at(self, name: str, label: str, absent: float) -> None:
        """The same, at the next labelled step of what it does."""
        self._crashes[name] = (label, absent)

    def switch_off(self, name: str, absent: float) -> None:
        """End a node with a goodbye; it is started again after so many seconds."""
        self._absent[name] = absent
        self._nodes[name].stop()

    def set_clock(self, name: str, wrong: int) -> None:
        """Set the wall clock of a node's host; `wrong` milliseconds ahead of the true time."""
        self.set_back |= name == "settlement" and wrong < self.wrong.get(name, 0)
        self.wrong[name] = wrong
        self.trace.note("clock", name, f"{wrong / 1000:+g} s")

    # -- one node -----------------------------------------------------------------------------

    async def _keep(self, name: str) -> None:
        """Start a node again whenever it has ended, as a supervisor does."""
        chance = self.chances[f"keeper/{name}"]
        while True:
            life = self.lives[name] = Life(name, self._strike, self._died)
            node_run = self._build(name, life)
            self._started[name].set()
            life.task = asyncio.create_task(self._play(name, node_run), name=name)
            await asyncio.wait([life.task])
            if not life.dead:
                life.dead = True
                life.ended.set()
                self._started[name].clear()
                if self._closing:
                    return
            pause = chance.expovariate(0.5) if self.stormy else 0.1
            await asyncio.sleep(pause + self._absent.pop(name, 0.0))

    async def _play(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.trace.note("starts", name)
        try:
            await run()
        except (asyncio.CancelledError, Crash):
            return
        except (BrokerError, LinkError, RoleTakenError) as error:  # said, and started again
            self.trace.note("ends", name, repr(error))
        except BaseExceptionGroup as group:
            if not _is_crash(group):
                self.complaints.append(f"{name} ended: {group.exceptions!r}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a defect
            self.complaints.append(f"{name} ended: {error!r}")

    def _build(self, name: str, life: Life) -> Callable[[], Coroutine[Any, Any, None]]:
        start = self._starts[name] = self._starts.get(name, 0) + 1
        deployment = Deployment(
            Socket(self.network, life),
            SITE,
            self.data,
            environment=partial(
                VirtualEnvironment, f"{self.seed}/{name}/{start}", lambda: self.wrong.get(name, 0)
            ),
            journal=partial(SteppedJournal, life, self.chances[f"disk/{name}"], self.disks[name]),
            lease=VirtualLease,
        )
        if role_of(name) == "terminal":
            terminal = Terminal(
                name, deployment, lambda reminder: self.witness.shown(name, reminder), self.waiting
            )
            self._terminals[name], self._nodes[name] = terminal, terminal.node
            return terminal.run
        roles = RoleFactory(
            POINTS,
            LOCATIONS,
            self.machines.__getitem__,
            self.provider.client,
            settlement=self.patience,
            warehouse=self.sorting,
        )
        self._nodes[name] = Node(name, roles.role(name), deployment)
        return self._nodes[name].run

    def _strike(self, name: str, label: str) -> bool:
        planted, absent = self._crashes.get(name, ("", 0.0))
        if planted == label:
            del self._crashes[name]
            self._absent[name] = absent
            return True
        if not self.stormy or not self.weather.crash:
            return False
        often = _MORE_OFTEN if name in TERMINALS else 1  # they have the fewest steps
        return happens(self.chances[f"crash/{name}/{label}"], self.weather.crash * often)

    def _died(self, life: Life, why: str) -> None:
        self._started[life.name].clear()
        self.trace.note("crash", life.name, why)
        self.network.vanished(life)


def _clocks(chance: Random, weather: Weather) -> dict[str, int]:
    """How wrong the clocks of terminals and sorters are from the beginning."""
    if not weather.clock:
        return {}
    return {name: wrong_by(chance) for name in (*TERMINALS, *SORTERS)}


def wrong_by(chance: Random) -> int:
    """Milliseconds by which a clock is wrong: nothing, or seconds, minutes, hours or days."""
    most = chance.choice((0, 5, 90, 3_600, 86_400, 3 * 86_400))
    return round(chance.uniform(-most, most) * 1000)


def _patience(chance: Random) -> SettlementSettings:
    """How long settlement waits for customers: in some stores, minutes instead of days."""
    if not happens(chance, 0.4):
        return SettlementSettings()
    return SettlementSettings(
        remind_again=chance.uniform(20, 80), expire_after=chance.uniform(60, 400)
    )


def _waiting(chance: Random) -> float:
    """Seconds that customers wait for an answer to their purchase."""
    return chance.uniform(2, 20) if happens(chance, 0.4) else 60.0


def _sorting(chance: Random) -> WarehouseSettings:
    """How long the warehouse waits for its sorters: never so long that a store seems at rest."""
    return WarehouseSettings(
        lost_sorter=chance.uniform(2, 40),
        slow_job=chance.uniform(40, 90),
        fault_pause=chance.uniform(2, 60),
    )


def _is_crash(error: object) -> bool:
    return isinstance(error, BaseExceptionGroup) and error.subgroup(Crash) is not None
