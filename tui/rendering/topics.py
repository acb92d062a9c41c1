"""Renders topics as a tree: last value, count, rate, and whether it is retained."""

from bus.text.sentence import marked
from tui.model.topics import Branch, Topic
from tui.rendering.canvas import Canvas, Column, Line, Table, clock, excerpt

TABLE = Table(
    (
        Column(marked("topic"), 28, 0, most=64),
        Column(marked("messages"), 8, 1, right=True),
        Column(marked("a second"), 8, 2, right=True),
        Column(marked("last"), 8, 3),
    ),
    marked("last value"),
    24,
)
"""The table of topics."""


def row(branch: Branch, canvas: Canvas, *, is_open: bool) -> Line:
    """A row of the tree: counts of the whole branch, and its own last value."""
    topics = list(branch.topics())
    sign = " " if not branch.inner else "▾" if is_open else "▸"
    rate = sum(topic.rate(canvas.now) for topic in topics)
    name = f"{'  ' * branch.depth}{sign} {branch.name}"
    return TABLE.row(
        canvas,
        [
            (name, "head" if branch.inner else ""),
            (str(sum(topic.count for topic in topics)), ""),
            (f"{rate:.1f}" if rate else "", "dim"),
            (clock(max(topic.at for topic in topics)), "dim"),
        ],
        _value(branch.topic, canvas) if branch.topic is not None else _inner(topics, canvas),
        is_excerpt=branch.topic is not None,
    )


def _inner(topics: list[Topic], canvas: Canvas) -> Line:
    kept = sum(topic.is_retained for topic in topics)
    words = canvas._("{count} topics", count=len(topics))
    if kept:
        words = canvas._("{count} topics, {kept} retained", count=len(topics), kept=kept)
    return [(words, "dim")]


def _value(topic: Topic, canvas: Canvas) -> Line:
    """The last value; ■ if it is retained."""
    sign = "■ " if topic.is_retained else ""
    if topic.value is None:
        return [(canvas._("{count} bytes, forgotten here", count=topic.size), "dim")]
    if not topic.value:
        return [(canvas._("empty"), "dim")]
    return [(sign + excerpt(topic.value), "key" if topic.is_retained else "text")]
