"""Commands between nodes that were refused for good where nobody heeds the answer."""

from bus.contract.channel import ROLES, role_of
from bus.history.message import Message, body
from bus.text.sentence import Sentence
from tui.model.tracked_order import UNDOING, TrackedOrder

_SENDERS = ROLES | {"sorter"}
_UNHEEDED = frozenset(
    {"commit", "release", "fulfil", "withdraw", "ready", "failed", "write-off", "packed", "fault",
     "short-pick", "abort", "remind"}
)  # fmt: skip
"""Commands whose senders rely on being obeyed: a refusal leaves something undone."""
_OVERTAKEN = frozenset({"wrong-state", "cancelled"})
"""Codes that also tell that a command came too late to matter."""


def dead_letter(reply: Message, tracked: TrackedOrder | None) -> Sentence | None:
    """What was refused for good, or None if a reply is nothing of that kind.

    Args:
        reply: any message.
        tracked: of the order that it belongs to, if that is known.
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
    """The order is undone or done, or its job was given to another sorter than the faulty one."""
    if tracked is None or reply.code not in _OVERTAKEN:
        return False
    if reply.name == "fault" and tracked.sorter not in (None, reply.receiver):
        return True
    return tracked.final or tracked.state in UNDOING
