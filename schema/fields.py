"""The fields of a message as table rows: path, type with its limits, and meaning."""

import json
from collections.abc import Iterator

from schema.navigation import alternatives
from schema.schemas import Schema


def fields_of(schema: Schema) -> Iterator[tuple[str, ...]]:
    """Yield each field's path, type, `optional` or not, and meaning."""
    yield from _within(schema, schema.get("definitions", {}), "")


def _within(schema: Schema, parts: dict[str, Schema], path: str) -> Iterator[tuple[str, ...]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        here = f"{path}{name}"
        shapes = list(alternatives(field, parts))
        types = " or ".join(dict.fromkeys(_type(shape, parts) for shape in shapes))
        yield f"`{here}`", types, "" if name in required else "optional", field["description"]
        for shape in shapes:
            inner, below = shape, here
            while inner.get("type") == "array":
                (inner,), below = list(alternatives(inner["items"], parts)), f"{below}[]"
            yield from _within(inner, parts, f"{below}.")


def _type(shape: Schema, parts: dict[str, Schema]) -> str:
    """A type and its limits, in a few words."""
    if "const" in shape:
        return f"`{json.dumps(shape['const'])}`"
    if "enum" in shape:
        return " ".join(f"`{each}`" for each in shape["enum"])
    kind = str(shape.get("type", "any"))
    if kind == "array":
        (item,) = list(alternatives(shape["items"], parts))
        return f"list of {_type(item, parts)}{_span(shape, 'minItems', 'maxItems')}"
    if kind == "object" and "additionalProperties" in shape and "properties" not in shape:
        values = (
            list(alternatives(shape["additionalProperties"], parts))
            if isinstance(shape["additionalProperties"], dict)
            else [{"type": "any"}]
        )
        return f"object of {' or '.join(_type(value, parts) for value in values)}"
    if "pattern" in shape:
        return f"{kind} `{shape['pattern'].replace('|', chr(92) + '|')}`"
    return kind + _span(shape, "minimum", "maximum") + _span(shape, "minLength", "maxLength")


def _span(shape: Schema, least: str, most: str) -> str:
    low, high = shape.get(least), shape.get(most)
    if low is None and high is None:
        return ""
    if high is None:
        return f", from {low}"
    return f", at most {high}" if low in (None, 0) and least != "minimum" else f", {low} to {high}"
