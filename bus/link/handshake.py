"""The packets around the messages: connect, subscribe, ping and say goodbye (MQTT 3.1.1 and 5).

Knows no connection. Whoever looks at other clients' packets finds here what those say, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bus.contract.envelope import CONTENT_TYPE
from bus.link.base import Incoming, Outgoing, Subscription
from bus.link.fields import read_properties, read_text, skip_properties, text, variable_length
from bus.link.granted import Granted
from bus.link.reasons import FAILURE, of_version_3

CONNACK, SUBACK, PINGRESP, DISCONNECTED = 0x20, 0x90, 0xD0, 0xE0
"""The kind of a packet, in the upper half of its first byte."""
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
"""The whole packets; after the second no last will is published."""

_CLEAN, _WILL, _WILL_RETAIN, _PASSWORD, _USER = 0x02, 0x04, 0x20, 0x40, 0x80
"""Connect Flags (section 3.1.2.3)."""
_MQTT_5 = 5
_RETAIN_AS_PUBLISHED = 0x08
"""A Subscription Option (section 3.8.3.1)."""
_SERVER_KEEP_ALIVE, _REASON_STRING, _PAIR = 0x13, 0x1F, 0x26
_OF_A_CONNACK = frozenset(
    {0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28}
    | {0x29, 0x2A}
)
_OF_A_SUBACK = frozenset({_REASON_STRING, _PAIR})
_CUT_OFF = "the packet ends in the middle of a field"


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a client says of itself when it connects."""

    client_id: str
    v5: bool
    keep_alive: int
    """Seconds."""
    user: str | None = None
    password: str | None = None
    will: Outgoing | None = None
    will_qos: int = 0
    properties: bool = False
    """Whether the will has MQTT 5 properties."""


def write_connect(introduction: Introduction) -> bytes:
    """A CONNECT with a clean start (section 3.1)."""
    flags, none = _CLEAN, b"\x00" if introduction.v5 else b""
    payload = text(introduction.client_id.encode())
    will = introduction.will
    if will is not None:
        flags |= _WILL | introduction.will_qos << 3 | (_WILL_RETAIN if will.retain else 0)
        content = b"\x03" + text(CONTENT_TYPE.encode())
        properties = variable_length(len(content)) + content if introduction.properties else none
        payload += properties + text(will.topic.encode()) + text(will.payload)
    if introduction.user is not None:
        flags |= _USER
        payload += text(introduction.user.encode())
    if introduction.password is not None:
        flags |= _PASSWORD
        payload += text(introduction.password.encode())
    version = _MQTT_5 if introduction.v5 else 4
    head = text(b"MQTT") + bytes((version, flags)) + introduction.keep_alive.to_bytes(2) + none
    return b"\x10" + variable_length(len(head) + len(payload)) + head + payload


@dataclass(frozen=True, slots=True)
class Welcome:
    """A broker's answer to a CONNECT."""

    reason: int
    """A reason code of MQTT 5, also in MQTT 3.1.1."""
    granted: Granted
    keep_alive: int | None = None
    """Seconds, if the broker says so (section 3.2.2.3.14)."""


def read_connack(packet: bytes, *, v5: bool) -> Welcome:
    """A CONNACK (section 3.2): what follows the fixed header.

    Raises:
        ValueError: it breaks the protocol.
    """
    if len(packet) < 2:  # noqa: PLR2004 - flags and reason
        raise ValueError(_CUT_OFF)
    if not v5:
        return Welcome(of_version_3(packet[1]), Granted())
    properties, _, _ = read_properties(packet, 2, _OF_A_CONNACK)
    said = {name: int.from_bytes(value) for name, value in properties.items()}
    return Welcome(packet[1], Granted.read(said), said.get(_SERVER_KEEP_ALIVE))


def write_subscribe(
    identifier: int, subscriptions: Sequence[Subscription], max_qos: int, *, v5: bool
) -> bytes:
    """A SUBSCRIBE (section 3.8); in MQTT 5 messages keep their retain flag."""
    head = identifier.to_bytes(2) + (b"\x00" if v5 else b"")
    payload = b""
    for wanted in subscriptions:
        options = min(wanted.qos, max_qos) | (_RETAIN_AS_PUBLISHED if v5 else 0)
        payload += text(wanted.filter.encode()) + bytes((options,))
    return b"\x82" + variable_length(len(head) + len(payload)) + head + payload


def read_suback(packet: bytes, *, v5: bool) -> tuple[int, bytes]:
    """A SUBACK (section 3.9): the identifier of the SUBSCRIBE, and a reason code for each filter.

    Raises:
        ValueError: it breaks the protocol.
    """
    if len(packet) < 2:  # noqa: PLR2004 - the identifier
        raise ValueError(_CUT_OFF)
    at = read_properties(packet, 2, _OF_A_SUBACK)[2] if v5 else 2
    return int.from_bytes(packet[:2]), packet[at:]


def read_disconnect(packet: bytes) -> int:
    """The reason code of a broker's DISCONNECT (MQTT 5 section 3.14)."""
    return packet[0] if packet else 0


def is_refused(reason: int) -> bool:
    """Whether a reason code says no."""
    return reason >= FAILURE


@dataclass(frozen=True, slots=True)
class Connecting:
    """What of a CONNECT matters to others than the broker (MQTT 5 section 3.1)."""

    v5: bool
    will: Incoming | None
    keep_alive: int = 0
    """Seconds; 0 for none."""


def read_connect(packet: bytes) -> Connecting:
    """A client's CONNECT: what follows the fixed header.

    Raises:
        ValueError: it breaks the protocol.
    """
    _, at = read_text(packet, 0)
    if at + 4 > len(packet):
        raise ValueError("the packet ends in the middle of a field")
    v5, flags = packet[at] >= _MQTT_5, packet[at + 1]
    keep_alive = int.from_bytes(packet[at + 2 : at + 4])
    at += 4
    at = skip_properties(packet, at) if v5 else at
    _, at = read_text(packet, at)
    if not flags & _WILL:
        return Connecting(v5, None, keep_alive)
    at = skip_properties(packet, at) if v5 else at
    topic, at = read_text(packet, at)
    payload, _ = read_text(packet, at)
    will = Incoming(topic.decode(), payload, bool(flags & _WILL_RETAIN), qos=flags >> 3 & 0b11)
    return Connecting(v5, will, keep_alive)


def read_subscribe(packet: bytes, *, v5: bool) -> list[str]:
    """The filters of a client's SUBSCRIBE: what follows the fixed header (section 3.8).

    Raises:
        ValueError: it breaks the protocol.
    """
    filters, at = [], skip_properties(packet, 2) if v5 else 2
    while at < len(packet):
        text, at = read_text(packet, at)
        filters.append(text.decode())
        at += 1  # options
    return filters
