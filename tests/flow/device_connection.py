"""The connections of minimal devices: to a broker, or in memory on a virtual clock."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import aiomqtt

from bus.link import Incoming, MemoryBroker, Outgoing, Subscription
from bus.link.handshake import Connecting
from bus.link.memory import MemoryLink
from testing.certify.observing_relay import _covers_requests


class LostError(Exception):
    """The connection is lost."""


@dataclass(frozen=True)
class Heard:
    """A message as a device hears it."""

    topic: str
    payload: bytes
    retain: bool
    response_topic: str | None


class Client(Protocol):
    """One connection of a device."""

    async def subscribe(self, topic: str) -> None:
        """Listen."""

    async def publish(self, topic: str, message: Any, *, retain: bool = False) -> None:
        """Say it."""

    def messages(self) -> AsyncIterator[Heard]:
        """All that is heard until the connection is lost."""


class Connect(Protocol):
    """Makes connections."""

    def __call__(self, will: tuple[str, Any] | None, keep_alive: int) -> Any:
        """One with this last will: its topic and message."""


class MqttClient:
    """One on aiomqtt."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def subscribe(self, topic: str) -> None:
        """Listen."""
        await self._client.subscribe(topic, qos=1)

    async def publish(self, topic: str, message: Any, *, retain: bool = False) -> None:
        """Say it."""
        try:
            await self._client.publish(topic, json.dumps(message), retain=retain)
        except aiomqtt.MqttError as error:
            raise LostError from error

    async def messages(self) -> AsyncIterator[Heard]:
        """All that is heard."""
        try:
            async for each in self._client.messages:
                response = getattr(each.properties, "ResponseTopic", None)
                yield Heard(each.topic.value, each.payload, each.retain, response)
        except aiomqtt.MqttError as error:
            raise LostError from error


def over_mqtt(port: int) -> Connect:
    """Connections to a broker on this host, or to what stands before it."""

    @asynccontextmanager
    async def connect(will: tuple[str, Any] | None, keep_alive: int) -> AsyncIterator[Client]:
        try:
            async with aiomqtt.Client(
                "127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, keepalive=keep_alive,
                identifier=f"little-{uuid4().hex[:10]}",
                will=will and aiomqtt.Will(will[0], json.dumps(will[1]), 1, retain=True),
            ) as client:  # fmt: skip
                yield MqttClient(client)
        except aiomqtt.MqttError as error:
            raise LostError from error

    return connect


class MemoryClient:
    """One to a broker in memory."""

    def __init__(self, link: MemoryLink, relay: "MemoryConnections") -> None:
        self.link = link
        self._wire = relay

    async def subscribe(self, topic: str) -> None:
        """Listen."""
        await self.link.subscribe([Subscription(topic, 1)])
        if _covers_requests(topic.split("/")):
            self._wire.listens(self)

    async def publish(self, topic: str, message: Any, *, retain: bool = False) -> None:
        """Say it: it goes over the wire."""
        if self.link.lost:
            raise LostError
        payload = json.dumps(message).encode()
        self._wire.said(Incoming(topic, payload, retain))
        self.link.send(Outgoing(topic, payload, retain=retain))

    async def messages(self) -> AsyncIterator[Heard]:
        """All that is heard."""
        while True:
            if self.link.lost:
                raise LostError
            receiving = asyncio.ensure_future(self.link.receive())
            try:
                received = await receiving
            except Exception as error:
                raise LostError from error
            for each in received:
                yield Heard(each.topic, each.payload, each.retain, each.response_topic)


class MemoryConnections:
    """What a played store sees of a device in memory, as an observing relay shows it."""

    port = 0

    def __init__(
        self, broker: MemoryBroker, said: Callable[[Incoming], None], changed: Callable[[], None]
    ) -> None:
        self.said = said
        self.opened: list[Connecting] = []
        self.listening: set[object] = set()
        self.lost_listeners = 0
        self._broker = broker
        self._changed = changed
        self._clients: list[MemoryClient] = []
        self._is_down = False

    def listens(self, client: MemoryClient) -> None:
        """It hears requests from now on."""
        self.listening.add(client)
        self._changed()

    def go_down(self) -> None:
        """Break every connection and refuse new ones."""
        self._is_down = True
        for client in self._clients:
            client.link.lose()

    async def come_back(self) -> None:
        """Accept connections again."""
        self._is_down = False

    @asynccontextmanager
    async def connect(
        self, will: tuple[str, Any] | None, keep_alive: int
    ) -> AsyncIterator[MemoryClient]:
        """A connection of the device; whoever leaves it without a word leaves its last will."""
        if self._is_down:
            raise LostError
        topic, message = will or ("", None)
        last = (
            Incoming(topic, json.dumps(message).encode(), retain=True) if will else None
        )  # fmt: skip
        self.opened.append(Connecting(v5=True, will=last, keep_alive=keep_alive))
        self._changed()
        left = Outgoing(topic, last.payload, 1, retain=True) if last else None
        async with self._broker.connect("device", left) as link:
            client = MemoryClient(link, self)
            self._clients.append(client)
            try:
                yield client
            finally:
                link.lose()
                self._clients.remove(client)
                if client in self.listening:
                    self.listening.remove(client)
                    self.lost_listeners += 1
                self._changed()
