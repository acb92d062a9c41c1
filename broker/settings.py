"""What an operator may choose about the broker; it must not know how any engine is started."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Engine = Literal["auto", "embedded", "mosquitto", "external"]

# A 70 KiB payload with its topic and properties has to get through, so that the node, and not
# the broker's silent disconnect, is what refuses it (413).
SMALLEST_PACKET_LIMIT = 80 * 1024
# The longest packet that MQTT can express: a remaining length of four 7-bit bytes.
LARGEST_PACKET_LIMIT = 268_435_455


class BrokerSettings(BaseModel):
    """The broker's settings, read once at the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Engine = "auto"
    """Which broker: `auto` is an external one if `url` is given, else Mosquitto if it is
    installed, else the embedded one."""

    host: str = "127.0.0.1"
    """Address to listen on; only this computer can connect unless told otherwise."""

    port: Annotated[int, Field(ge=0, le=65535)] = 1883
    """TCP port for MQTT. The embedded broker speaks MQTT 3.1.1 on it and MQTT 5 on the next one.
    0 picks a free one. Where none was chosen and 1883 is in use, the next free one is taken."""

    websocket_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """TCP port for MQTT over WebSocket, for devices that are web pages; only Mosquitto speaks it.
    None listens on none, 0 picks a free one."""

    url: str | None = None
    """The external broker: `mqtt://[user:password@]host[:port][?protocol=5|3.1.1&qos=0]`, or
    `mqtts://` for TLS."""

    max_packet_size: Annotated[int, Field(ge=SMALLEST_PACKET_LIMIT, le=LARGEST_PACKET_LIMIT)] = (
        131_072
    )
    """Longest MQTT packet in bytes that the broker passes on; more than the bus's own limit, so
    that a node can answer what is too large instead of losing its connection."""
