"""One connection on which nodes are faked: the base of whatever a tester puts on the bus.

It connects, receives, sends in any node's name, answers, and asks. It stores nothing, and admits
every request: what is to be checked, its subclasses check.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from bus.contract import find_operation
from bus.contract.channel import role_of
from bus.contract.errors import Problem, first_error
from bus.contract.outbound import MessageFactory, OutboundMessage
from bus.contract.topics import Topics
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.link.session import Session
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from bus.runtime.repeating import until_answered
from testing.kit.template import filled_from_request

Seen = TypeVar("Seen")


class FakeNode:
    """A client that fakes one or several nodes.

    Args:
        connector: to the broker.
        topics: of the site.
        environment: clock and identifiers.
        label: what its client id begins with, after the site.
        subscriptions: what it receives.
        will: published by the broker when the connection is lost.
        reconnect_limit: seconds between tries at the most.
    """

    def __init__(
        self, connector: Connector, topics: Topics, environment: Environment, label: str,
        subscriptions: Sequence[Subscription], *, will: Outgoing | None = None,
        reconnect_limit: float = 5.0,
    ) -> None:  # fmt: skip
        self.topics, self.environment = topics, environment
        self._label = label
        self._factories: dict[str, MessageFactory] = {}
        self._news = asyncio.Event()
        self._session = Session(
            connector, f"{topics.site}-{label}-{environment.boot}", subscriptions, self._receive,
            self._connected, will, reconnect_limit,
        )  # fmt: skip

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Be connected within the block.

        Raises:
            BrokerError: there is no broker.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                session = tasks.create_task(self._session.run(once=True), name=self._label)
                try:
                    await self._session.up.wait()
                    yield self
                finally:
                    if self._session.up.is_set():
                        await self._leave()
                    session.cancel()
        except ExceptionGroup as group:
            raise first_error(group) from None

    def _connected(self) -> None:
        """Publish what is to be retained; called after each connection."""

    async def _leave(self) -> None:
        """Clear what is retained; called before the connection is closed."""

    def _receive(self, messages: list[Incoming]) -> None:
        """Handle what arrives; `_news` is to be set when `until` has something to look at."""

    # -- sending ------------------------------------------------------------------------------

    def made_by(self, node: str) -> MessageFactory:
        """Makes the messages of a node."""
        if node not in self._factories:
            self._factories[node] = MessageFactory(self.topics, node, self.environment)
        return self._factories[node]

    def send(self, message: Outgoing | OutboundMessage) -> bool:
        """Send any message, right or wrong; whether it was handed to the connection.

        Raises:
            TooLarge: it does not get through the broker.
        """
        return self._session.send(
            outgoing(message) if isinstance(message, OutboundMessage) else message
        )

    def clear(self, topic: str) -> None:
        """Have the broker forget what it retains on a topic."""
        self._session.send(Outgoing(topic, b"", qos=1, retain=True))

    def reply_to(
        self, node: str, caller: str, name: str, data: Any, *, request: str | None,
        problem: bool = False, correlation: bytes | None = None,
    ) -> OutboundMessage:  # fmt: skip
        """A reply of a node, also to an operation that the contract does not have.

        Args:
            node: that answers.
            caller: that asked.
            name: of the operation.
            data: of the reply; any JSON.
            request: the id of the request.
            problem: whether the data is a problem's.
            correlation: MQTT's correlation data of the request.
        """
        operation = find_operation(role_of(node) or "", name) or name
        return self.made_by(node).reply(
            caller, operation, data, request=request, problem=problem, correlation=correlation
        )

    # -- waiting ------------------------------------------------------------------------------

    async def until(self, look: Callable[[], Seen | None], seconds: float) -> Seen | None:
        """Wait until `look` finds something, and return it; None if that takes too long."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        while True:
            self._news.clear()
            found = look()
            left = deadline - clock()
            if found or left <= 0:
                return found or None
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def ask_until(
        self, send: Callable[[], object], look: Callable[[], Seen | None],
        waits: Iterable[float | None], seconds: float,
    ) -> Seen | None:  # fmt: skip
        """Send a request, and again after each wait, until `look` finds its answer.

        Args:
            send: sends it (again).
            look: finds the answer in what was received.
            waits: seconds until it is sent again, as for `until_answered`.
            seconds: the longest time to wait for the answer.

        Returns:
            The answer; None if it does not come in time.
        """
        answer = asyncio.ensure_future(self.until(look, seconds))
        try:
            return await until_answered(send, answer, waits)
        finally:
            answer.cancel()


@dataclass(slots=True)
class CannedReply:
    """The same reply to each request of an operation."""

    node: str
    """That answers."""
    name: str
    """Of the operation."""
    template: Any
    """The data of each reply, a template; see `testing.kit.template`."""
    is_problem: bool = False
    """Whether the data is a problem's."""
    delay: float | None = None
    """Seconds before each reply."""
    times: int | None = None
    """How many different requests it answers; all if None."""
    _answered: set[tuple[str, str]] = field(default_factory=set)

    def accepts(self, caller: str, identifier: str) -> bool:
        """Whether to answer a request: a copy always, a new one as long as `times` allows."""
        if self.times is None:
            return True
        if (caller, identifier) not in self._answered:
            if self.is_used_up:
                return False
            self._answered.add((caller, identifier))
        return True

    @property
    def is_used_up(self) -> bool:
        """Whether no more new requests are answered."""
        return self.times is not None and len(self._answered) >= self.times

    def to(self, document: Any) -> tuple[Any, bool]:
        """The data of the reply to a request, and whether it is a problem."""
        try:
            return filled_from_request(self.template, document), self.is_problem
        except Problem as problem:  # the request does not have what the template names
            return problem.to_data().model_dump(), True
