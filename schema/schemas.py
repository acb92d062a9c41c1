"""JSON Schemas (draft 7, as AsyncAPI requires) of the contract's models and their meanings."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, get_args

from bus.contract.values import Model
from schema.docstrings import field_docstrings

DIALECT = "http://json-schema.org/draft-07/schema#"
Schema = dict[str, Any]


def data_schema(model: type[Model]) -> Schema:
    """Return the schema of one model, which needs no other file."""
    schemas = definitions([model], "#/definitions/")
    schema = {"$schema": DIALECT, **schemas.pop(model.__name__)}
    return schema | {"definitions": schemas} if schemas else schema


def definitions(models: Iterable[type[Model]], where: str) -> dict[str, Schema]:
    """Return the models and all their parts, by name; references begin with `where`."""
    found: dict[str, type[Model]] = {}
    for model in models:
        for part in _within(model):
            assert found.setdefault(part.__name__, part) is part, f"two models: {part.__name__}"
    return {name: _schema(found[name], where) for name in sorted(found)}


def _within(value: Any) -> Iterator[type[Model]]:
    """The models that a type contains."""
    if isinstance(value, type) and issubclass(value, Model):
        yield value
        for field in value.model_fields.values():
            yield from _within(field.annotation)
    for part in get_args(value):
        yield from _within(part)


@cache
def _schema(model: type[Model], where: str) -> Schema:
    schema = model.model_json_schema(ref_template=f"{where}{{model}}")
    schema.pop("$defs", None)
    meanings = field_docstrings(model)
    for name, field in schema.get("properties", {}).items():
        if name in meanings:
            field["description"] = meanings[name]
    tidied: Schema = _tidy(schema)
    description = schema.get("description", "")
    return {"title": model.__name__} | tidied | {"description": " ".join(description.split())}


def _tidy(part: Any) -> Any:
    """Without the titles that pydantic generates, and in a form that draft 7 tools read."""
    if isinstance(part, list):
        return [_tidy(each) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part and len(part) > 1:  # draft 7 ignores what is beside a reference
        return _tidy({key: value for key, value in part.items() if key != "$ref"}) | {
            "allOf": [{"$ref": part["$ref"]}]
        }
    return {
        key: {name: _tidy(each) for name, each in value.items()}
        if key == "properties"
        else value
        if key in ("default", "const", "enum")
        else _tidy(value)
        for key, value in part.items()
        if key != "discriminator" and not (key == "title" and isinstance(value, str))
    }
