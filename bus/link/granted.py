"""What a broker grants a connection, as its CONNACK says (MQTT 5 section 3.2.2.3).

A client keeps to it, or the broker ends the connection. Of the rest that a CONNACK may say,
Server Keep Alive is heeded by paho, and nothing else concerns us: no topic aliases, shared
subscriptions or subscription identifiers are used, each client names itself, and no session
outlives its connection.
"""

from dataclasses import dataclass
from typing import Any, Self

from bus.contract.values import MAX_PAYLOAD

ROOM = MAX_PAYLOAD + 16 * 1024
"""Bytes of a packet with the largest payload, its topic and its properties."""

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
    def read(cls, properties: Any) -> Self:
        """Of paho's properties of a CONNACK; what is not there has no limit."""
        return cls(
            qos=min(getattr(properties, "MaximumQoS", 1), 1),
            retain=bool(getattr(properties, "RetainAvailable", 1)),
            largest=getattr(properties, "MaximumPacketSize", None),
            wildcards=bool(getattr(properties, "WildcardSubscriptionAvailable", 1)),
            at_once=getattr(properties, "ReceiveMaximum", None),
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
