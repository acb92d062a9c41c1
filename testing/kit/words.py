"""A message's data written as words: `lines[0].sku=MUG lines.0.quantity=2 pickup_point:=null`.

`PATH=TEXT` is a number or a boolean where the field's type asks for one, and text elsewhere;
`PATH:=JSON` is any JSON. A path goes through objects with dots and through lists with `[0]` or
`.0`. Knows no files and no bus.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from pydantic import ValidationError

from bus.contract.errors import ConfigurationError
from bus.contract.values import Model
from bus.contract.wording import what_is_wrong
from bus.text.safe import short
from schema.navigation import Part, SchemaNode

_PART = re.compile(r"(?:^|\.)([^.\[\]]+)|\[([0-9]{1,6})\]")
_DEEPEST = 32
_LONGEST = 60
_Tree = dict[Part, Any]


class _Value:
    """A value at its place, so that it is not taken for a branch."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def parse_words(words: Sequence[str], model: type[Model] | None, *, lenient: bool = False) -> Any:
    """The data that words say.

    Args:
        words: each `PATH=TEXT` or `PATH:=JSON`.
        model: of the message, which knows its fields and their types; None if it is not known.
        lenient: also fields that the model does not have, and texts where it wants numbers.

    Raises:
        ConfigurationError: what is wrong with which word.
    """
    top = None if model is None else SchemaNode.of(model)
    tree: _Tree = {}
    for word in words:
        path, equals, text = word.partition("=")
        if not equals:
            _refuse(word, "is not of the form key=value or key:=json")
        raw = path.endswith(":")
        path = path.removesuffix(":")
        parts, place = _read_path(path, top, lenient=lenient)
        value = parse_json(text, path) if raw else _typed(path, text, place, lenient=lenient)
        _plant(tree, parts, path, value)
    data = _grown(tree, "")
    _sendable(data, "The message")
    return data


def parse_json(text: str, where: str) -> Any:
    """JSON that can be sent.

    Raises:
        ConfigurationError: not JSON, or a value of it is none (`NaN`, half a character).
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        _refuse(where, f"is not JSON: {why}")
    _sendable(value, short(where, _LONGEST))
    return value


def flaws(model: type[Model], data: Any) -> list[str]:
    """What keeps data from being a message, a sentence for each field; empty if nothing does.

    What stands in a field is not repeated: it may be a secret.
    """
    try:
        model.model_validate(data)
    except ValidationError as error:
        return [
            f"{written(item['loc'])}: {what_is_wrong(item)}."
            for item in error.errors(include_url=False, include_input=False)
        ]
    return []


def written(path: Sequence[Part]) -> str:
    """A path as it is written in a word."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "data"


def _read_path(
    path: str, top: SchemaNode | None, *, lenient: bool
) -> tuple[list[Part], SchemaNode | None]:
    matches = list(_PART.finditer(path))
    if not path or "".join(match[0] for match in matches) != path or path.startswith((".", "[")):
        _refuse(path, "is not a path such as lines[0].sku")
    if len(matches) > _DEEPEST:
        _refuse(path, f"has more than {_DEEPEST} parts")
    parts: list[Part] = []
    place = top
    for match in matches:
        part = _part(match, place)
        inner = None if place is None else place.step(part)
        if inner is None and place is not None and place.types and not lenient:
            _refuse(path, _nowhere(parts, part, place))
        parts.append(part)
        place = inner
    return parts, place


def _part(match: re.Match[str], place: SchemaNode | None) -> Part:
    """`.0` is a place in a list where the model has a list, and where there is no model."""
    name, index = match.groups()
    if index is not None:
        return int(index)
    is_number = re.fullmatch(r"[0-9]{1,6}", name) is not None
    if is_number and match.start() and (place is None or "array" in place.types):
        return int(name)
    return str(name)


def _nowhere(parts: list[Part], part: Part, place: SchemaNode) -> str:
    where = written(parts) if parts else "the message"
    if "array" in place.types:
        return f"does not fit: {where} is a list, such as {written([*parts, 0])}"
    if isinstance(part, int):
        return f"does not fit: {where} is not a list"
    if not place.names:
        return f"does not fit: {where} has no fields"
    return f"is no field: {where} has {', '.join(place.names)}"


def _typed(path: str, text: str, place: SchemaNode | None, *, lenient: bool) -> Any:
    """A text as the type of its field."""
    types = frozenset({"string"}) if place is None else place.types
    if not types or "string" in types:
        return text
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    number = r"-?(0|[1-9][0-9]{0,99})"
    if "integer" in types and re.fullmatch(number, text):
        return int(text)
    if "number" in types and re.fullmatch(rf"{number}(\.[0-9]{{1,99}})?", text):
        return float(text)
    if lenient:
        return text
    if types & {"integer", "number"}:
        _refuse(path, "is to be a whole number" if "integer" in types else "is to be a number")
    if "boolean" in types:
        _refuse(path, "is to be true or false")
    return _refuse_inner(path, types)


def _refuse_inner(path: str, types: frozenset[str]) -> NoReturn:
    kind, example = ("a list", "[...]") if "array" in types else ("an object", "{...}")
    _refuse(path, f"is {kind}: name what is in it, or write {path}:={example}")


def _plant(tree: _Tree, parts: list[Part], path: str, value: Any) -> None:
    *outer, last = parts
    at = tree
    for part in outer:
        at = at.setdefault(part, {})
        if isinstance(at, _Value):
            _refuse(path, "is given twice: as a value and with something in it")
    if last in at:
        _refuse(path, "is given twice")
    at[last] = _Value(value)


def _grown(tree: _Tree | _Value, path: str) -> Any:
    """The tree as data: what has numbers is a list, without gaps."""
    if isinstance(tree, _Value):
        return tree.value
    numbers = sorted(part for part in tree if isinstance(part, int))
    if not numbers:
        return {part: _grown(inner, f"{path}.{part}") for part, inner in tree.items()}
    where = path.removeprefix(".") or "the message"
    if len(numbers) < len(tree):
        _refuse(where, "is written as a list and as an object")
    for expected, number in enumerate(numbers):
        if number != expected:
            _refuse(where, f"has [{number}] and no [{expected}]")
    return [_grown(tree[number], f"{path}[{number}]") for number in numbers]


def _sendable(value: Any, where: str) -> None:
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{where} holds text that is not Unicode.") from None
    except (ValueError, RecursionError):
        raise ConfigurationError(f"{where} holds what JSON cannot say.") from None


def _refuse(word: str, why: str) -> NoReturn:
    sentence = f"{short(word, _LONGEST) or 'A word'} {short(why, 400)}."
    # Spaces of other kinds are harmless, but nobody sees which they are.
    seen = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in sentence)
    raise ConfigurationError(seen) from None
