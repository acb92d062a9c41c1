"""The attributes of every message: CloudEvents 1.0 in JSON, as they are documented.

The runtime reads and writes them by hand (bus/contract/envelope.py); this is what others are told.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from bus.contract.values import Model

MAX_ATTRIBUTE = 2048
"""The longest attribute, in characters."""
Attribute = Annotated[str, Field(min_length=1, max_length=MAX_ATTRIBUTE)]

COMPLETE = (
    "specversion", "id", "source", "type", "time", "datacontenttype", "traceparent", "data",
)  # fmt: skip
"""What every message of the store has; a device may leave out all but `id` and `data`."""


class CloudEvent(Model):
    """A message as it is published: one JSON object, the same bytes in MQTT 3.1.1 and 5."""

    id: Annotated[str, Field(max_length=64, pattern=r"^[\x21-\x7e]{1,64}$")]
    """Made by the sender and never used again for anything else. A command that is repeated has
    the id it had: it has one effect and one reply."""
    data: dict[str, Any]
    """What the message is about; a reader ignores fields that it does not know."""
    specversion: Literal["1.0"] = "1.0"
    """The version of CloudEvents."""
    source: Attribute | None = None
    """`/{site}/{node}`; for readers of logs, the topic is what counts."""
    type: Attribute | None = None
    """`storebus.{role}.{operation}.request`, `.reply` or `.problem`; `storebus.{role}.{name}` for
    states and events."""
    time: Attribute | None = None
    """RFC 3339 time at which it was made, by the clock of its sender."""
    datacontenttype: Literal["application/json"] | None = None
    """The form of `data`."""
    correlationid: Attribute | None = None
    """On a reply: the `id` of the request."""
    causationid: Attribute | None = None
    """The `id` of the message that led to this one."""
    traceparent: Attribute | None = None
    """W3C Trace Context; one trace leads from the first scan to the collected parcel."""
    orderid: Attribute | None = None
    """The order it belongs to, where there is one."""
    expirytime: Attribute | None = None
    """RFC 3339 time with an offset, by the store's clock as the `time` of its replies to queries
    tells it: what was not begun by then is not begun."""
    expiresin: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """The same in seconds after its receipt, for senders that do not know the store's time: what is
    left when it is sent (again). Of two deadlines the earlier one holds."""
