"""Requests that await their replies.

Nothing is stored: what is asked here is a query, or a command whose outcome the asker looks at.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bus.contract.channel import EVERY, ROLES, Operation, role_of
from bus.contract.envelope import Envelope, Reading, child_trace, is_problem, seconds_left
from bus.contract.errors import NoAnswer, Problem, UnknownCallee
from bus.contract.outbound import MessageFactory
from bus.contract.topics import Address
from bus.contract.values import Model
from bus.link import Incoming, Outgoing
from bus.runtime.admission import broken_reply, read_reply
from bus.runtime.clock import StoreTime
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from bus.runtime.repeating import pauses, until_answered
from bus.runtime.settings import RuntimeSettings

_TIMEOUT = 30.0
"""Seconds, for an operation that says none."""


@dataclass(frozen=True, slots=True)
class ReceivedReply:
    """A reply as it came, right or wrong."""

    message: Incoming
    envelope: Envelope | None
    """None if it is no message."""
    flaw: Problem | None = None
    """Why it is none."""


@dataclass(slots=True)
class _PendingRequest:
    callee: str
    name: str
    answer: asyncio.Future[ReceivedReply]
    at: int
    """When it was sent first, by the steady clock."""
    tells_time: bool
    """Whether its reply tells the store's time: a role has answered a query at once."""


class PendingRequests:
    """Requests under way: one future each, cleaned up however it ends.

    Each is sent with the seconds that are left for it, so no clock of ours has to be right; what
    the replies of the store's roles tell of its time is noted for whom it may concern.

    Args:
        messages: makes the requests.
        environment: the clocks, and the spread of the pauses.
        settings: when a request is sent again.
        publish: sends it.
        store_time: where the store's time is noted.
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
        self._pending: dict[str, list[_PendingRequest]] = defaultdict(list)
        """By id; the same may be asked by several at once."""

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
        """Send a request until it is answered, and return the reply's data.

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
        reply = await self.exchange(
            operation, callee, data, timeout=timeout, identifier=identifier, trace=trace
        )
        if reply.envelope is None:
            raise broken_reply(callee, operation.name, str(reply.flaw))
        return read_reply(
            operation, callee, reply.envelope.data, problem=is_problem(reply.envelope)
        )

    async def exchange(
        self,
        operation: Operation[Any, Any] | str,
        callee: str,
        data: Any,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - the deadline is also sent
        identifier: str | None = None,
        trace: str | None = None,
    ) -> ReceivedReply:
        """The same with whatever is asked, and the reply as it came.

        Args:
            operation: what to ask; the name of one that the contract does not have.
            callee: whom.
            data: the request; any JSON.
            timeout: as of `ask`.
            identifier: as of `ask`; of several who ask under one id at once, each gets a reply.
            trace: as of `ask`.

        Raises:
            NoAnswer: the deadline passed.
            TooLarge: the question does not get through the broker.
        """
        declared = None if isinstance(operation, str) else operation
        name = operation if isinstance(operation, str) else operation.name
        seconds = timeout or (declared.timeout if declared else None) or _TIMEOUT
        identifier = identifier or self._environment.message()
        at = self._environment.steady()
        trace = child_trace(trace, self._environment.span())
        deadline = at + round(seconds * 1000)
        send = partial(self._send, operation, callee, data, identifier, deadline, trace)
        tells_time = declared is not None and declared.kind == "query" and callee in ROLES
        answer: asyncio.Future[ReceivedReply] = asyncio.get_running_loop().create_future()
        pending = _PendingRequest(callee, name, answer, at, tells_time)
        self._pending[identifier].append(pending)
        settings, spread = self._settings, self._environment.spread
        try:
            async with asyncio.timeout(seconds):
                return await until_answered(
                    send, answer, pauses(settings.query_retry, settings.retry_limit, spread)
                )
        except TimeoutError:
            raise NoAnswer(f"{callee} did not answer within {seconds:g} s.") from None
        finally:
            self._pending[identifier].remove(pending)
            if not self._pending[identifier]:
                del self._pending[identifier]

    def take(self, message: Incoming, address: Address) -> bool:
        """Hand a reply to whoever asked, also one that is no message; False if nobody did."""
        reading = Reading(message.payload)
        try:
            envelope = reading.envelope()
        except Problem as why:
            return self.unreadable(message, address, reading, why)
        return self.answered(message, address, envelope)

    def answered(self, message: Incoming, address: Address, envelope: Envelope) -> bool:
        """Hand a reply to whoever asked; False if nobody did."""
        asked = envelope.correlation_id or envelope.id
        return self._hand(self._asked(asked, address), ReceivedReply(message, envelope))

    def unreadable(
        self, message: Incoming, address: Address, reading: Reading, why: Problem
    ) -> bool:
        """Tell whoever asked that the reply is no message; False if nobody did.

        A reply that names no request answers the only one that it can be meant for.
        """
        named = reading.answers or (message.correlation or b"").decode(errors="replace")
        candidates = [named] if named else list(self._pending)
        meant = [found for each in candidates if (found := self._asked(each, address))]
        return len(meant) == 1 and self._hand(meant[0], ReceivedReply(message, None, why))

    def _asked(self, identifier: str, address: Address) -> list[_PendingRequest]:
        return [
            each
            for each in self._pending.get(identifier, ())
            if (each.callee, each.name) == (address.callee, address.name)
        ]

    def _hand(self, asked: list[_PendingRequest], reply: ReceivedReply) -> bool:
        for each in asked:
            if not each.answer.done():
                each.answer.set_result(reply)
                said = reply.envelope.sent_at if reply.envelope is not None else None
                if said is not None and each.tells_time:
                    self._store_time.heard(each.callee, said, each.at)
                break
        return bool(asked)

    def _send(
        self,
        operation: Operation[Any, Any] | str,
        callee: str,
        data: Any,
        identifier: str,
        deadline: int,
        trace: str,
    ) -> None:
        left = seconds_left(deadline - self._environment.steady())
        message = self._messages.request(
            callee, operation, data, identifier=identifier, trace=trace, expires_in=left
        )
        self._publish(outgoing(message))
