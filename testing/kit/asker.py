"""Asks whatever a tester wants asked, and hands over the answer as it came."""

import time
from dataclasses import dataclass
from typing import Any

from bus.contract.channel import Operation
from bus.contract.envelope import Envelope, Reading, is_problem
from bus.contract.errors import NoAnswer, Problem
from bus.contract.problem import ProblemData
from bus.runtime.caller import Caller
from testing.kit.words import flaws

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
    seconds: float
    """From the first time it was asked."""
    envelope: Envelope | None
    """None if it is no message."""
    problem: ProblemData | None
    """The refusal, if it is one."""
    breaks: str
    """In what it breaks the contract, sentences in lines; empty if it does not."""

    @classmethod
    def of(
        cls, operation: Operation[Any, Any] | None, payload: bytes, seconds: float = 0.0
    ) -> "Answer":
        """Read a reply, right or wrong; None for an operation that the contract does not have."""
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


class Asker(Caller):
    """A caller that asks anything in any name."""

    async def put(self, question: Question, identifier: str | None = None) -> Answer:
        """Ask, repeat with the same id until answered, and return the answer as it came.

        Args:
            question: what is asked.
            identifier: the message's id, to ask the same again; a new one if None.

        Raises:
            NoAnswer: the deadline passed; whether a command was carried out is unknown.
        """
        begun = time.perf_counter()
        try:
            reply = await self.exchange(
                question.operation or question.name,
                question.callee,
                question.data,
                timeout=question.seconds,
                identifier=identifier,
            )
        except NoAnswer:
            raise NoAnswer(
                f"{question.callee} did not answer {question.name}"
                f" within {question.seconds:g} s{self._denied(question)}."
            ) from None
        return Answer.of(question.operation, reply.message.payload, time.perf_counter() - begun)

    def _denied(self, question: Question) -> str:
        topic = self.topics.request(self.name, question.callee, question.name)
        denied = topic in self._session.take_denied()
        return f": the broker does not let {self.name} say this" if denied else ""
