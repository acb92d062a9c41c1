"""A node to the store that stores nothing: it asks and repeats, answers, and shows itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from bus.contract.channel import Operation
from bus.contract.envelope import Reading
from bus.contract.errors import Problem, UnknownOperation, first_error
from bus.contract.every import PING, PRESENCE, Pong
from bus.contract.outbound import MessageFactory
from bus.contract.topics import Address, Topics
from bus.contract.values import Model
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.link.session import Session
from bus.runtime.admission import Admission
from bus.runtime.clock import StoreTime
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from bus.runtime.pending_requests import PendingRequests
from bus.runtime.publisher import Counts, Publisher
from bus.runtime.requests import Request
from bus.runtime.settings import RuntimeSettings
from bus.runtime.takeover import refuse_second

Answers = Mapping[Operation[Any, Any], Callable[[Request[Any]], Model]]


class FakeDevice:
    """What a load needs of a device, for the least of the machine.

    Args:
        name: `terminal-7`.
        kind: `terminal`.
        connector: to the broker.
        site: of the store.
        settings: of the connection, and when is asked again.
        answers: what it answers, besides `ping`.
    """

    def __init__(
        self, name: str, kind: str, connector: Connector, site: str, settings: RuntimeSettings,
        answers: Answers,
    ) -> None:  # fmt: skip
        self.name = name
        self._connector, self._settings = connector, settings
        self._answers: Answers = {PING: self._pong, **answers}
        self._topics, self._environment = Topics(site), Environment()
        self._presence = self._topics.state(name, PRESENCE.name)
        messages = MessageFactory(self._topics, name, self._environment, kind)
        self._messages = messages
        store_time = StoreTime(self._environment)
        self._admission = Admission(messages, self._environment, store_time)
        self._session = Session(
            connector,
            f"{site}-{name}-load-{self._environment.boot}",
            [
                Subscription(self._topics.replies_to(name), 1),
                Subscription(self._topics.requests_to(name), 1),
            ],
            self._receive,
            lambda: self.publisher.publish(outgoing(messages.presence("online"))),
            outgoing(messages.presence("lost")),
            settings.reconnect_limit,
        )
        self.publisher = Publisher(messages, self._environment, Counts(), self._session.send)
        self._pending = PendingRequests(
            messages, self._environment, settings, self._session.send, store_time
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Be on the bus within the block; nothing of it is retained afterwards.

        Raises:
            BrokerError: there is no broker.
            RoleTakenError: a node of this name is online.
        """
        await refuse_second(
            self._connector,
            self._topics,
            self.name,
            self._environment,
            self._settings.takeover_wait,
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
        """Ask, and repeat it until it is answered or `patience`, in seconds, is over.

        Raises:
            Problem: the refusal, or `NoAnswer`.
        """
        return await self._pending.ask(operation, callee, data, timeout=patience)

    def _leave(self) -> None:
        """Say goodbye, and have even that forgotten."""
        self._session.send(outgoing(self._messages.presence("offline")))
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
        self._pending.take(message, address)

    def _asked(self, message: Incoming, address: Address) -> None:
        reading = Reading(message.payload)
        try:
            request = self._admission.read(message, address, reading)
            answer = self._answers.get(request.operation)
            if answer is None:
                known = ", ".join(operation.name for operation in self._answers)
                raise UnknownOperation(f"{self.name} is of a load and only answers {known}.")
            reply = answer(request)
        except Problem as problem:
            self._session.send(self._admission.refusal(message, address, reading, problem))
            return
        self._session.send(self._admission.reply(request, reply))

    def _pong(self, _: Request[Any]) -> Model:
        return Pong(node=self.name, boot=self._environment.boot, version="load")
