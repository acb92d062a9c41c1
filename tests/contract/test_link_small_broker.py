"""A broker that grants little, as its CONNACK says (MQTT 5 section 3.2.2.3), and holds to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from ports import free_port
from running_store import PATIENCE

from bus.contract.errors import BrokerError, LinkError, NotGrantedError, OversizeError
from bus.link import MqttConnector, Outgoing, Subscription
from testing.kit.relay import PacketReader

CONNECT, PUBLISH, SUBSCRIBE, PING, DISCONNECT = 0x10, 0x30, 0x80, 0xC0, 0xE0
ROOM = 2
RECEIVE_MAXIMUM = bytes((0x21, 0, ROOM))
NO_RETAIN = bytes((0x25, 0))
NO_WILDCARDS = bytes((0x28, 0))
PACKETS_OF_100 = bytes((0x27, 0, 0, 0, 100))
KEEP_ALIVE_OF_1 = bytes((0x13, 0, 1))
NEED_NOT_CONCERN_US = bytes((0x11, 0, 0, 0, 9, 0x22, 0, 9, 0x29, 0, 0x2A, 0, 0x12, 0, 1, 0x61))
"""Session expiry, aliases, neither subscription identifiers nor shared ones, a name for us."""
WILL = Outgoing("presence", b"lost", qos=1, retain=True)


@dataclass
class SmallBroker:
    """Takes `ROOM` messages, and acknowledges the oldest only when no more come."""

    grants: bytes = b""
    """Properties of its CONNACK."""
    refuses_will_with: int = 0
    """The reason code of its CONNACK to whoever brings a will at QoS 1."""
    last: bytes = b""
    """What it says after the CONNACK, before it hangs up."""
    answers_ping: bytes = bytes((0xD0, 0))
    port: int = field(default_factory=free_port)
    taken: list[bytes] = field(default_factory=list)
    most: int = 0
    """How many were unacknowledged at once."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    pinged: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Be a broker to one client, until it says goodbye."""
        unacknowledged: list[bytes] = []
        packets = PacketReader(reader)
        try:
            while not self.left.is_set():
                try:
                    async with asyncio.timeout(0.05 if unacknowledged else None):
                        packet = await packets.packet()
                except TimeoutError:
                    writer.write(bytes((0x40, 2)) + unacknowledged.pop(0))
                    continue
                self._take(packet, unacknowledged, writer)
        except EOFError:
            pass
        finally:
            writer.close()

    def _take(
        self, packet: bytes, unacknowledged: list[bytes], writer: asyncio.StreamWriter
    ) -> None:
        kind = packet[0] & 0xF0
        if kind == CONNECT:
            at_qos_1 = packet[9] & 0x08
            reason = self.refuses_will_with if at_qos_1 else 0
            properties = bytes((len(self.grants),)) + self.grants
            writer.write(bytes((0x20, 2 + len(properties), 0, reason)) + properties)
            if self.last:
                writer.write(self.last)
                writer.close()
        elif kind == PUBLISH:
            end = 4 + int.from_bytes(packet[2:4])
            if packet[0] & 0x06:
                unacknowledged.append(packet[end : end + 2])
            self.taken.append(packet[-2:])
            self.most = max(self.most, len(unacknowledged))
        elif kind == SUBSCRIBE:
            writer.write(bytes((0x90, 4)) + packet[2:4] + bytes((0, 0)))
        elif kind == PING:
            self.pinged.set()
            writer.write(self.answers_ping)
        elif kind == DISCONNECT:
            self.left.set()


Running = Callable[[SmallBroker], AbstractAsyncContextManager[MqttConnector]]


@pytest.fixture
def running() -> Running:
    """Runs one, for a client in MQTT 5."""

    @asynccontextmanager
    async def run(small: SmallBroker) -> AsyncIterator[MqttConnector]:
        async with (
            asyncio.timeout(PATIENCE),
            await asyncio.start_server(small.talk, "127.0.0.1", small.port),
        ):
            yield MqttConnector(f"mqtt://127.0.0.1:{small.port}")

    return run


async def test_who_leaves_with_much_to_say_says_it_all_and_no_more_at_once_than_is_taken(
    running: Running,
) -> None:
    words = [b"%02d" % number for number in range(10)]
    small = SmallBroker(RECEIVE_MAXIMUM)
    async with running(small) as connector:
        async with connector.connect("talker") as link:
            for word in words:
                link.send(Outgoing("t", word, qos=1))
        await small.left.wait()
    assert small.taken == words
    assert small.most <= ROOM


async def test_what_is_larger_than_the_broker_takes_is_refused_and_the_link_goes_on(
    running: Running,
) -> None:
    small = SmallBroker(PACKETS_OF_100 + RECEIVE_MAXIMUM)
    async with running(small) as connector:
        async with connector.connect("talker") as link:
            for _ in range(ROOM + 1):  # the last one waits until there is room for it
                link.send(Outgoing("t", b"ok", qos=1))
            with pytest.raises(OversizeError, match="over 100"):
                link.send(Outgoing("t", b"x" * 100, qos=1))
            assert "max_packet_size" in link.granted.shortage
        await small.left.wait()
    assert small.taken == [b"ok"] * 3


async def test_a_packet_is_measured_with_all_that_is_around_the_payload(running: Running) -> None:
    small = SmallBroker(PACKETS_OF_100)
    async with running(small) as connector, connector.connect("talker") as link:
        empty = 37  # header 2, topic 3, length of properties 1, content type 31
        link.send(Outgoing("t", b"x" * (100 - empty)))
        with pytest.raises(OversizeError, match="packet of 101 bytes"):
            link.send(Outgoing("t", b"x" * (101 - empty)))


async def test_a_will_goes_down_to_the_quality_that_is_granted(running: Running) -> None:
    small = SmallBroker(bytes((0x24, 0)), refuses_will_with=0x9B)
    async with running(small) as connector, connector.connect("node", WILL) as link:
        link.send(Outgoing("t", b"ok", qos=1))
        await link.subscribe([Subscription("t", 1)])
    assert (small.taken, small.most) == ([b"ok"], 0)


@pytest.mark.parametrize(
    "small",
    [SmallBroker(NO_RETAIN), SmallBroker(refuses_will_with=0x9A)],
    ids=["says so", "refuses"],
)
async def test_a_node_ends_with_what_to_do_where_nothing_is_retained(
    running: Running, small: SmallBroker
) -> None:
    async with running(small) as connector:
        with pytest.raises(BrokerError, match="retain_available true"):
            async with connector.connect("node", WILL):
                pass


async def test_who_only_asks_works_where_nothing_is_retained(running: Running) -> None:
    small = SmallBroker(NO_RETAIN)
    async with running(small) as connector:
        async with connector.connect("tool") as link:
            with pytest.raises(NotGrantedError, match="retained"):
                link.send(Outgoing("t", b"no", retain=True))
            link.send(Outgoing("t", b"ok"))
        await small.left.wait()
    assert small.taken == [b"ok"]


async def test_where_no_wildcards_are_granted_that_is_said_before_they_are_asked_for(
    running: Running,
) -> None:
    async with running(SmallBroker(NO_WILDCARDS)) as connector, connector.connect("node") as link:
        await link.subscribe([Subscription("t/exactly")])
        with pytest.raises(BrokerError, match="wildcards"):
            await link.subscribe([Subscription("t/exactly"), Subscription("t/+")])


async def test_the_brokers_keep_alive_is_kept(running: Running) -> None:
    small = SmallBroker(KEEP_ALIVE_OF_1)
    async with running(small) as connector, connector.connect("node"), asyncio.timeout(4):
        await small.pinged.wait()


async def test_what_does_not_concern_us_is_taken_as_it_comes(running: Running) -> None:
    small = SmallBroker(NEED_NOT_CONCERN_US)
    async with running(small) as connector:
        async with connector.connect("node", WILL) as link:
            link.send(Outgoing("t", b"ok", qos=1, retain=True))
        await small.left.wait()
    assert small.taken == [b"ok"]


@pytest.mark.parametrize(
    "grants",
    [bytes((0x21, 0, 0)), bytes((0x27, 0)), bytes((0x7F, 1)), bytes((0x01, 1))],
    ids=["room for none", "cut off", "unknown", "of another packet"],
)
async def test_a_connack_that_breaks_the_protocol_is_no_broker(
    running: Running, grants: bytes
) -> None:
    async with running(SmallBroker(grants)) as connector, asyncio.timeout(2):
        with pytest.raises(BrokerError, match="no broker"):
            async with connector.connect("node"):
                pass


async def test_who_is_refused_hears_why(running: Running) -> None:
    async with running(SmallBroker(refuses_will_with=0x87)) as connector:
        with pytest.raises(BrokerError, match="says: Not authorized"):
            async with connector.connect("node", WILL):
                pass


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (bytes((DISCONNECT, 1, 0x97)), "at once: Quota exceeded"),
        (bytes((PUBLISH, 8, 0, 1, 0x74, 3, 0x23, 0, 1, 0x78)), "at once"),  # section 3.3.2.3.4
    ],
    ids=["sent away", "a topic alias that we did not grant"],
)
async def test_who_is_lost_as_soon_as_he_is_connected_hears_why(
    running: Running, last: bytes, reason: str
) -> None:
    async with running(SmallBroker(last=last)) as connector:
        with pytest.raises(BrokerError, match=reason):
            async with connector.connect("node"):
                pass


async def test_who_is_sent_away_later_hears_why(running: Running) -> None:
    small = SmallBroker(answers_ping=bytes((DISCONNECT, 1, 0x95)), grants=KEEP_ALIVE_OF_1)
    async with running(small) as connector, connector.connect("node") as link:
        with pytest.raises(LinkError, match="lost: Packet too large"):
            await link.receive()


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_who_hangs_up_at_once_is_not_waited_for(version: str) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    port = free_port()
    connector = MqttConnector(f"mqtt://127.0.0.1:{port}?protocol={version}")
    hint = "retained messages" if version == "3.1.1" else "hung up without an answer$"
    async with await asyncio.start_server(hang_up, "127.0.0.1", port), asyncio.timeout(2):
        with pytest.raises(BrokerError, match=hint):
            async with connector.connect("node", WILL):
                pass


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_where_nobody_listens_there_is_no_broker_and_nothing_to_guess(version: str) -> None:
    connector = MqttConnector(f"mqtt://127.0.0.1:{free_port()}?protocol={version}")
    with pytest.raises(BrokerError, match=r"no broker at .*Connection refused$"):
        async with connector.connect("node", WILL):
            pass
