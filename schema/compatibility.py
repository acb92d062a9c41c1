"""Whether devices built for a released contract can use the present one. Pure.

A message that others send must still be accepted as before; one that the store sends must still
have the promised form. Everything else is an addition: an optional field, a new value or kind that
the store may send, an operation, another caller, a channel of one role that every node now has, and
a first limit that no device can have meant to exceed.
"""

import re
from collections.abc import Iterator
from typing import Any

from bus.contract.channel import ROLES

Snapshot = dict[str, Any]
Schema = dict[str, Any]
_LEAST = ("minimum", "minLength", "minItems")
_MOST = ("maximum", "maxLength", "maxItems", "maxProperties")
_FIRST: dict[str, int] = {
    "minimum": 0,
    "minLength": 0,
    "maximum": 1_000_000_000,
    "maxLength": 64,
    "maxItems": 100,
    "maxProperties": 100,
}
"""A first limit at least this wide breaks no device."""
_SAID = frozenset({"status"})
"""Fields whose limits were in their description before they were in the schema."""
_PIECE = re.compile(r"(?:\[[^\]]*\]|\\.|[^\\^$])(?:\{(?:(\d+),)?(\d+)\}|([+*]))?")


def hint(version: int) -> str:
    """What to do about an incompatible change."""
    return (
        f"Devices of contract version {version} would break. Make it a compatible addition, or"
        f" begin contract version {version + 1} under its own root (docs/contract/README.md)."
    )


def incompatible(released: Snapshot, present: Snapshot) -> list[str]:
    """Return every change that breaks a device of the released contract, as a sentence."""
    found: list[str] = []
    for name, before in released["channels"].items():
        after = present["channels"].get(name) or _of_every_node(name, present["channels"])
        if after is None:
            found.append(f"{name}: it was removed.")
            continue
        found += [f"{name}: {change}." for change in _rules(before, after)]
        device = name.partition(".")[0] not in ROLES
        for part, schema in before["messages"].items():
            comparison = _Comparison(
                accepted=part == "request" or device, promised=part != "request" or device
            )
            comparison.parts = schema, after["messages"][part]
            found += [f"{name} {part}: {change}." for change in comparison.changes()]
    for part in ("envelope", "problem"):
        comparison = _Comparison(accepted=True, promised=True)
        comparison.parts = released[part], present[part]
        found += [f"{part}: {change}." for change in comparison.changes()]
    return found


def _of_every_node(name: str, channels: dict[str, Any]) -> dict[str, Any] | None:
    """A channel that one role had and every node has now, seen as that role's: nothing changed."""
    owner, _, rest = name.partition(".")
    found = channels.get(f"every.{rest}")
    if found is None:
        return None
    topics = {
        part: topic.replace("{node}", owner).replace("{callee}", owner)
        for part, topic in found["topics"].items()
    }
    return {**found, "topics": topics}


def _rules(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Changes of what surrounds the messages: kind, QoS, topics, callers."""
    for name in ("kind", "qos", "retained"):
        if before.get(name) != after.get(name):
            yield f"`{name}` was {before.get(name)} and is {after.get(name)}"
    for part, topic in before["topics"].items():
        if after["topics"].get(part) != topic:
            yield f"the topic of its {part} was {topic} and is {after['topics'].get(part)}"
    callers, now = before.get("callers", []), after.get("callers", [])
    if now and not callers:
        yield f"any node could call it, and now only {', '.join(now)}"
    elif now:
        for caller in callers:
            if caller not in now:
                yield f"{caller} may not call it any more"


class _Comparison:
    """Compare two schemas of one message.

    Args:
        accepted: others send it: what was valid must stay valid.
        promised: others read it: what was guaranteed must stay guaranteed.
    """

    def __init__(self, *, accepted: bool, promised: bool) -> None:
        self._accepted = accepted
        self._promised = promised
        self.parts: tuple[Schema, Schema]

    def changes(self) -> Iterator[str]:
        """What breaks, without a full stop."""
        yield from self._compare(*self.parts, "")

    def _compare(self, before: Schema, after: Schema, path: str) -> Iterator[str]:
        was, now = list(_shapes(before, self.parts[0])), list(_shapes(after, self.parts[1]))
        matched: list[tuple[Schema, Schema]] = []
        if len(was) == len(now) == 1 and was[0].get("type") == now[0].get("type"):
            matched, was, now = [(was[0], now[0])], [], []  # there is nothing to tell apart
        for shape in was:
            same = next((each for each in now if _kind(each) == _kind(shape)), None)
            if same is not None:
                matched.append((shape, same))
            elif self._accepted:
                yield f"{_field(path)} can no longer be {_kind(shape)}"
        if self._promised:
            known = {_kind(shape) for shape in was}
            for shape in now:
                if _kind(shape) not in known:
                    yield f"{_field(path)} can now be {_kind(shape)}, too"
        for shape, same in matched:
            yield from self._limits(shape, same, path)
            yield from self._inside(shape, same, path)

    def _limits(self, before: Schema, after: Schema, path: str) -> Iterator[str]:
        gone = [each for each in _values(before) if _values(after) and each not in _values(after)]
        if gone and self._accepted:
            yield f"{_field(path)} can no longer be {', '.join(map(str, gone))}"
        if self._accepted and _values(after) and not _values(before):
            yield f"{_field(path)} can now be {', '.join(map(str, _values(after)))} only"
        if before.get("pattern") != after.get("pattern"):
            if self._accepted and "pattern" in after:
                yield f"{_field(path)} must now match {after['pattern']}"
            if self._promised and "pattern" in before:
                yield f"{_field(path)} need not match {before['pattern']} any more"
        for names, sign in ((_LEAST, 1), (_MOST, -1)):
            for name in names:
                if not _is_first(name, before, after, path):
                    yield from self._limit(
                        before.get(name), after.get(name), sign, f"{name}|{path}"
                    )

    def _limit(self, before: Any, after: Any, sign: int, where: str) -> Iterator[str]:
        name, _, path = where.partition("|")
        if before == after:
            return
        narrower = before is None or (after is not None and (after - before) * sign > 0)
        said = f"{_field(path)}: `{name}` was {before} and is {after}"
        if (narrower and self._accepted) or (not narrower and self._promised):
            yield said

    def _inside(self, before: Schema, after: Schema, path: str) -> Iterator[str]:
        fields, now = before.get("properties", {}), after.get("properties", {})
        required, needed = before.get("required", ()), after.get("required", ())
        for name, field in fields.items():
            here = f"{path}.{name}" if path else name
            if name not in now:
                yield f"{_field(here)} was removed"
                continue
            if self._promised and name in required and name not in needed:
                yield f"{_field(here)} was always there and may now be left out"
            yield from self._compare(field, now[name], here)
        if self._accepted:
            for name in needed:
                if name not in required:
                    here = f"{path}.{name}" if path else name
                    yield f"{_field(here)} is now required"
        if "items" in before and "items" in after:
            yield from self._compare(before["items"], after["items"], f"{path}[]")
        values = before.get("additionalProperties"), after.get("additionalProperties")
        if isinstance(values[0], dict) and isinstance(values[1], dict):
            yield from self._compare(values[0], values[1], f"{path}.*")


def _is_first(name: str, before: Schema, after: Schema, path: str) -> bool:
    """Whether this is a first limit that no device can have meant to exceed."""
    limit: int | None = after.get(name)
    if limit is None or name in before:
        return False
    if path in _SAID:
        return True
    if "pattern" in before and before["pattern"] == after.get("pattern"):
        shortest, longest = _lengths(before["pattern"])
        return limit <= shortest if name == "minLength" else limit >= longest
    wide = _FIRST.get(name)
    if wide is None:
        return False
    return limit <= wide if name in _LEAST else limit >= wide


def _lengths(pattern: str) -> tuple[float, float]:
    """The shortest and longest text that a pattern of the contract allows: pieces in a row."""
    shortest = longest = 0.0
    for least, most, endless in _PIECE.findall(pattern):
        shortest += int(least or most or (endless != "*"))
        longest += float("inf") if endless else int(most or 1)
    return shortest, longest


def _field(path: str) -> str:
    return f"the field `{path}`" if path else "the data"


def _shapes(schema: Schema, whole: Schema) -> Iterator[Schema]:
    """Yield the alternatives of a schema, with references resolved."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from _shapes(whole["definitions"][name], whole)
        return
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            for each in schema[several]:
                yield from _shapes(each, whole)
            return
    yield schema


def _kind(shape: Schema) -> str:
    """What distinguishes an alternative: its type and the constants of its fields."""
    constants = [
        f"{name} {field['const']}"
        for name, field in shape.get("properties", {}).items()
        if "const" in field
    ]
    return " with ".join([str(shape.get("type", "anything")), *constants])


def _values(shape: Schema) -> list[Any]:
    listed: list[Any] = shape.get("enum", [shape["const"]] if "const" in shape else [])
    return listed
