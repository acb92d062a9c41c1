"""Diagnoses why an order is not at its pickup point yet: what it waits for, and what to do.

An unanswered request says most; without one, the state of the order says which node has to act.
"""

from collections.abc import Callable
from dataclasses import replace

from bus.text.sentence import Sentence
from tui.model.advice import advice, goes_on
from tui.model.fulfilment import at_the_sorter
from tui.model.nodes import KnownNodes
from tui.model.tracked_order import Hop, TrackedOrder
from tui.model.wait_reason import (
    PATIENCE,
    SLOW,
    WaitReason,
    asked,
    due_step,
    to_be_put_back,
    trouble,
    waits_for,
    what,
)

__all__ = ["WaitReason", "diagnose"]

_PROVIDER = 10_000
"""Milliseconds after which the payment provider takes too long."""
_AGAIN = 40_000
"""Milliseconds within which an unanswered request is repeated."""
_ASKED_BY_PEOPLE = frozenset({"cancel", "collect", "reassign", "resolve"})
_BACK = frozenset({"release", "withdraw", "abort"})
_BRINGING = frozenset({"fulfil", "pick", "packed", "short-pick", "fault", "failed", "ready"})
_WAITED_FOR: dict[str, frozenset[str]] = {
    "reserving": frozenset({"reserve"}),
    "settled": _BRINGING,
    "short": _BRINGING,
    "ready": frozenset({"remind"}),
    "cancelling": _BACK,
    "expiring": _BACK,
}
"""By state, the requests that hold up an order; others, such as telling the catalog that goods are
sold, do not."""
_ANSWER_IS_NEEDED: dict[str, frozenset[str]] = {
    "charging": frozenset({"reserve"}),
    "settled": frozenset({"short-pick"}),
    "short": frozenset({"short-pick"}),
    "cancelling": _BACK,
    "expiring": _BACK,
}
"""By state, the requests whose senders do nothing until they have the answer."""
_ONE_AFTER_THE_OTHER = ("fulfil", "pick", "packed", "ready")
"""Requests in sequence: a later one shows that the earlier one was answered."""
_OF_A_JOB = frozenset({"pick", "packed", "short-pick", "fault"})
_ANSWERED_LAST = "withdraw"
"""Answered last of all: while its callee works, another reason says more."""


def diagnose(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason | None:
    """What an order waits for; None if it is finished, or too little is known."""
    if tracked.final:
        return None
    look = _BY_STATE.get(tracked.state or "")
    return (
        _unheard(tracked, nodes, now)
        or _unanswered(tracked, nodes, now)
        or (look(tracked, nodes, now) if look is not None else None)
    )


# -- what is not answered -------------------------------------------------------------------------


def _unanswered(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason | None:
    """The unanswered request that holds up the order: the latest that is open for long."""
    names = _WAITED_FOR.get(tracked.state or "", frozenset()) | _ASKED_BY_PEOPLE
    open_ones = [
        hop
        for hop in tracked.unanswered()
        if hop.name in names
        and not _is_over(tracked, nodes, hop, now)
        and (now - hop.at >= PATIENCE or trouble(nodes, hop.receiver))
    ]
    closer = [hop for hop in open_ones if hop.name != _ANSWERED_LAST]
    unwell = [hop for hop in open_ones if trouble(nodes, hop.receiver)]
    hop = next(reversed(closer or unwell), None)
    if hop is None:
        return None
    reason = asked(hop)
    tries = 1 + len(hop.again)
    if tries > 1 and not trouble(nodes, hop.receiver):
        reason = Sentence("{reason}; asked {times} times", reason=reason, times=tries)
    found = waits_for(nodes, hop.receiver, hop.at, reason, hop=hop)
    return replace(found, normal=False, to_do=found.to_do or advice(nodes, hop.receiver, hop.name))


def _unheard(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason | None:
    """A request that is repeated although it was answered: the answer does not reach its sender."""
    names = _ANSWER_IS_NEEDED.get(tracked.state or "")
    if names is None:
        return None
    for hop in reversed(tracked.hops):
        if hop.kind != "req" or hop.name not in names or not hop.again:
            continue
        answer = tracked.answer(hop)
        if answer is None or trouble(nodes, hop.sender):
            continue
        since_then = [at for at in hop.again if at > answer.at]
        if len(since_then) > 1 and now - since_then[-1] < _AGAIN:
            reason = Sentence(
                "{sender} asked {node} {times} times {what}, and does not get the answers",
                sender=hop.sender, node=hop.receiver, times=1 + len(hop.again), what=what(hop),
            )  # fmt: skip
            to_do = Sentence(
                "Answers do not reach {node}: look at its network, and start it again.",
                node=hop.sender,
            )
            return WaitReason(reason, answer.at, hop.sender, hop, normal=False, to_do=to_do)
    return None


def _is_over(tracked: TrackedOrder, nodes: KnownNodes, hop: Hop, now: int) -> bool:
    """Whether a request no longer matters, although no answer was seen.

    People and former sorters do not wait for long; and later requests, or the sorter's state, show
    that it was answered.
    """
    if hop.name in _ASKED_BY_PEOPLE:
        return now - (hop.again or (hop.at,))[-1] >= _AGAIN
    if hop.name in _ONE_AFTER_THE_OTHER:
        following = _ONE_AFTER_THE_OTHER[_ONE_AFTER_THE_OTHER.index(hop.name) + 1 :]
        last = max((hop.at, *hop.again))
        if any(later is not None and later.at > last for later in map(tracked.last, following)):
            return True
    given = tracked.last("pick")
    if hop.name not in _OF_A_JOB or given is None:
        return False
    sorter = nodes.get(hop.receiver) if hop is given else None
    has_it = sorter is not None and sorter.job is not None and sorter.job.order == tracked.order
    return has_it or given.receiver not in (hop.sender, hop.receiver)


# -- whose turn it is, by state -------------------------------------------------------------------


def _at_the_catalog(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason:
    reason = Sentence("waits for {node} to reserve its goods", node="settlement")
    return due_step(nodes, "settlement", tracked.active, now, reason)


def _at_the_provider(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason:
    reason = Sentence("waits for {node} to take the payment", node="settlement")
    found = waits_for(nodes, "settlement", tracked.since, reason)
    if not found.normal:
        return found
    return _provider(nodes, tracked.since, now, Sentence("waits for the payment provider"))


def _provider(nodes: KnownNodes, since: int, now: int, reason: Sentence) -> WaitReason:
    settlement = nodes.get("settlement")
    if settlement is not None and settlement.shows("provider-refuses-us"):
        reason = Sentence("waits for the payment provider, which does not let the store in")
        to_do = Sentence("Mend the settings of the payment provider, as the alarm says.")
        return WaitReason(reason, since, "settlement", normal=False, to_do=to_do)
    if now - since < _PROVIDER:
        return WaitReason(reason, since, "settlement")
    to_do = Sentence(
        "Settlement asks again by itself. See whether the payment provider reports a disturbance."
    )
    return WaitReason(reason, since, "settlement", normal=False, to_do=to_do)


def _at_the_terminal(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason:
    """Packed, but the customer has not been reminded yet."""
    if tracked.last("remind") is None and tracked.last("ready") is not None and not tracked.dropped:
        reason = Sentence("waits for {node} to remind the customer", node="settlement")
        return due_step(nodes, "settlement", tracked.since, now, reason)
    terminal = tracked.terminal or "?"
    reason = Sentence("waits for {node} to show the reminder", node=terminal)
    found = waits_for(nodes, terminal, tracked.since, reason)
    if found.normal and now - tracked.since >= SLOW:
        return replace(found, normal=False, to_do=advice(nodes, terminal, "remind"))
    return found


def _at_the_customer(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason:
    del nodes, now
    reason = Sentence("waits for the customer to collect it")
    return WaitReason(reason, tracked.since, tracked.terminal or "?")


def _on_the_way_back(tracked: TrackedOrder, nodes: KnownNodes, now: int) -> WaitReason:
    """Cancelled or not collected: goods and money go back."""
    reason = Sentence("waits for {node} to undo it", node="settlement")
    found = waits_for(nodes, "settlement", tracked.since, reason)
    if not found.normal:
        return found
    withdraw, release = tracked.last("withdraw"), tracked.last("release")
    settlement = nodes.get("settlement")
    if settlement is not None and settlement.shows("refund-refused", tracked.order):
        refused = Sentence("waits for its money: the payment provider refused to give it back")
        to_do = Sentence(
            "R resolves it, or storebus resolve {order}: paid by hand, or asked again.",
            order=tracked.order,
        )
        return WaitReason(refused, tracked.since, "settlement", normal=False, to_do=to_do)
    if withdraw is not None and tracked.answer(withdraw) is None:
        return _with_its_goods(withdraw, now)
    answer = tracked.answer(release) if release is not None else None
    if release is None and tracked.last("reserve") is not None and not tracked.dropped:
        back = tracked.answer(withdraw) if withdraw is not None else None
        since = back.at if back is not None else tracked.since
        return due_step(nodes, "settlement", since, now, reason)
    if answer is None:
        return _without_details(tracked, now)
    charged = tracked.last("fulfil") is not None
    money = (
        Sentence("waits for the payment provider to give the money back")
        if charged
        else Sentence("waits for the payment provider")
    )
    return _provider(nodes, answer.at, now, money)


def _with_its_goods(withdraw: Hop, now: int) -> WaitReason:
    if now - withdraw.at < PATIENCE:
        what = Sentence("its goods and its money to go back")
        return WaitReason(Sentence("waits for {what}", what=what), withdraw.at, "warehouse")
    return to_be_put_back(withdraw.at, withdraw)


def _without_details(tracked: TrackedOrder, now: int) -> WaitReason:
    """Going back, with too few messages to say more than settlement itself does."""
    told = tracked.view.waits_for if tracked.view else None
    what = Sentence("{words}", words=told) if told else Sentence(
        "its goods and its money to go back"
    )  # fmt: skip
    reason = Sentence("waits for {what}", what=what)
    if now - tracked.since < SLOW:
        return WaitReason(reason, tracked.since, "settlement")
    # If settlement says what it waits for, settlement itself is working.
    to_do = goes_on("settlement") if told is None else None
    return WaitReason(reason, tracked.since, "settlement", normal=False, to_do=to_do)


_BY_STATE: dict[str, Callable[[TrackedOrder, KnownNodes, int], WaitReason]] = {
    "reserving": _at_the_catalog,
    "charging": _at_the_provider,
    "settled": at_the_sorter,
    "short": at_the_sorter,
    "ready": _at_the_terminal,
    "reminded": _at_the_customer,
    "cancelling": _on_the_way_back,
    "expiring": _on_the_way_back,
}
