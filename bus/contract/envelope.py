"""The payload of every message: CloudEvents 1.0, structured JSON, read leniently, sent complete."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from bus.contract.cloudevent import MAX_ATTRIBUTE
from bus.contract.errors import InvalidField, Malformed, UnsupportedVersion
from bus.contract.timestamp import milliseconds, rfc3339
from bus.contract.values import ORDER_FIELD, Model

CONTENT_TYPE = "application/cloudevents+json"
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
_MOST_SECONDS = 2**31 - 1
"""The largest Integer of CloudEvents (section 3.1)."""
_ID = re.compile(r"[\x21-\x7e]{1,64}")


def is_id(text: str) -> bool:
    """Whether a message can have this id: 1 to 64 printable ASCII characters without spaces."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A received message, read as far as it can be."""

    id: str
    data: Any
    type: str | None = None
    correlation_id: str | None = None
    trace: str | None = None
    order: str | None = None
    time: str | None = None
    """When it was written by its sender's clock, which may be wrong; see `sent_at`."""
    deadline: int | None = None
    """Milliseconds since the epoch in the store's time, from `expirytime`."""
    expires_in: int | None = None
    """Seconds after its receipt, from `expiresin`."""

    @property
    def sent_at(self) -> int | None:
        """`time` in milliseconds since the epoch; None if there is none."""
        try:
            return milliseconds(self.time or "")
        except (ValueError, OverflowError):
            return None


def with_deadline(payload: bytes, expires_in: int, deadline: int | None) -> bytes:
    """A message of ours with its deadline as of now.

    Args:
        payload: as it was stored.
        expires_in: seconds that are left.
        deadline: the same in the store's time, in milliseconds since the epoch, if that is known.
    """
    event = from_json(payload)
    data = event.pop("data")
    event.pop("expirytime", None)
    event["expiresin"] = expires_in
    if deadline is not None:
        event["expirytime"] = rfc3339(deadline)
    return to_json({**event, "data": data})


def seconds_left(milliseconds: int) -> int:
    """Whole seconds, at least one, as a deadline is sent."""
    return max(1, -(-milliseconds // 1000))


@dataclass(slots=True)
class Reading:
    """A payload that is being read: `id` is known even if the rest is bad.

    A problem reply can then name the request it belongs to.
    """

    payload: bytes
    id: str | None = None
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def answers(self) -> str | None:
        """The id of the request that a reply answers, also when the rest of it is bad."""
        asked = self.document.get("correlationid") or self.id
        return asked if isinstance(asked, str) else None

    def envelope(self) -> Envelope:
        """Read the whole payload.

        Raises:
            Malformed: not JSON, not an object, no usable `id`, or no `data`.
            UnsupportedVersion: another version of CloudEvents.
            InvalidField: an attribute of the wrong type.
        """
        try:
            document = from_json(self.payload, allow_inf_nan=False)
        except ValueError as error:
            raise Malformed("The payload is not JSON.") from error
        if not isinstance(document, dict):
            raise Malformed("The payload is not a JSON object.")
        self.document = document
        identifier = document.get("id")
        if not isinstance(identifier, str) or not is_id(identifier):
            raise Malformed("`id` must be text of 1 to 64 printable characters.", field="id")
        self.id = identifier
        if document.get("specversion", "1.0") != "1.0":
            raise UnsupportedVersion("`specversion` must be 1.0.", expected="1.0")
        if "data" not in document:
            raise Malformed("`data` is missing.", field="data")
        time = document.get("time")
        return Envelope(
            id=identifier,
            data=document["data"],
            type=self._text("type"),
            correlation_id=self._text("correlationid"),
            trace=self.trace if self._text("traceparent") else None,
            order=self.order if self._text("orderid") else None,
            time=time if isinstance(time, str) else None,
            deadline=self._deadline(),
            expires_in=self._expires_in(),
        )

    @property
    def order(self) -> str | None:
        """The order of its envelope, if there is one that can be read."""
        order = self.document.get("orderid")
        return order if isinstance(order, str) and is_id(order) else None

    @property
    def trace(self) -> str | None:
        """Its traceparent, if it has one that can be read."""
        trace = self.document.get("traceparent")
        return trace if isinstance(trace, str) and trace_id(trace) else None

    def _text(self, name: str) -> str | None:
        value = self.document.get(name)
        if value is None or (isinstance(value, str) and len(value) <= MAX_ATTRIBUTE):
            return value
        raise InvalidField(
            f"`{name}` must be text of at most {MAX_ATTRIBUTE} characters.", field=name
        )

    def _expires_in(self) -> int | None:
        seconds = self.document.get("expiresin")
        if seconds is None:
            return None
        if type(seconds) is int and 0 <= seconds <= _MOST_SECONDS:
            return seconds
        raise InvalidField(
            f"`expiresin` must be a whole number of seconds, 0 to {_MOST_SECONDS}.",
            field="expiresin",
        )

    def _deadline(self) -> int | None:
        time = self._text("expirytime")
        if time is None:
            return None
        try:
            return milliseconds(time)
        except (ValueError, OverflowError) as error:
            raise InvalidField(
                "`expirytime` must be an RFC 3339 time with an offset.", field="expirytime"
            ) from error


def body_digest(operation: str, data: Any) -> bytes:
    """What makes two requests the same: the operation and the data, however they are written."""
    canonical = to_json(_sorted(data))
    return hashlib.sha256(operation.encode() + b"\0" + canonical).digest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted(part) for part in value]
    return value


def child_trace(trace: str | None, span: str) -> str:
    """A traceparent in the same trace (W3C Trace Context 3.2); `span` is 16 hex digits.

    Without a parent a new trace begins whose id is derived from `span`.
    """
    known = trace_id(trace) or hashlib.sha256(span.encode()).hexdigest()[:32]
    return f"00-{known}-{span}-01"


def order_of(data: Any) -> str | None:
    """The order that a message's data, a model or JSON, is about; None if it names none."""
    if isinstance(data, Model):
        order = None if data.order_field is None else getattr(data, data.order_field, None)
    else:
        order = data.get(ORDER_FIELD) if isinstance(data, dict) else None
    return order if isinstance(order, str) else None


def trace_id(trace: str | None) -> str | None:
    """The trace that a traceparent belongs to; None if it is none."""
    match = _TRACEPARENT.fullmatch(trace) if trace else None
    return match[1] if match else None


def is_problem(reply: Envelope | Mapping[str, Any]) -> bool:
    """Whether a reply, read or as a JSON object, is a problem.

    Its type says so; where a small device left that out, its members do.
    """
    if isinstance(reply, Envelope):
        kind, data = reply.type, reply.data
    else:
        kind, data = reply.get("type"), reply.get("data")
    if isinstance(kind, str):
        return kind.endswith(".problem")
    return isinstance(data, dict) and {"status", "code"} <= data.keys()
