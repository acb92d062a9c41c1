"""Makes whole messages, payload and topic: the only place that does.

Every message of the store leaves complete: CloudEvents 1.0 with all attributes, on the topic that
its sender, its addressee and its operation, state or event determine.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_core import to_json

from bus.contract.channel import Event, Operation, State, role_of
from bus.contract.envelope import child_trace, order_of
from bus.contract.errors import Problem
from bus.contract.every import PRESENCE, Presence
from bus.contract.timestamp import rfc3339
from bus.contract.topics import Topics


class ClockAndIds(Protocol):
    """Where a message's time and identifiers come from."""

    @property
    def boot(self) -> str:
        """Names this start of the sender."""

    def now(self) -> int:
        """Milliseconds since the epoch."""

    def message(self) -> str:
        """A new message id."""

    def span(self) -> str:
        """16 hex digits for a traceparent."""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A message before it is written as JSON; `dataclasses.replace` makes a wrong one of it."""

    topic: str
    id: str
    source: str
    type: str
    at: int
    """Milliseconds since the epoch."""
    data: Any
    """A model; what a tester sends may be any JSON."""
    trace: str
    """The traceparent."""
    correlation_id: str | None = None
    causation_id: str | None = None
    order: str | None = None
    deadline: int | None = None
    """In the store's time, in milliseconds since the epoch."""
    expires_in: int | None = None
    """Seconds after its receipt; MQTT's message expiry as well."""
    qos: int = 0
    retain: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None
    """MQTT's correlation data."""
    shows_trace: bool = False
    """Whether MQTT's user properties name the trace, as they do on requests and replies."""

    def to_bytes(self) -> bytes:
        """The payload: structured JSON (CloudEvents JSON format 1.0, section 3)."""
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "time": rfc3339(self.at),
            "datacontenttype": "application/json",
            "traceparent": self.trace,
        }
        if self.correlation_id is not None:
            event["correlationid"] = self.correlation_id
        if self.causation_id is not None:
            event["causationid"] = self.causation_id
        if self.order is not None:
            event["orderid"] = self.order
        if self.deadline is not None:
            event["expirytime"] = rfc3339(self.deadline)
        if self.expires_in is not None:
            event["expiresin"] = self.expires_in
        event["data"] = self.data
        return to_json(event)


class MessageFactory:
    """Makes the messages of one node.

    An operation, state or event that the contract does not have is given by its name alone; `data`
    may then be any JSON.

    Args:
        topics: of its site.
        node: its name.
        source: its clock and identifiers.
        kind: its role or kind of device, where its name does not say so.
    """

    def __init__(
        self, topics: Topics, node: str, source: ClockAndIds, kind: str | None = None
    ) -> None:
        self.topics = topics
        self.node = node
        self.kind = kind or role_of(node) or node
        self.since = rfc3339(source.now())
        """When this start of the node was."""
        self._source = source
        self._uri = f"/{topics.site}/{node}"

    def request(
        self,
        callee: str,
        operation: Operation[Any, Any] | str,
        data: Any,
        *,
        identifier: str | None = None,
        at: int | None = None,
        trace: str | None = None,
        cause: str | None = None,
        order: str | None = None,
        expires_in: int | None = None,
    ) -> OutboundMessage:
        """A request.

        Args:
            callee: who is asked.
            operation: for what.
            data: the operation's request.
            identifier: the message's id; a new one if None.
            at: when it is made, in milliseconds since the epoch; now if None.
            trace: its traceparent; a new trace if None.
            cause: the id of the message that led to it.
            order: the order that it is about, where the data does not say so.
            expires_in: seconds after its receipt until it need not be begun any more.
        """
        name, qos = _name_and_qos(operation)
        identifier = identifier or self._source.message()
        return OutboundMessage(
            topic=self.topics.request(self.node, callee, name),
            id=identifier,
            source=self._uri,
            type=f"storebus.{role_of(callee)}.{name}.request",
            at=self._source.now() if at is None else at,
            data=data,
            trace=trace or child_trace(None, self._source.span()),
            causation_id=cause,
            order=order or order_of(data),
            expires_in=expires_in,
            qos=qos,
            response_topic=self.topics.reply(self.node, callee, name),
            correlation=identifier.encode(),
            shows_trace=True,
        )

    def reply(
        self,
        caller: str,
        operation: Operation[Any, Any] | str,
        data: Any,
        *,
        request: str | None,
        problem: bool = False,
        at: int | None = None,
        parent: str | None = None,
        cause: str | None = None,
        order: str | None = None,
        correlation: bytes | None = None,
    ) -> OutboundMessage:
        """A reply, or a problem reply if `data` is a `Problem`.

        Args:
            caller: who asked.
            operation: for what.
            data: the operation's reply.
            request: the id of the request; None if it could not be read.
            problem: whether `data`, which is no `Problem`, is the data of one.
            at: when it is made, in milliseconds since the epoch; now if None.
            parent: the traceparent of the request; a new trace if None.
            cause: the id of the message that led to it, if that is not the request.
            order: the order that the request is about; `data` may name another.
            correlation: MQTT's correlation data of the request.
        """
        name, qos = _name_and_qos(operation)
        if isinstance(data, Problem):
            data, problem = data.to_data(), True
        return OutboundMessage(
            topic=self.topics.reply(caller, self.node, name),
            id=self._source.message(),
            source=self._uri,
            type=f"storebus.{self.kind}.{name}.{'problem' if problem else 'reply'}",
            at=self._source.now() if at is None else at,
            data=data,
            trace=child_trace(parent, self._source.span()),
            correlation_id=request,
            causation_id=cause or request,
            order=order_of(data) or order,
            qos=qos,
            correlation=correlation,
            shows_trace=True,
        )

    def state(
        self, state: State[Any] | str, data: Any, *, trace: str | None = None
    ) -> OutboundMessage:
        """A state of the node: retained. Without a traceparent it begins a trace of its own."""
        name = state if isinstance(state, str) else state.name
        return self._shown(
            self.topics.state(self.node, name), name, data, trace, qos=1, retain=True
        )

    def event(
        self, event: Event[Any] | str, data: Any, *, trace: str | None = None
    ) -> OutboundMessage:
        """Something that happened. Without a traceparent it begins a trace of its own."""
        name = event if isinstance(event, str) else event.name
        return self._shown(
            self.topics.event(self.node, name), name, data, trace, qos=0, retain=False
        )

    def presence(
        self, status: Any, database: str | None = None, position: int | None = None
    ) -> OutboundMessage:
        """This start of the node as `online`, `offline` or `lost`, and with which database."""
        presence = Presence(
            status=status, boot=self._source.boot, since=self.since,
            database=database, position=position,
        )  # fmt: skip
        return self.state(PRESENCE, presence)

    def _shown(
        self, topic: str, name: str, data: Any, trace: str | None, *, qos: int, retain: bool
    ) -> OutboundMessage:
        return OutboundMessage(
            topic=topic,
            id=self._source.message(),
            source=self._uri,
            type=f"storebus.{self.kind}.{name}",
            at=self._source.now(),
            data=data,
            trace=trace or child_trace(None, self._source.span()),
            order=order_of(data),
            qos=qos,
            retain=retain,
        )


def _name_and_qos(operation: Operation[Any, Any] | str) -> tuple[str, int]:
    """The quality of service of an operation that the contract does not have is 1."""
    return (operation, 1) if isinstance(operation, str) else (operation.name, operation.qos)
