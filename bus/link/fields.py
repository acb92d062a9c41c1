"""The fields that MQTT packets are made of (MQTT 5 sections 1.5 and 2.2.2).

Whoever reads one is told where it ends. Everything that breaks the protocol is a ValueError.
"""

_BYTE, _TWO, _FOUR, _VARIABLE, _TEXT, _PAIR = range(6)
_SHAPES = {
    0x01: _BYTE,
    0x02: _FOUR,
    0x03: _TEXT,
    0x08: _TEXT,
    0x09: _TEXT,
    0x0B: _VARIABLE,
    0x11: _FOUR,
    0x12: _TEXT,
    0x13: _TWO,
    0x15: _TEXT,
    0x16: _TEXT,
    0x1A: _TEXT,
    0x1C: _TEXT,
    0x1F: _TEXT,
    0x21: _TWO,
    0x22: _TWO,
    0x23: _TWO,
    0x24: _BYTE,
    0x25: _BYTE,
    0x26: _PAIR,
    0x27: _FOUR,
    0x28: _BYTE,
    0x29: _BYTE,
    0x2A: _BYTE,
}
"""Of the properties that brokers send (MQTT 5 section 2.2.2.2)."""
_FIXED = {_BYTE: 1, _TWO: 2, _FOUR: 4}
_USER_PROPERTY = 0x26
LONGEST_TEXT = 65_535
LONGEST_LENGTH = 4
"""Bytes of a variable byte integer."""


def text(data: bytes) -> bytes:
    """Two bytes of length, and so many bytes (sections 1.5.4 and 1.5.6)."""
    return len(data).to_bytes(2) + data


def variable_length(length: int) -> bytes:
    """A variable byte integer (section 1.5.5)."""
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | 128 if length else digit)
        if not length:
            return bytes(encoded)


def read_text(packet: bytes, at: int) -> tuple[bytes, int]:
    """The bytes of a text, and where they end."""
    start = at + 2
    end = start + int.from_bytes(packet[at:start])
    if end > len(packet):
        raise ValueError("the packet ends in the middle of a field")
    return packet[start:end], end


def read_length(packet: bytes | bytearray, at: int) -> tuple[int, int]:
    """A variable byte integer, and where it ends."""
    value = 0
    for place in range(LONGEST_LENGTH):
        if at + place >= len(packet):
            break
        digit = packet[at + place]
        value |= (digit & 127) << (7 * place)
        if digit < 128:  # noqa: PLR2004 - the last byte
            return value, at + place + 1
    raise ValueError("a length without an end")


def read_properties(
    packet: bytes, at: int, allowed: frozenset[int]
) -> tuple[dict[int, bytes], list[tuple[str, str]], int]:
    """The properties of a packet (section 2.2.2).

    Args:
        packet: what follows the fixed header.
        at: where their length begins.
        allowed: those that such a packet may have.

    Returns:
        The bytes of each by its identifier, the user properties, and where they all end.
    """
    length, at = read_length(packet, at)
    end = at + length
    if end > len(packet):
        raise ValueError("the packet ends in the middle of its properties")
    properties: dict[int, bytes] = {}
    pairs: list[tuple[str, str]] = []
    while at < end:
        name, start = packet[at], at + 1
        if name not in allowed:
            raise ValueError("a property that such a packet cannot have")
        at = _skip(packet, start, _SHAPES[name])
        if name == _USER_PROPERTY:
            key, second = read_text(packet, start)
            pairs.append((key.decode(), read_text(packet, second)[0].decode()))
        else:
            properties[name] = packet[start:at]
    if at != end:
        raise ValueError("the properties do not end where they say")
    return properties, pairs, end


def skip_properties(packet: bytes, at: int) -> int:
    """Where the properties end that begin at `at`."""
    length, start = read_length(packet, at)
    return start + length


def _skip(packet: bytes, at: int, shape: int) -> int:
    """Where the next property begins."""
    if shape in _FIXED:
        return at + _FIXED[shape]
    if shape == _VARIABLE:
        return read_length(packet, at)[1]
    at = read_text(packet, at)[1]
    return read_text(packet, at)[1] if shape == _PAIR else at
