"""What a broker grants a connection, as its CONNACK says (MQTT 5 section 3.2.2.3).

A client keeps to it, or the broker ends the connection. Of the rest that a CONNACK may say, the
connection heeds Server Keep Alive, and nothing else concerns us: no topic aliases, shared
subscriptions or subscription identifiers are used, each client names itself, and no session
outlives its connection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bus.contract.values import MAX_PAYLOAD

ROOM = MAX_PAYLOAD + 16 * 1024
"""Bytes of a packet with the largest payload, its topic and its properties."""

_RECEIVE_MAXIMUM, _MAXIMUM_QOS, _RETAIN_AVAILABLE = 0x21, 0x24, 0x25
_MAXIMUM_PACKET_SIZE, _WILDCARDS_AVAILABLE = 0x27, 0x28

NO_RETAINED = (
    "the broker keeps no retained messages, which nodes need to be seen: allow them there"
    " (Mosquitto: retain_available true), or take another broker"
)
NO_WILDCARDS = (
    "the broker grants no subscriptions with wildcards, which the bus needs: allow them there, or"
    " take another broker"
)


@dataclass(frozen=True, slots=True)
class Granted:
    """Limits of one connection; MQTT 3.1.1 has none."""

    qos: int = 1
    """Maximum QoS (section 3.2.2.3.4), as far as we use it."""
    retain: bool = True
    """Retain Available (3.2.2.3.5)."""
    largest: int | None = None
    """Maximum Packet Size (3.2.2.3.6), in bytes."""
    wildcards: bool = True
    """Wildcard Subscription Available (3.2.2.3.11)."""
    at_once: int | None = None
    """Receive Maximum (3.2.2.3.3)."""

    @classmethod
    def read(cls, properties: Mapping[int, int]) -> Self:
        """Of a CONNACK's properties by their identifiers; what is not there has no limit.

        Raises:
            ValueError: a limit that leaves room for nothing, which breaks the protocol.
        """
        largest, at_once = properties.get(_MAXIMUM_PACKET_SIZE), properties.get(_RECEIVE_MAXIMUM)
        if 0 in (largest, at_once):
            raise ValueError("a limit of 0")
        return cls(
            qos=min(properties.get(_MAXIMUM_QOS, 1), 1),
            retain=bool(properties.get(_RETAIN_AVAILABLE, 1)),
            largest=largest,
            wildcards=bool(properties.get(_WILDCARDS_AVAILABLE, 1)),
            at_once=at_once,
        )

    @property
    def shortage(self) -> str:
        """What the bus needs and is not granted, and what to do, as a sentence; or nothing."""
        if not self.retain:
            return NO_RETAINED
        if not self.wildcards:
            return NO_WILDCARDS
        if self.largest is not None and self.largest < ROOM:
            return (
                f"the broker passes on packets of {self.largest} bytes at most, the bus needs"
                f" {ROOM}: what is larger is refused. Raise its largest packet (Mosquitto:"
                " max_packet_size)"
            )
        return ""
