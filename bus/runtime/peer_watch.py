"""Watches which databases other nodes have, and says which one this node has."""

import logging
import sqlite3
from collections.abc import Mapping
from typing import Any

from bus.contract.channel import is_remembered
from bus.contract.errors import Problem
from bus.contract.every import ABOUT, About, Alarm, Presence
from bus.contract.outbound import MessageFactory
from bus.contract.problem import is_unheard_of
from bus.contract.values import Empty
from bus.link import Outgoing
from bus.runtime import peers
from bus.runtime.background import BackgroundTasks
from bus.runtime.environment import Environment
from bus.runtime.inputs import InputQueue, PeerSeen
from bus.runtime.outgoing import outgoing
from bus.runtime.pending_requests import PendingRequests

logger = logging.getLogger("storebus.node")


class PeerWatch:
    """What one node knows of the databases of others, and of its own.

    Args:
        messages: makes its messages.
        environment: its clocks.
        reader: the journal's read-only connection.
        pending: asks another node.
        inputs: what is learned is remembered with the next transaction.
        background: where another node is asked.
    """

    def __init__(
        self,
        messages: MessageFactory,
        environment: Environment,
        reader: sqlite3.Connection,
        pending: PendingRequests,
        inputs: InputQueue,
        background: BackgroundTasks,
    ) -> None:
        self._node = messages.node
        self._messages = messages
        self._environment = environment
        self._reader = reader
        self._pending = pending
        self._inputs = inputs
        self._background = background
        self._own = peers.own(reader) or (environment.boot, 0)
        """The name and the position of its database; a new one will be named so."""
        self._peers: dict[str, peers.Peer] = {}
        self._verifying: set[str] = set()
        """Nodes that are being asked which database they have."""

    @property
    def alarms(self) -> list[Alarm]:
        """The losses that are told."""
        now, steady = self._environment.now(), self._environment.steady()
        return peers.alarms(self._peers, self._node, now, steady)

    def presence(self, status: str) -> Outgoing:
        """Whether this start is there, and how far its database had come when that was looked up.

        Whoever says goodbye may have closed it, or have a disk that does not answer.
        """
        if status == "online":
            self._own = peers.own(self._reader) or self._own
        return outgoing(self._messages.presence(status, *self._own))

    def remember(self, shown: Presence | None) -> None:
        """Take up what is known of others; and whether our own name had another database before.

        Args:
            shown: the presence last shown in our name.
        """
        self._peers = peers.load(self._reader)
        own = peers.own(self._reader)
        if shown is None or shown.database is None or own is None:
            return
        if not is_remembered(self._node):
            return
        before = peers.Peer(shown.database, shown.position or 0, shown.boot)
        now = self._environment.steady()
        before = self._peers.get(self._node, before)
        self._know(self._node, peers.met(before, *own, self._environment.boot, now))

    def met(self, node: str, presence: Presence) -> None:
        """Another node shows which database it has."""
        database = presence.database
        if presence.status == "online" and database is not None and is_remembered(node):
            before, now = self._peers.get(node), self._environment.steady()
            position, boot = presence.position or 0, presence.boot
            peer = peers.met(before, database, position, boot, now)
            if peer.loss == (before and before.loss):
                self._know(node, peer)
            elif node not in self._verifying:  # what is shown may be of yesterday
                self._verifying.add(node)
                self._background.start(self._verify(node, before), f"verify {node}")

    def refused(self, node: str, problem: Mapping[str, Any]) -> None:
        """Another node refused a command: perhaps it does not know what it must."""
        if is_unheard_of(problem):
            now = self._environment.steady()
            self._know(node, peers.forgot(self._peers.get(node), now))

    async def _verify(self, node: str, before: peers.Peer | None) -> None:
        """Ask a node itself which database it has now.

        Args:
            node: whom.
            before: what was known of it before it is asked.
        """
        try:
            about: About = await self._pending.ask(ABOUT, node, Empty())
        except Problem as problem:  # asked again when it shows itself again
            logger.debug("%s: %s does not say what it has: %s", self._node, node, problem)
        else:
            if about.database is not None:
                position, now = about.position or 0, self._environment.steady()
                self._know(node, peers.met(before, about.database, position, about.boot, now))
        finally:
            self._verifying.discard(node)

    def _know(self, node: str, peer: peers.Peer) -> None:
        before = self._peers.get(node)
        if peer != before:
            self._peers[node] = peer
            self._inputs.take(PeerSeen(node, peer, peer.loss != (before and before.loss)))
