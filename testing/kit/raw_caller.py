"""Sends any request, even one outside the contract, and returns the reply as it came."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from bus.contract.channel import Operation
from bus.contract.envelope import Envelope, Reading, is_problem
from bus.contract.errors import NoAnswer, Problem
from bus.contract.problem import ProblemData
from bus.runtime.caller import Caller
from testing.kit.request_items import flaws
from testing.kit.request_statistics import ANSWERED, BROKEN, RequestStatistics, paced

_TIMEOUT = 30.0
"""Seconds, for an operation that says none."""
_AT_ONCE = 1_000
"""The most requests that wait for an answer at the same time."""


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
    """A caller that sends any request in any name."""

    async def ask_raw(self, request: RawRequest, identifier: str | None = None) -> RawReply:
        """Repeat a request with one id until it is answered, and return the reply as it came.

        Args:
            request: what is sent.
            identifier: the message's id, to repeat an earlier request; a new one if None.

        Raises:
            NoAnswer: the deadline passed; whether a command was carried out is unknown.
        """
        begun = time.perf_counter()
        try:
            reply = await self.exchange(
                request.operation or request.name,
                request.callee,
                request.data,
                timeout=request.seconds,
                identifier=identifier,
            )
        except NoAnswer:
            raise NoAnswer(
                f"{request.callee} did not answer {request.name}"
                f" within {request.seconds:g} s{self._denied(request)}."
            ) from None
        seconds = time.perf_counter() - begun
        return RawReply.of(request.operation, reply.message.payload, seconds)

    def _denied(self, request: RawRequest) -> str:
        topic = self.topics.request(self.name, request.callee, request.name)
        denied = topic in self._session.take_denied()
        return f": the broker does not let {self.name} say this" if denied else ""


async def ask_often(
    client: RawCaller, request: RawRequest, identifier: str | None, repeat: int, rate: float | None
) -> RequestStatistics:
    """Send a request `repeat` times, and count the outcomes.

    Args:
        client: sends it, connected.
        request: what is sent.
        identifier: the id of all of them; each has its own if None.
        repeat: how often.
        rate: requests per second, however long the answers take; one after the other if None.
    """
    statistics, slots = RequestStatistics(), asyncio.Semaphore(_AT_ONCE)

    async def ask() -> None:
        try:
            answer = await client.ask_raw(request, identifier)
        except Problem as problem:
            statistics.add(f"{problem.status} {problem.code}", None)
            return
        finally:
            slots.release()
        outcome = ANSWERED
        if answer.breaks:
            outcome = BROKEN
        elif answer.problem is not None:
            outcome = f"{answer.problem.status} {answer.problem.code}"
        statistics.add(outcome, answer.seconds)

    async with asyncio.TaskGroup() as tasks:
        async for _ in paced(repeat, rate):
            await slots.acquire()
            asking = tasks.create_task(ask())
            if rate is None:
                await asking
    return statistics
