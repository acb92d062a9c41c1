"""A bad network: connectors whose links lose, repeat, delay and reorder what they are to send.

Stands between a client and whatever link it has, so the same rules hold on every broker and in
memory. A message is judged once, at whoever sends it: what is lost never reaches the broker.
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
class Rule:
    """What happens to the messages that pass a filter."""

    kind: Literal["drop", "duplicate", "delay", "reorder", "crash"]
    test: Test
    line: int
    """Of the step that made it."""
    left: int | None = None
    """How many messages it still concerns; None for all that come."""
    copies: int = 2
    seconds: float = 0.0
    """That a delayed message takes."""
    together: int = 2
    """How many messages are reordered at a time."""
    node: str = ""
    """Which one crashes."""
    struck: Callable[[], None] = lambda: None
    """Called when a crash strikes, after the message went out."""
    met: int = 0
    """How many messages it has met."""
    held: list[Callable[[], None]] = field(default_factory=list)


class Faults:
    """The rules that hold now, for all links of a scenario.

    Args:
        topics: of the site.
        exempt: a node whose messages always arrive: the runner's own.
        tell: told what became of a message, for people.
    """

    def __init__(self, topics: Topics, exempt: str, tell: Callable[[str, Message], None]) -> None:
        self.rules: list[Rule] = []
        """All that were ever made."""
        self._active: list[Rule] = []
        self._topics, self._exempt, self._tell = topics, exempt, tell
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def pending(self) -> bool:
        """Whether a message is held, or on its way."""
        return bool(self._timers) or any(rule.held for rule in self._active)

    def add(self, rule: Rule) -> None:
        """Let a rule hold from now on."""
        self.rules.append(rule)
        self._active.append(rule)

    def calm(self) -> None:
        """End all rules; what is held goes on its way."""
        active, self._active = self._active, []
        for rule in active:
            _let_go(rule)

    def forget(self) -> None:
        """End all rules, and forget what is on its way."""
        self._active.clear()
        self.rules.clear()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def judge(self, message: Outgoing, send: Callable[[], None]) -> None:
        """Send a message as the rules have it."""
        heard = read(self._topics, 0, 0, Incoming(message.topic, message.payload, message.retain))
        if not self._active or self._exempt in (heard.sender, heard.receiver):
            send()
            return
        rule = next((rule for rule in self._active if rule.test(heard)), None)
        if rule is None:
            send()
            return
        rule.met += 1
        if rule.left is not None and rule.kind != "reorder":
            rule.left -= 1
            if not rule.left:
                self._active.remove(rule)
        self._strike(rule, heard, send)

    def _strike(self, rule: Rule, heard: Message, send: Callable[[], None]) -> None:
        self._tell(rule.kind, heard)
        if rule.kind == "duplicate":
            for _ in range(rule.copies):
                send()
        elif rule.kind == "delay":
            self._later(rule.seconds, send)
        elif rule.kind == "crash":
            send()
            rule.struck()
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


def _let_go(rule: Rule) -> None:
    """The last one first."""
    held, rule.held = rule.held, []
    for send in reversed(held):
        with suppress(LinkError):
            send()


class FaultyConnector:
    """One client's connector.

    Args:
        connector: the real one.
        faults: what happens to what is sent.
    """

    def __init__(self, connector: Connector, faults: Faults) -> None:
        self.description = connector.description
        self.dead = False
        """Set when the client has crashed: nothing more gets out."""
        self.will: Outgoing | None = None
        """What the broker would say if the connection was lost now."""
        self._connector, self._faults = connector, faults

    @asynccontextmanager
    async def connect(
        self, client_id: str, will: Outgoing | None = None
    ) -> AsyncIterator["FaultyLink"]:
        """A new link."""
        async with self._connector.connect(client_id, will) as link:
            self.will = will or self.will
            yield FaultyLink(link, self._faults, self)


class FaultyLink:
    """One connection, over which not everything arrives."""

    def __init__(self, link: Link, faults: Faults, end: FaultyConnector) -> None:
        self._link, self._faults, self._end = link, faults, end

    def send(self, message: Outgoing) -> None:
        """Send as the rules have it."""
        if not self._end.dead:
            self._faults.judge(message, lambda: self._link.send(message))

    @property
    def granted(self) -> Granted:
        """As the link is."""
        return self._link.granted

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """As the link does."""
        await self._link.subscribe(subscriptions)

    async def receive(self) -> list[Incoming]:
        """As the link does."""
        return await self._link.receive()

    def take_denied(self) -> list[str]:
        """As the link does."""
        return self._link.take_denied()
