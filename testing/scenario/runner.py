"""Plays scenarios, each in a store of its own."""

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
from testing.kit.template import CompositeVariable, filled
from testing.kit.virtual_time import VirtualLoop
from testing.scenario.context import ScenarioContext
from testing.scenario.fault_injection import FaultInjector, FaultyConnector
from testing.scenario.in_process_store import LOCATIONS, REAL, VIRTUAL, InProcessStore, TimeMode
from testing.scenario.model import Goods
from testing.scenario.reading import Scenario
from testing.scenario.result import FailedStepError, PlayedStep, ScenarioResult
from testing.scenario.scenario_client import ScenarioClient
from testing.scenario.steps import play_steps, unmet

TESTER = "tester-0"
"""The name in which the runner stocks a store and asks whether it is quiet."""
CURRENCY = "EUR"
_SHM = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_IN_MEMORY = _SHM if _SHM.is_dir() else None


class Listener(Protocol):
    """Called while scenarios are played."""

    def begins(self, result: ScenarioResult) -> None:
        """A scenario, or one of its cases, begins."""

    def step(self, result: ScenarioResult, step: PlayedStep) -> None:
        """A step is over."""

    def message(self, fate: str, message: Message) -> None:
        """A message arrived, or met a fault."""

    def ends(self, result: ScenarioResult) -> None:
        """A scenario or case is over, or was skipped."""


@dataclass(frozen=True, slots=True)
class PlayTarget:
    """The broker and store in which scenarios are played on the real clock."""

    connector: Connector
    engine: str
    """The kind of broker: mosquitto, embedded or external."""
    tester: Connector | None = None
    """To the same broker, with a higher limit of payload than the bus has."""
    site: str | None = None
    """The site of a store that already runs; None for a new store for each scenario."""


def simulate(scenario: Scenario, listener: Listener) -> list[ScenarioResult]:
    """Play a scenario on a virtual clock, in a thread without an event loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        target = PlayTarget(MemoryBroker(), "memory")
        return runner.run(_play(scenario, target, VIRTUAL, listener))


async def play(
    scenario: Scenario, target: PlayTarget | None, listener: Listener
) -> list[ScenarioResult]:
    """Play a scenario, all its cases in one store; on a virtual clock if it asks for one.

    Args:
        scenario: what to play.
        target: where; None if nothing needs a broker.
        listener: called with what happens.

    Raises:
        BrokerError: there is no broker.
    """
    if scenario.store.clock == "virtual":
        return await asyncio.to_thread(simulate, scenario, listener)
    assert target is not None, "there is a broker as soon as one scenario needs it"
    if scenario.engines is not None and target.engine not in scenario.engines:
        result = ScenarioResult(scenario.source.path, scenario.line, scenario.name)
        result.skipped = f"it needs {' or '.join(scenario.engines)}"
        listener.ends(result)
        return [result]
    return await _play(scenario, target, REAL, listener)


async def _play(
    scenario: Scenario, target: PlayTarget, time: TimeMode, listener: Listener
) -> list[ScenarioResult]:
    results = []
    with tempfile.TemporaryDirectory(prefix="storebus-play-", dir=_IN_MEMORY) as folder:
        async with _opened(scenario, target, time, Path(folder), listener) as context:
            for case in scenario.cases:
                result = _result(scenario, {**context.variables, **case})
                results.append(result)
                await _play_case(scenario, context, case, result, listener)
        if context.store is not None and not any(result.failed for result in results):
            results[-1].failure = _audit_findings(Path(folder))
    for result in results:
        listener.ends(result)
    return results


def _result(scenario: Scenario, variables: dict[str, Any]) -> ScenarioResult:
    name = str(filled(scenario.name, variables))
    return ScenarioResult(scenario.source.path, scenario.line, name)


async def _play_case(
    scenario: Scenario,
    context: ScenarioContext,
    case: Any,
    result: ScenarioResult,
    listener: Listener,
) -> None:
    listener.begins(result)

    def tell(step: PlayedStep) -> None:
        result.steps.append(step)
        listener.step(result, step)

    clock = asyncio.get_running_loop().time
    begun = clock()
    variables = {**context.variables, **filled(dict(case), context.variables)}
    context = ScenarioContext(context.client, context.store, context.faults, variables)
    context.client.begin()
    try:
        await play_steps(context, scenario.steps, tell)
        result.failure = unmet(context)
    except FailedStepError:
        result.left = len(scenario.steps) - len(result.steps)
    finally:
        context.faults.forget()
        result.seconds = clock() - begun


def _audit_findings(folder: Path) -> str | None:
    """What the audit finds in the files of a store that was stopped in the middle of its work."""
    found = findings([folder], running=True)
    if not found:
        return None
    return "the books do not balance:\n" + "\n".join(f"  {finding}" for finding in found)


# -- a store to play in ---------------------------------------------------------------------------


@asynccontextmanager
async def _opened(
    scenario: Scenario, target: PlayTarget, time: TimeMode, folder: Path, listener: Listener
) -> AsyncIterator[ScenarioContext]:
    run = Environment().boot[-6:]
    site = target.site or f"play-{run}"
    topics = Topics(site)
    faults = FaultInjector(topics, TESTER, listener.message)
    environment = time.environment(f"{site}/stage")
    async with AsyncExitStack() as stack:
        connector = FaultyConnector(target.tester or target.connector, faults)
        name = TESTER if target.site is None else f"tester-{run}"
        client = ScenarioClient(connector, topics, environment, name, listener.message)
        await stack.enter_async_context(client.running())
        store = None
        if target.site is None:
            store = InProcessStore(
                target.connector, site, folder, scenario.store, faults, time, client.send
            )
            await stack.enter_async_context(store.open())
        else:
            deployment = Deployment(target.connector, site, folder)
            await stack.enter_async_context(_terminals(scenario.store.terminals, deployment))
        suffix = "" if target.site is None else f"-{run}"
        variables = {"run": run, "tester": name, **await _stocked(scenario, client, suffix, run)}
        variables |= filled(dict(scenario.variables), variables)
        yield ScenarioContext(client, store, faults, variables)


@asynccontextmanager
async def _terminals(count: int, deployment: Deployment) -> AsyncIterator[None]:
    """Run terminals that show reminders, except those that already run."""
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


async def _stocked(
    scenario: Scenario, client: ScenarioClient, suffix: str, run: str
) -> dict[str, Any]:
    """Register and receive the goods, fill the accounts, and return the variables for them."""
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
        variables[alias] = CompositeVariable(
            sku, {"sku": sku, "gtin": gtin, "ean": gtin[-13:], "price": goods.price, "url": url,
                  "link": link, "product": product, "pieces": goods.pieces},
        )  # fmt: skip
    if products:
        await client.ask("catalog", UPSERT.name, {"products": list(products.values())})
    for alias, goods in scenario.goods.items():
        shelves = goods.shelves or ({LOCATIONS[0]: goods.pieces} if goods.pieces else {})
        for location, quantity in shelves.items():
            received = {"sku": str(variables[alias].value), "location": location}
            await client.ask("warehouse", RECEIVE.name, received | {"quantity": quantity})
    for number, (alias, cents) in enumerate(scenario.accounts.items()):
        account = f"P-{start + number + 1}"
        amount = {"amount": cents, "currency": CURRENCY}
        await client.ask(
            "settlement", DEPOSIT.name, {"account": account, "name": alias, "amount": amount}
        )
        variables[alias] = account
    if scenario.goods:
        await _sellable(scenario, client, variables)
    return variables


async def _sellable(scenario: Scenario, client: ScenarioClient, variables: dict[str, Any]) -> None:
    """Wait until the catalog sells what was put on the shelves."""
    async with asyncio.timeout(20):
        for alias, goods in scenario.goods.items():
            wanted = sum(goods.shelves.values()) if goods.shelves else goods.pieces
            code = {"code": variables[alias].parts["link"]}
            while True:
                found = await client.ask("catalog", "lookup", code)
                styles = {each["sku"]: each["available"] for each in found["product"]["styles"]}
                if styles[variables[alias].value] >= wanted:
                    break
                await asyncio.sleep(0.005)


def _style(sku: str, gtin: str, goods: Goods) -> dict[str, Any]:
    price = {"amount": goods.price, "currency": CURRENCY}
    return {"sku": sku, "gtin": gtin, "attributes": dict(goods.attributes), "price": price}


def _gtin(number: int) -> str:
    """A GTIN of the range that GS1 reserves for use within a company (prefix 020)."""
    digits = f"020{number % 10**10:010d}"
    return f"{digits}{check_digit(digits)}"
