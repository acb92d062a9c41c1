"""A message as operators see it; whatever arrives can be read, also if it breaks the contract."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic_core import from_json

from bus.contract.envelope import is_problem, order_of
from bus.contract.topics import Topics
from bus.link import Incoming
from bus.text.sentence import marked

Kind = Literal["req", "rep", "state", "event", "foreign"]
_TRACE = slice(3, 35)
"""The trace id within a traceparent (W3C Trace Context 3.2.2)."""
_LONGEST_ORDER = 64
_LONGEST = 256
"""The most characters of a topic of the contract."""


@dataclass(slots=True)
class Message:
    """A message that was received."""

    number: int
    """Counts from 1 in the order of receipt."""
    at: int
    """When it was received, in milliseconds since the epoch."""
    topic: str
    payload: bytes
    """Empty for a retained message that was deleted."""
    kind: Kind
    sender: str
    """The sending node; empty if not known."""
    receiver: str
    """The receiving node; empty for states and events."""
    name: str
    """The operation, state or event."""
    id: str | None = None
    answers: str | None = None
    """The id of the request that a reply answers."""
    cause: str | None = None
    order: str | None = None
    deadline: str | None = None
    """The deadline as written (`expirytime`)."""
    seconds: int | None = None
    """The deadline in seconds after receipt (`expiresin`)."""
    trace: str | None = None
    """The trace id, 32 hex digits."""
    status: int | None = None
    """The status of a problem (RFC 9457)."""
    code: str | None = None
    """The code of a problem."""
    flaw: str | None = None
    """How it breaks the contract; an English text, to be translated."""
    retain: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None
    """As MQTT 5 carried it."""
    qos: int = 0
    """The QoS of its delivery."""
    expiry: int | None = None
    """MQTT 5 Message Expiry, in seconds."""
    user: tuple[tuple[str, str], ...] = ()
    """MQTT 5 User Properties."""
    latency: int | None = None
    """Of a reply: milliseconds since its request was first received."""
    repeats: int = 0
    """How often the same id was received before on the same topic."""
    document: Any = None
    """The parsed payload while the message is being taken in; later it is parsed again."""

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return len(self.payload)

    def data(self) -> Any:
        """The whole document, or None if it is not JSON."""
        if self.document is not None:
            return self.document
        try:
            return from_json(self.payload)
        except ValueError:
            return None


def read(topics: Topics, number: int, at: int, incoming: Incoming) -> Message:
    """Read a message as far as possible; never raises.

    The message keeps its parsed document, which the caller should drop when it has taken it in.
    """
    topic, payload = incoming.topic, incoming.payload
    heading = _heading(topics, topic) if len(topic) <= _LONGEST else None
    if heading is None:
        message = Message(number, at, topic, payload, "foreign", "", "", topic)
        message.flaw = marked("not a topic of the contract")
    else:
        message = Message(number, at, topic, payload, *heading)
    message.retain, message.qos = incoming.retain, incoming.qos
    message.response_topic, message.correlation = incoming.response_topic, incoming.correlation
    message.expiry, message.user = incoming.expiry, incoming.user
    if payload:
        _read_payload(message, payload)
    elif message.flaw is None:
        message.flaw = marked("empty")
    return message


@lru_cache(4_096)
def _heading(topics: Topics, topic: str) -> tuple[Kind, str, str, str] | None:
    """Kind, sender, receiver and name of a topic; cached, since a store has few topics."""
    address = topics.parse(topic)
    if address is None:
        return None
    if address.kind == "rep":
        return "rep", address.callee, address.node, address.name
    return address.kind, address.node, address.callee, address.name


def _read_payload(message: Message, payload: bytes) -> None:
    try:
        document = from_json(payload)
    except ValueError:
        message.flaw = message.flaw or marked("not JSON")
        return
    if not isinstance(document, dict):
        message.flaw = message.flaw or marked("not a JSON object")
        return
    message.document = document
    message.id = _text(document, "id")
    message.cause = _text(document, "causationid")
    message.order = _text(document, "orderid") or _order_in(document.get("data"))
    message.deadline = _text(document, "expirytime")
    seconds = document.get("expiresin")
    message.seconds = seconds if type(seconds) is int and seconds >= 0 else None
    trace = _text(document, "traceparent")
    message.trace = trace[_TRACE] if trace else None
    if document.get("specversion", "1.0") != "1.0":
        message.flaw = message.flaw or marked("another version of CloudEvents")
    if message.id is None or "data" not in document:
        flaw = marked("no id") if message.id is None else marked("no data")
        message.flaw = message.flaw or flaw
    if message.kind == "rep":
        message.answers = _text(document, "correlationid") or message.id
        _read_problem(message, document)


def _order_in(data: Any) -> str | None:
    """The order in the data, since small devices may leave it out of the envelope."""
    order = order_of(data) if isinstance(data, dict) else None
    return order if order is not None and len(order) <= _LONGEST_ORDER else None


def _read_problem(message: Message, document: dict[str, Any]) -> None:
    data = document.get("data")
    if not isinstance(data, dict) or not {"status", "code"} <= data.keys():
        return
    if not is_problem(document):
        return
    message.status = count(data["status"], 999)
    message.code = _text(data, "code")


def count(value: object, most: int = 1_000_000_000_000) -> int | None:
    """A plausible count: an integer from 0 to `most`; None for anything else."""
    return value if type(value) is int and 0 <= value <= most else None


def body(message: Message) -> dict[str, Any] | None:
    """The `data` of a message, or None if it is no object."""
    document = message.data()
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, dict) else None


def _text(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) else None
