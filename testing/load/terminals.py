"""The terminals of a load: fake ones that store nothing, or real ones."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from bus.contract.channel import Operation
from bus.contract.errors import RoleTakenError
from bus.contract.settlement import PURCHASE, Purchase, Receipt
from bus.contract.terminal import REMIND, Remind, Shown
from bus.contract.values import Model
from bus.link import Connector, MqttConnector
from bus.runtime.requests import Request
from bus.runtime.settings import RuntimeSettings
from devices.terminal.role import Terminal, receipt_of
from store.settings import Settings
from store.terminal import running_terminal
from testing.kit.fake_device import FakeDevice

Show = Callable[[Remind], None]


class Customer(Protocol):
    """A customer at a terminal."""

    name: str

    async def ask(
        self,
        operation: Operation[Any, Any],
        callee: str,
        data: Model,
        patience: float | None = None,
    ) -> Any:
        """Ask, and return the reply's data; `patience` is in seconds.

        Raises:
            Problem: the refusal, or `NoAnswer`.
        """

    async def buy(self, purchase: Purchase, patience: float | None = None) -> Receipt:
        """Buy, and return the receipt.

        Raises:
            Problem: the refusal, or `NoAnswer`: then it may have been bought.
        """


class FakeTerminal(FakeDevice):
    """A fake terminal, which buys and answers reminders, and stores nothing.

    Args:
        name: `terminal-7`.
        connector: to the broker.
        site: of the store.
        settings: of the connection, and of retries.
        show: called with every reminder.
    """

    def __init__(
        self, name: str, connector: Connector, site: str, settings: RuntimeSettings, show: Show
    ) -> None:
        def remind(request: Request[Remind]) -> Model:
            show(request.data)
            return Shown(shown=True)

        super().__init__(name, connector, site, settings, {REMIND: remind})

    async def buy(self, purchase: Purchase, patience: float | None = None) -> Receipt:
        """Buy, and return the receipt."""
        receipt: Receipt = await self.ask(PURCHASE, "settlement", purchase, patience)
        return receipt


class DurableTerminal:
    """A real terminal, with its journal."""

    def __init__(self, terminal: Terminal) -> None:
        self.name = terminal.name
        self._terminal = terminal

    async def ask(
        self,
        operation: Operation[Any, Any],
        callee: str,
        data: Model,
        patience: float | None = None,
    ) -> Any:
        """Ask with the operation's own deadline."""
        del patience
        return await self._terminal.node.ask(operation, callee, data)

    async def buy(self, purchase: Purchase, patience: float | None = None) -> Receipt:
        """Buy with the deadline that the terminal was made with."""
        del patience
        return receipt_of(await self._terminal.outcome(await self._terminal.begin(purchase)))


@asynccontextmanager
async def running_customer(
    name: str, url: str, settings: Settings, show: Show, *, durable: bool
) -> AsyncIterator[Customer]:
    """Run a terminal within the block; see `FakeTerminal.running`."""
    try:
        if durable:
            async with running_terminal(name, url, settings, show) as terminal:
                yield DurableTerminal(terminal)
        else:
            connector = MqttConnector(url)
            bare = FakeTerminal(name, connector, settings.site, settings.runtime, show)
            async with bare.running():
                yield bare
    except RoleTakenError as error:
        raise RoleTakenError(f"{error}, or take other names with --first") from None
