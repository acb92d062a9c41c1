"""The swimlane diagram of an order: a column for each node, a row for each message."""

from dataclasses import dataclass

from tui.model.nodes import NodeView
from tui.model.tracked_order import Hop, TrackedOrder


@dataclass(frozen=True, slots=True)
class Arrow:
    """A message as an arrow from one column to another."""

    hop: Hop
    start: int
    """The column of the sender."""
    end: int
    """The column of the receiver."""
    gap: int
    """Milliseconds since the message before it."""
    open: bool
    """Whether it is a request without an answer."""

    @property
    def again(self) -> int:
        """How often it was repeated."""
        return len(self.hop.again)


@dataclass(frozen=True, slots=True)
class SwimLane:
    """The columns and arrows of an order."""

    columns: tuple[str, ...]
    """The nodes, in the order of the flow."""
    arrows: tuple[Arrow, ...]


def swim_lane(tracked: TrackedOrder) -> SwimLane:
    """Lay out the messages of an order."""
    names = {hop.sender for hop in tracked.hops} | {hop.receiver for hop in tracked.hops}
    columns = tuple(sorted(names - {""}, key=lambda name: NodeView(name).place()))
    places = {name: place for place, name in enumerate(columns)}
    unanswered = {id(hop) for hop in tracked.unanswered()}
    arrows, before = [], tracked.hops[0].at if tracked.hops else 0
    for hop in tracked.hops:
        arrows.append(
            Arrow(
                hop,
                places.get(hop.sender, 0),
                places.get(hop.receiver, 0),
                max(0, hop.at - before),
                id(hop) in unanswered,
            )
        )
        before = hop.at
    return SwimLane(columns, tuple(arrows))
