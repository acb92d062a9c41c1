"""The alarms that nodes show themselves, in words."""

from collections.abc import Iterator
from typing import Any, get_args

from bus.contract.every import Alarm
from bus.sentence import Sentence, marked
from tui.model.alarms import Kind

_SHOWN = frozenset(get_args(Alarm.model_fields["kind"].annotation))
_UNITS = (
    (86_400, marked("{count} days")),
    (3_600, marked("{count} h")),
    (60, marked("{count} min")),
)


def shown_alarms(node: str, listed: object) -> Iterator[tuple[tuple[Kind, str], Sentence]]:
    """Each alarm of a node's state: its kind and subject, and what an operator is told.

    Args:
        node: who shows them.
        listed: what stands in its state, whatever that is.
    """
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and each.get("kind") in _SHOWN:
            kind, subject = each["kind"], str(each.get("order") or node)
            yield (kind, subject), _text(kind, node, each)


def span(milliseconds: int) -> Sentence:
    """A time that has passed, in words: tenths of a second below ten, then the largest unit."""
    if milliseconds < 10_000:  # noqa: PLR2004
        return Sentence("{count} s", count=f"{milliseconds / 1000:.1f}")
    seconds = milliseconds // 1000
    size, unit = next(
        ((size, unit) for size, unit in _UNITS if seconds >= 2 * size), (1, marked("{count} s"))
    )
    return Sentence(unit, count=seconds // size)


def _text(kind: Kind, node: str, alarm: dict[str, Any]) -> Sentence:
    """What an operator is told; in the node's own words where there are none for it.

    Args:
        kind: of the alarm.
        node: who shows it.
        alarm: as it stands in the node's state.
    """
    seconds = alarm.get("seconds")
    if not kind.startswith("clock") or type(seconds) is not int:
        words = Sentence("{words}", words=str(alarm.get("detail")))
        order = alarm.get("order")
        return words if order is None else Sentence("{order}: {words}", order=order, words=words)
    size, unit = next(
        ((size, unit) for size, unit in _UNITS if abs(seconds) >= 2 * size),
        (1, marked("{count} s")),
    )
    span = Sentence(unit, count=round(abs(seconds) / size))
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
