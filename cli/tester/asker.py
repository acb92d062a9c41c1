"""Asks whatever a tester wants asked, and hands over the answer as it came."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bus.caller import Caller
from bus.contract.channel import ROLES, Operation, role_of
from bus.contract.problem import ProblemData
from bus.envelope import Envelope, Reading, Sealed, child_trace, is_problem, seconds_left
from bus.errors import Malformed, NoAnswer, Problem
from bus.gate import validate
from bus.link import Connector, Incoming, Outgoing
from bus.settings import RuntimeSettings

_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of whom; it need not be of the contract."""

    callee: str
    name: str
    """Of the operation."""
    operation: Operation[Any, Any] | None
    """None if the contract does not have it."""
    data: Any
    timeout: float | None = None
    """Seconds until the deadline; the operation's own if None."""

    @property
    def seconds(self) -> float:
        """How long an answer is waited for."""
        own = self.operation.timeout if self.operation is not None else None
        return self.timeout or own or _TIMEOUT


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as it came."""

    payload: bytes
    envelope: Envelope
    seconds: float
    """From the first time it was asked."""

    @property
    def problem(self) -> ProblemData | None:
        """The refusal, if it is one.

        Raises:
            InvalidField: it says that it is one, and is not as RFC 9457 has it.
        """
        if not is_problem(self.envelope):
            return None
        problem = validate(ProblemData, self.envelope.data)
        assert isinstance(problem, ProblemData)
        return problem


class Asker(Caller):
    """A caller that asks anything in any name; several may wait for an answer to the same id."""

    def __init__(
        self, connector: Connector, site: str, name: str, settings: RuntimeSettings
    ) -> None:
        self._retry = settings.query_retry
        self._retry_limit = settings.retry_limit
        self._waiting: dict[tuple[str, str], list[asyncio.Future[Incoming]]] = {}
        super().__init__(connector, site, name, settings)

    async def put(self, question: Question, identifier: str | None = None) -> Answer:
        """Ask, repeat with the same id until answered, and return the answer as it came.

        Args:
            question: what is asked.
            identifier: the message's id, to ask the same again; a new one if None.

        Raises:
            NoAnswer: the deadline passed; whether a command was carried out is unknown.
            Malformed: the answer is no message.
        """
        identifier = identifier or self.identity.message()
        at = self.identity.steady()
        deadline = at + round(question.seconds * 1000)
        trace = child_trace(None, self.identity.span())
        message = partial(self._outgoing, question, identifier, deadline, trace)
        waiting: asyncio.Future[Incoming] = asyncio.get_running_loop().create_future()
        key = (self.topics.reply(self.name, question.callee, question.name), identifier)
        self._waiting.setdefault(key, []).append(waiting)
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(question.seconds):
                reply = await self._repeated(message, waiting)
        except TimeoutError:
            raise NoAnswer(
                f"{question.callee} did not answer {question.name}"
                f" within {question.seconds:g} s{self._denied(question)}."
            ) from None
        finally:
            self._waiting[key].remove(waiting)
            if not self._waiting[key]:
                del self._waiting[key]
        seconds = time.perf_counter() - begun
        try:
            answer = Answer(reply.payload, Reading(reply.payload).envelope(), seconds)
        except Problem as problem:
            raise Malformed(f"{question.callee} answered with no message: {problem}") from None
        self._note_time(question, answer.envelope, at)
        return answer

    def _note_time(self, question: Question, envelope: Envelope, asked: int) -> None:
        is_query = question.operation is not None and question.operation.kind == "query"
        if is_query and question.callee in ROLES and envelope.sent_at is not None:
            self.store_time.heard(question.callee, envelope.sent_at, asked)

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

    def _denied(self, question: Question) -> str:
        topic = self.topics.request(self.name, question.callee, question.name)
        denied = topic in self._session.take_denied()
        return f": the broker does not let {self.name} say this" if denied else ""

    def _outgoing(self, question: Question, identifier: str, deadline: int, trace: str) -> Outgoing:
        left = seconds_left(deadline - self.identity.steady())
        order = question.data.get("order") if isinstance(question.data, dict) else None
        payload = Sealed(
            id=identifier,
            source=f"/{self.topics.site}/{self.name}",
            type=f"storebus.{role_of(question.callee)}.{question.name}.request",
            at=self.identity.now(),
            data=question.data,
            trace=trace,
            order=order if isinstance(order, str) else None,
            expires_in=left,
        ).to_bytes()
        return Outgoing(
            self.topics.request(self.name, question.callee, question.name),
            payload,
            qos=1 if question.operation is None else question.operation.qos,
            response_topic=self.topics.reply(self.name, question.callee, question.name),
            correlation=identifier.encode(),
            expiry=left,
            trace=trace,
        )

    def _receive(self, messages: list[Incoming]) -> None:
        for message in messages:
            waiting = self._waiting.get((message.topic, _answers(message)), [])
            first = next((each for each in waiting if not each.done()), None)
            if first is None:
                self.unsolicited += 1
            else:
                first.set_result(message)


def _answers(message: Incoming) -> str:
    """The id of the request that a reply answers, also when the rest of it is bad."""
    reading = Reading(message.payload)
    try:
        envelope = reading.envelope()
    except Problem:
        asked = reading.document.get("correlationid", reading.id)
        if isinstance(asked, str):
            return asked
        return (message.correlation or b"").decode(errors="replace")
    return envelope.correlation_id or envelope.id
