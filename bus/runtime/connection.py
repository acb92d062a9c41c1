"""A node's place on the bus: its session, and the lease on its name."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from bus.contract.channel import ROLES, Event
from bus.contract.errors import BrokerError
from bus.contract.every import PRESENCE, Presence
from bus.contract.topics import Topics
from bus.link import Incoming, Outgoing, Subscription
from bus.link.session import Session
from bus.runtime.deployment import Deployment
from bus.runtime.environment import Environment
from bus.runtime.publisher import Counts
from bus.runtime.role import Role
from bus.runtime.takeover import refuse_second

logger = logging.getLogger("storebus.node")

_ARRIVALS = 1_000
"""The most connections of an hour that are counted."""
_HOUR = 3_600.0
"""Seconds."""


class NodeConnection:
    """What one start of a node says and hears goes through here.

    Args:
        name: of the node.
        role: whose states and events it subscribes to.
        deployment: where it runs.
        environment: its clocks and chance.
        topics: of its site.
        counts: what was sent, and what the broker denied.
        ready: set with the first connection.
        stopping: set when the node says goodbye.
        presence: makes the node's presence.
        show_presence: shows it anew.
        receive: told what has arrived.
        regained: called when the node may act (again).
    """

    def __init__(
        self,
        name: str,
        role: Role,
        deployment: Deployment,
        environment: Environment,
        topics: Topics,
        counts: Counts,
        ready: asyncio.Event,
        stopping: asyncio.Event,
        presence: Callable[[str], Outgoing],
        show_presence: Callable[[], None],
        receive: Callable[[list[Incoming]], None],
        regained: Callable[[], None],
    ) -> None:
        self._name = name
        self._deployment = deployment
        self._environment = environment
        self._topics = topics
        self._counts = counts
        self._ready = ready
        self._stopping = stopping
        self._show_presence = show_presence
        self._hear = receive
        self._regained = regained
        self._arrivals: deque[float] = deque(maxlen=_ARRIVALS)
        """When it connected last, in seconds of a clock that is never set."""
        self._echoed = False
        """Whether this connection has brought back that we are online."""
        self.lease = deployment.lease(
            name,
            deployment.settings.takeover_wait,
            environment.elapsed,
            self._ask_again,
            regained,
        )
        self.session = Session(
            deployment.connector,
            f"{deployment.site}-{name}-{environment.boot}",
            _subscriptions(name, role, topics),
            self._receive,
            self._connected,
            presence("lost"),
            deployment.settings.reconnect_limit,
            environment.chance,
        )

    def send(self, message: Outgoing) -> bool:
        """Send a message; False if the node is not on the bus, or may not act.

        Raises:
            TooLarge: as a `Session` raises it.
        """
        if not self.lease.holds() or not self.session.send(message):
            return False
        self._counts["said"] += 1
        return True

    def seen_as(self, presence: Presence) -> None:
        """The presence that others see in our name."""
        own = self._environment.boot
        if (presence.status, presence.boot) == ("online", own):
            self._echoed = True
        elif not self._echoed or self._stopping.is_set():
            pass  # from before this connection, or our goodbye
        elif presence.status == "online" and presence.boot != own:
            # Anybody can say so, and whose start was later no clock can tell: who answers for it?
            self.lease.doubt(stood_still=True)
        else:  # a late word of an earlier start or connection hides us
            self._show_presence()

    def in_last_hour(self) -> int:
        """How often it has connected within the last hour."""
        hour_ago = self._environment.elapsed() - _HOUR
        return sum(at > hour_ago for at in self._arrivals)

    def _receive(self, messages: list[Incoming]) -> None:
        self._hear(messages)
        for topic in self.session.take_denied():
            self._counts.drop("denied-by-broker")
            logger.error("%s: the broker's access list denied %s", self._name, topic)

    def _connected(self) -> None:
        self._echoed = False
        self._arrivals.append(self._environment.elapsed())
        if self._ready.is_set():
            self.lease.doubt()
        else:
            self._regained()
            self._ready.set()

    async def _ask_again(self, stood_still: bool) -> None:
        logger.info("%s: is nobody else playing it by now?", self._name)
        limit = self._deployment.settings.reconnect_limit
        while True:
            if self._ready.is_set():  # before, the session may wait for us
                await self.session.up.wait()
            try:
                await refuse_second(
                    self._deployment.connector,
                    self._topics,
                    self._name,
                    self._environment,
                    self._deployment.settings.takeover_wait,
                    patient=stood_still,
                )
            except BrokerError as error:
                logger.debug("%s: could not ask: %s", self._name, error)
                await asyncio.sleep(self._environment.chance.uniform(0, limit))
            else:
                return


def _subscriptions(name: str, role: Role, topics: Topics) -> list[Subscription]:
    wants = [
        Subscription(topics.requests_to(name), 1),
        Subscription(topics.replies_to(name), 1),
    ]
    if PRESENCE not in role.watches:
        nodes = [name, *sorted(ROLES - {name})]
        wants += [Subscription(topics.state(node, PRESENCE.name), 1) for node in nodes]
    for channel in (*role.watches, *role.hears):
        owner = channel.owner if channel.owner in ROLES else "+"
        if isinstance(channel, Event):
            wants.append(Subscription(topics.event(owner, channel.name), 0))
        else:
            wants.append(Subscription(topics.state(owner, channel.name), 1))
    return wants
