"""A form for any message of the contract, made from its model's JSON schema."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bus.contract.errors import StorebusError
from bus.contract.values import Model
from bus.text.safe import visible
from bus.text.sentence import Sentence

Sort = Literal["text", "integer", "boolean", "json"]
_DEEPEST = 3
_SORTS: dict[str, Sort] = {"string": "text", "integer": "integer", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form."""

    path: str
    """Its path, as in a problem's `field`: `expected_total.amount`."""
    sort: Sort
    required: bool
    choices: tuple[str, ...] = ()
    """The allowed values, if they are listed."""
    hint: str = ""
    """Its default, or an example."""


class FormError(StorebusError):
    """A field with a text that its type does not allow.

    Args:
        path: of the field.
        sentence: what is wrong.
    """

    def __init__(self, path: str, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.path = path
        self.sentence = sentence


def fields(model: type[Model]) -> list[Field]:
    """The fields of a model, including those of required objects within it."""
    schema = model.model_json_schema()
    return list(_fields(schema, schema.get("$defs", {}), "", required=True, depth=0))


def _fields(
    schema: dict[str, Any], parts: dict[str, Any], prefix: str, *, required: bool, depth: int
) -> Iterator[Field]:
    needed = set(schema.get("required", ()))
    for name, declared in schema.get("properties", {}).items():
        path, must = f"{prefix}{name}", required and name in needed
        inner = _resolved(declared, parts)
        if inner.get("type") == "object" and "properties" in inner and depth < _DEEPEST and must:
            yield from _fields(inner, parts, f"{path}.", required=must, depth=depth + 1)
            continue
        options = [_resolved(each, parts) for each in inner.get("anyOf", [inner])]
        plain = [each for each in options if each.get("type") != "null"]
        sort: Sort = "json"
        choices: tuple[str, ...] = ()
        if len(plain) == 1:
            sort = _SORTS.get(str(plain[0].get("type")), "json")
            choices = tuple(map(str, plain[0].get("enum", ())))
            if "const" in plain[0]:
                choices = (str(plain[0]["const"]),)
        if sort == "boolean":
            choices = ("true", "false")
        default = declared.get("default")
        yield Field(path, sort, must, choices, "" if default is None else json.dumps(default))


def _resolved(schema: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = parts.get(name, schema)
    return found


def read(form: list[Field], texts: Mapping[str, str]) -> dict[str, Any]:
    """The data of a message from the texts of a form; empty fields are left out.

    Raises:
        FormError: not a whole number, neither true nor false, or not JSON.
    """
    data: dict[str, Any] = {}
    for field in form:
        text = texts.get(field.path, "").strip()
        if not text:
            continue
        *outer, name = field.path.split(".")
        place = data
        for part in outer:
            place = place.setdefault(part, {})
        place[name] = _value(field, text)
    return data


def _value(field: Field, text: str) -> Any:
    if field.sort == "text":
        return text
    if field.sort == "integer":
        if not text.removeprefix("-").isdecimal() or len(text) > 20:  # noqa: PLR2004
            raise FormError(field.path, Sentence("this is not a whole number"))
        return int(text)
    if field.sort == "boolean":
        if text not in ("true", "false"):
            raise FormError(field.path, Sentence("this is neither true nor false"))
        return text == "true"
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormError(field.path, Sentence("this is not JSON")) from error


def written(form: list[Field], data: object) -> dict[str, str]:
    """The texts of a form for data; fields with invisible characters are left out."""
    texts = {}
    for field in form:
        value = data
        for part in field.path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            continue
        text = value if field.sort == "text" and isinstance(value, str) else plain_json(value)
        if visible(text) == text:
            texts[field.path] = text
    return texts


def plain_json(value: Any) -> str:
    """A value as JSON in one line; invisible characters are escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(
        character if visible(character) == character else json.dumps(character)[1:-1]
        for character in text
    )
