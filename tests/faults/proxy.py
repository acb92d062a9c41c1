"""A TCP proxy before the broker that repeats, delays, reorders, loses and cuts, all from one seed.

Knows MQTT's packet boundaries and nothing of Storebus but the levels of its topics.
"""

import asyncio
import heapq
import itertools
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from bus.link.packets import find_packet
from testing.kit.relay import PacketReader, Relay, Stream

PUBLISH, PUBACK = 3, 4
MOST_HELD = 5_000
"""Packets that one direction of a connection holds back at once; more go on as they came."""
OWN_IDS = range(0xF000, 0xFFFF)
"""Packet identifiers of the proxy's own repetitions; neither clients nor Mosquitto get so far."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often each thing happens to a PUBLISH, as a probability."""

    repeat: float = 0.0
    delay: float = 0.0
    longest: float = 0.3
    """Seconds that a delayed packet is held; whatever comes meanwhile overtakes it."""
    lose_qos0: float = 0.0
    lose_qos1: float = 0.0
    """Of requests and replies: acknowledged to the sender and never delivered."""
    states: bool = False
    """Whether states are delayed and reordered, too; MQTT promises their order."""


class Publish(NamedTuple):
    """What of a PUBLISH matters here (MQTT 5 section 3.3)."""

    qos: int
    topic: str
    id_at: int
    """Where the packet identifier stands; 0 at QoS 0."""

    @property
    def is_state(self) -> bool:
        """Whether it is the retained state of a node."""
        return "/state/" in self.topic


def read_publish(packet: bytes) -> Publish:
    """Look into a whole PUBLISH."""
    found = find_packet(packet, 0)
    assert found is not None, "it was read whole"
    start = found[0] + 2
    end = start + int.from_bytes(packet[found[0] : start])
    qos = packet[0] >> 1 & 3
    return Publish(qos, packet[start:end].decode(errors="replace"), end if qos else 0)


class _Way:
    """One direction of a connection."""

    def __init__(
        self,
        proxy: "Proxy",
        source: PacketReader,
        target: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
    ) -> None:
        self._proxy = proxy
        self._source = source
        self._target = target
        self._back = back
        self._order = itertools.count()
        self._held: list[tuple[float, int, bytes]] = []
        self._more = asyncio.Event()
        self._own_ids = itertools.cycle(OWN_IDS)
        self.repeated: set[int] = set()
        """Identifiers whose acknowledgement is the proxy's own, not the sender's."""
        self.other: _Way

    async def listen(self) -> None:
        """Read until the end of the connection."""
        while True:
            packet = await self._source.packet()
            if self._proxy.is_half_open:
                self._proxy.counts["swallowed"] += 1
            elif packet[0] >> 4 == PUBLISH:
                self._publish(packet)
            elif packet[0] >> 4 == PUBACK and self._is_ours(packet):
                pass
            else:
                self._target.write(packet)
            await self._target.drain()

    async def release(self) -> None:
        """Let go of what was held back when its time has come."""
        now = asyncio.get_running_loop().time
        while True:
            while self._held and self._held[0][0] <= now():
                packet = heapq.heappop(self._held)[2]
                if not self._proxy.is_half_open:
                    self._target.write(packet)
            wait = self._held[0][0] - now() if self._held else None
            self._more.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._more.wait()

    def _is_ours(self, packet: bytes) -> bool:
        identifier = int.from_bytes(packet[2:4])
        found = identifier in self.other.repeated
        self.other.repeated.discard(identifier)
        return found

    def _publish(self, packet: bytes) -> None:
        faults, chance = self._proxy.faults, self._proxy.chance
        publish = read_publish(packet)
        counts = self._proxy.counts
        counts["passed"] += 1
        if chance.random() < (faults.lose_qos1 if publish.qos else faults.lose_qos0):
            if not publish.qos:
                counts["lost"] += 1
                return
            if not publish.is_state:
                counts["lost"] += 1
                identifier = packet[publish.id_at : publish.id_at + 2]
                self._back.write(bytes((PUBACK << 4, 2)) + identifier)
                return
        self._pass_on(packet, publish)
        if chance.random() < faults.repeat:
            counts["repeated"] += 1
            self._pass_on(self._again(packet, publish), publish)

    def _again(self, packet: bytes, publish: Publish) -> bytes:
        """The same message as another packet."""
        if not publish.qos:
            return packet
        identifier = next(self._own_ids)
        self.repeated.add(identifier)
        return packet[: publish.id_at] + identifier.to_bytes(2) + packet[publish.id_at + 2 :]

    def _pass_on(self, packet: bytes, publish: Publish) -> None:
        faults, chance = self._proxy.faults, self._proxy.chance
        delayed = chance.random() < faults.delay and (faults.states or not publish.is_state)
        if not delayed or len(self._held) >= MOST_HELD:
            self._target.write(packet)
            return
        self._proxy.counts["delayed"] += 1
        due = asyncio.get_running_loop().time() + chance.uniform(0, faults.longest)
        heapq.heappush(self._held, (due, next(self._order), packet))
        self._more.set()


class Proxy(Relay):
    """Stands between clients and the broker.

    Args:
        broker_port: of the broker, on 127.0.0.1.
        seed: decides every fault.
    """

    def __init__(self, broker_port: int, seed: int) -> None:
        super().__init__(lambda _: asyncio.open_connection("127.0.0.1", broker_port))
        self.faults = Faults()
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.is_half_open = False
        """While set nothing is passed on and nothing is closed."""

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"mqtt://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Break every connection without a word."""
        self.counts["cut"] += self.connections
        super().cut()

    async def _join(
        self, _: bytes, packets: PacketReader, client: asyncio.StreamWriter, broker: Stream
    ) -> None:
        there = _Way(self, packets, broker[1], client)
        here = _Way(self, PacketReader(broker[0]), client, broker[1])
        there.other, here.other = here, there
        with suppress(BaseExceptionGroup):
            async with asyncio.TaskGroup() as tasks:
                for way in (there, here):
                    tasks.create_task(way.listen())
                    tasks.create_task(way.release())
