"""What an order waits for, as a text, and what to do if something is wrong."""

from dataclasses import dataclass, replace

from bus.text.sentence import Sentence, marked
from tui.model.advice import advice, goes_on
from tui.model.nodes import KnownNodes
from tui.model.tracked_order import Hop

PATIENCE = 2_000
"""Milliseconds after which an unanswered request counts as holding up an order."""
SLOW = 60_000
"""Milliseconds after which a step of a machine or a person takes too long."""


@dataclass(frozen=True, slots=True)
class WaitReason:
    """What an order waits for."""

    reason: Sentence
    since: int
    """Milliseconds since the epoch."""
    node: str
    """The node that has to act."""
    hop: Hop | None = None
    """The message that holds it up, to be marked in the swimlane diagram."""
    normal: bool = True
    """Whether nothing is wrong."""
    to_do: Sentence | None = None
    """What the operator should do; None if nothing is wrong."""
    is_put_back: bool = False
    """Whether it waits for goods to be put back on a shelf."""


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
    """A text with `{reason}` that says what is wrong with a node; empty if nothing is."""
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
    """An order waits for a node; the reason also says what is wrong with it, if anything."""
    end, node = trouble(nodes, name), nodes.get(name)
    if not end or node is None:
        return WaitReason(reason, since, name, hop)
    gone_since = node.since if node.status in _GONE else since
    return WaitReason(
        Sentence(end, reason=reason), max(since, gone_since), name, hop, normal=False,
        to_do=advice(nodes, name, hop.name if hop else ""),
    )  # fmt: skip


def due_step(nodes: KnownNodes, name: str, since: int, now: int, reason: Sentence) -> WaitReason:
    """An order waits for a role whose next step is due at once."""
    found = waits_for(nodes, name, since, reason)
    if found.normal and now - since >= PATIENCE:
        return replace(found, normal=False, to_do=goes_on(name))
    return found


def asked(hop: Hop) -> Sentence:
    """A sentence with who waits for whom, and for what."""
    return Sentence(
        "{sender} waits for {node} {what}", sender=hop.sender, node=hop.receiver, what=what(hop)
    )


def what(hop: Hop) -> Sentence:
    """What a request is for, as a part of a sentence."""
    return Sentence(_FOR.get(hop.name, _TO_ANSWER), operation=hop.name)


def to_be_put_back(since: int, hop: Hop) -> WaitReason:
    """An order waits for a person to put its goods back on their shelves."""
    reason = Sentence("waits for its goods to be put back on their shelves")
    to_do = Sentence(
        "Put them back on a shelf, and enter that: + on the stock screen, with the parcel."
    )
    return WaitReason(reason, since, "warehouse", hop, normal=False, to_do=to_do, is_put_back=True)
