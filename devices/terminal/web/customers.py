"""The terminal behind the page; it keeps the carts and orders of each browser session."""

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from bus.contract.catalog import Line
from bus.contract.errors import JournalError
from bus.contract.refusals import WrongState
from bus.contract.settlement import PURCHASE, Payment, Purchase, Receipt
from bus.contract.values import Money
from bus.runtime.deployment import Deployment
from bus.runtime.requests import Answer
from bus.runtime.role import Role
from bus.runtime.unit_of_work import UnitOfWork
from devices.terminal import store as terminal_store
from devices.terminal.domain import PurchaseState
from devices.terminal.role import Terminal, answered, became_of
from devices.terminal.web import domain, store
from devices.terminal.web.domain import BrowserCart, CartLine
from devices.terminal.web.notifier import ChangeNotifier
from devices.terminal.web.store import Kept

logger = logging.getLogger("storebus.web")

_DAY = 24 * 60 * 60 * 1000
_TIDY = 3600.0
"""Seconds between two rounds of forgetting idle sessions."""


def session_key(session: str) -> str:
    """The key under which wrong pickup codes of a browser are counted."""
    return f"session {session}"


def address_key(address: str) -> str:
    """The key under which wrong pickup codes of an IP address are counted."""
    return f"address {address}"


class Customers(Terminal):
    """A terminal whose customers are browser sessions.

    Args:
        name: `web-1`.
        deployment: where it runs.
        notifier: notified of what changes for whom.
        keep: seconds until an idle browser session is forgotten.
        patience: see `Terminal`.
    """

    def __init__(
        self,
        name: str,
        deployment: Deployment,
        notifier: ChangeNotifier,
        keep: float,
        patience: float = 60.0,
    ) -> None:
        self._keep = round(keep * 1000)
        self.notifier = notifier
        super().__init__(name, deployment, patience=patience)

    def _role(self) -> Role:
        return replace(
            super()._role(),
            schemas=(terminal_store.SCHEMA, store.SCHEMA),
            answers={PURCHASE: self._answered},
            started=self._started,
            hears=self.notifier.channels,
        )

    def secret(self) -> bytes:
        """The key that signs cookies and forms; it survives restarts."""
        found = self.node.read(store.secret)
        assert found is not None, "it is made in the first transaction"
        return found

    def cart(self, session: str) -> BrowserCart:
        """The open cart of a browser; an empty cart is not stored."""
        return self.node.read(lambda rows: store.open_cart(rows, session)) or BrowserCart("")

    async def change_cart(
        self, session: str, change: Callable[[tuple[CartLine, ...]], tuple[CartLine, ...]]
    ) -> None:
        """Change the lines of a browser's open cart."""

        def work(unit: UnitOfWork) -> None:
            cart = store.open_cart(unit.connection, session) or BrowserCart(
                secrets.token_urlsafe(16)
            )
            changed = BrowserCart(cart.token, change(cart.lines))
            store.save_cart(unit.connection, session, changed, unit.steady)

        await self.node.decide(work)
        self.notifier.notify(f"session {session}")

    async def buy_cart(
        self,
        session: str,
        token: str,
        goods: str,
        payment: Payment,
        pickup_point: str | None,
        expected_total: int,
    ) -> str:
        """Buy a cart, once however often this is called; returns the id of the purchase.

        Raises:
            WrongState: this browser has no such cart, or it holds other goods.
        """
        bought: list[str] = []

        def work(unit: UnitOfWork) -> None:
            cart = store.cart(unit.connection, session, token)
            if cart is None:
                raise WrongState("This cart is not yours.")
            identifier = cart.purchase
            if identifier is None:
                if not cart.lines or cart.goods != goods:
                    raise WrongState("Other goods lie in this cart by now.")
                purchase = Purchase(
                    lines=[Line(sku=line.sku, quantity=line.quantity) for line in cart.lines],
                    pickup_point=pickup_point,
                    payment=payment,
                    expected_total=Money(amount=expected_total, currency=cart.currency),
                )
                identifier = self.send(unit, purchase)
                store.mark_sent(unit.connection, token, identifier, unit.steady)
            bought.append(identifier)

        await self.node.decide(work)
        self.notifier.notify(f"session {session}")
        return bought[-1]

    def bought(self, session: str, token: str) -> str | None:
        """The purchase that a cart of this browser has become, if it was bought."""
        cart = self.node.read(lambda rows: store.cart(rows, session, token))
        return cart.purchase if cart is not None else None

    def state_of(self, purchase: str) -> PurchaseState:
        """The state of a purchase."""
        return self.node.read(lambda rows: terminal_store.purchase(rows, purchase)).state

    def orders(self, session: str) -> list[Kept]:
        """This browser's latest purchases, newest first."""
        return self.node.read(lambda rows: store.all_kept(rows, session))

    def order(self, session: str, order: str) -> Kept | None:
        """An order, if this browser bought it."""
        return self.node.read(lambda rows: store.kept(rows, session, order))

    def knows_code(self, session: str, code: str) -> bool:
        """Whether a pickup code belongs to an order that this browser bought."""
        bought = (kept.bought.receipt for kept in self.orders(session))
        return any(receipt is not None and receipt.pickup_code == code for receipt in bought)

    async def note(self, session: str, order: str) -> None:
        """The customer has dismissed a reminder."""
        await self.node.decide(lambda unit: store.note(unit.connection, session, order))
        self.notifier.notify(f"session {session}")

    def seconds_locked(self, session: str) -> int:
        """Seconds for which this browser may not try pickup codes."""
        now = self.node.environment.steady()
        return self.node.read(
            lambda rows: store.guesses(rows, session_key(session))
        ).seconds_locked(now)

    def seconds_slowed(self, address: str) -> float:
        """Seconds by which the check of a pickup code from this address is delayed."""
        now = self.node.environment.steady()
        return self.node.read(
            lambda rows: store.guesses(rows, address_key(address))
        ).seconds_slowed(now)

    async def guessed_wrong(self, session: str, address: str) -> None:
        """Count one more wrong pickup code of this browser and of its address."""

        def work(unit: UnitOfWork) -> None:
            rows, browser, where = unit.connection, session_key(session), address_key(address)
            customer = store.guesses(rows, browser).another(unit.steady, domain.MOST_WRONG)
            store.save_guesses(rows, browser, customer)
            store.save_guesses(rows, where, store.guesses(rows, where).one_more(unit.steady))

        await self.node.decide(work)

    def _started(self, unit: UnitOfWork) -> None:
        store.save_secret(unit.connection, secrets.token_bytes(32))
        self._forget(unit)

    async def keep_tidy(self) -> None:
        """Forget idle sessions at intervals, until cancelled."""
        while True:
            await asyncio.sleep(min(_TIDY, self._keep / 1000))
            try:
                await self.tidy()
            except JournalError:
                logger.exception("%s: could not forget idle sessions", self.name)

    async def tidy(self) -> None:
        """Forget the sessions that were idle for too long."""
        await self.node.decide(self._forget)

    def _forget(self, unit: UnitOfWork) -> None:
        store.forget_older(unit.connection, unit.steady - self._keep, unit.steady - _DAY)

    def _answered(self, unit: UnitOfWork, answer: Answer[Receipt]) -> None:
        """The goods of a refused purchase go back into an open cart."""
        answered(unit, answer)
        found = store.owner(unit.connection, answer.id)
        if became_of(answer) != "refused" or found is None:
            return
        session, cart = found
        if store.open_cart(unit.connection, session) is None:
            again = BrowserCart(secrets.token_urlsafe(16), cart.lines)
            store.save_cart(unit.connection, session, again, unit.steady)

    def _committed(self, rows: sqlite3.Connection, touched: frozenset[str]) -> None:
        super()._committed(rows, touched)
        for key in touched:
            owner = store.owner(rows, key)
            session = owner[0] if owner else store.owner_of_order(rows, key)
            self.notifier.notify(key)
            if session is not None:
                self.notifier.notify(f"session {session}")
