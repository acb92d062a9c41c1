"""The packets that carry messages: PUBLISH and PUBACK (MQTT 5 sections 3.3 and 3.4).

Knows no connection. They are written out by hand for their speed: docs/adr/0003.
"""

from bus.contract.envelope import CONTENT_TYPE
from bus.link.base import Incoming, Outgoing
from bus.link.fields import (
    LONGEST_LENGTH,
    LONGEST_TEXT,
    read_length,
    read_properties,
    read_text,
    text,
    variable_length,
)

PUBLISH, PUBACK = 0x30, 0x40
"""The kind of a packet, in the upper half of its first byte."""


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
    if len(topic) > LONGEST_TEXT:
        raise ValueError("a topic has at most 65,535 bytes")
    head = text(topic) + (identifier.to_bytes(2) if qos else b"") + properties
    first = PUBLISH | qos << 1 | message.retain
    length = variable_length(len(head) + len(message.payload))
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
        length, start = read_length(received, at + 1)
    except ValueError:
        if len(received) > at + LONGEST_LENGTH:
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
        packed += b"\x08" + text(message.response_topic.encode())
    if message.correlation is not None:
        packed += b"\x09" + text(message.correlation)
    if message.trace is not None:
        packed += _TRACEPARENT + text(message.trace.encode())
    return variable_length(len(packed)) + packed


_IDENTIFIER = 2


_CONTENT_TYPE = b"\x03" + text(CONTENT_TYPE.encode())
_TRACEPARENT = b"\x26" + text(b"traceparent")


_EXPIRY, _RESPONSE_TOPIC, _CORRELATION, _TOPIC_ALIAS = 0x02, 0x08, 0x09, 0x23
_OF_A_PUBLISH = frozenset({0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26})


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
    topic, at = read_text(packet, 0)
    qos = first >> 1 & 0b11
    identifier = None
    if qos:
        identifier, at = int.from_bytes(packet[at : at + 2]), at + 2
    properties: dict[int, bytes] = {}
    pairs: list[tuple[str, str]] = []
    if v5:
        properties, pairs, at = read_properties(packet, at, _OF_A_PUBLISH)
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
