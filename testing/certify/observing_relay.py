"""A relay between the device and the broker that reads what the device sends."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from bus.contract.envelope import Envelope, Reading, is_problem
from bus.contract.errors import Problem
from bus.contract.topics import Address, Topics
from bus.link import Incoming
from bus.link.handshake import Connecting, read_connect, read_subscribe
from bus.link.packets import find_packet, read_publish
from testing.kit.relay import PacketReader, Relay, Stream

_CONNECT, _PUBLISH, _SUBSCRIBE = 1, 3, 8
_KIND = 3
"""Which level of a topic says whether it is a request."""
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class ObservedMessage:
    """A message of the device or of the fake store, read as far as it can be."""

    at: float
    """Seconds of the event loop's clock."""
    by_device: bool
    incoming: Incoming
    address: Address | None
    """None for a topic outside the contract."""
    id: str | None
    document: dict[str, Any]
    envelope: Envelope | None
    flaw: str | None
    """What is wrong with it, if anything is."""

    @property
    def data(self) -> dict[str, Any]:
        """Its `data`; empty unless that is an object."""
        data = self.document.get("data")
        return data if isinstance(data, dict) else {}

    @property
    def names(self) -> str | None:
        """The id of the request that a reply names, in `correlationid` or as its own id."""
        correlation = self.document.get("correlationid")
        return correlation if isinstance(correlation, str) else self.id

    @property
    def is_problem(self) -> bool:
        """Whether a reply is a problem."""
        return is_problem(self.document)

    def is_about(self, kind: str, name: str) -> bool:
        """Whether it is a request, reply or state of this name."""
        return self.address is not None and (self.address.kind, self.address.name) == (kind, name)


def read_message(topics: Topics, incoming: Incoming, *, by_device: bool) -> ObservedMessage:
    """Read a message that was sent just now."""
    reading, envelope, flaw = Reading(incoming.payload), None, None
    try:
        envelope = reading.envelope()
    except Problem as problem:
        flaw = problem.detail
    except RecursionError:
        flaw = "The payload is nested too deeply."
    return ObservedMessage(
        asyncio.get_running_loop().time(), by_device, incoming, topics.parse(incoming.topic),
        reading.id, reading.document, envelope, flaw,
    )  # fmt: skip


class DeviceConnections(Protocol):
    """The device's connections to the broker, as the fake store sees them."""

    opened: list[Connecting]
    """What the device sent when it opened each connection, oldest first."""
    listening: set[object]
    """The connections that are subscribed to requests: some devices open one for each reply."""
    lost_listeners: int
    """How many of those have ended."""

    @property
    def port(self) -> int:
        """The port that the device connects to."""

    def go_down(self) -> None:
        """Break every connection and refuse new ones."""

    async def come_back(self) -> None:
        """Accept connections again."""


class ObservingRelay(Relay):
    """Relays between the device and the broker, reads what the device sends, and can be cut.

    Args:
        url: of the broker for MQTT 5.
        url_v311: of the broker for MQTT 3.1.1, which may be at another port.
        said: called with each message that the device publishes.
        changed: called when a connection was opened or closed.
    """

    def __init__(
        self, url: str, url_v311: str, said: Callable[[Incoming], None], changed: Callable[[], None]
    ) -> None:
        super().__init__(self._reach)
        self._urls = {True: url, False: url_v311}
        self._said = said
        self._changed = changed
        self.opened: list[Connecting] = []
        self.listening: set[object] = set()
        self.lost_listeners = 0

    async def _reach(self, first: bytes) -> Stream:
        """Connect to the broker's port for the client's version of MQTT."""
        try:
            connecting = read_connect(_body(first))
        except (ValueError, IndexError) as error:
            raise OSError("not a client of MQTT") from error
        parts = urlsplit(self._urls[connecting.v5])
        tls = ssl.create_default_context() if parts.scheme == "mqtts" else None
        port = parts.port or _PORTS[parts.scheme]
        return await asyncio.open_connection(parts.hostname, port, ssl=tls)

    async def _join(
        self, first: bytes, packets: PacketReader, client: asyncio.StreamWriter, broker: Stream
    ) -> None:
        connecting, key = read_connect(_body(first)), object()
        aliases: dict[int, str] = {}
        self.opened.append(connecting)
        self._changed()

        async def there() -> None:
            while True:
                packet = await packets.packet()
                if packet[0] >> 4 == _SUBSCRIBE and _hears_requests(packet, connecting):
                    self.listening.add(key)
                    self._changed()
                if packet[0] >> 4 == _PUBLISH:
                    self._overhear(packet, connecting, aliases)
                broker[1].write(packet)
                await broker[1].drain()

        async def back() -> None:
            while chunk := await broker[0].read(65_536):
                client.write(chunk)
                await client.drain()

        ways = [asyncio.create_task(way) for way in (there(), back())]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in done:
                way.result()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            if key in self.listening:
                self.listening.remove(key)
                self.lost_listeners += 1
            self._changed()

    def _overhear(self, packet: bytes, connecting: Connecting, aliases: dict[int, str]) -> None:
        try:
            incoming, _ = read_publish(packet[0], _body(packet), v5=connecting.v5, aliases=aliases)
        except ValueError:
            return  # the broker will end the connection over it
        self._said(incoming)


def _hears_requests(subscribe: bytes, connecting: Connecting) -> bool:
    try:
        filters = read_subscribe(_body(subscribe), v5=connecting.v5)
    except ValueError:
        return False  # the broker will end the connection over it
    return any(_covers_requests(each.split("/")) for each in filters)


def _covers_requests(levels: list[str]) -> bool:
    """A node that asks whether its name is taken briefly subscribes to its own request."""
    if len(levels) <= _KIND or levels[_KIND] == "#":
        return levels[-1] == "#"
    caller, callee = (*levels[_KIND + 1 :], "", "")[:2]
    return levels[_KIND] in ("req", "+") and (caller != callee or caller in ("+", ""))


def _body(packet: bytes) -> bytes:
    """What follows the fixed header of a whole packet."""
    found = find_packet(packet, 0)
    assert found is not None, "it was read whole"
    return packet[found[0] :]
