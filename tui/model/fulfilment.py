"""Why a paid order is not packed yet: the state of its job and of the sorters."""

from dataclasses import replace

from bus.text.sentence import Sentence, marked
from tui.model.advice import advice, instead
from tui.model.nodes import KnownNodes, NodeView
from tui.model.tracked_order import Hop, TrackedOrder
from tui.model.wait_reason import (
    PATIENCE,
    SLOW,
    WaitReason,
    asked,
    due_step,
    to_be_put_back,
    waits_for,
)

_OFTEN = 3
"""Refusals in a row after which a sorter needs attention."""
_IDLE = ("idle", "done", "aborted")
_HAS_IT = marked("it has the job")
_STEPS: dict[str, str] = {
    "assigned": _HAS_IT,
    "travelling": marked("on the way to the goods"),
    "picking": marked("takes the goods"),
    "short": marked("found too few, and asks where the rest is"),
    "conveying": marked("conveys the goods"),
    "packing": marked("packs the parcel"),
    "done": marked("the job is done"),
    "aborted": marked("the job was stopped"),
}
"""By step of a job; unknown steps are ignored."""


def at_the_sorter(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason:
    """Why an order that is paid is not packed yet."""
    given, fulfil, packed = (tracked.last(name) for name in ("pick", "fulfil", "packed"))
    if fulfil is None and tracked.last("reserve") is not None and not tracked.dropped:
        reason = Sentence("waits for {node} to pass it to the warehouse", node="settlement")
        return due_step(nodes, "settlement", tracked.since, now, reason)
    answer = tracked.answer(packed) if packed is not None else None
    if answer is not None and answer.problem is None:
        reason = Sentence("waits for {node} to report the parcel", node="warehouse")
        return due_step(nodes, "warehouse", answer.at, now, reason)
    sorter = _sorter(tracked, nodes, given)
    if sorter is None or _is_taken_away(tracked, given):
        return _without_a_sorter(tracked, nodes, now)
    return _in_its_step(tracked, nodes, now, sorter, given)


def _without_a_sorter(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason:
    """Why no sorter has the job."""
    for look in (_at_the_warehouse, _with_its_goods, _after_a_fault, _declined, _with_none):
        found = look(tracked, nodes, now)
        if found is not None:
            return found
    since = _waiting_since(tracked)
    if not _a_sorter_is_free(tracked, nodes, now):
        return WaitReason(Sentence("waits for a free sorter"), since, "warehouse")
    reason = Sentence("waits for {node} to give it to a sorter", node="warehouse")
    if now - since < SLOW:  # a sorter that is free may have been told to pause
        return WaitReason(reason, since, "warehouse")
    to_do = Sentence(
        "A sorter is free: goods may have to be put back on a shelf first. O tries it again at"
        " once."
    )
    return WaitReason(reason, since, "warehouse", normal=False, to_do=to_do)


def _waiting_since(tracked: TrackedOrder) -> int:
    """When the order last came to the warehouse, or back from a sorter."""
    return max(
        tracked.since, *(hop.at for hop in tracked.hops if hop.name in ("fulfil", "abort")), 0
    )


def _at_the_warehouse(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason | None:
    """The warehouse has failed."""
    del now
    reason = Sentence("waits for {node} to give it to a sorter", node="warehouse")
    found = waits_for(nodes, "warehouse", _waiting_since(tracked), reason)
    return None if found.normal else found


def _with_its_goods(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason | None:
    """The goods are with a sorter that had the job, and there are no others in stock."""
    abort = tracked.last("abort")
    if abort is None or not _a_sorter_is_free(tracked, nodes, now):
        return None
    answer = tracked.answer(abort)
    if answer is None:
        found = waits_for(nodes, abort.receiver, abort.at, asked(abort), hop=abort)
        if not found.normal or now - abort.at < PATIENCE:
            return found
        return replace(found, normal=False, to_do=advice(nodes, abort.receiver, abort.name))
    if not answer.took or now - answer.at < PATIENCE:
        return None
    return to_be_put_back(answer.at, abort)


def _after_a_fault(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason | None:
    """The last sorter reported a fault."""
    del nodes, now
    given, fault = tracked.last("pick"), tracked.last("fault")
    if given is None or fault is None or fault.number < given.number:
        return None
    reason = Sentence(
        "{node}: {fault}; waits for another sorter", node=fault.sender, fault=fault.detail or "?"
    )
    to_do = Sentence(
        "Look after {node}; then say that it is well (W on the stock screen).", node=fault.sender
    )
    return WaitReason(reason, fault.at, fault.sender, fault, normal=False, to_do=to_do)


def _declined(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason | None:
    """The last sorter declined the job."""
    del nodes, now
    declined = _not_taken(tracked)
    if not declined:
        return None
    name = declined[-1].receiver
    times = sum(hop.receiver == name for hop in declined)
    reason = Sentence("{node} does not take the job", node=name)
    found = WaitReason(reason, declined[0].at, name, declined[-1])
    if len(declined) < _OFTEN:
        return found
    reason = Sentence("{reason}; asked {times} times", reason=reason, times=times)
    to_do = Sentence(
        "Look after {node}: it may still be at another job. Or switch another sorter on.", node=name
    )
    return replace(found, reason=reason, normal=False, to_do=to_do)


def _with_none(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason | None:
    """There is no sorter."""
    del now
    warehouse = nodes.get("warehouse")
    if warehouse is None or not warehouse.shows("no-sorter"):
        return None
    reason = Sentence("waits for a sorter, and none is there")
    to_do = Sentence("Switch a sorter on: storebus node sorter-1.")
    return WaitReason(reason, _waiting_since(tracked), "warehouse", normal=False, to_do=to_do)


def _a_sorter_is_free(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> bool:
    """Whether a sorter is idle that has not failed with this order before."""
    failed = {hop.receiver for hop in tracked.hops if (hop.kind, hop.name) == ("req", "abort")}
    return any(
        node.job is None or (node.job.step in _IDLE and now - node.job_since >= PATIENCE)
        for node in nodes.sorters
        if node.status == "online" and node.name not in failed
    )


def _sorter(tracked: TrackedOrder, nodes: KnownNodes, given: Hop | None) -> NodeView | None:
    """The sorter with the job, by the request that gave it, or by the sorter's own state."""
    if given is not None:
        return nodes.get(given.receiver) or NodeView(given.receiver)
    return next(
        (node for node in nodes.sorters if node.job and node.job.order == tracked.order), None
    )


def _is_taken_away(tracked: TrackedOrder, given: Hop | None) -> bool:
    """Whether the job was taken from its sorter: after a fault, an abort, or a refusal."""
    if given is None:
        return False
    later = [hop for hop in tracked.hops if hop.kind == "req" and hop.number > given.number]
    return any(
        (hop.name == "abort" and hop.receiver == given.receiver)
        or (hop.name == "fault" and hop.sender == given.receiver)
        for hop in later
    ) or bool(_not_taken(tracked))


def _not_taken(tracked: TrackedOrder) -> list[Hop]:
    """The latest requests for the job that were declined, if no later one was accepted."""
    picks = [hop for hop in tracked.hops if (hop.kind, hop.name) == ("req", "pick")]
    declined: list[Hop] = []
    for hop in reversed(picks):
        answer = tracked.answer(hop)
        if answer is None and hop is picks[-1]:
            continue  # the newest request has no answer yet
        if answer is None or not answer.declined:
            break
        declined.insert(0, hop)
    anew = picks[-1].receiver if picks else ""
    return declined if declined and declined[-1].receiver == anew else []


def _in_its_step(
    tracked: TrackedOrder, nodes: KnownNodes, now: int, sorter: NodeView, given: Hop | None
) -> WaitReason:
    job, step, since = sorter.job, _HAS_IT, given.at if given is not None else tracked.since
    if job is not None and job.order == tracked.order:
        step, since = _STEPS.get(job.step, _HAS_IT), sorter.job_since or since
    reason = Sentence("waits for {node}: {step}", node=sorter.name, step=Sentence(step))
    found = waits_for(nodes, sorter.name, since, reason, hop=given)
    if not found.normal:
        return found
    if now - since < SLOW and step != _STEPS["aborted"]:
        return replace(found, hop=given)
    return replace(found, hop=given, normal=False, to_do=instead(sorter.name))
