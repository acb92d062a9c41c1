"""The terminals that a load comes from: cheap ones that store nothing, or real ones."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from bus.caller import Asks
from bus.contract.channel import Operation
from bus.contract.every import PING, PRESENCE, Pong
from bus.contract.settlement import PURCHASE, Purchase, Receipt
from bus.contract.terminal import REMIND, Remind, Shown
from bus.contract.topics import Address, Topics
from bus.contract.values import Model
from bus.envelope import Reading
from bus.errors import (
    NoAnswer,
    Problem,
    Refused,
    RoleTakenError,
    UnknownOperation,
    first_error,
)
from bus.gate import Gate
from bus.identity import Identity
from bus.link import Connector, Incoming, MqttConnector, Outgoing, Subscription
from bus.session import Session
from bus.settings import RuntimeSettings
from bus.takeover import refuse_second
from bus.voice import Counts, Voice
from cli.customer import running_terminal
from cli.settings import Settings
from devices.terminal.role import Terminal

Show = Callable[[Remind], None]


class Customer(Protocol):
    """Whoever asks and buys in a terminal's name."""

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


class BareTerminal:
    """A terminal to the store, which asks, repeats and answers reminders, and stores nothing.

    Args:
        name: `terminal-7`.
        connector: to the broker.
        site: of the store.
        settings: of the connection, and when is asked again.
        show: told every reminder.
    """

    def __init__(
        self, name: str, connector: Connector, site: str, settings: RuntimeSettings, show: Show
    ) -> None:
        self.name = name
        self._connector, self._settings, self._show = connector, settings, show
        self._topics, self._identity = Topics(site), Identity()
        self._presence = self._topics.state(name, PRESENCE.name)
        self._voice = Voice(name, "terminal", self._topics, self._identity, Counts())
        self._gate = Gate(self._topics, name, "terminal", self._identity)
        self._session = Session(
            connector,
            f"{site}-{name}-load-{self._identity.boot}",
            [
                Subscription(self._topics.replies_to(name), 1),
                Subscription(self._topics.requests_to(name), 1),
            ],
            self._receive,
            lambda: self._voice.say(self._voice.presence("online")),
            self._voice.presence("lost"),
            settings.reconnect_limit,
        )
        self._voice.send = self._session.send
        self._asks = Asks(name, self._topics, self._identity, settings, self._session.send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["BareTerminal"]:
        """Be on the bus within the block; nothing of it is retained afterwards.

        Raises:
            BrokerError: there is no broker.
            RoleTakenError: a terminal of this name is online.
        """
        await refuse_second(
            self._connector, self._topics, self.name, self._identity, self._settings.takeover_wait
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                session = tasks.create_task(self._session.run(once=True), name=self.name)
                await self._session.up.wait()
                try:
                    yield self
                finally:
                    self._leave()
                    session.cancel()
        except ExceptionGroup as group:
            raise first_error(group) from None

    async def ask(
        self,
        operation: Operation[Any, Any],
        callee: str,
        data: Model,
        patience: float | None = None,
    ) -> Any:
        """See `Customer`."""
        return await self._asks.ask(operation, callee, data, timeout=patience)

    async def buy(self, purchase: Purchase, patience: float | None = None) -> Receipt:
        """See `Customer`."""
        receipt: Receipt = await self.ask(PURCHASE, "settlement", purchase, patience)
        return receipt

    def _leave(self) -> None:
        """Say goodbye, and have even that forgotten."""
        self._session.send(self._voice.presence("offline"))
        self._session.send(Outgoing(self._presence, b"", qos=1, retain=True))

    def _receive(self, messages: list[Incoming]) -> None:
        for message in messages:
            address = self._topics.parse(message.topic)
            if address is None or not message.payload:
                continue
            if address.kind == "rep":
                self._answered(message, address)
            elif address.kind == "req":
                self._asked(message, address)

    def _answered(self, message: Incoming, address: Address) -> None:
        try:
            envelope = Reading(message.payload).envelope()
        except Problem:
            return  # the question is put again
        self._asks.answered(envelope.correlation_id or envelope.id, address, envelope)

    def _asked(self, message: Incoming, address: Address) -> None:
        reading = Reading(message.payload)
        try:
            request = self._gate.read(message, address, reading)
            if request.operation is REMIND:
                self._show(request.data)
                reply: Model = Shown(shown=True)
            elif request.operation is PING:
                reply = Pong(node=self.name, boot=self._identity.boot, version="load")
            else:
                raise UnknownOperation(f"{self.name} is of a load and only answers {REMIND.name}.")
        except Problem as problem:
            self._session.send(self._gate.refusal(message, address, reading, problem))
            return
        self._session.send(self._gate.reply(request, reply))


class DurableTerminal:
    """A real terminal, with its journal and its screen."""

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
        """See `Customer`; the operation's own deadline holds."""
        del patience
        return await self._terminal.node.ask(operation, callee, data)

    async def buy(self, purchase: Purchase, patience: float | None = None) -> Receipt:
        """See `Customer`; the deadline is the one that the terminal was made with."""
        del patience
        bought = await self._terminal.outcome(await self._terminal.begin(purchase))
        if bought.receipt is not None:
            return bought.receipt
        if bought.problem is not None:
            raise Refused(bought.problem)
        raise NoAnswer("Settlement did not answer in time; whether it was bought is unknown.")


@asynccontextmanager
async def running_customer(
    name: str, url: str, settings: Settings, show: Show, *, durable: bool
) -> AsyncIterator[Customer]:
    """A terminal on the bus within the block; see `BareTerminal.running`."""
    try:
        if durable:
            async with running_terminal(name, url, settings, show) as terminal:
                yield DurableTerminal(terminal)
        else:
            connector = MqttConnector(url)
            bare = BareTerminal(name, connector, settings.site, settings.runtime, show)
            async with bare.running():
                yield bare
    except RoleTakenError as error:
        raise RoleTakenError(f"{error}, or take other names with --first") from None
