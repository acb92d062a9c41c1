"""Searches for what an operator types: orders first, then nodes, styles, alarms, topics."""

from collections.abc import Iterator
from dataclasses import dataclass

from bus.text.sentence import marked
from tui.model.store import StoreModel
from tui.model.target import Target

MOST = 100
"""The most hits of one kind."""
_SHORTEST = 2
"""The shortest text that is searched for in topics."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A hit of the search."""

    target: Target
    what: str
    """The name in which the text was found; an English text, to be translated."""
    value: str
    """The value of that name."""
    rank: int
    """0 if the text is the name, 1 if the name begins with it, 2 otherwise."""


def search(model: StoreModel, text: str) -> list[SearchHit]:
    """Find everything with a text in one of its names, ignoring case; exact matches come first.

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
    """The best match among names, each with the best rank that it may give."""
    ranked = [
        SearchHit(target, what, name or "", max(rank, best))
        for what, name, best in names
        if (rank := _rank(name, wanted)) is not None
    ]
    if ranked:
        yield min(ranked, key=lambda each: each.rank)


def _orders(model: StoreModel, wanted: str) -> Iterator[SearchHit]:
    """Orders, those active last first."""
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
