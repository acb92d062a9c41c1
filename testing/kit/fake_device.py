"""A fake device: to the store a node that asks and repeats, answers, and shows its presence."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from bus.contract.channel import Operation
from bus.contract.envelope import Reading
from bus.contract.errors import Problem, UnknownOperation
from bus.contract.every import PING, PRESENCE, Pong
from bus.contract.outbound import MessageFactory
from bus.contract.topics import Address, Topics
from bus.contract.values import Model
from bus.link import Connector, Incoming, Subscription
from bus.runtime.admission import Admission
from bus.runtime.clock import StoreTime
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from bus.runtime.pending_requests import PendingRequests
from bus.runtime.publisher import Counts, Publisher
from bus.runtime.requests import Request
from bus.runtime.settings import RuntimeSettings
from bus.runtime.takeover import refuse_second
from testing.kit.fake_node import FakeNode

Answers = Mapping[Operation[Any, Any], Callable[[Request[Any]], Model]]


class FakeDevice(FakeNode):
    """A device that stores nothing, for little processor time; it admits requests as a node does.

    Args:
        name: `terminal-7`.
        connector: to the broker.
        site: of the store.
        settings: of the connection, and of retries.
        answers: what it answers, besides `ping`.
    """

    def __init__(
        self, name: str, connector: Connector, site: str, settings: RuntimeSettings,
        answers: Answers,
    ) -> None:  # fmt: skip
        self.name = name
        topics, environment = Topics(site), Environment()
        self._connector, self._settings = connector, settings
        self._answers: Answers = {PING: self._pong, **answers}
        self._presence = topics.state(name, PRESENCE.name)
        self._messages = MessageFactory(topics, name, environment)
        super().__init__(
            connector, topics, environment, f"{name}-load",
            [Subscription(topics.replies_to(name), 1), Subscription(topics.requests_to(name), 1)],
            will=outgoing(self._messages.presence("lost")),
            reconnect_limit=settings.reconnect_limit,
        )  # fmt: skip
        store_time = StoreTime(environment)
        self._admission = Admission(self._messages, environment, store_time)
        self.publisher = Publisher(self._messages, environment, Counts(), self._session.send)
        self._pending = PendingRequests(
            self._messages, environment, settings, self._session.send, store_time
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Be on the bus within the block; nothing of it is retained afterwards.

        Raises:
            BrokerError: there is no broker.
            RoleTakenError: a node of this name is online.
        """
        await refuse_second(
            self._connector, self.topics, self.name, self.environment,
            self._settings.takeover_wait,
        )  # fmt: skip
        async with super().running():
            yield self

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

    def _connected(self) -> None:
        self.publisher.publish(outgoing(self._messages.presence("online")))

    async def _leave(self) -> None:
        """Say goodbye, and have even that forgotten."""
        self.send(self._messages.presence("offline"))
        self.clear(self._presence)

    def _receive(self, messages: list[Incoming]) -> None:
        for message in messages:
            address = self.topics.parse(message.topic)
            if address is None or not message.payload:
                continue
            if address.kind == "rep":
                self._pending.take(message, address)
            elif address.kind == "req":
                self._answer(message, address)

    def _answer(self, message: Incoming, address: Address) -> None:
        reading = Reading(message.payload)
        try:
            request = self._admission.read(message, address, reading)
            answer = self._answers.get(request.operation)
            if answer is None:
                known = ", ".join(operation.name for operation in self._answers)
                raise UnknownOperation(f"{self.name} is of a load and only answers {known}.")
            reply = answer(request)
        except Problem as problem:
            self.send(self._admission.refusal(message, address, reading, problem))
            return
        self.send(self._admission.reply(request, reply))

    def _pong(self, _: Request[Any]) -> Model:
        return Pong(node=self.name, boot=self.environment.boot, version="load")
