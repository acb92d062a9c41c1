"""Every message with each of its fields at its bounds, and just beyond them."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from bus.contract.values import Model
from schema.examples import DATA
from schema.schemas import data_schema

Schema = dict[str, Any]
Path = tuple[str | int, ...]
_FAR = (2**63, -(2**63) - 1, 10**30)
"""Integers that no database takes."""
_TEXTS = ("a", "A", "1", "0", "A-1")


@dataclass(frozen=True, slots=True)
class Case:
    """A message with one field that is set to a value."""

    message: str
    path: str
    data: dict[str, Any]
    fits: bool

    def __str__(self) -> str:
        return f"{self.message} {self.path} {'at' if self.fits else 'beyond'}"


def cases(name: str, model: type[Model]) -> Iterator[Case]:
    """All of one message; its example is what is changed.

    Args:
        name: of the message, such as `sorter.pick.request`.
        model: of its data.
    """
    schema = data_schema(model)
    parts = schema.get("definitions", {})
    example = json.loads(
        json.dumps(DATA[name])
        .replace("OXF-BLU-M", "MUG")
        .replace("oxford-shirt", "mug")
        .replace("A-03-2", "A-01-1")
    )
    for path, leaf, whole in _leaves(schema, parts, example, ()):
        for value, fits in _around(leaf, parts):
            changed = _with(whole, path, value)
            yield Case(name, ".".join(map(str, path)), changed, fits)


def _with(document: Any, path: Path, value: Any) -> Any:
    changed = deepcopy(document)
    at = changed
    for step in path[:-1]:
        at = at[step]
    if path[-1] == "*":
        at[value] = at.pop("x")
    else:
        at[path[-1]] = value
    return changed


def _shapes(schema: Schema, parts: dict[str, Schema]) -> Iterator[Schema]:
    """The alternatives of a schema but null."""
    if "$ref" in schema:
        yield from _shapes(parts[schema["$ref"].rpartition("/")[2]], parts)
        return
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            for each in schema[several]:
                yield from _shapes(each, parts)
            return
    if schema.get("type") != "null":
        yield schema


def _leaves(
    schema: Schema, parts: dict[str, Schema], whole: Any, path: Path
) -> Iterator[tuple[Path, Schema, Any]]:
    """Each field that has bounds, where it stands, and the message it is set in."""
    for shape in _shapes(schema, parts):
        kind = shape.get("type")
        if "enum" in shape or "const" in shape or kind == "boolean":
            continue
        if kind == "object" and "properties" in shape:
            here = _at(whole, path)
            filled = here if isinstance(here, dict) and _is(here, shape) else sample(shape, parts)
            document = _with(whole, path, filled) if path else filled
            for field, inner in shape["properties"].items():
                yield from _leaves(inner, parts, document, (*path, field))
        elif kind == "object":
            yield path, shape, whole
            value = sample(shape["additionalProperties"], parts)
            document = _with(whole, path, {"x": value})
            yield (*path, "*"), shape.get("propertyNames", {}), document
            yield from _leaves(shape["additionalProperties"], parts, document, (*path, "x"))
        elif kind == "array":
            yield path, shape, whole
            here = _at(whole, path)
            items = here[:1] if isinstance(here, list) and here else [sample(shape["items"], parts)]
            yield from _leaves(shape["items"], parts, _with(whole, path, items), (*path, 0))
        else:
            yield path, shape, whole


def _at(document: Any, path: Path) -> Any:
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _is(value: dict[str, Any], shape: Schema) -> bool:
    return all(
        value.get(name) == field["const"]
        for name, field in shape["properties"].items()
        if "const" in field
    )


def sample(schema: Schema, parts: dict[str, Schema]) -> Any:
    """A value that the schema allows."""
    shape = next(_shapes(schema, parts), None)
    if shape is None:
        return None
    if "const" in shape or "enum" in shape:
        return shape.get("const", next(iter(shape.get("enum", ())), None))
    if shape["type"] == "array":
        return [sample(shape["items"], parts)]
    if shape["type"] == "object":
        needed = shape.get("required", ())
        return {name: sample(shape["properties"][name], parts) for name in needed}
    plain = {"integer": max(shape.get("minimum", 0), 0), "boolean": True}
    length = max(shape.get("minLength", 0), 1)
    return plain[shape["type"]] if shape["type"] in plain else text(shape, length)


def text(shape: Schema, length: int) -> str:
    """A text of about this length that the pattern allows, or that breaks it by its length."""
    pattern = shape.get("pattern")
    for start in _TEXTS:
        found = start + start[-1] * (length - len(start))
        if pattern is None or re.fullmatch(pattern, found[: shape["maxLength"]]):
            return found
    if pattern == r"^\d{14}$" or pattern is None:
        return "0" * length
    return next(each for n in range(1, 15) for each in ("1" * n, "A" * n, f"A-{'1' * n}")
                if re.fullmatch(pattern, each))  # fmt: skip


def _around(shape: Schema, parts: dict[str, Schema]) -> Iterator[tuple[Any, bool]]:
    """Values at the bounds of a field, which fit, and beyond them."""
    match shape.get("type", "string"):
        case "integer":
            yield shape["minimum"], True
            yield shape["maximum"], True
            for beyond in (shape["minimum"] - 1, shape["maximum"] + 1, *_FAR):
                yield beyond, False
        case "string":
            yield text(shape, shape["maxLength"]), True
            yield text(shape, shape["maxLength"] + 1), False
        case "array":
            yield [sample(shape["items"], parts)] * (shape["maxItems"] + 1), False
        case "object":
            names = (f"n-{number}" for number in range(shape["maxProperties"] + 1))
            yield dict.fromkeys(names, sample(shape["additionalProperties"], parts)), False
