"""Every field of the contract has bounds: they are published, and held by the models."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from bounds import cases
from judge import PUBLISHED
from pydantic import ValidationError

from bus.contract import CHANNELS
from bus.contract.cloudevent import CloudEvent
from bus.contract.problem import ProblemData
from bus.contract.values import MAX_INTEGER, Model
from schema.compatibility import incompatible
from schema.messages import messages_of
from schema.snapshot import snapshot

MESSAGES: dict[str, type[Model]] = {
    message.name: message.model for channel in CHANNELS for message in messages_of(channel)
}
_BOUNDS = {
    "integer": ("minimum", "maximum"),
    "string": ("maxLength",),
    "array": ("maxItems",),
}


def _unbounded(part: Any, path: str) -> Iterator[str]:
    """Where a schema leaves open how large something may be."""
    if isinstance(part, list):
        for each in part:
            yield from _unbounded(each, path)
    if not isinstance(part, dict):
        return
    kind = part.get("type")
    if isinstance(kind, str) and not {"enum", "const"} & part.keys():
        yield from (f"{path}: {each}" for each in _BOUNDS.get(kind, ()) if each not in part)
        if isinstance(part.get("additionalProperties"), dict) and "maxProperties" not in part:
            yield f"{path}: maxProperties"
    for name, each in part.items():
        if name not in ("default", "const", "enum", "examples"):
            yield from _unbounded(each, f"{path}.{name}")


def test_every_field_that_is_published_has_bounds() -> None:
    document = json.loads((PUBLISHED / "asyncapi.json").read_text())
    assert list(_unbounded(document["components"]["schemas"], "")) == []
    for file in (PUBLISHED / "schemas").glob("*.json"):
        assert list(_unbounded(json.loads(file.read_text()), file.name)) == []


def test_no_integer_is_larger_than_every_reader_takes_it_for() -> None:
    document = json.loads((PUBLISHED / "asyncapi.json").read_text())

    def integers(part: Any) -> Iterator[int]:
        if isinstance(part, dict):
            yield from (part[name] for name in ("minimum", "maximum") if name in part)
        for each in part.values() if isinstance(part, dict) else part:
            if isinstance(each, (dict, list)):
                yield from integers(each)

    found = list(integers(document["components"]["schemas"]))
    assert max(found) == MAX_INTEGER
    assert min(found) == -MAX_INTEGER


def _refused(model: type[Model], data: Any) -> set[str]:
    """The kinds of faults that are found."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        return {each["type"] for each in error.errors(include_url=False)}
    return set()


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_what_is_beyond_a_bound_is_refused_and_what_is_at_it_is_not_refused_for_that(
    name: str,
) -> None:
    model = MESSAGES[name]
    for case in cases(name, model):
        # At a bound a field may still contradict another one; that is no matter of bounds.
        assert (_refused(model, case.data) - {"value_error"} == set()) is case.fits, case


def test_a_problem_and_an_envelope_have_bounds_too() -> None:
    data = {"type": "t", "title": "t", "status": 404, "detail": "d", "code": "c"}
    ProblemData.model_validate(data)
    for name, value in (("status", 2**63), ("detail", "d" * 8193), ("code", "c" * 201)):
        with pytest.raises(ValidationError):
            ProblemData.model_validate(data | {name: value})
    with pytest.raises(ValidationError):
        CloudEvent.model_validate({"id": "m-1", "data": {}, "orderid": "o" * 2049})


@pytest.mark.parametrize(
    ("limit", "breaks"),
    [
        ({"maximum": 2**53 - 1}, False),
        ({"maximum": 1_000_000_000}, False),
        ({"maximum": 999_999}, True),
        ({"minimum": 0}, True),
    ],
)
def test_a_first_limit_breaks_devices_only_where_it_is_narrow(
    limit: dict[str, int], breaks: bool
) -> None:
    released, present = snapshot(), json.loads(json.dumps(snapshot()))
    field = released["channels"]["warehouse.packed"]["messages"]["request"]
    field["properties"]["assignment"] = {"type": "integer", "minimum": -5}
    now = present["channels"]["warehouse.packed"]["messages"]["request"]
    now["properties"]["assignment"] = {"type": "integer", "minimum": -5, **limit}
    assert bool(incompatible(released, present)) is breaks


@pytest.mark.parametrize(
    ("pattern", "length", "breaks"),
    [("^[A-Z]{3}$", 3, False), ("^[A-Z]{3}$", 2, True), ("^[a-z][a-z0-9-]{0,47}$", 48, False),
     ("^[a-z][a-z0-9-]{0,47}$", 47, True), ("^[!-~]+$", 1_000, True)],
)  # fmt: skip
def test_a_pattern_says_a_length_before_a_limit_does(
    pattern: str, length: int, breaks: bool
) -> None:
    released, present = snapshot(), json.loads(json.dumps(snapshot()))
    field = released["channels"]["warehouse.packed"]["messages"]["request"]
    field["properties"]["job"] = {"type": "string", "pattern": pattern}
    now = present["channels"]["warehouse.packed"]["messages"]["request"]
    now["properties"]["job"] = {"type": "string", "pattern": pattern, "maxLength": length}
    assert bool(incompatible(released, present)) is breaks
