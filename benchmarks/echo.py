"""The yardstick: an aiomqtt client that publishes to itself, with TCP_NODELAY, and no more."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiomqtt

PAYLOAD = b"x" * 300


@asynccontextmanager
async def echoing(url: str, qos: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A function that publishes 300 bytes and returns when they are back."""
    parts = urlsplit(url)
    topic = f"benchmark/echo/{qos}"
    async with aiomqtt.Client(
        parts.hostname or "",
        parts.port or 1883,
        protocol=aiomqtt.ProtocolVersion.V5,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    ) as client:
        await client.subscribe(topic, qos)
        messages = client.messages

        async def echo() -> None:
            await client.publish(topic, PAYLOAD, qos)
            await anext(messages)

        yield echo
