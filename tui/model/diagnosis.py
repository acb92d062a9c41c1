"""Why an order is not at its pickup point yet: whom it waits for, for what, and what to do.

What is not answered says most; where nothing is, the step does whose turn it is.
"""

from collections.abc import Callable
from dataclasses import replace

from bus.text.sentence import Sentence
from tui.model.advice import advice, goes_on
from tui.model.fulfilment import at_the_sorter
from tui.model.nodes import Nodes
from tui.model.tracked_order import Hop, Track
from tui.model.wait_reason import (
    PATIENCE,
    SLOW,
    Why,
    asked,
    to_be_put_back,
    trouble,
    turn_of,
    waits_for,
    what,
)

__all__ = ["Why", "why"]

_PROVIDER = 10_000
"""Milliseconds after which the payment provider takes too long."""
_AGAIN = 40_000
"""Milliseconds within which whoever has no answer asks again."""
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
"""By state, the requests without which an order does not go on; what else is under way for it,
such as to tell the catalog that goods are sold, holds it up no longer, or never did."""
_ANSWER_IS_NEEDED: dict[str, frozenset[str]] = {
    "charging": frozenset({"reserve"}),
    "settled": frozenset({"short-pick"}),
    "short": frozenset({"short-pick"}),
    "cancelling": _BACK,
    "expiring": _BACK,
}
"""By state, as it is known from the answer, the requests whose sender does nothing before it has
heard that."""
_ONE_AFTER_THE_OTHER = ("fulfil", "pick", "packed", "ready")
"""Where a later one was heard, the earlier one was answered, whether that was heard or not."""
_OF_A_JOB = frozenset({"pick", "packed", "short-pick", "fault"})
_ANSWERED_LAST = "withdraw"
"""Answered when all that it leads to is done: another reason says more while its callee is well."""


def why(track: Track, nodes: Nodes, now: int) -> Why | None:
    """What an order waits for, or None if it is done or was not seen enough."""
    if track.final:
        return None
    look = _BY_STATE.get(track.state or "")
    return (
        _unheard(track, nodes, now)
        or _unanswered(track, nodes, now)
        or (look(track, nodes, now) if look is not None else None)
    )


# -- what is not answered -------------------------------------------------------------------------


def _unanswered(track: Track, nodes: Nodes, now: int) -> Why | None:
    """The request behind which everything waits: the latest that is open for long."""
    names = _WAITED_FOR.get(track.state or "", frozenset()) | _ASKED_BY_PEOPLE
    open_ones = [
        hop
        for hop in track.unanswered()
        if hop.name in names
        and not _is_over(track, nodes, hop, now)
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


def _unheard(track: Track, nodes: Nodes, now: int) -> Why | None:
    """A request that was answered, and is asked again: its sender does not hear the answer."""
    names = _ANSWER_IS_NEEDED.get(track.state or "")
    if names is None:
        return None
    for hop in reversed(track.hops):
        if hop.kind != "req" or hop.name not in names or not hop.again:
            continue
        answer = track.answer(hop)
        if answer is None or trouble(nodes, hop.sender):
            continue
        since_then = [at for at in hop.again if at > answer.at]
        if len(since_then) > 1 and now - since_then[-1] < _AGAIN:
            reason = Sentence(
                "{sender} asked {node} {times} times {what}, and does not hear the answers",
                sender=hop.sender, node=hop.receiver, times=1 + len(hop.again), what=what(hop),
            )  # fmt: skip
            to_do = Sentence(
                "Answers do not reach {node}: look at its network, and start it again.",
                node=hop.sender,
            )
            return Why(reason, answer.at, hop.sender, hop, normal=False, to_do=to_do)
    return None


def _is_over(track: Track, nodes: Nodes, hop: Hop, now: int) -> bool:
    """Whether nobody waits any more, although no answer was heard.

    People do not wait for long, nor does a sorter of before; and what comes next, or the sorter's
    own state, shows that it was answered.
    """
    if hop.name in _ASKED_BY_PEOPLE:
        return now - (hop.again or (hop.at,))[-1] >= _AGAIN
    if hop.name in _ONE_AFTER_THE_OTHER:
        following = _ONE_AFTER_THE_OTHER[_ONE_AFTER_THE_OTHER.index(hop.name) + 1 :]
        last = max((hop.at, *hop.again))
        if any(later is not None and later.at > last for later in map(track.last, following)):
            return True
    given = track.last("pick")
    if hop.name not in _OF_A_JOB or given is None:
        return False
    sorter = nodes.get(hop.receiver) if hop is given else None
    has_it = sorter is not None and sorter.job is not None and sorter.job.order == track.order
    return has_it or given.receiver not in (hop.sender, hop.receiver)


# -- whose turn it is, by state -------------------------------------------------------------------


def _at_the_catalog(track: Track, nodes: Nodes, now: int) -> Why:
    reason = Sentence("waits for {node} to reserve its goods", node="settlement")
    return turn_of(nodes, "settlement", track.active, now, reason)


def _at_the_provider(track: Track, nodes: Nodes, now: int) -> Why:
    reason = Sentence("waits for {node} to take the payment", node="settlement")
    found = waits_for(nodes, "settlement", track.since, reason)
    if not found.normal:
        return found
    return _provider(nodes, track.since, now, Sentence("waits for the payment provider"))


def _provider(nodes: Nodes, since: int, now: int, reason: Sentence) -> Why:
    settlement = nodes.get("settlement")
    if settlement is not None and settlement.shows("provider-refuses-us"):
        reason = Sentence("waits for the payment provider, which does not let the store in")
        to_do = Sentence("Mend the settings of the payment provider, as the alarm says.")
        return Why(reason, since, "settlement", normal=False, to_do=to_do)
    if now - since < _PROVIDER:
        return Why(reason, since, "settlement")
    to_do = Sentence(
        "Settlement asks again by itself. See whether the payment provider reports a disturbance."
    )
    return Why(reason, since, "settlement", normal=False, to_do=to_do)


def _at_the_terminal(track: Track, nodes: Nodes, now: int) -> Why:
    """Packed, and the customer does not know yet."""
    if track.last("remind") is None and track.last("ready") is not None and not track.dropped:
        reason = Sentence("waits for {node} to remind the customer", node="settlement")
        return turn_of(nodes, "settlement", track.since, now, reason)
    terminal = track.terminal or "?"
    reason = Sentence("waits for {node} to show the reminder", node=terminal)
    found = waits_for(nodes, terminal, track.since, reason)
    if found.normal and now - track.since >= SLOW:
        return replace(found, normal=False, to_do=advice(nodes, terminal, "remind"))
    return found


def _at_the_customer(track: Track, nodes: Nodes, now: int) -> Why:
    del nodes, now
    reason = Sentence("waits for the customer to collect it")
    return Why(reason, track.since, track.terminal or "?")


def _on_the_way_back(track: Track, nodes: Nodes, now: int) -> Why:
    """Cancelled, or never collected: goods and money go back."""
    reason = Sentence("waits for {node} to undo it", node="settlement")
    found = waits_for(nodes, "settlement", track.since, reason)
    if not found.normal:
        return found
    withdraw, release = track.last("withdraw"), track.last("release")
    settlement = nodes.get("settlement")
    if settlement is not None and settlement.shows("refund-refused", track.order):
        refused = Sentence("waits for its money: the payment provider refused to give it back")
        to_do = Sentence(
            "R resolves it, or storebus resolve {order}: paid by hand, or asked again.",
            order=track.order,
        )
        return Why(refused, track.since, "settlement", normal=False, to_do=to_do)
    if withdraw is not None and track.answer(withdraw) is None:
        return _with_its_goods(withdraw, now)
    answer = track.answer(release) if release is not None else None
    if release is None and track.last("reserve") is not None and not track.dropped:
        back = track.answer(withdraw) if withdraw is not None else None
        since = back.at if back is not None else track.since
        return turn_of(nodes, "settlement", since, now, reason)
    if answer is None:
        return _without_details(track, now)
    charged = track.last("fulfil") is not None
    money = (
        Sentence("waits for the payment provider to give the money back")
        if charged
        else Sentence("waits for the payment provider")
    )
    return _provider(nodes, answer.at, now, money)


def _with_its_goods(withdraw: Hop, now: int) -> Why:
    if now - withdraw.at < PATIENCE:
        what = Sentence("its goods and its money to go back")
        return Why(Sentence("waits for {what}", what=what), withdraw.at, "warehouse")
    return to_be_put_back(withdraw.at, withdraw)


def _without_details(track: Track, now: int) -> Why:
    """Too little was heard of its way back; settlement's words may hold anything."""
    told = track.view.waits_for if track.view else None
    what = Sentence("{words}", words=told) if told else Sentence(
        "its goods and its money to go back"
    )  # fmt: skip
    reason = Sentence("waits for {what}", what=what)
    if now - track.since < SLOW:
        return Why(reason, track.since, "settlement")
    # Where settlement says what it waits for, it is not settlement that does not go on.
    to_do = goes_on("settlement") if told is None else None
    return Why(reason, track.since, "settlement", normal=False, to_do=to_do)


_BY_STATE: dict[str, Callable[[Track, Nodes, int], Why]] = {
    "reserving": _at_the_catalog,
    "charging": _at_the_provider,
    "settled": at_the_sorter,
    "short": at_the_sorter,
    "ready": _at_the_terminal,
    "reminded": _at_the_customer,
    "cancelling": _on_the_way_back,
    "expiring": _on_the_way_back,
}
