"""A broker and its links within one process: for tests and simulations, without I/O or threads."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bus.contract.errors import LinkError, OversizeError
from bus.contract.values import MAX_PAYLOAD
from bus.link.base import Incoming, Outgoing, Subscription
from bus.link.granted import Granted

BATCH = 512


def matches(pattern: str, topic: str) -> bool:
    """Whether a topic matches a filter (MQTT 5 section 4.7)."""
    wanted = pattern.split("/")
    levels = topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(levels) or level not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)


class MemoryLink:
    """One connection to a `MemoryBroker`."""

    def __init__(self, broker: "MemoryBroker", will: Outgoing | None) -> None:
        self.broker = broker
        self.granted = Granted()
        """A broker in memory has no limits."""
        self.will = will
        self.filters: dict[str, int] = {}
        self.lost = False
        self._arrived: deque[Incoming] = deque()
        self._wakeup = asyncio.Event()

    def send(self, message: Outgoing) -> None:
        """Route a message at once."""
        if self.lost:
            raise LinkError("the connection to the broker in memory is gone")
        if len(message.payload) > self.broker.largest:
            raise OversizeError("payload", len(message.payload), self.broker.largest)
        self.broker.route(message)

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe and receive what is retained."""
        for subscription in subscriptions:
            self.filters[subscription.filter] = subscription.qos
            for topic, message in self.broker.retained.items():
                if matches(subscription.filter, topic):
                    self.deliver(message)

    async def receive(self) -> list[Incoming]:
        """Wait for messages."""
        while not self._arrived:
            if self.lost:
                raise LinkError("the connection to the broker in memory is gone")
            self._wakeup.clear()
            await self._wakeup.wait()
        return [self._arrived.popleft() for _ in range(min(BATCH, len(self._arrived)))]

    def take_denied(self) -> list[str]:
        """Nothing is ever denied here."""
        return []

    def deliver(self, message: Outgoing) -> None:
        """A message from the broker."""
        self._arrived.append(
            Incoming(
                message.topic,
                message.payload,
                message.retain,
                message.response_topic,
                message.correlation,
                message.qos,
                message.expiry,
                () if message.trace is None else (("traceparent", message.trace),),
            )
        )
        self._wakeup.set()

    def lose(self) -> None:
        """Break the connection as a crash would: the will is published."""
        if not self.lost:
            self.lost = True
            self.broker.links.pop(self, None)
            self._wakeup.set()
            if self.will is not None:
                self.broker.route(self.will)


class MemoryBroker:
    """Routes messages between links; also the connector to itself.

    Args:
        largest: bytes that a payload may have.
    """

    description = "memory"

    def __init__(self, largest: int = MAX_PAYLOAD) -> None:
        self.largest = largest
        self.links: dict[MemoryLink, None] = {}  # in order of connection
        self.retained: dict[str, Outgoing] = {}

    @asynccontextmanager
    async def connect(
        self,
        client_id: str,  # noqa: ARG002 - names matter to real brokers only
        will: Outgoing | None = None,
    ) -> AsyncIterator[MemoryLink]:
        """A new link."""
        link = MemoryLink(self, will)
        self.links[link] = None
        try:
            yield link
        finally:
            self.links.pop(link, None)
            link.lost = True

    def route(self, message: Outgoing) -> None:
        """Deliver to every link with a matching filter, once each."""
        if message.retain:
            if message.payload:
                self.retained[message.topic] = message
            else:
                self.retained.pop(message.topic, None)
        for link in list(self.links):
            if any(matches(pattern, message.topic) for pattern in link.filters):
                link.deliver(message)
