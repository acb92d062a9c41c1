"""Ask and await an answer: for devices, tools and tests.

Nothing is stored: what is asked here is a query, or a command whose outcome the asker looks at.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from bus.contract.channel import EVERY, ROLES, Operation, role_of
from bus.contract.envelope import (
    Envelope,
    Reading,
    child_trace,
    is_problem,
    seconds_left,
)
from bus.contract.errors import BrokenReply, NoAnswer, Problem, UnknownCallee
from bus.contract.outbound import MessageFactory
from bus.contract.topics import Address, Topics
from bus.contract.values import Model
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.link.session import Session
from bus.runtime.admission import broken_reply, read_reply
from bus.runtime.clock import StoreTime
from bus.runtime.clock_watch import difference
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from bus.runtime.settings import RuntimeSettings

logger = logging.getLogger("storebus.clock")


@dataclass(slots=True)
class _PendingRequest:
    operation: Operation[Any, Any]
    callee: str
    answer: asyncio.Future[Envelope | BrokenReply]
    at: int
    """When it was asked first, by the steady clock."""


class PendingRequests:
    """Questions under way: one future each, cleaned up however it ends.

    Each is sent with the seconds that are left for it, so no clock of ours has to be right; what
    the replies of the store's roles tell of its time is noted for whom it may concern.
    """

    def __init__(
        self,
        messages: MessageFactory,
        environment: Environment,
        settings: RuntimeSettings,
        publish: Callable[[Outgoing], Any],
        store_time: StoreTime,
    ) -> None:
        self._messages = messages
        self._store_time = store_time
        self._environment = environment
        self._settings = settings
        self._publish = publish
        self._asked: dict[str, _PendingRequest] = {}

    async def ask(
        self,
        operation: Operation[Any, Any],
        callee: str,
        data: Model,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - the deadline is also sent
        identifier: str | None = None,
        trace: str | None = None,
    ) -> Any:
        """Ask, repeat with the same id until answered, and return the reply's data.

        Args:
            operation: what to ask.
            callee: whom.
            data: the request.
            timeout: seconds until the deadline; the operation's own if None.
            identifier: the message's id, to ask the same again; a new one if None.
            trace: the traceparent this belongs to.

        Raises:
            UnknownCallee: the contract has no such role, or it has no such operation.
            NoAnswer: the deadline passed; whether a command was carried out is unknown.
            BrokenReply: the reply breaks the contract; the same is unknown.
            Refused: the other side's problem.
            TooLarge: the question does not get through the broker.
        """
        if operation.callee not in (EVERY, role_of(callee)):
            raise UnknownCallee(f"{callee} has no operation {operation.name}.")
        seconds = timeout or operation.timeout or 30.0
        identifier = identifier or self._environment.message()
        at = self._environment.steady()
        trace = child_trace(trace, self._environment.span())
        message = partial(
            self._message, operation, callee, data, identifier, at + round(seconds * 1000), trace
        )
        answer = asyncio.get_running_loop().create_future()
        self._asked[identifier] = _PendingRequest(operation, callee, answer, at)
        try:
            async with asyncio.timeout(seconds):
                envelope = await self._until_answered(message, answer)
        except TimeoutError:
            raise NoAnswer(f"{callee} did not answer within {seconds:g} s.") from None
        finally:
            del self._asked[identifier]
        return read_reply(operation, callee, envelope.data, problem=is_problem(envelope))

    def take(self, message: Incoming, address: Address) -> bool:
        """Hand a reply to whoever asked, also one that is no message; False if nobody did."""
        reading = Reading(message.payload)
        try:
            envelope = reading.envelope()
        except Problem as why:
            return self.unreadable(message, address, reading, why)
        return self.answered(envelope.correlation_id or envelope.id, address, envelope)

    def answered(self, identifier: str, address: Address, envelope: Envelope) -> bool:
        """Hand a reply to whoever asked; False if nobody did."""
        asked = self._asked.get(identifier)
        if asked is None or (asked.callee, asked.operation.name) != (address.callee, address.name):
            return False
        if not asked.answer.done():
            asked.answer.set_result(envelope)
            self._note_time(asked, envelope)
        return True

    def unreadable(
        self, message: Incoming, address: Address, reading: Reading, why: Problem
    ) -> bool:
        """Tell whoever asked that the reply is no message; False if nobody did.

        One that names no request is to the only one that can be meant.
        """
        named = reading.answers or (message.correlation or b"").decode(errors="replace")
        meant = [
            asked
            for identifier, asked in self._asked.items()
            if (asked.callee, asked.operation.name) == (address.callee, address.name)
            and named in ("", identifier)
        ]
        if len(meant) != 1:
            return False
        if not meant[0].answer.done():
            meant[0].answer.set_result(broken_reply(address.callee, address.name, str(why)))
        return True

    def _note_time(self, asked: _PendingRequest, envelope: Envelope) -> None:
        said = envelope.sent_at
        if said is not None and asked.callee in ROLES and asked.operation.kind == "query":
            self._store_time.heard(asked.callee, said, asked.at)

    async def _until_answered(
        self, message: Callable[[], Outgoing], answer: asyncio.Future[Envelope | BrokenReply]
    ) -> Envelope:
        wait = self._settings.query_retry
        while True:
            self._publish(message())
            spread = self._environment.spread.uniform(0.75, 1.25)
            done, _ = await asyncio.wait({answer}, timeout=wait * spread)
            if done:
                if isinstance(came := answer.result(), BrokenReply):
                    raise came
                return came
            wait = min(wait * 2, self._settings.retry_limit)

    def _message(
        self,
        operation: Operation[Any, Any],
        callee: str,
        data: Model,
        identifier: str,
        deadline: int,
        trace: str,
    ) -> Outgoing:
        left = seconds_left(deadline - self._environment.steady())
        message = self._messages.request(
            callee, operation, data, identifier=identifier, trace=trace, expires_in=left
        )
        return outgoing(message)


class Caller:
    """A client that only asks, such as `tester-1`.

    Raises:
        BrokerError: from `connected`, when there is no broker.
    """

    def __init__(
        self,
        connector: Connector,
        site: str,
        name: str,
        settings: RuntimeSettings | None = None,
        environment: Environment | None = None,
    ) -> None:
        self.name = name
        self.topics = Topics(site)
        self.environment = environment or Environment()
        self.unsolicited = 0
        """Replies that nobody asked for."""
        settings = settings or RuntimeSettings()
        self._session = Session(
            connector,
            f"{site}-{name}-{self.environment.boot}",
            [Subscription(self.topics.replies_to(name), 1)],
            self._receive,
            lambda: None,
            reconnect_limit=settings.reconnect_limit,
            chance=self.environment.chance,
        )
        self.store_time = StoreTime(self.environment)
        """What time it is in the store, as far as it was heard."""
        self._messages = MessageFactory(self.topics, name, self.environment)
        self._pending = PendingRequests(
            self._messages, self.environment, settings, self._session.send, self.store_time
        )
        self.ask = self._pending.ask

    @property
    def shortage(self) -> str:
        """What the broker does not grant although the bus needs it, as a sentence; or nothing."""
        return self._session.shortage

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Caller"]:
        """Stay connected within the block."""
        running = asyncio.create_task(self._session.run(once=True), name=f"{self.name}/link")
        up = asyncio.create_task(self._session.up.wait(), name=f"{self.name}/up")
        try:
            await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            yield self
        finally:
            for task in (running, up):
                task.cancel()
            await asyncio.gather(running, up, return_exceptions=True)
            if wrong := self.store_time.wrong():
                logger.warning("%s: %s", self.name, difference(wrong))

    def _receive(self, messages: list[Incoming]) -> None:
        for message in messages:
            address = self.topics.parse(message.topic)
            if address is None or not self._pending.take(message, address):
                self.unsolicited += 1
