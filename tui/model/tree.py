"""A JSON document as lines of a tree, and the difference of two documents."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Sort = Literal["object", "array", "text", "number", "word"]
LINES = 5_000
"""The most lines of a document."""
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A line of a tree."""

    depth: int
    key: str | None
    """None for the document itself; an index in brackets within an array."""
    value: str
    """The value as JSON; of an object or array its length."""
    sort: Sort
    change: Literal["same", "added", "removed", "changed"] = "same"
    before: str | None = None
    """The earlier value, if it has changed."""


def tree(document: Any) -> list[Leaf]:
    """A document as lines."""
    lines = []
    for leaf in _walk(None, document, _ABSENT, 0, compare=False):
        lines.append(leaf)
        if len(lines) >= LINES:
            break
    return lines


def difference(document: Any, before: Any) -> list[Leaf]:
    """A document as lines, each with how it differs from an earlier document."""
    lines = []
    for leaf in _walk(None, document, before, 0, compare=True):
        lines.append(leaf)
        if len(lines) >= LINES:
            break
    return lines


def _walk(key: str | None, now: Any, before: Any, depth: int, *, compare: bool) -> Iterator[Leaf]:
    if now is _ABSENT:
        value, sort = _value(before)
        yield Leaf(depth, key, value, sort, "removed")
        return
    value, sort = _value(now)
    if not compare:
        yield Leaf(depth, key, value, sort)
    elif before is _ABSENT:
        yield Leaf(depth, key, value, sort, "added")
    elif type(now) is type(before) and (isinstance(now, dict | list) or now == before):
        yield Leaf(depth, key, value, sort)
    else:
        yield Leaf(depth, key, value, sort, "changed", _value(before)[0])
    inner, earlier = _parts(now), _parts(before) if type(now) is type(before) else {}
    missing = [name for name in earlier if name not in inner] if compare else []
    for name in [*inner, *missing]:
        yield from _walk(
            name, inner.get(name, _ABSENT), earlier.get(name, _ABSENT), depth + 1, compare=compare
        )


def _parts(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {str(name): part for name, part in value.items()}
    if isinstance(value, list):
        return {f"[{place}]": part for place, part in enumerate(value)}
    return {}


def _value(value: Any) -> tuple[str, Sort]:
    if isinstance(value, dict):
        return f"{{{len(value)}}}", "object"
    if isinstance(value, list):
        return f"[{len(value)}]", "array"
    if isinstance(value, str):
        return f'"{value}"', "text"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value], "word"
    return str(value), "number"
