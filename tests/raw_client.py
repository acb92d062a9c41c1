"""A client that speaks raw bytes, over MQTT 5, MQTT 3.1.1 or in memory, and sees a whole site."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from running_store import PATIENCE

from bus.contract.topics import Topics
from bus.link import MemoryBroker, Outgoing, Subscription

_TRIES = 6
"""How often a request is sent within the patience of a test."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as a raw client got it."""

    topic: str
    payload: bytes
    retain: bool
    properties: Properties | None = None
    correlation: bytes | None = None

    @property
    def document(self) -> Any:
        """The payload as JSON."""
        return json.loads(self.payload)

    @property
    def data(self) -> Any:
        """Its `data`."""
        return self.document["data"]


class RawClient:
    """Sends any bytes to any topic and sees everything that passes through a site."""

    def __init__(
        self, site: str, name: str, send: Callable[[Outgoing], Awaitable[int | None]]
    ) -> None:
        self.name = name
        self.topics = Topics(site)
        self.send = send
        """Publishes; returns the reason code of a broker that speaks MQTT 5, or None."""
        self._arrived: deque[Received] = deque()
        self._news = asyncio.Condition()

    async def take(self, message: Received) -> None:
        """Something arrived."""
        async with self._news:
            self._arrived.append(message)
            self._news.notify_all()

    def seen(self, part: str) -> list[Received]:
        """What arrived and was not expected yet, on topics that contain `part`."""
        return [message for message in self._arrived if part in message.topic]

    async def expect(
        self,
        topic: str,
        where: Callable[[Received], bool] = lambda _: True,
        patience: float = PATIENCE,
    ) -> Received:
        """The next message on a topic; fails the test when none comes."""

        def found() -> Received | None:
            return next(
                (each for each in self._arrived if each.topic == topic and where(each)), None
            )

        try:
            async with asyncio.timeout(patience), self._news:
                await self._news.wait_for(found)
                message = found()
                assert message is not None
                self._arrived.remove(message)
                return message
        except TimeoutError:
            topics = sorted({message.topic for message in self._arrived})
            raise AssertionError(f"nothing on {topic}, but on {topics}") from None

    async def publish(
        self, topic: str, content: bytes | Mapping[str, Any], qos: int = 1, **how: Any
    ) -> int | None:
        """Send bytes, or a document as JSON."""
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        return await self.send(Outgoing(topic, payload, qos, **how))

    async def request(
        self, callee: str, operation: str, content: bytes | Mapping[str, Any], **how: Any
    ) -> Received:
        """Send a request under this client's name, again as devices do, and await the answer.

        A node that stood still says nothing until it knows that its name is still its own.
        """
        reply = self.topics.reply(self.name, callee, operation)
        for _ in range(_TRIES - 1):
            await self.publish(self.topics.request(self.name, callee, operation), content, **how)
            with suppress(AssertionError):
                return await self.expect(reply, patience=PATIENCE / _TRIES)
        await self.publish(self.topics.request(self.name, callee, operation), content, **how)
        return await self.expect(reply)


class _Client(aiomqtt.Client):
    """aiomqtt that keeps the reason code of the last acknowledged publish (MQTT 5)."""

    reason: int | None = None

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: Any, more: Any) -> None:
        self.reason = reason.value
        super()._on_publish(client, userdata, mid, reason, more)


@asynccontextmanager
async def raw_over_mqtt(
    url: str, site: str, name: str, patience: float = PATIENCE
) -> AsyncIterator[RawClient]:
    """A raw client at a broker's URL, in the protocol version that the URL names."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    options = parse_qs(parts.query)
    v5 = options.get("protocol") != ["3.1.1"]
    most = int(options.get("qos", ["1"])[0])
    client = _Client(
        parts.hostname,
        parts.port,
        identifier=f"{site}-{name}-raw",
        protocol=aiomqtt.ProtocolVersion.V5 if v5 else aiomqtt.ProtocolVersion.V311,
        timeout=patience,
    )

    async def send(message: Outgoing) -> int | None:
        properties = None
        if v5:
            properties = Properties(PacketTypes.PUBLISH)
            if message.response_topic is not None:
                properties.ResponseTopic = message.response_topic
            if message.correlation is not None:
                properties.CorrelationData = message.correlation
        client.reason = None
        await client.publish(
            message.topic,
            message.payload,
            min(message.qos, most),
            message.retain,
            properties,
        )
        return client.reason

    async with client:
        raw = RawClient(site, name, send)
        await client.subscribe(raw.topics.everything(), qos=most)
        reading = asyncio.create_task(_read(client, raw))
        try:
            yield raw
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _read(client: aiomqtt.Client, raw: RawClient) -> None:
    async for message in client.messages:
        assert isinstance(message.payload, bytes)
        correlation = getattr(message.properties, "CorrelationData", None)
        await raw.take(
            Received(
                message.topic.value,
                message.payload,
                bool(message.retain),
                message.properties,
                correlation,
            )
        )


@asynccontextmanager
async def raw_in_memory(broker: MemoryBroker, site: str, name: str) -> AsyncIterator[RawClient]:
    """A raw client at a broker in memory."""
    async with broker.connect(name) as link:

        async def send(message: Outgoing) -> None:
            link.send(message)

        raw = RawClient(site, name, send)
        await link.subscribe([Subscription(raw.topics.everything(), 1)])

        async def read() -> None:
            while True:
                for each in await link.receive():
                    await raw.take(
                        Received(each.topic, each.payload, each.retain, None, each.correlation)
                    )

        reading = asyncio.create_task(read())
        try:
            yield raw
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


OpenRaw = Callable[[str], AbstractAsyncContextManager[RawClient]]
"""Opens a raw client under a name."""
