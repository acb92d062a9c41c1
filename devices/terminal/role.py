"""Wires a terminal to its channels: it scans, buys and reminds, without a user interface."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from bus.contract.catalog import LOOKUP, SEARCH, Found, Lookup, Search, Style
from bus.contract.channel import Event, State
from bus.contract.errors import BrokenReply, NoAnswer, Problem, Refused
from bus.contract.settlement import PURCHASE, Payment, Purchase, Receipt
from bus.contract.terminal import REMIND, Remind, Shown
from bus.contract.values import Model
from bus.runtime.admission import validate
from bus.runtime.deployment import Deployment
from bus.runtime.node import Node
from bus.runtime.requests import Answer, Request
from bus.runtime.role import Adapter, Role
from bus.runtime.unit_of_work import UnitOfWork
from devices.terminal import domain, store
from devices.terminal.domain import Bought
from devices.terminal.screen import AttendedScreen, PrintingScreen, Screen

Seen = TypeVar("Seen")
_LEARNED = "learned "
"""The prefix of a touched key: a purchase whose outcome has become known."""


class Showing(Model):
    """A call to the screen, and the request to answer when the reminder was shown."""

    reminder: Remind
    caller: str
    request: str
    """The id of the message to answer; several may ask for the same reminder."""


class Terminal:
    """A terminal without a user interface; a kiosk, a phone page or a script drives it.

    Args:
        name: `terminal-7`.
        deployment: where it runs.
        show: called once for each reminder that is to be shown.
        patience: seconds until a purchase without an answer counts as unknown; it is asked about
            until there is an answer.
        present: instead of `show`, for a screen with people in front of it: returns when a
            reminder is on the screen, or false if it was dropped. Such reminders have to be
            acknowledged.
        hears: takes events and states of others; see `Role.hears`.
        learned: called with the outcome of a purchase that nobody waits for any more: it was not
            answered in time, or was begun before this terminal was restarted.
    """

    def __init__(
        self,
        name: str,
        deployment: Deployment,
        show: Callable[[Remind], None] = lambda _: None,
        patience: float = 60.0,
        present: Callable[[Remind], Awaitable[bool]] | None = None,
        hears: Mapping[Event[Any] | State[Any], Callable[[str, Any], None]] | None = None,
        learned: Callable[[Bought], None] = lambda _: None,
    ) -> None:
        self.name = name
        self._patience = round(patience * 1000)
        record = deployment.data / f"{name}.screen.jsonl"
        self._screen: Screen = (
            AttendedScreen(record, present) if present else PrintingScreen(record, show)
        )
        self._waits_for_people = present is not None
        self._hears = hears or {}
        self._learned = learned
        self._awaited: set[str] = set()
        """Purchases whose outcomes are awaited."""
        self.role = self._role()
        self.node = Node(name, self.role, deployment)
        self._waiting: list[asyncio.Future[None]] = []

    def _role(self) -> Role:
        """The role of this terminal; subclasses add to it."""
        return Role(
            kind="terminal",
            schemas=(store.SCHEMA,),
            commands={REMIND: _remind},
            answers={PURCHASE: answered},
            asks_on=frozenset({PURCHASE}),
            adapters=(Adapter("screen", Showing, self._display, self._displayed, "screen"),),
            hears=self._hears,
            committed=self._committed,
        )

    async def run(self) -> None:
        """Stay on the bus until cancelled; see `Node.run`."""
        try:
            await self.node.run()
        finally:
            self._screen.close()

    async def scan(self, *codes: str) -> Found:
        """Look up the product of codes that were seen at once, mostly those of one label.

        Raises:
            SeveralProducts: they lead to different products.
            Problem: no code leads to a product, or nobody answered.
        """
        return domain.one_product({code: await self._look_up(code) for code in codes})

    async def _look_up(self, code: str) -> Found | Problem:
        try:
            found: Found = await self.node.ask(LOOKUP, "catalog", validate(Lookup, {"code": code}))
        except Problem as problem:
            if problem.to_data().code not in domain.LEADS_NOWHERE:
                raise
            return problem
        return found

    async def styles(self, skus: list[str]) -> dict[str, Style]:
        """Look up styles by SKU, with current prices and stock.

        Raises:
            UnknownSku: one of them does not exist.
        """
        found = {}
        for sku in skus:
            result = await self.node.ask(SEARCH, "catalog", Search(text=sku, limit=100))
            found[sku] = domain.style_of(result.products, sku)
        return found

    async def buy(
        self,
        cart: Mapping[str, int],
        styles: Mapping[str, Style],
        payment: Payment,
        pickup_point: str | None = None,
        overdue: Callable[[], None] | None = None,
    ) -> Receipt:
        """Buy a cart at the prices that were shown; returns when it is paid.

        Args:
            cart: quantities by SKU.
            styles: as they were shown, by SKU.
            payment: how it is paid.
            pickup_point: the store's default if None.
            overdue: called if there is no answer in time; the answer is then awaited, however late
                it comes.

        Raises:
            Refused: the store refused; nothing was charged.
            BrokenReply: its answer breaks the contract; whether it was bought is unknown.
            NoAnswer: no answer in time, without `overdue`; whether it was bought is unknown.
        """
        identifier = await self.begin(domain.purchase(cart, styles, payment, pickup_point))
        bought = await self.outcome(identifier)
        if bought.is_asked_about and overdue is not None:
            overdue()
            bought = await self.known(identifier)
        return receipt_of(bought)

    async def begin(self, purchase: Purchase) -> str:
        """Send a purchase, which survives a crash of this terminal; returns the message's id."""
        sent: list[str] = []

        def decide(unit: UnitOfWork) -> None:
            sent.append(self.send(unit, purchase))  # the last one counts: it may be repeated

        await self.node.decide(decide)
        return sent[-1]

    def send(self, unit: UnitOfWork, purchase: Purchase) -> str:
        """Send a purchase with this unit of work; returns the message's id."""
        identifier = unit.send(PURCHASE, "settlement", purchase, within=self._patience)
        store.save_purchase(unit.connection, Bought(identifier, "sent"), unit.steady)
        self._awaited.add(identifier)
        return identifier

    async def outcome(self, identifier: str) -> Bought:
        """Wait until a purchase is settled, refused or unknown."""
        bought = await self._until(lambda rows: _unless_sent(store.purchase(rows, identifier)))
        if bought.is_asked_about:
            self._awaited.discard(identifier)
        return bought

    async def known(self, identifier: str) -> Bought:
        """Wait until a purchase is settled or refused, also after it was unknown."""
        self._awaited.add(identifier)
        return await self._until(lambda rows: _if_known(store.purchase(rows, identifier)))

    async def reminded(self, order: str) -> Remind:
        """Wait until the reminder of an order has been shown."""
        return await self._until(lambda rows: store.shown(rows, order))

    async def acknowledge(self, order: str) -> None:
        """Record that somebody has seen a reminder, so that it is not shown again."""
        await self.node.decide(lambda unit: store.acknowledge(unit.connection, order, unit.steady))

    def unacknowledged(self) -> list[Remind]:
        """The reminders that were shown and not acknowledged, oldest first."""
        return self.node.read(store.unacknowledged)

    def purchases(self) -> list[Bought]:
        """All purchases of this terminal, oldest first."""
        return list(self.node.read(store.purchases))

    async def _until(self, look: Callable[[sqlite3.Connection], Seen | None]) -> Seen:
        """Query after each commit until there is a result."""
        found = self.node.read(look)
        while found is None:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
            found = self.node.read(look)
        return found

    async def _display(self, key: str, showing: Showing) -> bool:
        return await self._screen.display(key, showing.reminder)

    def _displayed(self, unit: UnitOfWork, showing: Showing, shown: bool) -> None:
        order = showing.reminder.order
        if shown:
            store.mark_shown(unit.connection, order, showing.request, unit.steady)
        if not self._waits_for_people:
            store.acknowledge(unit.connection, order, unit.steady)
        unit.answer(REMIND, showing.caller, showing.request, Shown(shown=shown))
        unit.touch(order)

    def _committed(self, rows: sqlite3.Connection, touched: frozenset[str]) -> None:
        for key in touched:
            if not key.startswith(_LEARNED):
                continue
            identifier = key.removeprefix(_LEARNED)
            if identifier not in self._awaited:
                self._learned(store.purchase(rows, identifier))
            self._awaited.discard(identifier)
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


def _unless_sent(bought: Bought) -> Bought | None:
    return None if bought.state == "sent" else bought


def receipt_of(bought: Bought) -> Receipt:
    """The receipt of a purchase that is settled.

    Raises:
        Refused, BrokenReply, NoAnswer: as `Terminal.buy`.
    """
    if bought.receipt is not None:
        return bought.receipt
    if bought.problem is None:
        raise NoAnswer("Settlement did not answer in time; whether it was bought is unknown.")
    if bought.state == "refused":
        raise Refused(bought.problem)
    raise BrokenReply(f"{bought.problem.detail} Whether it was bought is unknown.")


def _if_known(bought: Bought) -> Bought | None:
    return None if bought.state == "sent" or bought.is_asked_about else bought


def answered(unit: UnitOfWork, answer: Answer[Receipt]) -> None:
    """Store the answer to a purchase, or that there was none in time."""
    bought = Bought(answer.id, became_of(answer), answer.data, answer.problem)
    if not bought.is_asked_about:
        unit.touch(f"{_LEARNED}{answer.id}")
    store.save_purchase(unit.connection, bought, unit.steady)
    unit.touch(answer.id)


def became_of(answer: Answer[Receipt]) -> domain.PurchaseState:
    """The state of a purchase by its answer; one that breaks the contract says nothing."""
    if answer.data is not None:
        return "settled"
    problem = answer.problem
    return "refused" if problem is not None and problem.code != NoAnswer.code else "unknown"


def _remind(unit: UnitOfWork, request: Request[Remind]) -> None:
    """Have the reminder shown; it is answered only after that."""
    reminder = request.data
    store.save_reminder(unit.connection, reminder, request.id)
    showing = Showing(reminder=reminder, caller=request.caller, request=request.id)
    unit.call("screen", showing, key=f"{reminder.order}.{request.id}")
