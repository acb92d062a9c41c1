"""The PUBLISH and PUBACK packets that we write and read ourselves (MQTT 5 sections 3.3 and 3.4).

paho's general tables and records cost many times as much per message (docs/adr/0003). Knows no
connection. Whoever looks at other clients' packets finds here what a CONNECT says, too.
"""

from dataclasses import dataclass

from bus.contract.envelope import CONTENT_TYPE
from bus.link.base import Incoming, Outgoing

PUBLISH, PUBACK = 0x30, 0x40
"""The kind of a packet, in the upper half of its first byte."""
DISCONNECT = b"\xe0\x00"
"""The whole packet: a goodbye after which no last will is published."""


def write_publish(message: Outgoing, qos: int, identifier: int, properties: bytes) -> bytes:
    """A PUBLISH.

    Args:
        message: what is published.
        qos: 0 or 1.
        identifier: of the packet; only at QoS 1.
        properties: as `pack_properties` packs them; empty in MQTT 3.1.1.

    Raises:
        ValueError: the topic is too long.
    """
    topic = message.topic.encode()
    if len(topic) > _LONGEST_TEXT:
        raise ValueError("a topic has at most 65,535 bytes")
    head = _text(topic) + (identifier.to_bytes(2) if qos else b"") + properties
    first = PUBLISH | qos << 1 | message.retain
    length = _variable_length(len(head) + len(message.payload))
    return bytes((first,)) + length + head + message.payload


def write_puback(identifier: int) -> bytes:
    """The acknowledgement of a PUBLISH that was taken."""
    return b"\x40\x02" + identifier.to_bytes(2)


def read_puback(packet: bytes) -> tuple[int, int]:
    """The identifier that a PUBACK acknowledges, and its reason code (0 in MQTT 3.1.1).

    Raises:
        ValueError: it breaks the protocol.
    """
    if len(packet) < _IDENTIFIER:
        raise ValueError("the packet ends in the middle of its identifier")
    reason = packet[_IDENTIFIER] if len(packet) > _IDENTIFIER else 0
    return int.from_bytes(packet[:_IDENTIFIER]), reason


def find_packet(received: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Where what follows the fixed header of the packet at `at` begins and ends.

    None if not all of it has been received yet.

    Raises:
        ValueError: its length has no end.
    """
    try:
        length, start = _read_length(received, at + 1)
    except ValueError:
        if len(received) > at + _LONGEST_LENGTH:
            raise
        return None
    end = start + length
    return (start, end) if end <= len(received) else None


def pack_properties(message: Outgoing) -> bytes:
    """The properties of a PUBLISH with their length (MQTT 5 section 3.3.2.3)."""
    packed = _CONTENT_TYPE
    if message.expiry is not None:
        packed += b"\x02" + message.expiry.to_bytes(4)
    if message.response_topic is not None:
        packed += b"\x08" + _text(message.response_topic.encode())
    if message.correlation is not None:
        packed += b"\x09" + _text(message.correlation)
    if message.trace is not None:
        packed += _TRACEPARENT + _text(message.trace.encode())
    return _variable_length(len(packed)) + packed


_IDENTIFIER = 2
_LONGEST_TEXT = 65_535
_LONGEST_LENGTH = 4


def _text(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def _variable_length(length: int) -> bytes:
    """MQTT 5 section 1.5.5."""
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | 128 if length else digit)
        if not length:
            return bytes(encoded)


_CONTENT_TYPE = b"\x03" + _text(CONTENT_TYPE.encode())
_TRACEPARENT = b"\x26" + _text(b"traceparent")


_BYTE, _TWO, _FOUR, _VARIABLE, _TEXT, _PAIR = range(6)
_SHAPES = {
    0x01: _BYTE,
    0x02: _FOUR,
    0x03: _TEXT,
    0x08: _TEXT,
    0x09: _TEXT,
    0x0B: _VARIABLE,
    0x23: _TWO,
    0x26: _PAIR,
}
"""Of the properties that a PUBLISH may have (MQTT 5 section 2.2.2.2)."""
_FIXED = {_BYTE: 1, _TWO: 2, _FOUR: 4}
_EXPIRY, _RESPONSE_TOPIC, _CORRELATION, _TOPIC_ALIAS, _USER_PROPERTY = 0x02, 0x08, 0x09, 0x23, 0x26


def read_publish(
    first: int, packet: bytes, *, v5: bool, aliases: dict[int, str] | None = None
) -> tuple[Incoming, int | None]:
    """A received PUBLISH: the message, and the packet identifier to acknowledge at QoS 1.

    Args:
        first: the first byte of the fixed header.
        packet: what follows the fixed header.
        v5: whether it has properties.
        aliases: the connection's topics by their aliases (section 3.3.2.3.4), which are noted
            there; None where none were granted.

    Raises:
        ValueError: it breaks the protocol.
    """
    topic, at = _read_text(packet, 0)
    qos = first >> 1 & 0b11
    identifier = None
    if qos:
        identifier, at = int.from_bytes(packet[at : at + 2]), at + 2
    properties: dict[int, bytes] = {}
    pairs: list[tuple[str, str]] = []
    if v5:
        length, at = _read_length(packet, at)
        end = at + length
        if end > len(packet):
            raise ValueError("the packet ends in the middle of its properties")
        while at < end:
            name, start = packet[at], at + 1
            at = _skip(packet, start, _SHAPES.get(name))
            if name == _USER_PROPERTY:
                key, second = _read_text(packet, start)
                pairs.append((key.decode(), _read_text(packet, second)[0].decode()))
            else:
                properties[name] = packet[start:at]
        if at != end:
            raise ValueError("the properties do not end where they say")
    name_of_topic = topic.decode()
    if alias := properties.get(_TOPIC_ALIAS):
        name_of_topic = _resolve(int.from_bytes(alias), name_of_topic, aliases)
    response = properties.get(_RESPONSE_TOPIC)
    correlation = properties.get(_CORRELATION)
    expiry = properties.get(_EXPIRY)
    message = Incoming(
        name_of_topic,
        packet[at:],
        bool(first & 1),
        response[2:].decode() if response is not None else None,
        correlation[2:] if correlation is not None else None,
        qos,
        int.from_bytes(expiry) if expiry is not None else None,
        tuple(pairs),
    )
    return message, identifier


def _resolve(alias: int, topic: str, aliases: dict[int, str] | None) -> str:
    """The topic that an alias stands for; a topic beside it is what it stands for from now on."""
    if aliases is None or (not topic and alias not in aliases):
        raise ValueError("a topic alias that stands for nothing")
    if topic:
        aliases[alias] = topic
    return aliases[alias]


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
    _, at = _read_text(packet, 0)
    if at + 4 > len(packet):
        raise ValueError("the packet ends in the middle of a field")
    v5, flags = packet[at] >= _MQTT_5, packet[at + 1]
    keep_alive = int.from_bytes(packet[at + 2 : at + 4])
    at += 4
    at = _skip_properties(packet, at) if v5 else at
    _, at = _read_text(packet, at)
    if not flags & _WILL:
        return Connecting(v5, None, keep_alive)
    at = _skip_properties(packet, at) if v5 else at
    topic, at = _read_text(packet, at)
    payload, _ = _read_text(packet, at)
    will = Incoming(topic.decode(), payload, bool(flags & _WILL_RETAIN), qos=flags >> 3 & 0b11)
    return Connecting(v5, will, keep_alive)


def read_subscribe(packet: bytes, *, v5: bool) -> list[str]:
    """The filters of a client's SUBSCRIBE: what follows the fixed header (section 3.8).

    Raises:
        ValueError: it breaks the protocol.
    """
    filters, at = [], _skip_properties(packet, 2) if v5 else 2
    while at < len(packet):
        text, at = _read_text(packet, at)
        filters.append(text.decode())
        at += 1  # options
    return filters


_MQTT_5, _WILL, _WILL_RETAIN = 5, 0x04, 0x20


def _skip_properties(packet: bytes, at: int) -> int:
    length, start = _read_length(packet, at)
    return start + length


def _skip(packet: bytes, at: int, shape: int | None) -> int:
    """Where the next property begins."""
    if shape in _FIXED:
        return at + _FIXED[shape]
    if shape == _VARIABLE:
        return _read_length(packet, at)[1]
    if shape in (_TEXT, _PAIR):
        at = _read_text(packet, at)[1]
        return _read_text(packet, at)[1] if shape == _PAIR else at
    raise ValueError("a property that a PUBLISH cannot have")


def _read_text(packet: bytes, at: int) -> tuple[bytes, int]:
    """Two bytes of length and so many bytes, and where they end."""
    start = at + 2
    end = start + int.from_bytes(packet[at:start])
    if end > len(packet):
        raise ValueError("the packet ends in the middle of a field")
    return packet[start:end], end


def _read_length(packet: bytes | bytearray, at: int) -> tuple[int, int]:
    """A variable byte integer (MQTT 5 section 1.5.5), and where it ends."""
    value = 0
    for place in range(4):
        if at + place >= len(packet):
            break
        digit = packet[at + place]
        value |= (digit & 127) << (7 * place)
        if digit < 128:  # noqa: PLR2004 - the last byte
            return value, at + place + 1
    raise ValueError("a length without an end")
