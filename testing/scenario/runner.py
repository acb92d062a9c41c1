"""Plays scenarios, each in a store of its own, and tells what became of them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from audit import findings
from bus.contract.catalog import UPSERT
from bus.contract.errors import RoleTakenError
from bus.contract.settlement import DEPOSIT
from bus.contract.topics import Topics
from bus.contract.values import check_digit
from bus.contract.warehouse import RECEIVE
from bus.history.message import Message
from bus.link import Connector, MemoryBroker
from bus.runtime.deployment import Deployment
from bus.runtime.environment import Environment
from devices.terminal.role import Terminal
from testing.kit.virtual_time import VirtualLoop
from testing.scenario.faults import Faults, FaultyConnector
from testing.scenario.model import Goods
from testing.scenario.reading import Scenario
from testing.scenario.result import FailedStepError, Played, Result
from testing.scenario.scene import Scene
from testing.scenario.stage import Stage
from testing.scenario.steps import play_steps, unmet
from testing.scenario.store import LOCATIONS, REAL, VIRTUAL, OwnStore, Time
from testing.scenario.variables import Held, filled

TESTER = "tester-0"
"""In whose name the runner stocks a store and asks whether it is quiet."""
CURRENCY = "EUR"
_SHM = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_IN_MEMORY = _SHM if _SHM.is_dir() else None


class Listener(Protocol):
    """Told what happens while scenarios are played."""

    def begins(self, result: Result) -> None:
        """A scenario, or a case of it, begins."""

    def step(self, result: Result, step: Played) -> None:
        """A step is over."""

    def message(self, fate: str, message: Message) -> None:
        """A message was heard, or met a fault."""

    def ends(self, result: Result) -> None:
        """It is over, or was skipped."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where scenarios are played on the real clock."""

    connector: Connector
    engine: str
    """Of the broker: mosquitto, embedded or external."""
    tester: Connector | None = None
    """To the same broker, over which more may be sent than the bus takes."""
    site: str | None = None
    """Of a store that runs already; None for a store of each scenario's own."""


def simulate(scenario: Scenario, listener: Listener) -> list[Result]:
    """Play a scenario on the virtual clock, in a thread that has no event loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        ground = Ground(MemoryBroker(), "memory")
        return runner.run(_play(scenario, ground, VIRTUAL, listener))


async def play(scenario: Scenario, ground: Ground | None, listener: Listener) -> list[Result]:
    """Play a scenario, all its cases in one store; on a virtual clock if it asks for one.

    Args:
        scenario: what is played.
        ground: where; None if nothing needs a broker.
        listener: told what happens.

    Raises:
        BrokerError: there is no broker.
    """
    if scenario.store.clock == "virtual":
        return await asyncio.to_thread(simulate, scenario, listener)
    assert ground is not None, "there is a broker as soon as one scenario needs it"
    if scenario.engines is not None and ground.engine not in scenario.engines:
        result = Result(scenario.source.path, scenario.line, scenario.name)
        result.skipped = f"it needs {' or '.join(scenario.engines)}"
        listener.ends(result)
        return [result]
    return await _play(scenario, ground, REAL, listener)


async def _play(scenario: Scenario, ground: Ground, time: Time, listener: Listener) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory(prefix="storebus-play-", dir=_IN_MEMORY) as folder:
        async with _opened(scenario, ground, time, Path(folder), listener) as scene:
            for case in scenario.cases:
                result = _result(scenario, {**scene.variables, **case})
                results.append(result)
                await _play_case(scenario, scene, case, result, listener)
        if scene.store is not None and not any(result.failed for result in results):
            results[-1].failure = _books(Path(folder))
    for result in results:
        listener.ends(result)
    return results


def _result(scenario: Scenario, variables: dict[str, Any]) -> Result:
    name = str(filled(scenario.name, variables))
    return Result(scenario.source.path, scenario.line, name)


async def _play_case(
    scenario: Scenario, scene: Scene, case: Any, result: Result, listener: Listener
) -> None:
    listener.begins(result)

    def tell(step: Played) -> None:
        result.steps.append(step)
        listener.step(result, step)

    clock = asyncio.get_running_loop().time
    begun = clock()
    variables = {**scene.variables, **filled(dict(case), scene.variables)}
    scene = Scene(scene.stage, scene.store, scene.faults, variables)
    scene.stage.begin()
    try:
        await play_steps(scene, scenario.steps, tell)
        result.failure = unmet(scene)
    except FailedStepError:
        result.left = len(scenario.steps) - len(result.steps)
    finally:
        scene.faults.forget()
        result.seconds = clock() - begun


def _books(folder: Path) -> str | None:
    """What the audit finds in the files of a store that was closed in the middle of its work."""
    found = findings([folder], running=True)
    if not found:
        return None
    return "the books do not balance:\n" + "\n".join(f"  {finding}" for finding in found)


# -- a store to play in ---------------------------------------------------------------------------


@asynccontextmanager
async def _opened(
    scenario: Scenario, ground: Ground, time: Time, folder: Path, listener: Listener
) -> AsyncIterator[Scene]:
    run = Environment().boot[-6:]
    site = ground.site or f"play-{run}"
    topics = Topics(site)
    faults = Faults(topics, TESTER, listener.message)
    environment = time.environment(f"{site}/stage")
    async with AsyncExitStack() as stack:
        connector = FaultyConnector(ground.tester or ground.connector, faults)
        name = TESTER if ground.site is None else f"tester-{run}"
        stage = Stage(connector, topics, environment, name, listener.message)
        await stack.enter_async_context(stage.open())
        store = None
        if ground.site is None:
            store = OwnStore(
                ground.connector, site, folder, scenario.store, faults, time, stage.send
            )
            await stack.enter_async_context(store.open())
        else:
            deployment = Deployment(ground.connector, site, folder)
            await stack.enter_async_context(_terminals(scenario.store.terminals, deployment))
        suffix = "" if ground.site is None else f"-{run}"
        variables = {"run": run, "tester": name, **await _stocked(scenario, stage, suffix, run)}
        variables |= filled(dict(scenario.variables), variables)
        yield Scene(stage, store, faults, variables)


@asynccontextmanager
async def _terminals(count: int, deployment: Deployment) -> AsyncIterator[None]:
    """Terminals that show reminders, as far as nobody else plays them."""
    tasks = []
    try:
        for number in range(count):
            terminal = Terminal(f"terminal-{number + 1}", deployment)
            tasks.append(asyncio.create_task(terminal.run(), name=terminal.name))
            ready = asyncio.create_task(terminal.node.ready.wait())
            await asyncio.wait({ready, tasks[-1]}, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(ended, RoleTakenError | asyncio.CancelledError | None):
                raise ended


async def _stocked(scenario: Scenario, stage: Stage, suffix: str, run: str) -> dict[str, Any]:
    """Register the goods, put them on shelves, fill the accounts; the variables for them."""
    variables: dict[str, Any] = {}
    products: dict[str, dict[str, Any]] = {}
    start = int(run, 16) % 10**7 * 1000
    for number, (alias, goods) in enumerate(scenario.goods.items()):
        sku, gtin = f"{alias}{suffix}", goods.gtin or _gtin(start + number)
        product = f"{goods.product or alias.casefold()}{suffix}"
        url = f"https://shop.example/p/{product}"
        registered = products.setdefault(
            product, {"id": product, "name": goods.name or alias, "url": url, "styles": []}
        )
        registered["styles"].append(_style(sku, gtin, goods))
        link = f"https://id.example/01/{gtin}"
        variables[alias] = Held(
            sku, {"sku": sku, "gtin": gtin, "ean": gtin[-13:], "price": goods.price, "url": url,
                  "link": link, "product": product, "pieces": goods.pieces},
        )  # fmt: skip
    if products:
        await stage.ask("catalog", UPSERT.name, {"products": list(products.values())})
    for alias, goods in scenario.goods.items():
        shelves = goods.shelves or ({LOCATIONS[0]: goods.pieces} if goods.pieces else {})
        for location, quantity in shelves.items():
            received = {"sku": str(variables[alias].itself), "location": location}
            await stage.ask("warehouse", RECEIVE.name, received | {"quantity": quantity})
    for number, (alias, cents) in enumerate(scenario.accounts.items()):
        account = f"P-{start + number + 1}"
        amount = {"amount": cents, "currency": CURRENCY}
        await stage.ask(
            "settlement", DEPOSIT.name, {"account": account, "name": alias, "amount": amount}
        )
        variables[alias] = account
    if scenario.goods:
        await _sellable(scenario, stage, variables)
    return variables


async def _sellable(scenario: Scenario, stage: Stage, variables: dict[str, Any]) -> None:
    """Wait until the catalog sells what was put on the shelves."""
    async with asyncio.timeout(20):
        for alias, goods in scenario.goods.items():
            wanted = sum(goods.shelves.values()) if goods.shelves else goods.pieces
            code = {"code": variables[alias].parts["link"]}
            while True:
                found = await stage.ask("catalog", "lookup", code)
                styles = {each["sku"]: each["available"] for each in found["product"]["styles"]}
                if styles[variables[alias].itself] >= wanted:
                    break
                await asyncio.sleep(0.005)


def _style(sku: str, gtin: str, goods: Goods) -> dict[str, Any]:
    price = {"amount": goods.price, "currency": CURRENCY}
    return {"sku": sku, "gtin": gtin, "attributes": dict(goods.attributes), "price": price}


def _gtin(number: int) -> str:
    """A GTIN of the range that GS1 keeps for use within a company (prefix 20)."""
    digits = f"020{number % 10**10:010d}"
    return f"{digits}{check_digit(digits)}"
