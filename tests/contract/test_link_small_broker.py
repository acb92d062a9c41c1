"""A broker that takes few messages at once, as its Receive Maximum says (MQTT 5 section 3.3.4)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from ports import free_port
from store import PATIENCE

from bus.link import MqttConnector, Outgoing

CONNECT, PUBLISH, DISCONNECT = 0x10, 0x30, 0xE0
ROOM = 2
CONNACK = bytes((0x20, 6, 0, 0, 3, 0x21, 0, ROOM))
"""Success, with a Receive Maximum (section 3.2.2.3.3)."""


@dataclass
class SmallBroker:
    """Takes `ROOM` messages, and acknowledges the oldest only when no more come."""

    port: int = field(default_factory=free_port)
    taken: list[bytes] = field(default_factory=list)
    most: int = 0
    """How many were unacknowledged at once."""
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Be a broker to one client, until it says goodbye."""
        unacknowledged: list[bytes] = []
        while True:
            try:
                async with asyncio.timeout(0.05 if unacknowledged else None):
                    first = (await reader.readexactly(1))[0]
            except TimeoutError:
                writer.write(bytes((0x40, 2)) + unacknowledged.pop(0))
                continue
            packet = await reader.readexactly((await reader.readexactly(1))[0])
            if first & 0xF0 == CONNECT:
                writer.write(CONNACK)
            elif first & 0xF0 == PUBLISH:
                end = 2 + int.from_bytes(packet[:2], "big")
                unacknowledged.append(packet[end : end + 2])
                self.taken.append(packet[-2:])
                self.most = max(self.most, len(unacknowledged))
            elif first == DISCONNECT:
                break
        self.left.set()
        writer.close()


@pytest.fixture
async def small() -> AsyncIterator[SmallBroker]:
    """One that runs."""
    broker = SmallBroker()
    async with await asyncio.start_server(broker.talk, "127.0.0.1", broker.port):
        yield broker


async def test_who_leaves_with_much_to_say_says_it_all_and_no_more_at_once_than_is_taken(
    small: SmallBroker,
) -> None:
    words = [b"%02d" % number for number in range(10)]
    async with asyncio.timeout(PATIENCE):
        async with MqttConnector(f"mqtt://127.0.0.1:{small.port}").connect("talker") as link:
            for word in words:
                link.send(Outgoing("t", word, qos=1))
        await small.left.wait()
    assert small.taken == words
    assert small.most <= ROOM
