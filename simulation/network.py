"""A broker in memory between lives that crash: it loses, repeats, delays, forgets and goes away.

Requests, replies and events may be lost or overtake each other at any time, which is more than
MQTT does. States may be lost, too, but keep their order on a connection.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache

from bus.contract import find_operation
from bus.contract.channel import role_of
from bus.contract.errors import BrokerError, LinkError, OversizeError
from bus.contract.topics import Address, Topics
from bus.contract.values import MAX_PAYLOAD
from bus.link import Incoming, Outgoing, Subscription
from bus.link.granted import Granted
from bus.link.memory import BATCH, matches
from simulation.life import Life
from simulation.trace import Trace, spoken
from simulation.weather import Chances, Weather, happens

_SLOWEST = 30.0
"""Seconds."""
_matches = lru_cache(maxsize=20_000)(matches)


def is_command(address: Address) -> bool:
    """Whether a request or reply belongs to a command: something is under way."""
    operation = find_operation(role_of(address.callee) or "", address.name)
    return operation is not None and operation.kind == "command"


def _kind(address: Address) -> str:
    """How a message is told of."""
    if address.kind in ("state", "event"):
        return "presence" if address.name == "presence" else address.kind
    return "sent" if is_command(address) else "asked"


class Wire:
    """One end of a connection; `cut` from the node's side, `gone` from the broker's."""

    def __init__(
        self, network: "Network", client: str, will: Outgoing | None, life: Life | None
    ) -> None:
        self.client = client
        self.granted = Granted()
        """This broker has no limits."""
        self.will = will
        self.life = life
        self.filters: list[str] = []
        self.cut = False
        self.gone = False
        self.deaf_until = 0.0
        self.free_at = 0.0
        """When the next state may arrive: they keep their order."""
        self._network = network
        self._arrived: deque[Incoming] = deque()
        self._wakeup = asyncio.Event()

    def send(self, message: Outgoing) -> None:
        """Hand it to the network, if the process lives to do so."""
        if self.life is not None:
            self.life.step("publishing")
        if self.cut:
            raise LinkError("the connection is gone")
        if len(message.payload) > MAX_PAYLOAD:
            raise OversizeError("payload", len(message.payload), MAX_PAYLOAD)
        self._network.publish(self, message)
        if self.life is not None:
            self.life.step("published")

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe and receive what is retained."""
        await asyncio.sleep(self._network.moment())
        if self.cut or self.gone:
            raise LinkError("the connection is gone")
        self.filters += [each.filter for each in subscriptions]
        for topic, message in list(self._network.retained.items()):
            if any(_matches(each.filter, topic) for each in subscriptions):
                self._network.bring_state(self, message)

    async def receive(self) -> list[Incoming]:
        """Wait for messages."""
        while not self._arrived:
            if self.cut:
                raise LinkError("the connection is gone")
            self._wakeup.clear()
            await self._wakeup.wait()
        return [self._arrived.popleft() for _ in range(min(BATCH, len(self._arrived)))]

    def take_denied(self) -> list[str]:
        """Nothing is ever denied here."""
        return []

    def deliver(self, message: Outgoing) -> None:
        """A message has come all the way."""
        if self.cut or self.gone or (self.life is not None and self.life.dead):
            return
        if self._network.stormy and asyncio.get_running_loop().time() < self.deaf_until:
            return
        self._arrived.append(
            Incoming(
                message.topic, message.payload, message.retain, message.response_topic,
                message.correlation,
            )
        )  # fmt: skip
        self._wakeup.set()

    def notice(self) -> None:
        """The node finds out that the connection is gone."""
        self.cut = True
        self._wakeup.set()


class Network:
    """The broker and everything on the way to it."""

    def __init__(self, site: str, weather: Weather, chances: Chances, trace: Trace) -> None:
        self.wires: list[Wire] = []
        self.retained: dict[str, Outgoing] = {}
        self.stormy = False
        """Whether faults happen now."""
        self.said_at = 0.0
        """When the last command, or its answer, was on its way."""
        self.witness: Callable[[str, Address, Outgoing], None] = lambda *_: None
        """Told which node has published what, whether it arrives or not."""
        self.loses: Callable[[str, str], bool] = lambda *_: False
        """Whether a message on a topic never reaches a client, whatever the weather."""
        self.down = False
        self._parse = lru_cache(maxsize=20_000)(Topics(site).parse)
        self._weather = weather
        self._chances = chances
        self._trace = trace

    def moment(self) -> float:
        """The usual time on the way, in seconds."""
        return self._chances["moment"].uniform(0.0005, 0.01)

    @asynccontextmanager
    async def join(
        self, client: str, will: Outgoing | None, life: Life | None
    ) -> AsyncIterator[Wire]:
        """A new connection."""
        await asyncio.sleep(self.moment())
        if self.down:
            raise BrokerError("the broker is away")
        for other in [wire for wire in self.wires if wire.client == client]:
            self.forget(other)  # as brokers do: the newer connection of a client wins
            other.notice()
        wire = Wire(self, client, will, life)
        self.wires.append(wire)
        try:
            yield wire
        finally:
            if not wire.cut and not (life is not None and life.dead):
                self.forget(wire, will=False)
            wire.cut = True

    def publish(self, wire: Wire, message: Outgoing) -> None:
        """A node hands over a message."""
        address = self._parse(message.topic)
        assert address is not None, f"{wire.client} published on {message.topic}"
        who = wire.life.name if wire.life is not None else address.node
        state = address.kind == "state"
        self._trace.note(_kind(address), who, spoken(address, message.payload), message.payload)
        self.witness(who, address, message)
        if wire.gone or self.down:
            return
        if state:
            if not (self.stormy and happens(self._chances["state"], self._weather.state)):
                self._route(message)
            return
        if is_command(address):
            self.said_at = asyncio.get_running_loop().time() + _SLOWEST
        self.send(message)

    def send(self, message: Outgoing) -> None:
        """A request, reply or event goes on its way: once, often, late, or not at all."""
        loop = asyncio.get_running_loop()
        for delay in self._delays():
            loop.call_later(delay, self._route, message)

    def _delays(self) -> list[float]:
        """When each copy of a message arrives."""
        if not self.stormy:
            return [self.moment()]
        weather, chances = self._weather, self._chances
        if weather.loss and happens(chances["loss"], weather.loss):
            return []
        copies = 1
        if weather.repetition and happens(chances["repetition"], weather.repetition):
            copies = chances["repetition"].choice((2, 2, 3))
        delays = []
        for _ in range(copies):
            delay = self.moment()
            if weather.delay and happens(chances["delay"], weather.delay):
                delay += min(chances["delay"].expovariate(0.3), _SLOWEST)
            delays.append(delay)
        return delays

    def _route(self, message: Outgoing) -> None:
        if self.down:
            return
        if message.retain:
            self.retained[message.topic] = message
            for wire in self._listeners(message):
                self.bring_state(wire, message)
            return
        self._trace.note("arrived", "", message.topic, message.payload)
        for wire in self._listeners(message):
            wire.deliver(message)

    def _listeners(self, message: Outgoing) -> list[Wire]:
        return [
            wire
            for wire in self.wires
            if any(_matches(pattern, message.topic) for pattern in wire.filters)
            and not self.loses(message.topic, wire.client)
        ]

    def bring_state(self, wire: Wire, message: Outgoing) -> None:
        """A retained message goes to a node, after those before it."""
        loop = asyncio.get_running_loop()
        delay = self.moment()
        if self.stormy and self._weather.delay:
            delay += self._chances["delay"].expovariate(2) * self._weather.delay
        wire.free_at = max(wire.free_at, loop.time() + delay)
        loop.call_at(wire.free_at, wire.deliver, message)

    # -- what goes wrong ----------------------------------------------------------------------

    def forget(self, wire: Wire, *, will: bool = True) -> None:
        """The broker finds out that a connection is gone."""
        if wire.gone:
            return
        wire.gone = True
        self.wires.remove(wire)
        if will and wire.will is not None:
            self._trace.note("will", wire.client.partition("-")[2], "its last will is published")
            self._route(wire.will)

    def lose(self, wire: Wire) -> None:
        """Lose a connection; one side may find out much later than the other."""
        chance = self._chances["connection"]
        self._trace.note("cut", wire.client.partition("-")[2])
        loop = asyncio.get_running_loop()
        late = chance.uniform(0, 20) if happens(chance, 0.5) else 0.0
        first, second = (wire.notice, self.forget_later(wire))
        if happens(chance, 0.5):
            first, second = second, first
        first()
        loop.call_later(late, second)

    def deafen(self, wire: Wire, seconds: float) -> None:
        """Let nothing arrive over a connection for a while; what is sent over it goes through."""
        self._trace.note("deaf", wire.client.partition("-")[2], f"for {seconds:.1f} s")
        wire.deaf_until = asyncio.get_running_loop().time() + seconds

    def forget_later(self, wire: Wire) -> Callable[[], None]:
        """For a timer."""
        return lambda: self.forget(wire)

    def vanished(self, life: Life) -> None:
        """A process died; its connections end with it, sometimes only when a keepalive fails."""
        chance = self._chances["vanished"]
        for wire in [wire for wire in self.wires if wire.life is life]:
            late = chance.uniform(1, 30) if happens(chance, 0.2) else 0.01
            asyncio.get_running_loop().call_later(late, self.forget_later(wire))

    async def restart_broker(self) -> None:
        """The broker dies and comes back, perhaps with nothing that was retained."""
        chance = self._chances["broker"]
        wiped = happens(chance, 0.5)
        self._trace.note("restart", "broker", "wiped" if wiped else "")
        self.down = True
        for wire in list(self.wires):
            self.forget(wire, will=False)
            asyncio.get_running_loop().call_later(chance.uniform(0, 1), wire.notice)
        if wiped:
            self.retained.clear()
        await asyncio.sleep(chance.uniform(0.1, 8))
        self.down = False


class Socket:
    """The connector of one life, or of a tool that never crashes."""

    description = "the simulation"

    def __init__(self, network: Network, life: Life | None = None) -> None:
        self._network = network
        self._life = life

    @asynccontextmanager
    async def connect(self, client_id: str, will: Outgoing | None = None) -> AsyncIterator[Wire]:
        """A new connection."""
        if self._life is not None:
            self._life.step("connecting")
        async with self._network.join(client_id, will, self._life) as wire:
            yield wire
