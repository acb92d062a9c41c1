"""Injects network faults: connectors whose links lose, repeat, delay and reorder messages.

They wrap a client's own link, so the same rules hold on every broker and in memory. A fault happens
once, at the sender: what is lost never reaches the broker.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from bus.contract.errors import LinkError
from bus.contract.topics import Topics
from bus.history.filter import Test
from bus.history.message import Message, read
from bus.link import Connector, Granted, Incoming, Link, Outgoing, Subscription


@dataclass(slots=True)
class FaultRule:
    """A fault that happens to the messages that match a filter."""

    kind: Literal["drop", "duplicate", "delay", "reorder", "crash"]
    test: Test
    line: int
    """Of the step that added the rule."""
    left: int | None = None
    """How many more messages it applies to; None for all."""
    copies: int = 2
    seconds: float = 0.0
    """How long a delayed message takes."""
    together: int = 2
    """How many messages are reordered together."""
    node: str = ""
    """The node that crashes."""
    on_crash: Callable[[], None] = lambda: None
    """Called to crash the node, after the message was sent."""
    met: int = 0
    """How many messages it has applied to."""
    held: list[Callable[[], None]] = field(default_factory=list)


class FaultInjector:
    """The active rules, for all links of a scenario.

    Args:
        topics: of the site.
        exempt: the name whose messages always arrive: the runner's own.
        tell: called with what happened to a message, to show it to people.
    """

    def __init__(self, topics: Topics, exempt: str, tell: Callable[[str, Message], None]) -> None:
        self.rules: list[FaultRule] = []
        """All rules that were ever added."""
        self._active: list[FaultRule] = []
        self._topics, self._exempt, self._tell = topics, exempt, tell
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def pending(self) -> bool:
        """Whether a message is held back or delayed."""
        return bool(self._timers) or any(rule.held for rule in self._active)

    def add(self, rule: FaultRule) -> None:
        """Apply a rule from now on."""
        self.rules.append(rule)
        self._active.append(rule)

    def calm(self) -> None:
        """End all rules, and send the messages that are held back."""
        active, self._active = self._active, []
        for rule in active:
            _let_go(rule)

    def forget(self) -> None:
        """End all rules, and drop the messages that are delayed."""
        self._active.clear()
        self.rules.clear()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def apply(self, message: Outgoing, send: Callable[[], None]) -> None:
        """Send a message according to the rules."""
        received = read(
            self._topics, 0, 0, Incoming(message.topic, message.payload, message.retain)
        )
        if not self._active or self._exempt in (received.sender, received.receiver):
            send()
            return
        rule = next((rule for rule in self._active if rule.test(received)), None)
        if rule is None:
            send()
            return
        rule.met += 1
        if rule.left is not None and rule.kind != "reorder":
            rule.left -= 1
            if not rule.left:
                self._active.remove(rule)
        self._apply(rule, received, send)

    def _apply(self, rule: FaultRule, received: Message, send: Callable[[], None]) -> None:
        self._tell(rule.kind, received)
        if rule.kind == "duplicate":
            for _ in range(rule.copies):
                send()
        elif rule.kind == "delay":
            self._later(rule.seconds, send)
        elif rule.kind == "crash":
            send()
            rule.on_crash()
        elif rule.kind == "reorder":
            rule.held.append(send)
            if len(rule.held) == rule.together:
                _let_go(rule)
                if rule.left is not None:
                    rule.left -= 1
                    if not rule.left:
                        self._active.remove(rule)

    def _later(self, seconds: float, send: Callable[[], None]) -> None:
        def arrive() -> None:
            self._timers.discard(timer)
            with suppress(LinkError):  # the connection is gone: then it is lost
                send()

        timer = asyncio.get_running_loop().call_later(seconds, arrive)
        self._timers.add(timer)


def _let_go(rule: FaultRule) -> None:
    """Send the messages that a rule holds back, the last one first."""
    held, rule.held = rule.held, []
    for send in reversed(held):
        with suppress(LinkError):
            send()


class FaultyConnector:
    """The connector of one client.

    Args:
        connector: the real one.
        faults: applied to what is sent.
    """

    def __init__(self, connector: Connector, faults: FaultInjector) -> None:
        self.description = connector.description
        self.dead = False
        """Set when the client has crashed: nothing more is sent."""
        self.will: Outgoing | None = None
        """What the broker would publish if the connection was lost now."""
        self._connector, self._faults = connector, faults

    @asynccontextmanager
    async def connect(
        self, client_id: str, will: Outgoing | None = None
    ) -> AsyncIterator["FaultyLink"]:
        """Open a link."""
        async with self._connector.connect(client_id, will) as link:
            self.will = will or self.will
            yield FaultyLink(link, self._faults, self)


class FaultyLink:
    """One connection, with faults."""

    def __init__(self, link: Link, faults: FaultInjector, end: FaultyConnector) -> None:
        self._link, self._faults, self._end = link, faults, end

    def send(self, message: Outgoing) -> None:
        """Send according to the rules."""
        if not self._end.dead:
            self._faults.apply(message, lambda: self._link.send(message))

    @property
    def granted(self) -> Granted:
        """What the broker granted to the link."""
        return self._link.granted

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Pass on to the link."""
        await self._link.subscribe(subscriptions)

    async def receive(self) -> list[Incoming]:
        """Pass on to the link."""
        return await self._link.receive()

    def take_denied(self) -> list[str]:
        """Pass on to the link."""
        return self._link.take_denied()
