"""Customers: each scans, buys something, sometimes something impossible, and collects it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeVar

from bus.contract.catalog import Line, OrderOnly, Style
from bus.contract.channel import Operation
from bus.contract.errors import NoAnswer, Problem
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
from bus.contract.values import Model, Money
from bus.link import Outgoing
from bus.runtime.caller import Caller
from devices.terminal.role import Terminal
from simulation.goods import LABEL, PRICES, SCARCE
from simulation.life import Crash, GoneError
from simulation.store import TERMINALS, SimulatedStore
from simulation.weather import Weather, happens

T = TypeVar("T")

_ASKING = 5
"""How often a customer asks for the same at a console."""

_DITHERING = 10.0
"""Seconds that a customer waits for an order that is to be cancelled."""


@dataclass(frozen=True, slots=True)
class Whim:
    """What one customer wants and does."""

    arrival: float
    terminal: str
    cart: dict[str, int]
    payment: Payment
    wrong_total: bool
    collects: bool
    cancels: float | None
    """Seconds until the customer changes their mind."""
    resends: bool


def whim(chance: Random, number: int, window: float, weather: Weather) -> Whim:
    """Draw one."""
    wanted = chance.sample(list(PRICES), k=chance.choice((1, 1, 1, 2, 3)))
    if happens(chance, 0.2):
        wanted = sorted({*wanted[1:], chance.choice(SCARCE)})
    cart = {sku: chance.choice((1, 1, 1, 2, 3)) for sku in wanted}
    if happens(chance, 0.05):
        cart[wanted[0]] = 40
    payment: Payment
    if happens(chance, 0.4):
        account = chance.choice(("C-1001",) * 8 + ("C-1003",) * 3 + ("C-1002", "C-9999"))
        payment = AccountPayment(method="account", account=account)
    else:
        kind = chance.choice(("approve",) * 5 + ("decline",))
        payment = CardPayment(method="card", token=f"tok_{kind}_{number}")
    return Whim(
        arrival=chance.uniform(0, window),
        terminal=chance.choice(TERMINALS),
        cart=cart,
        payment=payment,
        wrong_total=happens(chance, 0.08),
        collects=happens(chance, 0.5),
        cancels=_second_thought(chance) if happens(chance, weather.cancel) else None,
        resends=happens(chance, weather.resend),
    )


def with_other_card(whim: Whim, chance: Random, number: int, weather: Weather) -> Whim:
    """Perhaps the card is one that the provider refuses, once or for good, when it is cancelled."""
    if whim.payment.method != "card" or not happens(chance, weather.refuse):
        return whim
    kind = chance.choice(("refuse", "norefund", "norefund", "laterrefund"))
    card = CardPayment(method="card", token=f"tok_{kind}_{number}")
    return replace(whim, payment=card, cancels=whim.cancels or _second_thought(chance))


def _second_thought(chance: Random) -> float:
    """Seconds until a customer cancels: at once, while it is brought, or when it is there."""
    return chance.expovariate(chance.choice((20.0, 2.0, 0.5, 0.1, 0.02)))


class Customer:
    """One visit to the store."""

    def __init__(self, store: SimulatedStore, number: int, whim: Whim, console: Caller) -> None:
        self._store = store
        self._whim = whim
        self._console = console
        self._name = f"customer-{number}"

    async def visit(self) -> None:
        """Come, buy, wait for the reminder, collect and go."""
        await asyncio.sleep(self._whim.arrival)
        styles = await self._look()
        if styles is None:
            return
        receipt = await self._buy(self._purchase(styles))
        if receipt is None or not self._whim.collects:
            return
        await self._patiently(lambda terminal: terminal.reminded(receipt.order))
        code = Collect(code=receipt.pickup_code)
        await self._at_console(COLLECT, code, f"collect-{receipt.order}")

    async def _look(self) -> dict[str, Style] | None:
        """What it costs; None when nobody could say."""
        for _ in range(3):
            try:
                await self._store.at(self._whim.terminal, lambda terminal: terminal.scan(LABEL))
                return await self._store.at(
                    self._whim.terminal, lambda terminal: terminal.styles(list(self._whim.cart))
                )
            except (NoAnswer, GoneError):
                continue
        return None

    def _purchase(self, styles: dict[str, Style]) -> Purchase:
        cart = self._whim.cart
        total = sum(styles[sku].price.amount * quantity for sku, quantity in cart.items())
        return Purchase(
            lines=[Line(sku=sku, quantity=quantity) for sku, quantity in cart.items()],
            payment=self._whim.payment,
            expected_total=Money(amount=total + self._whim.wrong_total, currency="EUR"),
        )

    async def _buy(self, purchase: Purchase) -> Receipt | None:
        try:
            identifier = await self._store.at(
                self._whim.terminal, lambda terminal: terminal.begin(purchase)
            )
        except (GoneError, Crash):
            return None  # whether it was begun, the terminal's database knows
        self._store.trace.note("buys", self._name, f"{identifier} {self._whim.cart}")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._cancel(identifier))
            outcome = tasks.create_task(self._outcome(identifier))
        return outcome.result()

    async def _outcome(self, identifier: str) -> Receipt | None:
        bought = await self._patiently(lambda terminal: terminal.outcome(identifier))
        self._store.trace.note("bought", self._name, f"{identifier} {bought.state}")
        if self._whim.resends:
            await self._resend(identifier, answered=bought.state != "unknown")
        return bought.receipt

    async def _patiently(self, action: Callable[[Terminal], Awaitable[T]]) -> T:
        while True:
            try:
                return await self._store.at(self._whim.terminal, action)
            except GoneError:
                continue

    async def _resend(self, identifier: str, *, answered: bool) -> None:
        """The purchase message again, byte for byte or with another body under the same id.

        Another body only once the first was answered: whichever settlement sees first is right.
        """
        chance = self._store.chances["resend"]
        message = self._store.witness.purchases.get((self._whim.terminal, identifier))
        if message is None:
            return
        for _ in range(chance.choice((1, 2))):
            await asyncio.sleep(chance.uniform(0, 20))
            other = answered and happens(chance, 0.5)
            self._store.trace.note("resends", self._name, "another" if other else "the same")
            self._store.network.send(another(message) if other else message)

    async def _cancel(self, identifier: str) -> None:
        """Change one's mind, if at all: before it is paid, while it is brought, or later."""
        if self._whim.cancels is None:
            return
        await asyncio.sleep(self._whim.cancels)
        try:
            async with asyncio.timeout(_DITHERING):
                order = await self._store.witness.order_of(identifier)
        except TimeoutError:
            return  # it was refused before it became one
        await self._at_console(CANCEL, OrderOnly(order=order), f"cancel-{order}")

    async def _at_console(self, operation: Operation[Any, Any], data: Model, name: str) -> None:
        """Ask for something at the console, a few times under the same id."""
        for _ in range(_ASKING):
            try:
                await self._console.ask(operation, "settlement", data, identifier=name)
            except NoAnswer:
                continue
            except Problem as problem:
                self._store.trace.note("refused", self._name, repr(problem))
            return


def another(message: Outgoing) -> Outgoing:
    """The same message id with another body."""
    event = json.loads(message.payload)
    event["data"]["lines"][0]["quantity"] += 1
    return replace(message, payload=json.dumps(event).encode())


async def shopping(store: SimulatedStore, customers: Iterable[int], window: float) -> None:
    """These of a seed's customers come; returns when the last has gone."""
    async with store.tool("console-1").connected() as console:
        visits = [
            Customer(
                store,
                number,
                with_other_card(
                    whim(store.chances[f"customer/{number}"], number, window, store.weather),
                    store.chances[f"card/{number}"],
                    number,
                    store.weather,
                ),
                console,
            ).visit()
            for number in customers
        ]
        await asyncio.gather(*visits)
