"""What a pattern matches, what it captures, and how it says in what a message differs."""

from typing import Any

import pytest

from testing.kit.template import CompositeVariable, UnknownVariableError, filled
from testing.scenario.pattern import differences, matches

ORDER = {"order": "o-1", "lines": [{"sku": "MUG", "quantity": 2}], "paid": True, "parcel": None}

MATCHES: list[tuple[Any, Any]] = [
    ({}, ORDER),
    ({"order": "o-1"}, ORDER),
    ({"lines": [{"sku": "MUG"}]}, ORDER),
    ({"lines": {"$size": 1, "$contains": {"quantity": {"$min": 2, "$max": 2}}}}, ORDER),
    ({"lines": {"$size": {"$min": 1}}}, ORDER),
    ({"order": {"$regex": "o-[0-9]"}}, ORDER),
    ({"order": {"$in": ["o-1", "o-2"]}}, ORDER),
    ({"order": {"$not": "o-2"}}, ORDER),
    ({"order": {"$contains": "-"}}, ORDER),
    ({"order": {"$any": True}, "parcel": {"$any": False}}, ORDER),
    ({"parcel": {"$absent": True}, "reason": {"$absent": True}}, ORDER),
    ({"order": {"$absent": False}}, ORDER),
    ({"lines": {"$is": [{"sku": "MUG", "quantity": 2}]}}, ORDER),
    ({"parcel": None}, ORDER),
    ([1, {"$any": True}], [1, 2]),
]
DIFFERS: list[tuple[Any, Any, str]] = [
    ({"order": "o-2"}, ORDER, 'order is "o-1", not "o-2"'),
    ({"reason": "late"}, ORDER, "reason is not there"),
    ({"lines": [{"sku": "CUP"}]}, ORDER, 'lines[0].sku is "MUG", not "CUP"'),
    ({"lines": []}, ORDER, "lines is"),
    ({"lines": {"$size": 2}}, ORDER, "the size of lines is 1, not 2"),
    ({"lines": {"$contains": {"sku": "CUP"}}}, ORDER, "in it"),
    ({"order": {"$regex": "[0-9]"}}, ORDER, 'order is "o-1", not regex "[0-9]"'),
    ({"order": {"$min": 1}}, ORDER, "not min 1"),
    ({"order": {"$not": "o-1"}}, ORDER, "not anything but"),
    ({"order": {"$absent": True}}, ORDER, "order is there"),
    ({"reason": {"$absent": False}}, ORDER, "reason is not there"),
    ({"paid": 1}, ORDER, "paid is true, not 1"),
    ({"parcel": {"$any": True}}, ORDER, "not any true"),
    ({"lines": {"$is": [{"sku": "MUG"}]}}, ORDER, "not is"),
    ({"a": 1}, [], "it is [], not an object"),
]


@pytest.mark.parametrize(("pattern", "value"), MATCHES, ids=repr)
def test_it_matches(pattern: Any, value: Any) -> None:
    assert differences(pattern, value, {}) == []
    assert matches(pattern, value, {})


@pytest.mark.parametrize(("pattern", "value", "said"), DIFFERS, ids=repr)
def test_it_says_in_what_a_value_differs(pattern: Any, value: Any, said: str) -> None:
    (sentence,) = differences(pattern, value, {})
    assert said in sentence
    assert not matches(pattern, value, {})


def test_what_is_captured_is_known_by_its_name() -> None:
    captured: dict[str, Any] = {}
    assert matches({"lines": [{"sku": {"$regex": "M.*", "$as": "sku"}}]}, ORDER, captured)
    assert captured == {"sku": "MUG"}


def test_variables_keep_their_type_alone_and_are_text_within_text() -> None:
    mug = CompositeVariable("MUG-7", {"price": 1250, "pieces": [1, 2]})
    variables = {"mug": mug, "n": 3, "deep": {"list": [{"a": True}]}}
    assert filled("${mug}", variables) == "MUG-7"
    assert filled("${mug.price}", variables) == 1250
    assert filled("${mug.pieces.1}", variables) == 2
    assert filled({"${mug}": ["${n}", "x${n}y", "${deep.list.0.a}"]}, variables) == {
        "MUG-7": [3, "x3y", True]
    }
    for unknown in ("${nobody}", "${mug.weight}", "${deep.list.1}"):
        with pytest.raises(UnknownVariableError):
            filled(unknown, variables)
