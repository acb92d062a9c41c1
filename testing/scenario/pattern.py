"""Patterns for messages, and how a message differs from one.

An object matches by the fields that the pattern names, a list item by item, anything else by being
equal. An object whose names begin with `$` holds operators: see `OPERATORS`.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from bus.text.safe import short

_WIDTH = 60


def differences(pattern: Any, value: Any, captured: dict[str, Any], where: str = "") -> list[str]:
    """How a value differs from a pattern, a sentence each; empty if it matches.

    Args:
        pattern: as it is written in a scenario, with its variables filled in.
        value: JSON.
        captured: where values are stored under the names of `$as`.
        where: the path to the value, for the sentences.
    """
    return list(_differences(pattern, value, captured, where))


def matches(pattern: Any, value: Any, captured: dict[str, Any]) -> bool:
    """Whether a value matches; stops at the first difference."""
    return next(_differences(pattern, value, captured, ""), None) is None


def _differences(pattern: Any, value: Any, captured: dict[str, Any], where: str) -> Iterator[str]:
    if isinstance(pattern, dict) and is_special(pattern):
        for name, wanted in pattern.items():
            yield from _special(name, wanted, value, captured, where)
    elif isinstance(pattern, dict):
        yield from _fields(pattern, value, captured, where)
    elif isinstance(pattern, list):
        if not isinstance(value, list) or len(value) != len(pattern):
            yield _differs(where, value, f"a list of {len(pattern)}")
            return
        for at, each in enumerate(pattern):
            yield from _differences(each, value[at], captured, f"{where}[{at}]")
    elif not _same(pattern, value):
        yield _differs(where, value, _shown(pattern))


def _fields(
    pattern: dict[str, Any], value: Any, captured: dict[str, Any], where: str
) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _differs(where, value, "an object")
        return
    for written, wanted in pattern.items():
        name = written.removeprefix("=")  # one that the contract does not have
        inner = f"{where}.{name}" if where else name
        if isinstance(wanted, dict) and "$absent" in wanted:
            if (name in value and value[name] is not None) == (wanted["$absent"] is True):
                yield f"{inner} is {'there' if name in value else 'not there'}"
        elif name not in value:
            yield f"{inner} is not there"
        else:
            yield from _differences(wanted, value[name], captured, inner)


def is_special(pattern: dict[str, Any]) -> bool:
    """Whether a pattern consists of operators."""
    return bool(pattern) and all(name.startswith("$") for name in pattern)


def _special(
    name: str, wanted: Any, value: Any, captured: dict[str, Any], where: str
) -> Iterator[str]:
    if name == "$as":
        captured[wanted] = value
    elif name == "$contains" and not isinstance(value, str):
        if not isinstance(value, list) or not any(
            not differences(wanted, each, captured) for each in value
        ):
            yield _differs(where, value, f"with {_shown(wanted)} in it")
    elif name == "$size":
        size = len(value) if isinstance(value, list | dict | str) else None
        yield from _differences(wanted, size, captured, f"the size of {where or 'it'}")
    elif name == "$not":
        if not differences(wanted, value, captured):
            yield _differs(where, value, f"anything but {_shown(wanted)}")
    elif not _TESTS[name](wanted, value):
        yield _differs(where, value, f"{name[1:]} {_shown(wanted)}")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "$regex": lambda wanted, value: (
        isinstance(value, str) and re.fullmatch(wanted, value) is not None
    ),
    "$min": lambda wanted, value: _number(value) and value >= wanted,
    "$max": lambda wanted, value: _number(value) and value <= wanted,
    "$any": lambda wanted, value: (value is not None) is wanted,
    "$absent": lambda wanted, value: (value is None) is wanted,
    "$is": lambda wanted, value: _same(wanted, value),  # noqa: PLW0108 - it stands below
    "$in": lambda wanted, value: any(_same(each, value) for each in wanted),
    "$contains": lambda wanted, value: str(wanted) in value,
}
_KINDS: dict[str, tuple[type, ...]] = {
    "$regex": (str,), "$min": (int, float), "$max": (int, float), "$any": (bool,),
    "$absent": (bool,), "$in": (list,), "$as": (str,),
}  # fmt: skip
OPERATORS = (*_TESTS, "$size", "$not", "$as")
"""The operators of patterns."""


def flaws(pattern: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a pattern: where, and why."""
    if isinstance(pattern, list):
        for at, each in enumerate(pattern):
            yield from (((at, *place), why) for place, why in flaws(each))
    if not isinstance(pattern, dict):
        return
    special = [name for name in pattern if name.startswith("$") and not name.startswith("${")]
    for name, wanted in pattern.items():
        if name not in special:
            if special:
                yield (name,), f"{name} stands beside {special[0]}: either fields or operators"
            yield from (((name, *place), why) for place, why in flaws(wanted))
        elif name not in OPERATORS:
            yield (name,), f"there is no {short(name, 40)}, but {', '.join(OPERATORS)}"
        else:
            yield from (((name, *place), why) for place, why in _operand(name, wanted))


def _operand(name: str, wanted: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    kinds = _KINDS.get(name)
    filled_later = isinstance(wanted, str) and "${" in wanted
    if (
        kinds
        and not filled_later
        and (not isinstance(wanted, kinds) or (isinstance(wanted, bool) and bool not in kinds))
    ):
        yield (), f"{name} takes {_TAKES[kinds[0]]}"
    elif name == "$regex" and not filled_later:
        try:
            re.compile(wanted)
        except re.error as error:
            yield (), f"is not a regular expression: {error}"
    elif name in ("$not", "$contains", "$size"):
        yield from flaws(wanted)


_TAKES = {str: "text", int: "a number", bool: "true or false", list: "a list"}


def _same(wanted: Any, value: Any) -> bool:
    """Whether both are equal; `true` is not 1."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    return bool(wanted == value)


def _differs(where: str, value: Any, wanted: str) -> str:
    return f"{where or 'it'} is {_shown(value)}, not {wanted}"


def _shown(value: Any) -> str:
    return short(json.dumps(value, ensure_ascii=False), _WIDTH)
