"""Serves the customer: asks the store what they want to know, and hears what changes meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from math import ceil
from typing import Any

from bus.contract.catalog import SEARCH, STOCK_CHANGED, Search, SearchResult, StockChanged
from bus.contract.channel import Event, State
from bus.contract.errors import BrokerError, NoAnswer, Problem, first_error
from bus.contract.problem import ProblemData
from bus.contract.refusals import UnknownSku
from bus.contract.settlement import (
    COLLECT,
    ORDER,
    ORDER_CHANGED,
    ORDERS,
    PAYMENT_METHODS_STATE,
    Collect,
    OrderChanged,
    OrderQuery,
    Orders,
    PaymentMethodName,
    PaymentMethods,
)
from bus.contract.sorter import JOB_STATE, JobState
from bus.contract.terminal import Remind
from bus.contract.warehouse import PICKUP_POINTS_STATE, PickupPoints
from bus.runtime.deployment import Deployment
from bus.text.sentence import Sentence
from bus.text.texts import Texts
from devices.terminal import domain
from devices.terminal.code import is_typed_code, pickup_code
from devices.terminal.kiosk.cart import Item
from devices.terminal.kiosk.guest import Guest, payment_of
from devices.terminal.kiosk.orders import WAITING, OrderBook
from devices.terminal.kiosk.refusals import UNKNOWN, locked, refusal
from devices.terminal.kiosk.reminding import Reminding
from devices.terminal.kiosk.words import money
from devices.terminal.role import Terminal

logger = logging.getLogger("storebus.kiosk")

PACKAGE = "devices.terminal.kiosk"
_TRY_AGAIN = 1.0
"""Seconds between two tries to find the broker at the start."""
_LOOK = 0.2
"""Seconds between two looks at the connection."""
_PRODUCTS = 100
"""The most products that a search shows."""


@cache
def _texts(language: str) -> Texts:
    return Texts(PACKAGE, language)


class Attendant:
    """Between the kiosk's screen and its terminal.

    Args:
        name: `terminal-7`.
        deployment: where its terminal runs; None where nothing is to be asked or heard.
        language: of a new customer.
        patience: seconds until a purchase that was not answered counts as unknown.
    """

    def __init__(
        self, name: str, deployment: Deployment | None, language: str = "en", patience: float = 60.0
    ) -> None:
        self.name = name
        self.guest = Guest(language)
        self.orders = OrderBook(name)
        self.reminding = Reminding()
        self.points: PickupPoints | None = None
        self.methods: list[PaymentMethodName] = ["account", "card"]
        """The ways of payment that the store takes; all of them while it has not said."""
        self.locked_until = 0.0
        """Seconds of the loop's clock until when no pickup code may be tried."""
        self.changed: Callable[[], None] = lambda: None
        """Called when there is something new to draw."""
        self._deployment = deployment
        self.language = language
        """Of a new customer."""
        self._patience = patience
        self._terminal: Terminal | None = None
        self._unknown: dict[str, tuple[Guest, dict[str, Item]]] = {}
        """By purchase that was not answered in time, whose it is, and what lay in the cart."""
        self._over: list[str] = []
        """Orders whose reminders are not shown any more, which is still to be written down."""

    @property
    def say(self) -> Texts:
        """The texts in the customer's language."""
        return _texts(self.guest.language)

    @property
    def takes_cards(self) -> bool:
        """Whether cards can be paid with."""
        return "card" in self.methods

    # -- the terminal -------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether the store can be asked."""
        if self._deployment is None:
            return True
        return self._terminal is not None and self._terminal.node.connected

    async def run(self) -> None:
        """Be on the bus until cancelled; a broker that is not there yet is waited for.

        Raises:
            StorebusError: the terminal runs elsewhere, or its database cannot be used.
        """
        assert self._deployment is not None
        while True:
            self._terminal = Terminal(
                self.name, self._deployment, patience=self._patience, light=self._light,
                hears=self._hears(), learned=self._learned,
            )  # fmt: skip
            try:
                async with asyncio.TaskGroup() as tasks:
                    watching = tasks.create_task(self._watch(), name=f"{self.name}/watch")
                    await self._terminal.run()
                    watching.cancel()
            except ExceptionGroup as group:
                error = first_error(group)
                if not isinstance(error, BrokerError):
                    raise error from None
            await asyncio.sleep(_TRY_AGAIN)

    async def _watch(self) -> None:
        """See that the store is there, or gone; when it is there again, ask what was missed."""
        was = caught_up = False
        while True:
            if self.connected != was:
                was, caught_up = self.connected, False
                self.changed()
            if was:
                await self._write_down()
            if was and not caught_up:
                caught_up = await self._catch_up()
            await asyncio.sleep(_LOOK if caught_up or not was else _TRY_AGAIN)

    def stop(self) -> None:
        """Say goodbye."""
        if self._terminal is not None:
            self._terminal.node.stop()

    def _hears(self) -> dict[Event[Any] | State[Any], Callable[[str, Any], None]]:
        return {
            STOCK_CHANGED: self._stock_changed,
            ORDER_CHANGED: self._order_changed,
            JOB_STATE: self._job,
            PICKUP_POINTS_STATE: self._points,
            PAYMENT_METHODS_STATE: self._methods,
        }

    def _stock_changed(self, _: str, stock: StockChanged) -> None:
        self.guest.level({level.sku: level.available for level in stock.levels})
        self.changed()

    def _order_changed(self, _: str, order: OrderChanged) -> None:
        if self.orders.changed(order):
            if order.state not in WAITING and self.reminding.drop(order.order):
                self._over.append(order.order)
            self.changed()

    def _job(self, sorter: str, job: JobState) -> None:
        self.orders.job(sorter, job)
        self.changed()

    def _points(self, _: str, points: PickupPoints) -> None:
        self.points = points
        self.changed()

    def _methods(self, _: str, taken: PaymentMethods) -> None:
        self.methods = taken.methods
        self.changed()

    async def _catch_up(self) -> bool:
        """Learn what events told while nobody listened; whether that could be learned."""
        assert self._terminal is not None
        try:
            found = []
            for state in ("settled", "short", *WAITING):
                ask = Orders(state=state, limit=_PRODUCTS)
                found += (await self._terminal.node.ask(ORDERS, "settlement", ask)).orders
            self.orders.fill(found)
            for reminder in self._terminal.unacknowledged():
                order = OrderQuery(order=reminder.order)
                view = await self._terminal.node.ask(ORDER, "settlement", order)
                if reminder.order in self._over or reminder not in self._terminal.unacknowledged():
                    continue  # somebody took notice while settlement was asked
                if view.state in WAITING:
                    self.reminding.add(reminder)
                else:
                    await self._acknowledged(reminder.order)
            with suppress(UnknownSku):  # the store says so when it is to be paid
                await self._renew()
        except Problem as problem:
            logger.warning("%s: could not catch up: %s", self.name, problem)
            return False
        self.changed()
        return True

    async def _renew(self) -> None:
        """What is looked at, and what is in the cart, as it is sold now."""
        guest = self.guest
        assert self._terminal is not None
        wanted = list(guest.cart.items)
        if guest.product is not None:
            wanted += [style.sku for style in guest.product.styles]
        if wanted:
            styles = await self._terminal.styles(list(dict.fromkeys(wanted)))
            guest.cart.renew(styles)
            guest.level({sku: style.available for sku, style in styles.items()})

    # -- reminders ----------------------------------------------------------------------------

    async def _light(self, reminder: Remind) -> bool:
        waiting = self.reminding.shown(reminder)
        asyncio.get_running_loop().call_soon(self.changed)
        return await waiting

    async def _acknowledged(self, order: str) -> None:
        if self._terminal is not None:
            await self._terminal.acknowledge(order)

    async def acknowledge(self, order: str) -> None:
        """Somebody took notice of the reminder of an order that they see."""
        if self.reminding.seen(order):
            self._over.append(order)
            self.changed()
            if self.connected:
                await self._write_down()

    def put_aside(self, order: str) -> None:
        """Who stands here is not who is reminded: it comes back when they have gone."""
        self.reminding.put_aside(order)
        self.changed()

    async def _write_down(self) -> None:
        """That no reminder is shown any more that somebody took notice of, or that is void."""
        for order in list(self._over):
            await self._acknowledged(order)
            with suppress(ValueError):  # another wrote it down at the same time
                self._over.remove(order)

    # -- the customer -------------------------------------------------------------------------

    def leave(self) -> None:
        """Forget the customer."""
        self.guest = Guest(self.language)
        self.reminding.take_up()
        self.changed()

    async def find(self, text: str) -> None:
        """Find a product by its code, or products by words; all of them if there are none."""
        await self._serve(lambda guest: self._find(guest, text.strip()))

    async def scan(self, code: str) -> None:
        """A product's label was scanned, or a customer's collection code."""
        if pickup_code(code) is not None:
            await self.collect(code)
        else:
            await self._serve(lambda guest: self._look_up(guest, code))

    async def pay(self, text: str) -> None:
        """Pay the cart with an account or a card's token."""
        await self._serve(lambda guest: self._pay(guest, text))

    async def collect(self, code: str) -> None:
        """Collect a parcel by its pickup code."""
        await self._serve(lambda guest: self._collect(guest, code))

    async def _find(self, guest: Guest, text: str) -> None:
        if is_typed_code(text):
            await self._look_up(guest, text)
            return
        search = Search(text=text[:200], limit=_PRODUCTS)
        found: SearchResult = await self._ask(
            lambda terminal: terminal.node.ask(SEARCH, "catalog", search)
        )
        guest.found, guest.page = found.products, "start"
        if len(guest.found) == 1 and text:
            styles = guest.found[0].styles
            guest.look(guest.found[0], next((s.sku for s in styles if s.sku == text.upper()), None))
        else:
            guest.note = None if guest.found else Sentence("Nothing like that is sold here.")

    async def _look_up(self, guest: Guest, code: str) -> None:
        found = await self._ask(lambda terminal: terminal.scan(code))
        guest.look(found.product, found.scanned)

    async def _pay(self, guest: Guest, text: str) -> None:
        trouble = guest.cart.trouble
        if trouble is not None:
            guest.note, guest.page = trouble, "cart"
            return
        payment = payment_of(text)
        if payment.method not in self.methods:
            guest.note = Sentence("No cards are taken here. Pay with an account, such as C-1001.")
            return
        total = guest.cart.total
        if total is not None and total != guest.quoted:
            guest.quoted = total
            guest.note = Sentence(
                "A price has changed: it is {price} now. Press again to pay that.",
                price=money(total),
            )
            return
        cart = {sku: item.quantity for sku, item in guest.cart.items.items()}
        styles = {sku: item.style for sku, item in guest.cart.items.items()}
        purchase = domain.purchase(cart, styles, payment, guest.point)
        guest.note = Sentence("Paying ... please wait.")
        self.changed()
        bought = await self._ask(lambda terminal: self._bought(terminal, purchase))
        items = dict(guest.cart.items)
        if bought.receipt is not None:
            guest.paid(bought.receipt, items)
        elif bought.state == "refused" and bought.problem is not None:
            await self._not_bought(guest, bought.problem)
        else:
            guest.note = UNKNOWN
            self._unknown[bought.id] = guest, items

    def _learned(self, bought: domain.Bought) -> None:
        """What a purchase has come to that was not answered in time: who is still here is told."""
        guest, items = self._unknown.pop(bought.id, (None, dict[str, Item]()))
        if guest is None or guest is not self.guest:
            return
        if bought.receipt is not None:
            guest.paid(bought.receipt, items)
        elif bought.problem is not None:
            guest.note = refusal(bought.problem)
        self.changed()

    async def _bought(self, terminal: Terminal, purchase: Any) -> domain.Bought:
        return await terminal.outcome(await terminal.begin(purchase))

    async def _not_bought(self, guest: Guest, problem: ProblemData) -> None:
        guest.note = refusal(problem)
        if problem.code == "unknown-sku":
            gone = guest.cart.items.get(str((problem.model_extra or {}).get("sku")))
            if gone is not None:
                guest.page = "cart"
                guest.note = Sentence("{name} is not sold any more; remove it.", name=gone.product)
        if problem.code in ("sold-out", "price-changed"):
            before = dict(guest.cart.items)
            guest.page = "cart"
            await self._renew()
            if problem.code == "price-changed":
                guest.note = guest.cart.repriced(before)

    async def _collect(self, guest: Guest, text: str) -> None:
        if self.lock is not None:
            guest.note = self.lock
            return
        code = pickup_code(text)
        if code is None:
            guest.note = Sentence("A pickup code has six digits.")
            return
        try:
            answer = await self._ask(
                lambda terminal: terminal.node.ask(COLLECT, "settlement", Collect(code=code))
            )
        except Problem as problem:
            data = problem.to_data()
            if data.code == "too-many-tries":
                wait = float((data.model_extra or {}).get("retryAfter", 60))
                self.locked_until = asyncio.get_running_loop().time() + wait
            raise
        if self.reminding.drop(answer.order):
            await self._acknowledged(answer.order)
        guest.note = Sentence("Thank you. Take your parcel, please.")

    @property
    def lock(self) -> Sentence | None:
        """Why no pickup code may be tried now."""
        left = self.locked_until - asyncio.get_running_loop().time()
        return locked(ceil(left)) if left > 0 else None

    async def _ask(self, question: Callable[[Terminal], Awaitable[Any]]) -> Any:
        if self._terminal is None or not self._terminal.node.ready.is_set():
            raise NoAnswer("There is no connection to the store.")
        return await question(self._terminal)

    async def _serve(self, work: Callable[[Guest], Awaitable[None]]) -> None:
        """Do something for the customer; what is refused becomes a note.

        A second tap while the first is served does nothing.
        """
        guest = self.guest
        if guest.is_busy:
            return
        guest.is_busy = True
        self.changed()
        try:
            await work(guest)
        except Problem as problem:
            guest.note = refusal(problem.to_data())
        finally:
            guest.is_busy = False
            self.changed()
