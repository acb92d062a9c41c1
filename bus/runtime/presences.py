"""Which nodes are there, as far as a node has heard."""

from collections.abc import Mapping

from bus.contract.every import Presence
from bus.runtime.schedule import Schedule


class Presences:
    """The presences that other nodes have shown.

    Args:
        schedule: commands to a node that has come are due at once.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._presences: dict[str, Presence] = {}
        self._online: Mapping[str, Presence] = {}

    @property
    def online(self) -> Mapping[str, Presence]:
        """The nodes that are there; made anew when one comes or goes."""
        return self._online

    def changed(self, node: str, presence: Presence) -> bool:
        """Take up a presence; whether it is a new one.

        The last will of an older start says nothing of this one.
        """
        before = self._presences.get(node)
        if before is not None:
            if presence.status == "lost" and before.boot != presence.boot:
                return False
            if (before.status, before.boot) == (presence.status, presence.boot):
                return False  # shown again
        self._presences[node] = presence
        self._look()
        if presence.status == "online":
            self._schedule.hurry(node)
        return True

    def forget(self, node: str) -> None:
        """Take the node's next presence for a new one."""
        self._presences.pop(node, None)
        self._look()

    def _look(self) -> None:
        self._online = {
            name: presence
            for name, presence in self._presences.items()
            if presence.status == "online"
        }
