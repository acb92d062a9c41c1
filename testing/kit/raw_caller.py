"""Sends any request, even one outside the contract, and returns the reply as it came."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from bus.contract.channel import ROLES, Operation
from bus.contract.envelope import Envelope, Reading, child_trace, is_problem, seconds_left
from bus.contract.errors import NoAnswer, Problem
from bus.contract.problem import ProblemData
from bus.link import Connector, Incoming, Outgoing
from bus.runtime.caller import Caller
from bus.runtime.outgoing import outgoing
from bus.runtime.settings import RuntimeSettings
from testing.kit.request_items import flaws

_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request to any node; it need not be in the contract."""

    callee: str
    name: str
    """Of the operation."""
    operation: Operation[Any, Any] | None
    """None if it is not in the contract."""
    data: Any
    timeout: float | None = None
    """Seconds until the deadline; the operation's own if None."""

    @property
    def seconds(self) -> float:
        """Seconds to wait for an answer."""
        own = self.operation.timeout if self.operation is not None else None
        return self.timeout or own or _TIMEOUT


@dataclass(frozen=True, slots=True)
class RawReply:
    """A reply as it came."""

    payload: bytes
    seconds: float
    """From when the request was first sent."""
    envelope: Envelope | None
    """None if the payload is no message."""
    problem: ProblemData | None
    """The problem, if it is one."""
    breaks: str
    """How it breaks the contract, one sentence in each line; empty if it does not."""

    @classmethod
    def of(
        cls, operation: Operation[Any, Any] | None, payload: bytes, seconds: float = 0.0
    ) -> "RawReply":
        """Read a reply, right or wrong; `operation` is None if it is not in the contract."""
        try:
            envelope = Reading(payload).envelope()
        except Problem as why:
            return cls(payload, seconds, None, None, str(why))
        refuses = is_problem(envelope)
        wrong: list[str] = []
        if refuses:  # as RFC 9457 has it
            wrong = flaws(ProblemData, envelope.data)
        elif operation is not None:
            wrong = flaws(operation.reply, envelope.data)
        problem = None
        if refuses and not wrong:
            problem = ProblemData.model_validate(envelope.data)
        return cls(payload, seconds, envelope, problem, "\n".join(wrong))


class RawCaller(Caller):
    """A caller that sends any request in any name; several may wait for replies to one id."""

    def __init__(
        self, connector: Connector, site: str, name: str, settings: RuntimeSettings
    ) -> None:
        self._retry = settings.query_retry
        self._retry_limit = settings.retry_limit
        self._waiting: dict[tuple[str, str], list[asyncio.Future[Incoming]]] = {}
        super().__init__(connector, site, name, settings)

    async def ask_raw(self, request: RawRequest, identifier: str | None = None) -> RawReply:
        """Repeat a request with one id until it is answered, and return the reply as it came.

        Args:
            request: what is sent.
            identifier: the message's id, to repeat an earlier request; a new one if None.

        Raises:
            NoAnswer: the deadline passed; whether a command was carried out is unknown.
        """
        identifier = identifier or self.environment.message()
        at = self.environment.steady()
        deadline = at + round(request.seconds * 1000)
        trace = child_trace(None, self.environment.span())
        message = partial(self._outgoing, request, identifier, deadline, trace)
        waiting: asyncio.Future[Incoming] = asyncio.get_running_loop().create_future()
        key = (self.topics.reply(self.name, request.callee, request.name), identifier)
        self._waiting.setdefault(key, []).append(waiting)
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(request.seconds):
                reply = await self._repeated(message, waiting)
        except TimeoutError:
            raise NoAnswer(
                f"{request.callee} did not answer {request.name}"
                f" within {request.seconds:g} s{self._denied(request)}."
            ) from None
        finally:
            self._waiting[key].remove(waiting)
            if not self._waiting[key]:
                del self._waiting[key]
        answer = RawReply.of(request.operation, reply.payload, time.perf_counter() - begun)
        self._note_time(request, answer.envelope, at)
        return answer

    def _note_time(self, request: RawRequest, envelope: Envelope | None, asked: int) -> None:
        is_query = request.operation is not None and request.operation.kind == "query"
        said = envelope.sent_at if envelope is not None else None
        if is_query and request.callee in ROLES and said is not None:
            self.store_time.heard(request.callee, said, asked)

    async def _repeated(
        self, message: Callable[[], Outgoing], answer: "asyncio.Future[Incoming]"
    ) -> Incoming:
        wait = self._retry
        while True:
            self._session.send(message())
            done, _ = await asyncio.wait({answer}, timeout=wait)
            if done:
                return answer.result()
            wait = min(wait * 2, self._retry_limit)

    def _denied(self, request: RawRequest) -> str:
        topic = self.topics.request(self.name, request.callee, request.name)
        denied = topic in self._session.take_denied()
        return f": the broker does not let {self.name} say this" if denied else ""

    def _outgoing(
        self, request: RawRequest, identifier: str, deadline: int, trace: str
    ) -> Outgoing:
        left = seconds_left(deadline - self.environment.steady())
        return outgoing(
            self._messages.request(
                request.callee,
                request.operation or request.name,
                request.data,
                identifier=identifier,
                trace=trace,
                expires_in=left,
            )
        )

    def _receive(self, messages: list[Incoming]) -> None:
        for message in messages:
            waiting = self._waiting.get((message.topic, self._asked(message)), [])
            first = next((each for each in waiting if not each.done()), None)
            if first is None:
                self.unsolicited += 1
            else:
                first.set_result(message)

    def _asked(self, message: Incoming) -> str:
        """The id of the request that a reply answers, even if the rest of it is invalid.

        A reply that names no request answers the only one that is waiting on its topic.
        """
        reading = Reading(message.payload)
        with suppress(Problem):
            reading.envelope()
        named = reading.answers or (message.correlation or b"").decode(errors="replace")
        asked = [identifier for topic, identifier in self._waiting if topic == message.topic]
        return named or (asked[0] if len(asked) == 1 else "")
