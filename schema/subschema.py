"""Walk through a message's JSON Schema: which fields it has, and their types."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bus.contract.values import Model

PathSegment = str | int
"""A field's name, or an index into a list, from 0."""
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Subschema:
    """What may stand at one path of a message: one of several schemas.

    Args:
        shapes: the JSON schemas that may stand here.
        parts: the definitions that their references refer to.
    """

    shapes: tuple[dict[str, Any], ...]
    parts: dict[str, Any]

    @classmethod
    def of(cls, model: type[Model]) -> "Subschema":
        """The root of a message."""
        schema = model.model_json_schema()
        return cls(tuple(alternatives(schema, schema.get("$defs", {}))), schema.get("$defs", {}))

    @property
    def types(self) -> frozenset[str]:
        """The JSON types allowed here; empty if any is."""
        return frozenset(str(shape["type"]) for shape in self.shapes if "type" in shape)

    @property
    def names(self) -> list[str]:
        """The fields of the objects allowed here, in the model's order."""
        return list(dict.fromkeys(name for shape in self.shapes for name in _properties(shape)))

    @property
    def is_open(self) -> bool:
        """Whether an object with arbitrary fields is allowed here."""
        return any(
            "type" not in shape or shape.get("additionalProperties") is True
            for shape in self.shapes
        )

    @property
    def is_listed(self) -> bool:
        """Whether only enumerated texts are allowed here."""
        return all("enum" in shape or "const" in shape for shape in self.shapes)

    @property
    def choices(self) -> list[str]:
        """The enumerated texts allowed here."""
        listed = [shape.get("enum", [shape.get("const")]) for shape in self.shapes]
        return [text for texts in listed for text in texts if isinstance(text, str)]

    def step(self, part: PathSegment) -> "Subschema | None":
        """Return the place under a field name or list index; None if there is none."""
        found: list[dict[str, Any]] = []
        for shape in self.shapes:
            if isinstance(part, int):
                inner = shape.get("items")
            else:
                inner = _properties(shape).get(part, shape.get("additionalProperties"))
            if isinstance(inner, dict):
                found.extend(alternatives(inner, self.parts))
        return Subschema(tuple(found), self.parts) if found else None

    def leaves(self, prefix: str = "", depth: int = 0) -> Iterator[str]:
        """Yield the paths of all values within, as people write them: `lines[0].sku`."""
        for name in self.names:
            path, place = f"{prefix}.{name}" if prefix else name, self.step(name)
            if place is None or depth == _DEEPEST:
                continue
            while "array" in place.types and (item := place.step(0)) is not None:
                path, place = f"{path}[0]", item
            if place.names:
                yield from place.leaves(path, depth + 1)
            else:
                yield path


def _properties(shape: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = shape.get("properties", {})
    return found


def alternatives(schema: dict[str, Any], parts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the alternatives of a schema, with references resolved."""
    if "$ref" in schema:
        yield from alternatives(parts[schema["$ref"].rpartition("/")[2]], parts)
        return
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            for each in schema[several]:
                yield from alternatives(each, parts)
            return
    yield schema
