"""Why an order is not at its pickup point yet: the step it waits in, in words."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bus.sentence import Sentence, marked
from tui.model.nodes import Nodes, NodeView
from tui.model.track import Hop, Track

PATIENCE = 2_000
"""Milliseconds after which a request without an answer is what an order waits for."""


@dataclass(frozen=True, slots=True)
class Why:
    """What an order waits for."""

    reason: Sentence
    since: int
    """Milliseconds since the epoch."""
    node: str
    """Who has to do something."""
    hop: Hop | None = None
    """The message that it is stuck behind, to be marked in the swim-lane."""
    normal: bool = True
    """Nothing is wrong: it only takes its time."""


_FOR = {
    "lookup": marked("to look up the product"),
    "purchase": marked("to settle the purchase"),
    "reserve": marked("to hold the goods"),
    "commit": marked("to take the goods out of the stock for sale"),
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
"""By step of a job; a step that is not in it is not believed."""
_GONE = ("lost", "offline")
_ANSWERED_LAST = ("purchase", "withdraw")
"""Answered when what they lead to is done: another reason says more while their callee is there."""


def why(track: Track, nodes: Nodes, now: int) -> Why | None:
    """What an order waits for, or None if it is done or was not seen enough."""
    if track.final:
        return None
    open_request = _open_request(track, nodes, now)
    if open_request is not None:
        return _unanswered(open_request, nodes)
    look = _BY_STATE.get(track.state or "")
    return look(track, nodes) if look is not None else None


def _open_request(track: Track, nodes: Nodes, now: int) -> Hop | None:
    """The request behind which everything waits: the latest that is open for long."""
    waiting = [hop for hop in track.unanswered() if now - hop.at >= PATIENCE]
    closer = [hop for hop in waiting if hop.name not in _ANSWERED_LAST]
    gone = [hop for hop in waiting if nodes.status(hop.receiver) in _GONE]
    return next(reversed(closer or gone), None)


def _unanswered(hop: Hop, nodes: Nodes) -> Why:
    what = Sentence(_FOR.get(hop.name, _TO_ANSWER), operation=hop.name)
    reason = Sentence(
        "{sender} waits for {node} {what}", sender=hop.sender, node=hop.receiver, what=what
    )
    tries = 1 + len(hop.again)
    if tries > 1:
        reason = Sentence("{reason}; asked {times} times", reason=reason, times=tries)
    waiting = _node_is_needed(nodes, hop.receiver, hop.at, reason)
    return Why(waiting.reason, waiting.since, hop.receiver, hop, normal=False)


def _node_is_needed(nodes: Nodes, name: str, since: int, reason: Sentence) -> Why:
    status = nodes.status(name)
    if status in _GONE:
        node = nodes.get(name)
        away = (
            Sentence("{reason}, and it is lost", reason=reason)
            if status == "lost"
            else Sentence("{reason}, and it is switched off", reason=reason)
        )
        return Why(away, node.since if node else since, name, normal=False)
    return Why(reason, since, name)


def _at_the_sorter(track: Track, nodes: Nodes) -> Why:
    """Paid and not packed yet."""
    fault = next(
        (hop for hop in reversed(track.hops) if (hop.kind, hop.name) == ("req", "fault")), None
    )
    given = next(
        (hop for hop in reversed(track.hops) if (hop.kind, hop.name) == ("req", "pick")), None
    )
    if fault is not None and (given is None or given.at < fault.at):
        reason = Sentence(
            "{node}: {fault}; waits for another sorter",
            node=fault.sender,
            fault=fault.detail or "?",
        )
        return Why(reason, fault.at, fault.sender, fault, normal=False)
    told = _told(track)
    if told is not None:
        return Why(told, track.since, "warehouse", normal=False)
    sorter = _sorter(track, nodes, given)
    if sorter is None:
        return Why(Sentence("waits for a free sorter"), track.since, "warehouse")
    step, since = _step(sorter, track)
    reason = Sentence("waits for {node}: {step}", node=sorter.name, step=Sentence(step))
    waiting = _node_is_needed(nodes, sorter.name, since or track.since, reason)
    return waiting if waiting.normal else replace(waiting, hop=given)


def _sorter(track: Track, nodes: Nodes, given: Hop | None) -> NodeView | None:
    """Who has the job: who was given it, or who says so where that was not heard."""
    if given is not None:
        return nodes.get(given.receiver) or NodeView(given.receiver)
    return next((node for node in nodes if node.job and node.job.order == track.order), None)


def _step(sorter: NodeView, track: Track) -> tuple[str, int]:
    job = sorter.job
    if job is None or job.order != track.order:
        return _HAS_IT, 0
    return _STEPS.get(job.step, _HAS_IT), sorter.job_since


def _at_the_provider(track: Track, _: Nodes) -> Why:
    return Why(Sentence("waits for the payment provider"), track.since, "settlement")


def _at_the_terminal(track: Track, nodes: Nodes) -> Why:
    terminal = track.terminal or "?"
    reason = Sentence("waits for {node} to show the reminder", node=terminal)
    return _node_is_needed(nodes, terminal, track.since, reason)


def _at_the_customer(track: Track, _: Nodes) -> Why:
    reason = Sentence("waits for the customer to collect it")
    return Why(reason, track.since, track.terminal or "?")


def _on_the_way_back(track: Track, _: Nodes) -> Why:
    told = _told(track)
    what = told if told is not None else Sentence("its goods and its money to go back")
    return Why(Sentence("waits for {what}", what=what), track.since, "warehouse")


def _told(track: Track) -> Sentence | None:
    """What settlement says it waits for; its words may hold anything."""
    waits_for = track.view.waits_for if track.view else None
    return Sentence("{words}", words=waits_for) if waits_for else None


_BY_STATE: dict[str, Callable[[Track, Nodes], Why]] = {
    "charging": _at_the_provider,
    "settled": _at_the_sorter,
    "short": _at_the_sorter,
    "ready": _at_the_terminal,
    "reminded": _at_the_customer,
    "cancelling": _on_the_way_back,
    "expiring": _on_the_way_back,
}
