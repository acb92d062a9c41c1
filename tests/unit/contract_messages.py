"""Messages of any contract model, drawn from its JSON schema."""

import re
from functools import cache
from typing import Any

from hypothesis import strategies as st

from bus.contract.values import Model, check_digit

_PLAIN = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"))
_GTINS = st.from_regex(r"[0-9]{13}", fullmatch=True).map(lambda d: d + str(check_digit(d)))


@cache
def messages(model: type[Model]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON documents that the model's schema allows."""
    schema = model.model_json_schema()
    return _value(schema, schema.get("$defs", {}))


def _value(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _value(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return st.one_of([_value(each, definitions) for each in schema[several]])
    return _of_type(schema, definitions)


def _of_type(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "string":
            return _text(schema)
        case "array":
            return st.lists(
                _value(schema["items"], definitions), min_size=schema.get("minItems", 0), max_size=3
            )
        case "object":
            return _object(schema, definitions)
    raise AssertionError(f"no message has a {schema['type']}")


def _text(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    pattern = schema.get("pattern")
    if pattern == r"^\d{14}$":
        return _GTINS
    if pattern is None:
        least, most = schema.get("minLength", 0), min(schema.get("maxLength", 20), 20)
        return st.text(_PLAIN, min_size=least, max_size=most)
    most = schema.get("maxLength")
    drawn = st.from_regex(re.compile(pattern.strip("^$"), re.ASCII), fullmatch=True)
    return drawn if most is None else drawn.map(lambda text: text[:most])


def _object(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" not in schema and "additionalProperties" in schema:
        names = _text(schema.get("propertyNames", {}))
        values = _value(schema["additionalProperties"], definitions)
        return st.dictionaries(names, values, max_size=3)
    fields = {
        name: _value(each, definitions) for name, each in schema.get("properties", {}).items()
    }
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: each for name, each in fields.items() if name in required},
        optional={name: each for name, each in fields.items() if name not in required},
    )
