"""An order that waits for a node: in words, and what to do where that is not well."""

from dataclasses import dataclass, replace

from bus.text.sentence import Sentence, marked
from tui.model.advice import advice, goes_on
from tui.model.nodes import KnownNodes
from tui.model.tracked_order import Hop

PATIENCE = 2_000
"""Milliseconds after which a request without an answer is what an order waits for."""
SLOW = 60_000
"""Milliseconds after which a step takes too long that machines and people have time for."""


@dataclass(frozen=True, slots=True)
class WaitReason:
    """What an order waits for."""

    reason: Sentence
    since: int
    """Milliseconds since the epoch."""
    node: str
    """Who has to do something."""
    hop: Hop | None = None
    """The message that it is stuck behind, to be marked in the swim-swim_lane."""
    normal: bool = True
    """Nothing is wrong: it only takes its time."""
    to_do: Sentence | None = None
    """What somebody has to do about it; None where nothing is wrong."""
    is_put_back: bool = False
    """It waits for a person who puts goods back on a shelf."""


_FOR = {
    "purchase": marked("to settle the purchase"),
    "reserve": marked("to hold the goods"),
    "release": marked("to put the goods up for sale again"),
    "fulfil": marked("to take the order"),
    "withdraw": marked("to bring the goods back to their shelves"),
    "pick": marked("to take the job"),
    "abort": marked("to stop the job and say what it had taken"),
    "packed": marked("to hear that the parcel is packed"),
    "short-pick": marked("to say where the rest is"),
    "fault": marked("to hear of the fault"),
    "failed": marked("to hear that goods cannot be had"),
    "ready": marked("to hear that the parcel is ready"),
    "remind": marked("to remind the customer"),
}
_TO_ANSWER = marked("to answer {operation}")
_GONE = ("lost", "offline")


def trouble(nodes: KnownNodes, name: str) -> str:
    """What keeps a node from doing anything, as the end of a sentence; empty if nothing does."""
    node = nodes.get(name)
    if node is None:
        return ""
    if node.shows("standstill"):
        return marked("{reason}, and it stood still and ended itself")
    if node.status == "lost":
        return marked("{reason}, and it is lost")
    if node.status == "offline":
        return marked("{reason}, and it is switched off")
    if node.shows("cannot-write"):
        return marked("{reason}, and it cannot write its database")
    return ""


def waits_for(
    nodes: KnownNodes, name: str, since: int, reason: Sentence, *, hop: Hop | None = None
) -> WaitReason:
    """A node's turn has come; if that is not well, this is diagnose nothing happens."""
    end, node = trouble(nodes, name), nodes.get(name)
    if not end or node is None:
        return WaitReason(reason, since, name, hop)
    gone_since = node.since if node.status in _GONE else since
    return WaitReason(
        Sentence(end, reason=reason), max(since, gone_since), name, hop, normal=False,
        to_do=advice(nodes, name, hop.name if hop else ""),
    )  # fmt: skip


def due_step(nodes: KnownNodes, name: str, since: int, now: int, reason: Sentence) -> WaitReason:
    """A role has heard all that it needs, and is to say the next word at once."""
    found = waits_for(nodes, name, since, reason)
    if found.normal and now - since >= PATIENCE:
        return replace(found, normal=False, to_do=goes_on(name))
    return found


def asked(hop: Hop) -> Sentence:
    """Who waits for whom, and for what."""
    return Sentence(
        "{sender} waits for {node} {what}", sender=hop.sender, node=hop.receiver, what=what(hop)
    )


def what(hop: Hop) -> Sentence:
    """What a request is for."""
    return Sentence(_FOR.get(hop.name, _TO_ANSWER), operation=hop.name)


def to_be_put_back(since: int, hop: Hop) -> WaitReason:
    """Goods of an order have left their shelves and are to go back there, which people do."""
    reason = Sentence("waits for its goods to be put back on their shelves")
    to_do = Sentence(
        "Put them back on a shelf, and enter that: + on the stock screen, with the parcel."
    )
    return WaitReason(reason, since, "warehouse", hop, normal=False, to_do=to_do, is_put_back=True)
