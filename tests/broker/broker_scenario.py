"""What the broker's scenarios share: a message of a real client, and patience."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import aiomqtt

PATIENCE_SECONDS = 30.0
ONCE_SECONDS = 10.0
TOPIC = "storebus/1/trial/event/tester-1/said"


async def carry(publisher_url: str, subscriber_url: str, payload: bytes) -> bytes:
    """What the subscriber receives when the publisher sends the payload.

    The embedded broker may end their connections by mistake (docs/adr/0002); they come again then.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                async with asyncio.timeout(ONCE_SECONDS):
                    return await _carried(publisher_url, subscriber_url, payload)
            except (aiomqtt.MqttError, TimeoutError):
                if _qos(publisher_url) or _qos(subscriber_url):
                    raise


async def _carried(publisher_url: str, subscriber_url: str, payload: bytes) -> bytes:
    async with _client(subscriber_url) as subscriber, _client(publisher_url) as publisher:
        await subscriber.subscribe(TOPIC, qos=_qos(subscriber_url))
        await publisher.publish(TOPIC, payload, qos=_qos(publisher_url))
        message = await anext(aiter(subscriber.messages))
        assert isinstance(message.payload, bytes)
        return message.payload


async def eventually(condition: Callable[[], bool]) -> None:
    """Return as soon as the condition holds; it fails the test when it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.01)


def _client(url: str) -> aiomqtt.Client:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    old = parse_qs(parts.query).get("protocol") == ["3.1.1"]
    protocol = aiomqtt.ProtocolVersion.V311 if old else aiomqtt.ProtocolVersion.V5
    transport: Literal["tcp", "websockets"] = "websockets" if parts.scheme == "ws" else "tcp"
    return aiomqtt.Client(parts.hostname, parts.port, protocol=protocol, transport=transport)


def _qos(url: str) -> int:
    return int(parse_qs(urlsplit(url).query).get("qos", ["1"])[0])
