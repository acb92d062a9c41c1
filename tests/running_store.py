"""A whole store in one process for tests, and a broker that loses and repeats messages."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.engine import Broker, RunningEngine
from bus.contract.catalog import UPSERT, Style, Upsert
from bus.contract.channel import Operation, role_of
from bus.contract.settlement import (
    COLLECT,
    DEPOSIT,
    AccountPayment,
    Collect,
    Deposit,
    Purchase,
    Receipt,
    Seller,
)
from bus.contract.terminal import Remind
from bus.contract.topics import Topics
from bus.contract.values import Model, Money
from bus.contract.warehouse import RECEIVE, PickupPoint, PickupPoints, Receive
from bus.link import AiomqttConnector, Connector, MemoryBroker, MqttConnector, Outgoing
from bus.runtime.caller import Caller
from bus.runtime.deployment import Deployment
from bus.runtime.node import Node
from bus.runtime.settings import RuntimeSettings
from devices.sorter.drivers.movement import MachineFault, Movement
from devices.terminal import domain
from devices.terminal.role import Terminal
from nodes.settlement.acquirer.client import Acquirer
from nodes.settlement.settings import SettlementSettings
from nodes.warehouse.settings import WarehouseSettings
from store.roles import RoleFactory

PATIENCE = 30.0
"""Seconds after which something that should have happened counts as missing."""
SELLER = Seller(name="The Shop", address="1 Old Street, 1010 Vienna", tax_number="ATU 12345678")
LABEL = "https://shop.example/01/09506000134352"
"""The label of the blue shirt."""
POINTS = PickupPoints(
    points=[PickupPoint(id="north", name="North door"), PickupPoint(id="south", name="South")],
    default="north",
)
STOCK = {"SHIRT-BLUE": 50, "SHIRT-RED": 2, "MUG": 20}
PRICES = {"SHIRT-BLUE": 5900, "SHIRT-RED": 5900, "MUG": 1250}
BALANCES = {"C-1001": 1_000_000, "C-1002": 100}
"""Of the accounts, in cents; the second is poor."""
FAST = RuntimeSettings(
    retry_first=0.05, retry_limit=0.2, query_retry=0.05, reconnect_limit=0.2, takeover_wait=0.5
)
"""For tests in which messages get lost."""
_BOOKKEEPING = {
    "inbox", "order_trace", "outbox", "migration", "clock", "shown", "database", "peer",
}  # fmt: skip


def _style(sku: str, gtin: str) -> dict[str, Any]:
    price = {"amount": PRICES[sku], "currency": "EUR"}
    return {"sku": sku, "gtin": gtin, "attributes": {"kind": sku.casefold()}, "price": price}


PRODUCTS = Upsert.model_validate(
    {
        "products": [
            {
                "id": "shirt",
                "name": "Oxford shirt",
                "url": LABEL,
                "styles": [
                    _style("SHIRT-BLUE", "09506000134352"),
                    _style("SHIRT-RED", "09506000134369"),
                ],
            },
            {
                "id": "mug",
                "name": "Mug",
                "url": "https://shop.example/mug",
                "styles": [_style("MUG", "00000040170725")],
            },
        ]
    }
)


async def eventually(condition: Callable[[], Any], what: str = "it") -> Any:
    """The condition's value as soon as it is true; fails the test when it never is."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} never came true"
        await asyncio.sleep(0.005)
    return value


class Machine:
    """A sorter's machine that takes no time and remembers what it did; can be made to wait."""

    def __init__(self) -> None:
        self.performed: list[str] = []
        self.free = asyncio.Event()
        self.free.set()
        self.jams_at: str | None = None
        """The step at which it jams, the next time it comes to it."""
        self.stops_at: str | None = None
        """The step in which it stays until it is let go on."""
        self.finds: dict[str, int] = {}
        """How many pieces of a style a pick finds at A-01-1; all that the books say if unset."""
        self.finds_elsewhere: dict[str, int] = {}
        """The same at A-02-1."""

    def go_on(self) -> None:
        """Stop no longer, and nowhere."""
        self.stops_at = None
        self.free.set()

    async def perform(self, key: str, movement: Movement) -> int | None:
        """Do it once it is let."""
        if movement.step == self.jams_at:
            self.jams_at = None
            raise MachineFault("jam at the lift")
        if movement.step == self.stops_at:
            self.stops_at = None
            self.free.clear()
        await self.free.wait()
        self.performed.append(f"{movement.step} {key}")
        if movement.step != "picking":
            return None
        pick = movement.pick
        there = self.finds if pick.location == "A-01-1" else self.finds_elsewhere
        return min(pick.quantity, there.get(pick.sku, pick.quantity))


class Store:
    """Catalog, settlement, warehouse, sorters and terminals on one connector."""

    def __init__(
        self,
        connector: Connector,
        data: Path,
        site: str,
        settings: RuntimeSettings,
        patience: tuple[SettlementSettings | None, WarehouseSettings | None] = (None, None),
        acquirer: Acquirer | None = None,
    ) -> None:
        self.site = site
        self.topics = Topics(site)
        self.deployment = Deployment(connector, site, data, settings)
        self.machine = Machine()
        self.machines = {"sorter-1": self.machine}
        """By sorter; the others have machines of their own."""
        self._patience = patience
        self._acquirer = acquirer
        self.reminders: list[Remind] = []
        """What the terminals showed, in order."""
        self.nodes: dict[str, Node] = {}
        self.terminals: dict[str, Terminal] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.tester = Caller(connector, site, "tester-1", settings)

    async def start(self, *names: str) -> None:
        """Start nodes by name and wait until they can be asked."""
        for name in names:
            run = self._build(name)
            self._tasks[name] = asyncio.create_task(run(), name=name)
        for name in names:
            ready = asyncio.create_task(self.nodes[name].ready.wait())
            await asyncio.wait({ready, self._tasks[name]}, return_when="FIRST_COMPLETED")
            ready.cancel()
            if self._tasks[name].done():
                self._tasks[name].result()

    def _build(self, name: str) -> Callable[[], Any]:
        if role_of(name) == "terminal":
            terminal = Terminal(name, self.deployment, self.reminders.append)
            self.terminals[name], self.nodes[name] = terminal, terminal.node
            return terminal.run
        settlement, warehouse = self._patience
        roles = RoleFactory(
            POINTS,
            ["A-01-1", "A-02-1"],
            lambda sorter: self.machines.setdefault(sorter, Machine()),
            lambda: self._acquirer,
            SELLER,
            settlement,
            warehouse,
        )
        self.nodes[name] = Node(name, roles.role(name), self.deployment)
        return self.nodes[name].run

    async def stop(self, *names: str) -> None:
        """End nodes with a goodbye; what went wrong in one of them comes out here."""
        for name in names or tuple(self._tasks):
            self.nodes[name].stop()
        async with asyncio.timeout(PATIENCE):
            for name in names or tuple(self._tasks):
                await self._tasks.pop(name)

    async def crash(self, name: str) -> None:
        """End a node without a goodbye."""
        task = self._tasks.pop(name)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def ended(self, name: str) -> BaseException | None:
        """Wait until a node ended by itself; what it died of."""
        task = self._tasks.pop(name)
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait({task})
        return task.exception()

    def running(self, name: str) -> bool:
        """Whether a node lives."""
        return name in self._tasks and not self._tasks[name].done()

    async def seed(self) -> None:
        """Register the products, put the stock on the shelves, fill the accounts."""
        await self.ask(UPSERT, "catalog", PRODUCTS)
        for sku, quantity in STOCK.items():
            goods = Receive(sku=sku, location="A-01-1", quantity=quantity)
            await self.ask(RECEIVE, "warehouse", goods)
        for account, cents in BALANCES.items():
            amount = Money(amount=cents, currency="EUR")
            await self.ask(
                DEPOSIT, "settlement", Deposit(account=account, name="Ann", amount=amount)
            )

    async def ask(self, operation: Operation[Any, Any], callee: str, data: Model) -> Any:
        """Ask as tester-1."""
        return await self.tester.ask(operation, callee, data, timeout=PATIENCE)

    async def buy(
        self,
        cart: Mapping[str, int],
        *,
        terminal: str = "terminal-1",
        account: str = "C-1001",
        point: str | None = None,
    ) -> Receipt:
        """Buy at a terminal, at today's prices."""
        at = self.terminals[terminal]
        payment = AccountPayment(method="account", account=account)
        async with asyncio.timeout(PATIENCE):
            return await at.buy(cart, await at.styles(list(cart)), payment, point)

    @staticmethod
    def purchase(cart: Mapping[str, int], styles: Mapping[str, Style]) -> Purchase:
        """A purchase from C-1001 at the prices of the styles."""
        payment = AccountPayment(method="account", account="C-1001")
        return domain.purchase(cart, styles, payment, None)

    async def reminded(self, order: str, terminal: str = "terminal-1") -> Remind:
        """Wait until a terminal has shown the reminder of an order."""
        async with asyncio.timeout(PATIENCE):
            return await self.terminals[terminal].reminded(order)

    async def collect(self, code: str) -> Any:
        """Collect a parcel, as console-1."""
        return await self.ask_as("console-1", COLLECT, "settlement", Collect(code=code))

    async def ask_as(
        self, name: str, operation: Operation[Any, Any], callee: str, data: Model
    ) -> Any:
        """Ask as somebody else."""
        async with Caller(self.deployment.connector, self.site, name).connected() as caller:
            return await caller.ask(operation, callee, data, timeout=PATIENCE)

    def balance(self, account: str) -> int:
        """What an account of the ledger holds, in cents."""
        return int(self.value("settlement", "SELECT balance FROM account WHERE id = ?", account))

    def rows(self, node: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query finds in a node's database."""
        uri = f"file:{self.deployment.data / node}.db?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return connection.execute(query, values).fetchall()

    def value(self, node: str, query: str, *values: Any) -> Any:
        """The one value that a query finds."""
        ((value,),) = self.rows(node, query, *values)
        return value

    def snapshot(self, *, refused: bool = True) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every node but the journal's own bookkeeping of ids.

        Args:
            refused: with the records of orders that were refused, which hold neither goods nor
                money.
        """
        found = {}
        for file in sorted(self.deployment.data.glob("*.db")):
            tables = self.rows(file.stem, "SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in tables:
                if table not in _BOOKKEEPING and not table.startswith("sqlite_"):
                    where = "" if refused else _ALIVE.get(table, "")
                    query = f"SELECT * FROM {table} {where}"  # noqa: S608 - our own tables
                    found[f"{file.stem}.{table}"] = sorted(self.rows(file.stem, query), key=repr)
        return found

    async def quiet(self) -> None:
        """Wait until nothing is under way any more: no node has anything to do or to send."""
        nodes = [self.nodes[name] for name in self._tasks if self.running(name)]
        await eventually(
            lambda: not any(node.running.schedule or node.running.inputs for node in nodes),
            "a quiet store",
        )


_ALIVE = {
    "orders": "WHERE state NOT IN ('refused', 'declined')",
    "order_state": "WHERE order_id IN"
    " (SELECT id FROM orders WHERE state NOT IN ('refused', 'declined'))",
    "reservation": "WHERE state <> 'released'",
    "reservation_line": "WHERE order_id IN"
    " (SELECT order_id FROM reservation WHERE state <> 'released')",
}


@asynccontextmanager
async def running_store(
    connector: Connector,
    data: Path,
    *,
    site: str = "main",
    sorters: int = 1,
    terminals: int = 1,
    settings: RuntimeSettings | None = None,
    seeded: bool = True,
    settlement: SettlementSettings | None = None,
    warehouse: WarehouseSettings | None = None,
    acquirer: Acquirer | None = None,
) -> AsyncIterator[Store]:
    """A store that is open for business; it says goodbye at the end."""
    patience = (settlement, warehouse)
    store = Store(connector, data, site, settings or RuntimeSettings(), patience, acquirer)
    devices = [f"sorter-{number + 1}" for number in range(sorters)]
    devices += [f"terminal-{number + 1}" for number in range(terminals)]
    try:
        await store.start("catalog", "settlement", "warehouse", *devices)
        async with store.tester.connected():
            if seeded:
                await store.seed()
                await store.quiet()
            yield store
    finally:
        await store.stop()


RunBroker = Callable[[RunningEngine], Broker]
"""Starts a real broker, or returns the one that runs; see conftest.py."""


@dataclass(frozen=True, slots=True)
class Transport:
    """One of the ways that messages go."""

    name: str
    connector: Connector
    broker: Broker | None = None
    """None in memory."""

    @property
    def engine(self) -> str:
        """Memory, mosquitto or embedded."""
        return self.name.removeprefix(_ON_AIOMQTT).partition("-")[0]

    @property
    def v5(self) -> bool:
        """Whether the nodes see what only MQTT 5 carries."""
        return not self.name.endswith("3.1.1")


TRANSPORTS = ("memory", "mosquitto-5", "mosquitto-3.1.1", "embedded-5", "embedded-3.1.1")
_ON_AIOMQTT = "aiomqtt-"


def open_transport(name: str, run_broker: RunBroker) -> Transport:
    """One of `TRANSPORTS`; or one of those in MQTT 3.1.1, with `aiomqtt-` before its name."""
    way = name.removeprefix(_ON_AIOMQTT)
    engine, _, version = way.partition("-")
    if engine == "memory":
        return Transport(name, MemoryBroker())
    broker = run_broker(engine)  # type: ignore[arg-type] - one of the names above
    url = broker.url if version == "5" else broker.url_v311
    connect = MqttConnector if way == name else AiomqttConnector
    return Transport(name, connect(url), broker)


class FaultyBroker(MemoryBroker):
    """A broker in memory that loses, or repeats, what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: list[Outgoing] = []
        self.passed: list[Outgoing] = []
        """Everything that was not lost, once however often it was delivered."""
        self._losing: dict[str, int] = {}
        self._repeating: dict[str, int] = {}

    def lose(self, part: str, count: int = 1) -> None:
        """Lose the next messages whose topic contains `part`."""
        self._losing[part] = count

    def repeat(self, part: str, times: int = 2) -> None:
        """Deliver every message whose topic contains `part` so many times."""
        self._repeating[part] = times

    def route(self, message: Outgoing) -> None:
        """Lose it, or deliver it once or more."""
        for part, left in self._losing.items():
            if part in message.topic and left:
                self._losing[part] = left - 1
                self.lost.append(message)
                return
        self.passed.append(message)
        times = max((n for part, n in self._repeating.items() if part in message.topic), default=1)
        for _ in range(times):
            super().route(message)

    def sent(self, part: str) -> list[Outgoing]:
        """What passed on topics that contain `part`."""
        return [message for message in self.passed if part in message.topic]
