"""The alarms that nodes show themselves, as texts."""

from collections.abc import Iterator
from string import Formatter
from typing import Any, get_args

from bus.contract.every import Alarm
from bus.text.duration import elapsed
from bus.text.sentence import Sentence, marked
from tui.model.alarms import Kind

_SHOWN = frozenset(get_args(Alarm.model_fields["kind"].annotation))
_WORDS: dict[str, str] = {
    "database-replaced": marked("{subject} has another database than {node} knows: it was moved or"
                                " emptied, or --data is wrong"),
    "database-older": marked("the database of {subject} is older than what {node} knows, or lacks"
                             " some of it"),
    "provider-silent": marked("the {whom} does not answer: {reason}"),
    "outcome-unknown": marked("{order}: the {whom} has not said for a minute what it did:"
                              " {reason}"),
    "refuses": marked("{whom} refuses {operation} again and again: {reason}"),
    "charge-refused": marked("the payment provider refused {times} charges: {reason}; last"
                             " {order}"),
    "step-refused": marked("{order}: {callee} refused {operation} for good: {reason}"),
    "short-pick": marked("{sorter} found {pieces} of {sku} too few at {location}, last for {order};"
                         " they are written off"),
    "put-back": marked("{goods} of {order} lie at {place} and belong on a shelf"),
}  # fmt: skip
"""By kind, the text for the values of an alarm."""
_NOWHERE = marked("no location holds {pieces} of {sku} for {order}")
_BEFORE = marked("{subject} has another database than when it ran last: is --data right?")
_CALLED = {
    "payment provider": marked("payment provider"),
    "machine": marked("machine"),
    "screen": marked("screen"),
}


def node_alarms(node: str, listed: object) -> Iterator[tuple[tuple[Kind, str], Sentence]]:
    """Kind, subject and text of each alarm in a node's state.

    Args:
        node: that shows them.
        listed: the alarms in its state, not validated.
    """
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and each.get("kind") in _SHOWN:
            kind = each["kind"]
            subject = str(each.get("subject") or each.get("order") or node)
            yield (kind, subject), _text(kind, node, each)


def _said(kind: Kind, node: str, alarm: dict[str, Any]) -> Sentence | None:
    """The text with the alarm's values; None if a value is missing or invalid."""
    given = alarm.get("values")
    values = {"node": node, "subject": alarm.get("subject"), "order": alarm.get("order")}
    values |= given if isinstance(given, dict) else {}
    words = _WORDS.get(kind)
    if kind == "short-pick" and "location" not in values:
        words = _NOWHERE
    elif kind == "database-replaced" and values["subject"] == node:
        words = _BEFORE
    if words is None:
        return None
    gaps = {name for _, name, _, _ in Formatter().parse(words) if name}
    filled = {name: values.get(name) for name in gaps}
    if not all(isinstance(value, str | int) for value in filled.values()):
        return None
    if filled.get("whom") in _CALLED:
        filled["whom"] = Sentence(_CALLED[str(filled["whom"])])
    return Sentence(words, **filled)


def _text(kind: Kind, node: str, alarm: dict[str, Any]) -> Sentence:
    """The text of an alarm; the node's own detail if there is no other.

    Args:
        kind: of the alarm.
        node: that shows it.
        alarm: as in the node's state.
    """
    said = _said(kind, node, alarm)
    if said is not None:
        return said
    seconds = alarm.get("seconds")
    if not kind.startswith("clock") or type(seconds) is not int:
        words = Sentence("{words}", words=str(alarm.get("detail")))
        order = alarm.get("order")
        return words if order is None else Sentence("{order}: {words}", order=order, words=words)
    span = elapsed(seconds * 1000, digits=2)
    if kind == "clock-step" and seconds > 0:
        return Sentence("the clock of {node} was set {span} forward; nothing expires by that, but"
                        " see whether it is right now", node=node, span=span)  # fmt: skip
    if kind == "clock-step":
        return Sentence("the clock of {node} was set {span} back; nothing waits longer for that,"
                        " but see whether it is right now", node=node, span=span)  # fmt: skip
    if seconds > 0:
        return Sentence("the clock of {node} is {span} ahead of the store's; it can work, but set"
                        " it", node=node, span=span)  # fmt: skip
    return Sentence("the clock of {node} is {span} behind the store's; it can work, but set it",
                    node=node, span=span)  # fmt: skip
