"""The kiosk's controller: does what the customer asks for, and takes what the store tells."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from math import ceil
from typing import Any

from bus.contract.catalog import SEARCH, STOCK_CHANGED, Search, SearchResult, StockChanged
from bus.contract.channel import Event, State
from bus.contract.errors import Problem
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
from commerce.price import money_text
from devices.terminal import domain
from devices.terminal.code import is_typed_code, pickup_code
from devices.terminal.kiosk.cart import Item
from devices.terminal.kiosk.connection import Callbacks, StoreConnection
from devices.terminal.kiosk.customer_session import CustomerSession, payment_of
from devices.terminal.kiosk.orders import WAITING, OpenOrders
from devices.terminal.kiosk.refusals import UNKNOWN, locked, refusal
from devices.terminal.kiosk.reminder_queue import ReminderQueue
from devices.terminal.role import Terminal

logger = logging.getLogger("storebus.kiosk")

PACKAGE = "devices.terminal.kiosk"
_PRODUCTS = 100
"""The most products that a search shows."""


@cache
def _texts(language: str) -> Texts:
    return Texts(PACKAGE, language)


class KioskController:
    """Between the kiosk's screen and the store.

    Args:
        name: `terminal-7`.
        deployment: where its terminal runs; None where there is no store to connect to.
        language: of a new customer.
        patience: seconds until a purchase that was not answered counts as unknown.
    """

    def __init__(
        self, name: str, deployment: Deployment | None, language: str = "en", patience: float = 60.0
    ) -> None:
        self.name = name
        self.session = CustomerSession(language)
        self.orders = OpenOrders(name)
        self.reminders = ReminderQueue()
        self.points: PickupPoints | None = None
        self.methods: list[PaymentMethodName] = ["account", "card"]
        """The payment methods that the store takes; all of them until it has said."""
        self.locked_until = 0.0
        """Until when no pickup code may be tried, in seconds of the loop's clock."""
        self.changed: Callable[[], None] = lambda: None
        """Called when there is something new to draw."""
        self.language = language
        """Of a new customer."""
        self._store = StoreConnection(name, deployment, patience)
        self._unknown: dict[str, tuple[CustomerSession, dict[str, Item]]] = {}
        """By purchase with an unknown outcome, its customer and the items of the cart."""

    @property
    def say(self) -> Texts:
        """The texts in the customer's language."""
        return _texts(self.session.language)

    @property
    def takes_cards(self) -> bool:
        """Whether the store takes cards."""
        return "card" in self.methods

    # -- the store ----------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether the store can be asked."""
        return self._store.up

    async def run(self) -> None:
        """Stay on the bus until cancelled; wait for a broker that is not there yet.

        Raises:
            StorebusError: the terminal runs elsewhere, or its database cannot be used.
        """
        hears: dict[Event[Any] | State[Any], Callable[[str, Any], None]] = {
            STOCK_CHANGED: self._stock_changed,
            ORDER_CHANGED: self._order_changed,
            JOB_STATE: self._job,
            PICKUP_POINTS_STATE: self._points,
            PAYMENT_METHODS_STATE: self._methods,
        }
        await self._store.run(
            Callbacks(hears, self._present, self._learned, self._connection_changed, self._catch_up)
        )

    def stop(self) -> None:
        """Show the terminal as offline and disconnect."""
        self._store.stop()

    def _connection_changed(self) -> None:
        self.changed()

    def _stock_changed(self, _: str, stock: StockChanged) -> None:
        self.session.level({level.sku: level.available for level in stock.levels})
        self.changed()

    def _order_changed(self, _: str, order: OrderChanged) -> None:
        if self.orders.changed(order):
            if order.state not in WAITING and self.reminders.drop(order.order):
                self._store.end_reminder(order.order)
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

    async def _catch_up(self, terminal: Terminal) -> bool:
        """Ask for what events told while there was no connection; whether the store answered."""
        try:
            found = []
            for state in ("settled", "short", *WAITING):
                ask = Orders(state=state, limit=_PRODUCTS)
                found += (await terminal.node.ask(ORDERS, "settlement", ask)).orders
            self.orders.fill(found)
            for reminder in terminal.unacknowledged():
                order = OrderQuery(order=reminder.order)
                view = await terminal.node.ask(ORDER, "settlement", order)
                if self._store.is_over(reminder.order) or reminder not in terminal.unacknowledged():
                    continue  # it was acknowledged while settlement was asked
                if view.state in WAITING:
                    self.reminders.add(reminder)
                else:
                    await terminal.acknowledge(reminder.order)
            with suppress(UnknownSku):  # the store says so when it is to be paid
                await self._renew()
        except Problem as problem:
            logger.warning("%s: could not catch up: %s", self.name, problem)
            return False
        self.changed()
        return True

    async def _renew(self) -> None:
        """Give the product on the screen and the cart today's prices and stock."""
        session = self.session
        wanted = list(session.cart.items)
        if session.product is not None:
            wanted += [style.sku for style in session.product.styles]
        if wanted:
            skus = list(dict.fromkeys(wanted))
            styles = await self._store.ask(lambda terminal: terminal.styles(skus))
            session.cart.renew(styles)
            session.level({sku: style.available for sku, style in styles.items()})

    # -- reminders ----------------------------------------------------------------------------

    async def _present(self, reminder: Remind) -> bool:
        waiting = self.reminders.show(reminder)
        asyncio.get_running_loop().call_soon(self.changed)
        return await waiting

    async def acknowledge(self, order: str) -> None:
        """Somebody has seen the reminder of an order and says so."""
        if self.reminders.acknowledge(order):
            self._store.end_reminder(order)
            self.changed()
            if self.connected:
                await self._store.store_acknowledged()

    def postpone(self, order: str) -> None:
        """The reminder is another customer's: it comes back when this one has left."""
        self.reminders.postpone(order)
        self.changed()

    # -- the customer -------------------------------------------------------------------------

    def leave(self) -> None:
        """Forget the customer."""
        self.session = CustomerSession(self.language)
        self.reminders.resume()
        self.changed()

    async def find(self, text: str) -> None:
        """Find a product by its code, or products by words; all products if the text is empty."""
        await self._serve(lambda session: self._find(session, text.strip()))

    async def scan(self, code: str) -> None:
        """A product's label or a pickup code was scanned."""
        if pickup_code(code) is not None:
            await self.collect(code)
        else:
            await self._serve(lambda session: self._look_up(session, code))

    async def pay(self, text: str) -> None:
        """Pay the cart with an account or a card's token."""
        await self._serve(lambda session: self._pay(session, text))

    async def collect(self, code: str) -> None:
        """Collect a parcel by its pickup code."""
        await self._serve(lambda session: self._collect(session, code))

    async def _find(self, session: CustomerSession, text: str) -> None:
        if is_typed_code(text):
            await self._look_up(session, text)
            return
        search = Search(text=text[:200], limit=_PRODUCTS)
        found: SearchResult = await self._store.ask(
            lambda terminal: terminal.node.ask(SEARCH, "catalog", search)
        )
        session.found, session.page = found.products, "start"
        if len(session.found) == 1 and text:
            styles = session.found[0].styles
            session.look(
                session.found[0], next((s.sku for s in styles if s.sku == text.upper()), None)
            )
        else:
            session.note = None if session.found else Sentence("Nothing like that is sold here.")

    async def _look_up(self, session: CustomerSession, code: str) -> None:
        found = await self._store.ask(lambda terminal: terminal.scan(code))
        session.look(found.product, found.scanned)

    async def _pay(self, session: CustomerSession, text: str) -> None:
        trouble = session.cart.trouble
        if trouble is not None:
            session.note, session.page = trouble, "cart"
            return
        payment = payment_of(text)
        if payment.method not in self.methods:
            session.note = Sentence("No cards are taken here. Pay with an account, such as C-1001.")
            return
        total = session.cart.total
        if total is not None and total != session.quoted:
            session.quoted = total
            session.note = Sentence(
                "A price has changed: it is {price} now. Press again to pay that.",
                price=money_text(total),
            )
            return
        cart = {sku: item.quantity for sku, item in session.cart.items.items()}
        styles = {sku: item.style for sku, item in session.cart.items.items()}
        purchase = domain.purchase(cart, styles, payment, session.point)
        session.note = Sentence("Paying ... please wait.")
        self.changed()
        bought = await self._store.ask(lambda terminal: self._bought(terminal, purchase))
        items = dict(session.cart.items)
        if bought.receipt is not None:
            session.paid(bought.receipt, items)
        elif bought.state == "refused" and bought.problem is not None:
            await self._not_bought(session, bought.problem)
        else:
            session.note = UNKNOWN
            self._unknown[bought.id] = session, items

    def _learned(self, bought: domain.Bought) -> None:
        """Tell the late outcome of a purchase, if its customer is still here."""
        session, items = self._unknown.pop(bought.id, (None, dict[str, Item]()))
        if session is None or session is not self.session:
            return
        if bought.receipt is not None:
            session.paid(bought.receipt, items)
        elif bought.problem is not None:
            session.note = refusal(bought.problem)
        self.changed()

    async def _bought(self, terminal: Terminal, purchase: Any) -> domain.Bought:
        return await terminal.outcome(await terminal.begin(purchase))

    async def _not_bought(self, session: CustomerSession, problem: ProblemData) -> None:
        session.note = refusal(problem)
        if problem.code == "unknown-sku":
            gone = session.cart.items.get(str((problem.model_extra or {}).get("sku")))
            if gone is not None:
                session.page = "cart"
                session.note = Sentence("{name} is no longer sold; remove it.", name=gone.product)
        if problem.code in ("sold-out", "price-changed"):
            before = dict(session.cart.items)
            session.page = "cart"
            await self._renew()
            if problem.code == "price-changed":
                session.note = session.cart.repriced(before)

    async def _collect(self, session: CustomerSession, text: str) -> None:
        if self.lock is not None:
            session.note = self.lock
            return
        code = pickup_code(text)
        if code is None:
            session.note = Sentence("A pickup code has six digits.")
            return
        try:
            answer = await self._store.ask(
                lambda terminal: terminal.node.ask(COLLECT, "settlement", Collect(code=code))
            )
        except Problem as problem:
            data = problem.to_data()
            if data.code == "too-many-tries":
                wait = float((data.model_extra or {}).get("retryAfter", 60))
                self.locked_until = asyncio.get_running_loop().time() + wait
            raise
        if self.reminders.drop(answer.order):
            self._store.end_reminder(answer.order)
            await self._store.store_acknowledged()
        session.note = Sentence("Thank you. Take your parcel, please.")

    @property
    def lock(self) -> Sentence | None:
        """Why no pickup code may be tried now; None if one may."""
        left = self.locked_until - asyncio.get_running_loop().time()
        return locked(ceil(left)) if left > 0 else None

    async def _serve(self, work: Callable[[CustomerSession], Awaitable[None]]) -> None:
        """Do something for the customer; a refusal becomes a note.

        Nothing is done while the customer's last request is still under way.
        """
        session = self.session
        if session.is_busy:
            return
        session.is_busy = True
        self.changed()
        try:
            await work(session)
        except Problem as problem:
            session.note = refusal(problem.to_data())
        finally:
            session.is_busy = False
            self.changed()
