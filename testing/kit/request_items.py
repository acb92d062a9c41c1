"""The data of a message, written as request items: `lines[0].sku=MUG lines.0.quantity=2`.

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
from schema.subschema import PathSegment, Subschema

_PART = re.compile(r"(?:^|\.)([^.\[\]]+)|\[([0-9]{1,6})\]")
_DEEPEST = 32
_LONGEST = 60
_Tree = dict[PathSegment, Any]


class _Leaf:
    """A value in the tree, which must not be taken for a branch."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def parse_items(items: Sequence[str], model: type[Model] | None, *, lenient: bool = False) -> Any:
    """Turn request items into data.

    Args:
        items: each `PATH=TEXT` or `PATH:=JSON`.
        model: of the message, with its fields and their types; None if it is not known.
        lenient: allow fields that the model does not have, and texts where it wants numbers.

    Raises:
        ConfigurationError: an item is wrong; says which, and why.
    """
    top = None if model is None else Subschema.of(model)
    tree: _Tree = {}
    for item in items:
        path, equals, text = item.partition("=")
        if not equals:
            _refuse(item, "is not of the form key=value or key:=json")
        raw = path.endswith(":")
        path = path.removesuffix(":")
        parts, subschema = _read_path(path, top, lenient=lenient)
        value = parse_json(text, path) if raw else _typed(path, text, subschema, lenient=lenient)
        _insert(tree, parts, path, value)
    data = _as_json(tree, "")
    _sendable(data, "The message")
    return data


def parse_json(text: str, where: str) -> Any:
    """Parse JSON that can be sent.

    Raises:
        ConfigurationError: it is not JSON, or holds what JSON cannot (`NaN`, a lone surrogate).
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        _refuse(where, f"is not JSON: {why}")
    _sendable(value, short(where, _LONGEST))
    return value


def flaws(model: type[Model], data: Any) -> list[str]:
    """What is wrong with the data of a message, a sentence for each field; empty if nothing is.

    The values of the fields are not repeated: they may be secret.
    """
    try:
        model.model_validate(data)
    except ValidationError as error:
        return [
            f"{written(item['loc'])}: {what_is_wrong(item)}."
            for item in error.errors(include_url=False, include_input=False)
        ]
    return []


def written(path: Sequence[PathSegment]) -> str:
    """A path as it is written in a request item."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "data"


def _read_path(
    path: str, top: Subschema | None, *, lenient: bool
) -> tuple[list[PathSegment], Subschema | None]:
    matches = list(_PART.finditer(path))
    if not path or "".join(match[0] for match in matches) != path or path.startswith((".", "[")):
        _refuse(path, "is not a path such as lines[0].sku")
    if len(matches) > _DEEPEST:
        _refuse(path, f"has more than {_DEEPEST} parts")
    parts: list[PathSegment] = []
    subschema = top
    for match in matches:
        part = _part(match, subschema)
        inner = None if subschema is None else subschema.step(part)
        if inner is None and subschema is not None and subschema.types and not lenient:
            _refuse(path, _nowhere(parts, part, subschema))
        parts.append(part)
        subschema = inner
    return parts, subschema


def _part(match: re.Match[str], subschema: Subschema | None) -> PathSegment:
    """`.0` is an index where the model has a list, or where there is no model."""
    name, index = match.groups()
    if index is not None:
        return int(index)
    is_number = re.fullmatch(r"[0-9]{1,6}", name) is not None
    if is_number and match.start() and (subschema is None or "array" in subschema.types):
        return int(name)
    return str(name)


def _nowhere(parts: list[PathSegment], part: PathSegment, subschema: Subschema) -> str:
    where = written(parts) if parts else "the message"
    if "array" in subschema.types:
        return f"does not fit: {where} is a list, such as {written([*parts, 0])}"
    if isinstance(part, int):
        return f"does not fit: {where} is not a list"
    if not subschema.names:
        return f"does not fit: {where} has no fields"
    return f"is no field: {where} has {', '.join(subschema.names)}"


def _typed(path: str, text: str, subschema: Subschema | None, *, lenient: bool) -> Any:
    """A text converted to the type of its field."""
    types = frozenset({"string"}) if subschema is None else subschema.types
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


def _insert(tree: _Tree, parts: list[PathSegment], path: str, value: Any) -> None:
    *outer, last = parts
    at = tree
    for part in outer:
        at = at.setdefault(part, {})
        if isinstance(at, _Leaf):
            _refuse(path, "is given twice: as a value and with something in it")
    if last in at:
        _refuse(path, "is given twice")
    at[last] = _Leaf(value)


def _as_json(tree: _Tree | _Leaf, path: str) -> Any:
    """The tree as data: a branch with numbers is a list, and must have all of them."""
    if isinstance(tree, _Leaf):
        return tree.value
    numbers = sorted(part for part in tree if isinstance(part, int))
    if not numbers:
        return {part: _as_json(inner, f"{path}.{part}") for part, inner in tree.items()}
    where = path.removeprefix(".") or "the message"
    if len(numbers) < len(tree):
        _refuse(where, "is written as a list and as an object")
    for expected, number in enumerate(numbers):
        if number != expected:
            _refuse(where, f"has [{number}] and no [{expected}]")
    return [_as_json(tree[number], f"{path}[{number}]") for number in numbers]


def _sendable(value: Any, where: str) -> None:
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{where} holds text that is not Unicode.") from None
    except (ValueError, RecursionError):
        raise ConfigurationError(f"{where} holds what JSON cannot say.") from None


def _refuse(item: str, why: str) -> NoReturn:
    sentence = f"{short(item, _LONGEST) or 'A word'} {short(why, 400)}."
    # Spaces of other kinds are harmless, but nobody sees which they are.
    seen = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in sentence)
    raise ConfigurationError(seen) from None
