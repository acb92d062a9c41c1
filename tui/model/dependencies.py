"""The names of what an order waits for, by which alarms are grouped."""

from tui.model.diagnosis import WaitReason
from tui.model.tracked_order import TrackedOrder

_WITH_SORTERS = ("settled", "short")


def needs(reason: WaitReason, tracked: TrackedOrder) -> tuple[str, ...]:
    """Nodes, `sorters`, `provider` or `put-back`, the nearest first."""
    if reason.is_put_back:
        return ("put-back",)
    if reason.hop is not None and reason.hop.kind == "req" and reason.hop.receiver == reason.node:
        return (reason.node,)
    if tracked.state == "charging":
        return ("provider", reason.node)
    if tracked.state in _WITH_SORTERS and reason.node == "warehouse":
        return ("sorters", reason.node)
    return (reason.node,)
