"""Customers at terminals of this process: they buy, and wait until each order is reminded."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from parts import PATIENCE, settings_of

from bus.contract.catalog import Style
from bus.contract.errors import NoAnswer
from bus.contract.settlement import AccountPayment, CardPayment, Payment
from devices.terminal import domain
from devices.terminal.domain import Bought
from devices.terminal.role import Terminal
from store.terminal import running_terminal

SKUS = ("OXF-BLU-M", "CAN-40", "CRF-SMO", "WCB-24")
ACCOUNTS = ("C-1001", "C-1004", "C-1006", "C-1009")


def payment_of(number: int) -> Payment:
    """Every third customer pays by card; every ninth card's first answer is an error."""
    if number % 3 == 2:
        token = "tok_error" if number % 9 == 2 else "tok_approve"
        return CardPayment(method="card", token=f"{token}_{number}")
    return AccountPayment(method="account", account=ACCOUNTS[number % len(ACCOUNTS)])


class Customers:
    """What was bought at some terminals, and what came of it."""

    def __init__(self, terminals: Sequence[Terminal], styles: dict[str, Style]) -> None:
        self.terminals = terminals
        self.styles = styles
        self.begun: list[tuple[Terminal, str]] = []
        self.regretted: set[str] = set()
        """The purchases that were cancelled: nobody is reminded of them for sure."""

    async def buy(self, number: int, payment: Payment | None = None) -> None:
        """One purchase; it is safe in the terminal's database when this returns."""
        terminal = self.terminals[number % len(self.terminals)]
        sku = SKUS[number % len(SKUS)]
        purchase = domain.purchase({sku: 1}, self.styles, payment or payment_of(number), None)
        self.begun.append((terminal, await terminal.begin(purchase)))

    async def come(self, count: int, pause: float, seed: int = 1) -> None:
        """So many customers, one after the other with random pauses of seconds."""
        chance = random.Random(seed)
        for number in range(count):
            await self.buy(number)
            await asyncio.sleep(chance.uniform(0, 2 * pause))

    async def outcomes(self) -> list[Bought]:
        """What each was told, once all were told something."""
        async with asyncio.timeout(PATIENCE):
            return [await terminal.outcome(identifier) for terminal, identifier in self.begun]

    async def reminded(self) -> int:
        """Wait until every paid order is reminded; how many there are."""
        paid = 0
        async with asyncio.timeout(PATIENCE):
            for terminal, identifier in self.begun:
                if identifier in self.regretted:
                    continue
                bought = await terminal.outcome(identifier)
                if bought.receipt is not None:
                    await terminal.reminded(bought.receipt.order)
                    paid += 1
        return paid

    async def all_served(self) -> None:
        """Everyone bought, and everyone was reminded."""
        served = await self.reminded()
        assert served == len(self.begun) - len(self.regretted), await self.outcomes()


@asynccontextmanager
async def customers_at(
    data: Path, url: str, *names: str, skus: Sequence[str] = SKUS
) -> AsyncIterator[Customers]:
    """Terminals that know what things cost."""
    async with AsyncExitStack() as stack:
        terminals = [
            await stack.enter_async_context(running_terminal(name, url, settings_of(data)))
            for name in names or ("terminal-1", "terminal-2")
        ]
        async with asyncio.timeout(PATIENCE):
            styles = await _styles(terminals[0], list(skus))
        yield Customers(terminals, styles)


async def _styles(terminal: Terminal, skus: list[str]) -> dict[str, Style]:
    """Ask until the catalog is there to answer."""
    while True:
        with suppress(NoAnswer):
            return await terminal.styles(skus)
