"""What a step names and the contract lacks: nodes, operations, kinds, codes, topics, fields.

Nothing would ever answer, or match. A name after `=` is meant as it is: `op: =dance`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeGuard

from bus.contract import CHANNELS, find_operation, operations_of
from bus.contract.channel import Operation, role_of
from bus.contract.problem import ProblemData
from bus.contract.topics import Topics
from bus.contract.values import Model
from bus.contract.vocabulary import CHANNEL_NAMES, CODES, KINDS, nearest, nearest_node
from bus.text.safe import short
from schema import navigation as schema
from testing.scenario.pattern import is_special
from testing.scenario.source import Place

_SITE = Topics("site")
_STARTED = frozenset({"catalog", "settlement", "warehouse", "sorter", "terminal"})
"""The kinds of nodes that a store of a scenario's own has."""

Flaw = tuple[Place, str]
"""Where in a step, and why."""


def unknown(raw: dict[str, Any]) -> Iterator[Flaw]:
    """What a step names and the contract does not have, in the order of the step.

    Args:
        raw: the step as it stands in the file.
    """
    for verb in ("send", "respond"):
        if isinstance(part := raw.get(verb), dict):
            names = ("from", "to") if verb == "send" else ("as",)
            yield from _below(verb, _addressed(part, names))
    for verb in ("expect", "expect none"):
        if isinstance(part := raw.get(verb), dict):
            yield from _below(verb, _pattern(part))
    for verb in ("crash", "stop", "start"):
        if _is_checked(name := raw.get(verb)) and role_of(name) not in _STARTED:
            yield (verb,), _no("node of a store", name, nearest_node(name))
    for verb in ("reply", "problem"):
        yield from _below(verb, _answer(verb, raw))


def _below(verb: str | int, flaws: Iterable[Flaw]) -> Iterator[Flaw]:
    return (((verb, *place), why) for place, why in flaws)


def _addressed(part: dict[str, Any], names: tuple[str, ...]) -> Iterator[Flaw]:
    """A message to be sent, or a node that is played; the last name is whose operation it is."""
    yield from _nodes(part, names)
    op, node = part.get("op"), part.get(names[-1])
    role = role_of(node) if isinstance(node, str) else None
    if _is_checked(op) and role is not None and find_operation(role, op) is None:
        known = [each.name for each in operations_of(role)]
        why = _no(f"operation of {node}", op, nearest(op, known))
        yield ("op",), f"{why} It has {', '.join(known)}."
    elif _is_checked(op) and role is None and op not in CHANNEL_NAMES:
        yield ("op",), _no("operation", op, nearest(op, CHANNEL_NAMES))
    for name in ("topic", "response_topic"):
        if _is_checked(topic := part.get(name)) and (meant := _SITE.meant(topic)):
            yield (name,), f"{short(topic, 60)} is outside the store's site: write {meant}."


def _pattern(part: dict[str, Any]) -> Iterator[Flaw]:
    """A message that is expected."""
    yield from _nodes(part, ("from", "to"))
    for name, known, what in (
        ("op", CHANNEL_NAMES, "operation, state or event"),
        ("kind", KINDS | {"foreign"}, "kind of message"),
        ("code", CODES, "code of a problem"),
    ):
        yield from _listed(part, name, known, what)
    places = [schema.SchemaNode.of(each) for each in _models(part)]
    yield from _below("data", _fields(part.get("data"), places))


def _models(part: dict[str, Any]) -> Iterator[type[Model]]:
    """What the data of such a message is; nothing where it may be anything else."""
    op, kind = part.get("op"), part.get("kind")
    if not _is_checked(op) or (kind is not None and not _is_checked(kind)):
        return
    data = part.get("data")
    is_problem = {"code", "status"} & part.keys() or (
        isinstance(data, dict) and data.keys() & ProblemData.model_fields.keys()
    )
    for channel in CHANNELS:
        if channel.name != op:
            continue
        if not isinstance(channel, Operation):
            if kind in (None, type(channel).__name__.lower()):
                yield channel.data
            continue
        if kind in (None, "req"):
            yield channel.request
        if kind in (None, "rep"):
            yield ProblemData if is_problem else channel.reply


def _fields(pattern: Any, places: Sequence[schema.SchemaNode]) -> Iterator[Flaw]:
    """Fields and listed values that nothing at these places of messages has."""
    if not places or any(place.is_open for place in places):
        return
    if isinstance(pattern, list):
        for at, each in enumerate(pattern):
            yield from _below(at, _fields(each, _inner(places, at)))
    elif isinstance(pattern, dict) and not is_special(pattern):
        names = [name for place in places for name in place.names]
        for name, wanted in pattern.items():
            inner = _inner(places, name)
            yield from _below(name, _fields(wanted, inner))
            if names and not inner and _is_checked(name):
                yield (name,), _no("field", name, nearest(name, names))
    elif all(place.is_listed for place in places):
        known = [choice for place in places for choice in place.choices]
        for value in _texts(pattern):
            if value not in known:
                why = f"is never {short(value, 60)}, but {', '.join(dict.fromkeys(known))}."
                yield (), f"{why} {{$is: {short(value, 60)}}} insists."


def _inner(places: Sequence[schema.SchemaNode], part: str | int) -> list[schema.SchemaNode]:
    return [inner for place in places if (inner := place.step(part)) is not None]


def _nodes(part: dict[str, Any], names: tuple[str, ...]) -> Iterator[Flaw]:
    for name in names:
        for value in _texts(part.get(name)):
            if role_of(value) is None:
                yield (name,), _no("node", value, nearest_node(value))


def _answer(verb: str, raw: dict[str, Any]) -> Iterator[Flaw]:
    """What is expected as the answer: the data of each reply is an object."""
    wanted = raw.get(verb)
    if wanted is None or (isinstance(wanted, str) and "${" in wanted):
        return
    if not isinstance(wanted, dict):
        example = "{code: sold-out}" if verb == "problem" else "{state: settled}"
        yield (), f"takes what stands in the answer, such as {example}; {{}} is any."
    elif verb == "problem":
        yield from _listed(wanted, "code", CODES, "code of a problem")
    elif (operation := _asked(raw.get("send"))) is not None:
        yield from _fields(wanted, [schema.SchemaNode.of(operation.reply)])


def _asked(letter: Any) -> Operation[Any, Any] | None:
    """The operation that a step calls, as far as the file says."""
    if not isinstance(letter, dict):
        return None
    to, op = letter.get("to"), letter.get("op")
    role = role_of(to) if isinstance(to, str) else None
    return find_operation(role, op) if role is not None and isinstance(op, str) else None


def _listed(part: dict[str, Any], name: str, known: frozenset[str], what: str) -> Iterator[Flaw]:
    for value in _texts(part.get(name)):
        if value not in known:
            yield (name,), _no(what, value, nearest(value, known))


def _texts(value: Any) -> list[str]:
    """The texts that a pattern names, as far as they are to be known."""
    if isinstance(value, dict):
        listed = value.get("$in")
        return [each for each in listed if _is_checked(each)] if isinstance(listed, list) else []
    return [value] if _is_checked(value) else []


def _is_checked(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and "${" not in value and not value.startswith("=")


def _no(what: str, value: str, meant: str | None) -> str:
    suggestion = f": did you mean {meant}?" if meant is not None else "."
    return f"there is no {what} {short(value, 60)}{suggestion} ={short(value, 60)} insists."
