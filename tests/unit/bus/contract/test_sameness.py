"""What makes two requests the same, and two messages part of the same trace."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.contract.envelope import Reading, body_digest, child_trace

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SPAN = "b7ad6b7169203331"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def _shuffled(value: Any, order: Any) -> Any:
    if isinstance(value, dict):
        names = sorted(value, reverse=order.draw(st.booleans()))
        return {name: _shuffled(value[name], order) for name in names}
    return [_shuffled(each, order) for each in value] if isinstance(value, list) else value


@settings(deadline=None)
@given(value=JSON, order=st.data())
def test_a_body_is_the_same_however_it_is_written(value: Any, order: st.DataObject) -> None:
    body = Reading(json.dumps({"id": "1", "data": value}).encode()).envelope().data
    again = {"data": _shuffled(value, order), "id": "2"}
    other = Reading(json.dumps(again, indent=3, ensure_ascii=False).encode()).envelope().data
    assert body_digest("reserve", body) == body_digest("reserve", other)


@settings(deadline=None)
@given(one=JSON, other=JSON)
def test_two_bodies_are_the_same_only_if_their_values_are(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (body_digest("reserve", one) == body_digest("reserve", other)) == same


def test_another_operation_or_order_of_lines_is_another_body() -> None:
    assert body_digest("commit", {"order": "1"}) != body_digest("release", {"order": "1"})
    assert body_digest("reserve", [1, 2]) != body_digest("reserve", [2, 1])
    assert body_digest("reserve", {"a": 1}) != body_digest("reserve", {"a": "1"})


def test_a_child_stays_in_its_parents_trace() -> None:
    assert child_trace(TRACE, SPAN) == f"00-4bf92f3577b34da6a3ce929d0e0e4736-{SPAN}-01"


@pytest.mark.parametrize("parent", [None, "", "nonsense", TRACE.upper()])
def test_without_a_parent_a_new_trace_begins(parent: str | None) -> None:
    trace = child_trace(parent, SPAN)
    assert re.fullmatch(rf"00-[0-9a-f]{{32}}-{SPAN}-01", trace)
    assert trace == child_trace(parent, SPAN)
    assert trace != child_trace(parent, SPAN[::-1])


def test_a_parent_of_zeros_is_none() -> None:
    """W3C Trace Context 3.2.2.3: a trace-id of zeros only is invalid and the header is ignored."""
    zeros = f"00-{'0' * 32}-00f067aa0ba902b7-01"
    assert child_trace(zeros, SPAN) == child_trace(None, SPAN)
