"""Commands between nodes that were refused for good, and whose senders ignore refusals."""

from bus.contract.channel import ROLES, role_of
from bus.history.message import Message, body
from bus.text.sentence import Sentence
from tui.model.tracked_order import UNDOING, TrackedOrder

_SENDERS = ROLES | {"sorter"}
_UNHEEDED = frozenset(
    {"commit", "release", "fulfil", "withdraw", "ready", "failed", "write-off", "packed", "fault",
     "short-pick", "abort", "remind"}
)  # fmt: skip
"""Commands whose senders do not handle a refusal: it leaves something undone."""
_OVERTAKEN = frozenset({"wrong-state", "cancelled"})
"""Codes that may also mean that a command came too late to matter."""


def dead_letter(reply: Message, tracked: TrackedOrder | None) -> Sentence | None:
    """The text for a command that was refused for good; None if a reply is no such refusal.

    Args:
        reply: any message.
        tracked: the order that it belongs to, if known.
    """
    if reply.kind != "rep" or reply.code is None or reply.repeats:
        return None
    if reply.name not in _UNHEEDED or role_of(reply.receiver) not in _SENDERS:
        return None
    if (body(reply) or {}).get("retryable") is True or _is_overtaken(reply, tracked):
        return None
    return Sentence(
        "{callee} refused {operation} of {sender} for good: {code}",
        callee=reply.sender, operation=reply.name, sender=reply.receiver, code=reply.code,
    )  # fmt: skip


def _is_overtaken(reply: Message, tracked: TrackedOrder | None) -> bool:
    """Whether the order is finished or being undone, or the job has gone to another sorter."""
    if tracked is None or reply.code not in _OVERTAKEN:
        return False
    if reply.name == "fault" and tracked.sorter not in (None, reply.receiver):
        return True
    return tracked.final or tracked.state in UNDOING
