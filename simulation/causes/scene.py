"""A simulated store that is well until something is planted in it, and the customers in it."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from bus.contract.catalog import Line, OrderOnly
from bus.contract.errors import Problem
from bus.contract.settlement import (
    CANCEL,
    COLLECT,
    AccountPayment,
    CardPayment,
    Collect,
    Payment,
    Purchase,
    Receipt,
)
from bus.contract.topics import Address, Topics
from bus.contract.values import Money
from bus.link import Incoming, Outgoing
from bus.link.memory import matches
from bus.runtime.caller import Caller
from simulation.goods import LABEL, PRICES, SITE
from simulation.life import GoneError
from simulation.network import Socket, Wire
from simulation.operator import Operator
from simulation.provider import Fate
from simulation.store import SimulatedStore

_FOR_EVER = 1_000_000.0
"""Seconds that a node stays away."""
_PATIENCE = 60.0
"""Seconds within which what belongs to a healthy store has happened."""
_MUG = {"MUG": 1}


class Scene:
    """A store, whoever watches it, and what can go wrong in it.

    Args:
        store: which is open.
        operator: who watches it.
        console: asks at the counter.
    """

    def __init__(self, store: SimulatedStore, operator: Operator, console: Caller) -> None:
        self.store = store
        self.operator = operator
        self.order = ""
        """The order that was bought last: what is planted is about it."""
        self.begun = 0.0
        """Virtual seconds at which the last thing was done to bring the cause about."""
        self.topics = Topics(SITE)
        self._console = console
        self._receipts: dict[str, Receipt] = {}
        self._when: list[tuple[str, Callable[[], None]]] = []
        self._lost: list[tuple[str, str]] = []
        self._ordered = asyncio.Event()
        self._beside: set[asyncio.Task[None]] = set()
        hear = store.network.witness

        def both(who: str, address: Address, message: Outgoing) -> None:
            hear(who, address, message)
            self._heard(message.topic)

        store.network.witness = both
        store.network.loses = lambda topic, client: any(
            matches(pattern, topic) and by in ("", self._name(client)) for pattern, by in self._lost
        )

    # -- customers ----------------------------------------------------------------------------

    async def buy(
        self,
        cart: dict[str, int] | None = None,
        terminal: str = "terminal-1",
        card: str = "",
        account: str = "C-1001",
    ) -> None:
        """Buy; returns when it has become an order, or nobody is there to make one of it.

        Args:
            cart: how many of which style; a mug if None.
            terminal: where.
            card: how the payment provider takes it, such as `approve`; none for an account.
            account: who pays.
        """
        lines = cart or _MUG
        payment: Payment = AccountPayment(method="account", account=account)
        if card:
            payment = CardPayment(method="card", token=f"tok_{card}_1")
        total = sum(PRICES[sku] * count for sku, count in lines.items())
        purchase = Purchase(
            lines=[Line(sku=sku, quantity=count) for sku, count in lines.items()],
            payment=payment,
            expected_total=Money(amount=total, currency="EUR"),
        )
        self.mark()
        self._forget_order()
        identifier = await self.store.at(terminal, lambda each: each.begin(purchase))
        await self.follow(identifier)
        self._do(self._note_receipt(terminal, identifier, self.order))

    async def follow(self, purchase: str) -> None:
        """What is planted is about the order of this purchase message, if it becomes one."""
        self._forget_order()
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                self.order = await self.store.witness.order_of(purchase)
                self._ordered.set()

    async def buy_and_wait(self, terminal: str) -> None:
        """Buy, and wait for the reminder."""
        await self.buy(terminal=terminal)
        await self.until("reminded")

    def _forget_order(self) -> None:
        self.order = ""
        self._ordered.clear()

    async def until(self, *states: str) -> None:
        """Wait until the console has heard that the order is in one of these states."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                track = self.operator.model.orders.get(self.order)
                if track is not None and track.state in states:
                    return
                await asyncio.sleep(0.05)

    async def until_step(self, sorter: str, step: str) -> None:
        """Wait until a sorter has come to a step of its job."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                node = self.operator.model.nodes.get(sorter)
                if node is not None and node.job is not None and node.job.step == step:
                    return
                await asyncio.sleep(0.05)

    async def scan(self, terminal: str) -> None:
        """A customer looks at a product."""
        await self.store.at(terminal, lambda each: each.scan(LABEL))

    def cancel(self) -> None:
        """The customer changes their mind, and says so at the counter."""
        self.mark()
        self._do(self._ask_to_cancel())

    def collect(self) -> None:
        """The customer gives the code at the counter."""
        self.mark()
        self._do(self._ask_to_collect(self._receipts[self.order].pickup_code))

    # -- what breaks --------------------------------------------------------------------------

    async def heard(self, pattern: str) -> None:
        """Wait until a message is said whose topic below the root is like this."""
        said = asyncio.Event()
        self.when(pattern, said.set)
        await said.wait()

    def when(self, pattern: str, then: Callable[[], None]) -> None:
        """Do something, once, when a message is said whose topic below the root is like this."""
        self._when.append((f"{self.topics.root}/{pattern}", then))

    def mark(self) -> None:
        """What is planted begins now."""
        self.begun = asyncio.get_running_loop().time()

    def crash(self, name: str) -> None:
        """A node's process ends, and nobody starts it again."""
        self.mark()
        self.store.kill(name, absent=_FOR_EVER)
        for wire in [each for each in self.store.network.wires if self._name(each.client) == name]:
            self.store.network.forget(wire)

    def crash_when(self, name: str, label: str) -> None:
        """The same at the next labelled step of what it does."""
        self.mark()
        self.store.crash_at(name, label, _FOR_EVER)

    def switch_off(self, name: str) -> None:
        """A node says goodbye."""
        self.mark()
        self.store.switch_off(name, _FOR_EVER)

    def stand_still(self, name: str) -> None:
        """A node's transactions do not come to an end any more."""
        self.mark()
        self.store.disks[name].stands_still = True

    def fill(self, name: str) -> None:
        """The disk of a node is full."""
        self.mark()
        self.store.disks[name].error = sqlite3.SQLITE_FULL

    def write_protect(self, name: str) -> None:
        """The disk of a node can only be read."""
        self.mark()
        self.store.disks[name].error = sqlite3.SQLITE_READONLY

    def lose(self, pattern: str, by: str = "") -> None:
        """Messages like this are lost on the way to a node, or to the broker if none is given."""
        self.mark()
        self._lost.append((f"{self.topics.root}/{pattern}", by))

    def provider(self, fate: Fate) -> None:
        """What becomes of every call to the payment provider from now on."""
        self.mark()
        self.store.provider.fate = fate

    def jam(self, sorter: str, step: str, trouble: str) -> None:
        """A sorter's machine cannot do a step, and says why."""
        self.mark()
        machine = self.store.machines[sorter]
        machine.jams_at, machine.trouble = step, trouble

    def drag(self, sorter: str, step: str) -> None:
        """A sorter's machine does not come to the end of a step."""
        self.mark()
        self.store.machines[sorter].stops_at = step

    def find(self, sorter: str, pieces: int) -> None:
        """A sorter finds so many pieces wherever it picks."""
        self.mark()
        self.store.machines[sorter].finds = pieces

    def set_clock(self, name: str, seconds: int) -> None:
        """Set the clock of a host."""
        self.mark()
        self.store.set_clock(name, seconds * 1000)

    def lose_broker(self) -> None:
        """The broker goes away."""
        self.mark()
        network = self.store.network
        network.down = True
        for wire in list(network.wires):
            network.forget(wire, will=False)
            wire.notice()

    def say(self, topic: str, payload: bytes, *, retain: bool = False, mark: bool = True) -> None:
        """Somebody publishes something; the topic is one below the root."""
        if mark:
            self.mark()
        self.store.network.send(Outgoing(f"{self.topics.root}/{topic}", payload, retain=retain))

    def join(self, name: str, hear: Callable[[Incoming, Address], None]) -> None:
        """A device that is not ours: whatever is asked of it, or answered to it, is handed over."""
        self._do(self._listen(name, hear))

    # -- beside -------------------------------------------------------------------------------

    def _heard(self, topic: str) -> None:
        for each in [each for each in self._when if matches(each[0], topic)]:
            self._when.remove(each)
            asyncio.get_running_loop().call_soon(each[1])

    def _name(self, client: str) -> str:
        """The node of a client: `sorter-1` of `simulated-sorter-1-5f0c...`."""
        return client.removeprefix(f"{SITE}-").rpartition("-")[0]

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        self._beside.add(asyncio.create_task(self._to_its_end(what)))

    async def _to_its_end(self, what: Coroutine[Any, Any, None]) -> None:
        with suppress(Problem, GoneError):  # as planted
            await what

    async def _note_receipt(self, terminal: str, identifier: str, order: str) -> None:
        bought = await self.store.at(terminal, lambda each: each.outcome(identifier))
        if bought.receipt is not None:
            self._receipts[order] = bought.receipt

    async def _ask_to_cancel(self) -> None:
        await self._ordered.wait()
        await self._console.ask(CANCEL, "settlement", OrderOnly(order=self.order))

    async def _ask_to_collect(self, code: str) -> None:
        await self._console.ask(COLLECT, "settlement", Collect(code=code))

    async def _listen(self, name: str, hear: Callable[[Incoming, Address], None]) -> None:
        async with Socket(self.store.network).connect(f"{SITE}-{name}-0") as wire:
            await self._subscribe(wire, name)
            while True:
                for message in await wire.receive():
                    address = self.topics.parse(message.topic)
                    if address is not None:
                        hear(message, address)

    async def _subscribe(self, wire: Wire, name: str) -> None:
        wire.filters += [self.topics.requests_to(name), self.topics.replies_to(name)]
        await asyncio.sleep(0)
