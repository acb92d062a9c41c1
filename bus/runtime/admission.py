"""The one way in: a message from the broker becomes a request that is well-formed and allowed.

Every refusal is raised here or in a role as a `Problem`; `Admission.refusal` makes its reply.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from bus.contract import find_operation
from bus.contract.channel import ROLES, Operation, role_of
from bus.contract.envelope import Envelope, Reading, body_digest, order_of
from bus.contract.errors import (
    BrokenReply,
    Forbidden,
    ForeignResponseTopic,
    InvalidField,
    Problem,
    Refused,
    RetainedRequest,
    TooLarge,
    UnknownOperation,
)
from bus.contract.outbound import MessageFactory
from bus.contract.problem import ProblemData
from bus.contract.topics import Address
from bus.contract.values import MAX_PAYLOAD, Model
from bus.contract.wording import problem_of, what_is_wrong
from bus.link import Incoming, Outgoing
from bus.runtime.clock import StoreTime
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from bus.runtime.requests import Request

_LONGEST_FIELD = 200
"""Characters of a field's name, which may come from the sender."""


class Admission:
    """Reads the requests to one node, and makes the replies that are not stored.

    Args:
        messages: makes its messages.
        environment: its clocks.
        store_time: what a device knows of the store's clock.
    """

    def __init__(
        self, messages: MessageFactory, environment: Environment, store_time: StoreTime
    ) -> None:
        self._messages = messages
        self._topics = messages.topics
        self._kind = messages.kind
        self._environment = environment
        self._store_time = store_time

    def read(self, message: Incoming, address: Address, reading: Reading) -> Request[Any]:
        """Read, check and authorise a request.

        Raises:
            Problem: why it is refused, a query also because it is too late (of a command, only who
                knows what was answered before can say that); `reading.id` is set if the message
                had an id.
        """
        if len(message.payload) > MAX_PAYLOAD:
            with suppress(Problem):
                reading.envelope()  # so that the problem can name the request
            raise TooLarge(f"A payload may have {MAX_PAYLOAD} bytes.", limit=MAX_PAYLOAD)
        envelope = reading.envelope()
        if message.retain:
            raise RetainedRequest("A request must not be published as retained.")
        computed = self._topics.reply(address.node, address.callee, address.name)
        if message.response_topic not in (None, computed):
            raise ForeignResponseTopic(
                "The response topic must be the computed one.", expected=computed
            )
        operation = find_operation(self._kind, address.name)
        if operation is None:
            raise UnknownOperation(f"A {self._kind} has no operation {address.name}.")
        if operation.callers and role_of(address.node) not in operation.callers:
            allowed = ", ".join(sorted(operation.callers))
            raise Forbidden(f"Only {allowed} may call {address.name}.")
        at = self._environment.steady()
        data = validate(operation.request, envelope.data)
        request = Request(
            operation=operation,
            caller=address.node,
            id=envelope.id,
            data=data,
            digest=body_digest(operation.name, envelope.data)
            if operation.kind == "command"
            else b"",
            at=at,
            trace=envelope.trace,
            deadline=self._deadline(envelope, at),
            sent_at=envelope.sent_at if envelope.deadline is not None else None,
            correlation=message.correlation,
            order=order_of(data) or envelope.order,
        )
        if operation.kind == "query":
            request.check_deadline(self._environment.now(), at)
        return request

    def _deadline(self, envelope: Envelope, at: int) -> int | None:
        """When it is too late to begin, by our steady clock: the earlier of the given deadlines."""
        given = []
        if envelope.expires_in is not None:
            given.append(at + envelope.expires_in * 1000)
        if envelope.deadline is not None:
            given.append(at + envelope.deadline - self._now_in_store())
        return min(given, default=None)

    def _now_in_store(self) -> int:
        """The store's time: a role's own clock; for a device, what it has heard of a role's."""
        heard = None if self._kind in ROLES else self._store_time.anywhere()
        return self._environment.now() if heard is None else heard

    def reply(self, request: Request[Any], data: Model) -> Outgoing:
        """A reply that is not stored: to a query."""
        return outgoing(
            self._messages.reply(
                request.caller,
                request.operation,
                data,
                request=request.id,
                parent=request.trace,
                order=request.order,
                correlation=request.correlation,
            )
        )

    def refusal(
        self, message: Incoming, address: Address, reading: Reading, problem: Problem
    ) -> Outgoing:
        """The problem reply to a message that was not admitted."""
        operation = find_operation(self._kind, address.name)
        reply = self._messages.reply(
            address.node,
            operation or address.name,
            problem,
            request=reading.id,
            parent=reading.trace,
            order=reading.order,
            correlation=message.correlation,
        )
        return outgoing(reply if operation is not None else replace(reply, qos=0))


def read_reply(operation: Operation[Any, Any], node: str, data: Any, *, problem: bool) -> Model:
    """The data of a node's reply.

    Args:
        operation: what it was asked.
        node: who answered.
        data: as it came.
        problem: whether it came as a problem.

    Raises:
        Refused: it is a problem.
        BrokenReply: it is not what the contract says.
    """
    model = ProblemData if problem else operation.reply
    try:
        read = model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "data"
        raise broken_reply(node, operation.name, f"{field}: {what_is_wrong(first)}.") from None
    if isinstance(read, ProblemData):
        raise Refused(read)
    assert isinstance(read, Model)
    return read


def broken_reply(node: str, operation: str, why: str) -> BrokenReply:
    """The error that says how a node's reply breaks the contract."""
    return BrokenReply(f"The reply of {node} to {operation} breaks the contract: {why}")


def validate(model: type[Model], data: Any) -> Model:
    """The data of a message as its model.

    Raises:
        InvalidField: names the first wrong field and says what is wrong, not what stood there.
        Problem: of its own, with which a validator of the model refuses it.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if (problem := problem_of(error)) is not None:
            raise problem from None
        path = ".".join(str(part) for part in first["loc"])[:_LONGEST_FIELD]
        field = path or "data"
        raise InvalidField(f"{field}: {what_is_wrong(first)}.", field=field) from None
