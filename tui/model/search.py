"""Looks for what an operator types: orders first, then nodes, styles, alarms and topics."""

from collections.abc import Iterator
from dataclasses import dataclass

from bus.text.sentence import marked
from tui.model.store import StoreModel
from tui.model.target import Target

MOST = 100
"""The most that are found of one kind."""
_SHORTEST = 2
"""Characters from which topics are looked through."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One thing that a text was found in."""

    target: Target
    what: str
    """In which of its names; an English text, to be translated."""
    value: str
    """That name as a whole."""
    rank: int
    """0 if it is the thing's own name, 1 if that begins so, 2 if it stands within or beside it."""


def search(model: StoreModel, text: str) -> list[SearchHit]:
    """All that has a text in one of its names, whatever the case: the name itself before others.

    Args:
        model: of the store.
        text: a part of an order's id, pickup code, terminal or account; of a node's name; of a
            style's SKU or name; of what an alarm is about; of a topic.
    """
    wanted = text.strip().casefold()
    if not wanted:
        return []
    found: list[SearchHit] = []
    for kind in (_orders, _nodes, _styles, _alarms, _topics):
        several = sorted(kind(model, wanted), key=lambda each: each.rank)
        found += several[:MOST]
    return sorted(found, key=lambda each: each.rank > 0)


def _rank(name: str | None, wanted: str) -> int | None:
    folded = (name or "").casefold()
    if wanted not in folded:
        return None
    return 0 if folded == wanted else 1 if folded.startswith(wanted) else 2


def _best(target: Target, wanted: str, *names: tuple[str, str | None, int]) -> Iterator[SearchHit]:
    """The best of the names that have it, if one has; each with the best rank that it can give."""
    ranked = [
        SearchHit(target, what, name or "", max(rank, best))
        for what, name, best in names
        if (rank := _rank(name, wanted)) is not None
    ]
    if ranked:
        yield min(ranked, key=lambda each: each.rank)


def _orders(model: StoreModel, wanted: str) -> Iterator[SearchHit]:
    """Those that moved last come first."""
    for tracked in sorted(model.orders, key=lambda tracked: -tracked.active):
        yield from _best(
            Target("order", tracked.order), wanted,
            (marked("order"), tracked.order, 0), (marked("pickup code"), tracked.code, 0),
            (marked("terminal"), tracked.terminal, 1), (marked("account"), tracked.account, 1),
            *((marked("style"), sku, 2) for sku in tracked.skus),
        )  # fmt: skip


def _nodes(model: StoreModel, wanted: str) -> Iterator[SearchHit]:
    for node in model.nodes:
        yield from _best(Target("node", node.name), wanted, (marked("node"), node.name, 0))


def _styles(model: StoreModel, wanted: str) -> Iterator[SearchHit]:
    for style in model.stock:
        yield from _best(
            Target("style", style.sku), wanted,
            (marked("style"), style.sku, 0), (marked("product"), style.name, 0),
        )  # fmt: skip


def _alarms(model: StoreModel, wanted: str) -> Iterator[SearchHit]:
    for alarm in model.alarms.current():
        target = Target("alarm", f"{alarm.kind} {alarm.subject}")
        yield from _best(target, wanted, (marked("alarm"), alarm.subject, 1))


def _topics(model: StoreModel, wanted: str) -> Iterator[SearchHit]:
    if len(wanted) < _SHORTEST:
        return
    for topic in model.heard:
        yield from _best(Target("topic", topic.name), wanted, (marked("topic"), topic.name, 1))
