"""Renders trends of the last hour as bars: messages, orders, answer times, open commands."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from bus.text.safe import fit, width
from bus.text.sentence import marked
from tui.model.nodes import NodeView
from tui.model.rates import MINUTES, highest, summed
from tui.model.store import StoreModel
from tui.rendering.canvas import Canvas, Line, lasting, spark

ROLES = {
    "terminal": marked("terminals"),
    "settlement": "settlement",
    "catalog": "catalog",
    "warehouse": "warehouse",
    "sorter": marked("sorters"),
}
"""By role, the name of its nodes."""
_LABEL = 30
_VALUE = 9


class Trend(NamedTuple):
    """A trend."""

    label: str
    value: str
    """Its present value."""
    values: Sequence[int | None]
    """By minute."""


def hour(values: Sequence[int | None], cells: int) -> str:
    """The minutes of an hour as bars; a cell for several minutes shows the highest.

    An hour always takes the same room; minutes without a value are a gap.
    """
    cells = max(1, min(cells, MINUTES))
    minutes = [None] * (MINUTES - len(values)) + list(values)
    edges = [MINUTES * cell // cells for cell in range(cells + 1)]
    parts = (
        [value for value in minutes[start:end] if value is not None]
        for start, end in pairwise(edges)
    )
    return spark([max(part) if part else None for part in parts], cells)


def of_nodes(nodes: Sequence[NodeView], canvas: Canvas) -> list[Trend]:
    """Message rate, answer times and open commands of some nodes."""
    now = canvas.now
    said = sum(node.said.last(now) for node in nodes)
    return [
        Trend(canvas._("messages"), canvas._("{count}/s", count=said),
              summed([node.said.per_minute(now) for node in nodes])),
        _answers(nodes, canvas),
        _waiting(nodes, canvas),
    ]  # fmt: skip


def _answers(nodes: Sequence[NodeView], canvas: Canvas) -> Trend:
    slowest = highest([node.answers.per_minute(canvas.now) for node in nodes])
    last = next((value for value in reversed(slowest) if value is not None), None)
    return Trend(canvas._("answers, p95"), lasting(last), slowest)


def _waiting(nodes: Sequence[NodeView], canvas: Canvas) -> Trend:
    undone = [node.outbox for node in nodes if node.outbox is not None]
    waiting = summed([node.outboxes.values(canvas.now) for node in nodes])
    return Trend(canvas._("not done yet"), str(sum(undone)) if undone else "-", waiting)


def of_store(model: StoreModel, canvas: Canvas) -> list[Trend]:
    """The trends of the whole store, then of each role."""
    now = canvas.now
    bought = model.bought.per_minute(now)
    trends = [
        Trend(canvas._("orders a minute"), str(bought[-2]) if len(bought) > 1 else "-", bought),
        Trend(canvas._("messages"), canvas._("{count}/s", count=model.rate.last(now)),
              model.rate.per_minute(now)),
    ]  # fmt: skip
    nodes = list(model.nodes)
    for role, name in ROLES.items():
        mine, shown = [node for node in nodes if node.role == role], canvas._(name)
        trends += [
            each._replace(label=f"{shown}: {each.label}")
            for each in (_answers(mine, canvas), _waiting(mine, canvas))
            if any(value is not None for value in each.values)
        ]
    return trends


def lines(trends: Sequence[Trend], canvas: Canvas) -> list[Line]:
    """A line for each trend."""
    label = min(_LABEL, max((width(each.label) for each in trends), default=0))
    room = canvas.width - label - _VALUE - 3
    return [
        [
            (fit(each.label, label) + " ", "dim"),
            (fit(each.value, _VALUE, right=True) + "  ", ""),
            (hour(each.values, room), "key"),
        ]
        for each in trends
    ]
