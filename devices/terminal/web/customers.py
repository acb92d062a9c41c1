"""The terminal behind the page: it keeps the carts and orders of many browsers apart."""

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
from devices.terminal.web.domain import Cart, CartLine
from devices.terminal.web.hearing import Hearing
from devices.terminal.web.store import Kept

logger = logging.getLogger("storebus.web")

_DAY = 24 * 60 * 60 * 1000
_TIDY = 3600.0
"""Seconds between two looks at what was left."""


def session_key(session: str) -> str:
    """A browser, where wrong codes are counted."""
    return f"session {session}"


def address_key(address: str) -> str:
    """An address, where wrong codes are counted."""
    return f"address {address}"


class Customers(Terminal):
    """A terminal that browsers use.

    Args:
        name: `web-1`.
        deployment: where it runs.
        hearing: what is heard on the bus; told what changed for whom.
        keep: seconds after which a browser that did nothing is forgotten.
        patience: see `Terminal`.
    """

    def __init__(
        self,
        name: str,
        deployment: Deployment,
        hearing: Hearing,
        keep: float,
        patience: float = 60.0,
    ) -> None:
        self._keep = round(keep * 1000)
        self.hearing = hearing
        super().__init__(name, deployment, patience=patience)

    def _role(self) -> Role:
        return replace(
            super()._role(),
            schemas=(terminal_store.SCHEMA, store.SCHEMA),
            answers={PURCHASE: self._answered},
            started=self._started,
            hears=self.hearing.channels,
        )

    def secret(self) -> bytes:
        """What cookies and forms are signed with; the same after a restart."""
        found = self.node.read(store.secret)
        assert found is not None, "it is made in the first transaction"
        return found

    def cart(self, session: str) -> Cart:
        """The cart that a browser fills; an empty one is not kept."""
        return self.node.read(lambda rows: store.open_cart(rows, session)) or Cart("")

    async def change_cart(
        self, session: str, change: Callable[[tuple[CartLine, ...]], tuple[CartLine, ...]]
    ) -> None:
        """Change what lies in the browser's open cart."""

        def work(unit: UnitOfWork) -> None:
            cart = store.open_cart(unit.connection, session) or Cart(secrets.token_urlsafe(16))
            changed = Cart(cart.token, change(cart.lines))
            store.save_cart(unit.connection, session, changed, unit.steady)

        await self.node.decide(work)
        self.hearing.ring(f"session {session}")

    async def buy_cart(
        self,
        session: str,
        token: str,
        goods: str,
        payment: Payment,
        pickup_point: str | None,
        expected_total: int,
    ) -> str:
        """Buy a cart, once however often it is asked for; returns the id of the purchase.

        Raises:
            WrongState: this browser has no such cart, or other goods than these lie in it.
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
        self.hearing.ring(f"session {session}")
        return bought[-1]

    def bought(self, session: str, token: str) -> str | None:
        """The purchase that this browser's cart became, if it did."""
        cart = self.node.read(lambda rows: store.cart(rows, session, token))
        return cart.purchase if cart is not None else None

    def state_of(self, purchase: str) -> PurchaseState:
        """What is known by now of a purchase."""
        return self.node.read(lambda rows: terminal_store.purchase(rows, purchase)).state

    def orders(self, session: str) -> list[Kept]:
        """This browser's latest purchases, newest first."""
        return self.node.read(lambda rows: store.all_kept(rows, session))

    def order(self, session: str, order: str) -> Kept | None:
        """An order, if it is this browser's own."""
        return self.node.read(lambda rows: store.kept(rows, session, order))

    def knows_code(self, session: str, code: str) -> bool:
        """Whether a pickup code is that of an order of this browser's own."""
        bought = (kept.bought.receipt for kept in self.orders(session))
        return any(receipt is not None and receipt.pickup_code == code for receipt in bought)

    async def note(self, session: str, order: str) -> None:
        """The customer has put a reminder away."""
        await self.node.decide(lambda unit: store.note(unit.connection, session, order))
        self.hearing.ring(f"session {session}")

    def seconds_locked(self, session: str) -> int:
        """For how long no pickup code of this browser is looked at."""
        now = self.node.environment.steady()
        return self.node.read(
            lambda rows: store.guesses(rows, session_key(session))
        ).seconds_locked(now)

    def seconds_slowed(self, address: str) -> float:
        """How long a pickup code from this address waits before it is looked at."""
        now = self.node.environment.steady()
        return self.node.read(
            lambda rows: store.guesses(rows, address_key(address))
        ).seconds_slowed(now)

    async def guessed_wrong(self, session: str, address: str) -> None:
        """One more wrong pickup code of this browser, at this address."""

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
        """Forget every now and then what was left, until cancelled."""
        while True:
            await asyncio.sleep(min(_TIDY, self._keep / 1000))
            try:
                await self.tidy()
            except JournalError:
                logger.exception("%s: could not forget what was left", self.name)

    async def tidy(self) -> None:
        """Forget what was left for too long."""
        await self.node.decide(self._forget)

    def _forget(self, unit: UnitOfWork) -> None:
        store.forget_older(unit.connection, unit.steady - self._keep, unit.steady - _DAY)

    def _answered(self, unit: UnitOfWork, answer: Answer[Receipt]) -> None:
        """What a refused purchase was to buy lies in an open cart again."""
        answered(unit, answer)
        found = store.owner(unit.connection, answer.id)
        if became_of(answer) != "refused" or found is None:
            return
        session, cart = found
        if store.open_cart(unit.connection, session) is None:
            again = Cart(secrets.token_urlsafe(16), cart.lines)
            store.save_cart(unit.connection, session, again, unit.steady)

    def _committed(self, rows: sqlite3.Connection, touched: frozenset[str]) -> None:
        super()._committed(rows, touched)
        for key in touched:
            owner = store.owner(rows, key)
            session = owner[0] if owner else store.owner_of_order(rows, key)
            self.hearing.ring(key)
            if session is not None:
                self.hearing.ring(f"session {session}")
