"""States and events of other nodes, and what a node is seen as itself."""

from collections.abc import Callable
from typing import Any

from bus.contract.channel import EVERY, Event, role_of
from bus.contract.envelope import Reading
from bus.contract.errors import Problem
from bus.contract.every import PRESENCE, Presence
from bus.contract.topics import Address
from bus.link import Incoming
from bus.runtime.admission import validate
from bus.runtime.inputs import InputQueue, StateObserved
from bus.runtime.peer_watch import PeerWatch
from bus.runtime.presences import Presences
from bus.runtime.publisher import Counts
from bus.runtime.requests import Observed
from bus.runtime.role import Role


class StateHandler:
    """Takes the states and events that one node has subscribed to.

    Args:
        node: its name.
        role: what it wants to know.
        counts: what was dropped.
        inputs: where states wait for their transaction.
        presences: the nodes that are there.
        peers: told which databases they have.
        seen_as: told what presence this node is seen with.
    """

    def __init__(
        self,
        node: str,
        role: Role,
        counts: Counts,
        inputs: InputQueue,
        presences: Presences,
        peers: PeerWatch,
        seen_as: Callable[[Presence], None],
    ) -> None:
        self._node = node
        self._watches = {state.name: state for state in role.watches}
        self._hears: dict[tuple[str, str], tuple[Any, Callable[[str, Any], None]]] = {
            ("event" if isinstance(channel, Event) else "state", channel.name): (channel, tell)
            for channel, tell in role.hears.items()
        }
        self._counts = counts
        self._inputs = inputs
        self._presences = presences
        self._peers = peers
        self._seen_as = seen_as

    def handle(self, message: Incoming, address: Address) -> None:
        """Take a state or an event."""
        if (address.kind, address.name) in self._hears:
            self._observe(message, address)
        else:
            self._state(message, address)

    def _observe(self, message: Incoming, address: Address) -> None:
        """Something that is only looked at: no transaction, and nothing is remembered."""
        channel, tell = self._hears[address.kind, address.name]
        if channel.owner not in (EVERY, role_of(address.node)) or not message.payload:
            self._counts.drop("unwatched-state")
            return
        try:
            data = validate(channel.data, Reading(message.payload).envelope().data)
        except Problem:
            self._counts.drop("malformed-state")
            return
        tell(address.node, data)

    def _state(self, message: Incoming, address: Address) -> None:
        is_presence = address.name == PRESENCE.name
        state = PRESENCE if is_presence else self._watches.get(address.name)
        is_watched = address.name in self._watches
        if state is None or not message.payload:
            self._counts.drop("unwatched-state")
            return
        try:
            data = validate(state.data, Reading(message.payload).envelope().data)
        except Problem:
            self._counts.drop("malformed-state")
            return
        if isinstance(data, Presence):
            if address.node == self._node:
                self._seen_as(data)
            else:
                self._peers.met(address.node, data)
            if not is_watched or not self._presences.changed(address.node, data):
                return
        self._inputs.take(StateObserved(state, Observed(address.node, data)))
