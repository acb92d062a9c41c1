"""Forms are made from the contract's models, and read back into messages."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.contract import OPERATIONS
from bus.contract.catalog import Search
from bus.contract.settlement import Orders, Purchase
from bus.contract.values import Model
from bus.text.safe import visible
from tui.commands import allowed, choices, command_for
from tui.model.form import FormError, fields, plain_json, read, written
from tui.model.nodes import KnownNodes


def test_every_operation_of_the_contract_has_a_form() -> None:
    for operation in OPERATIONS.values():
        assert {field.path.partition(".")[0] for field in fields(operation.request)} == set(
            operation.request.model_fields
        )


def test_fields_have_their_sorts_choices_and_defaults() -> None:
    form = {field.path: field for field in fields(Purchase)}
    assert {path: field.sort for path, field in form.items()} == {
        "lines": "json", "pickup_point": "text", "payment": "json",
        "expected_total.amount": "integer", "expected_total.currency": "text",
    }  # fmt: skip
    assert form["expected_total.amount"].required
    assert not form["pickup_point"].required
    state, limit = fields(Orders)
    assert "settled" in state.choices
    assert limit.hint == "100"


def test_what_is_filled_in_is_the_message() -> None:
    texts = {
        "lines": '[{"sku":"MUG","quantity":1}]',
        "payment": '{"method":"account","account":"C-1001"}',
        "expected_total.amount": " 1250 ",
        "expected_total.currency": "EUR",
        "pickup_point": "",
    }
    purchase = Purchase.model_validate(read(fields(Purchase), texts))
    assert purchase.expected_total.amount == 1250
    assert purchase.pickup_point is None
    again = written(fields(Purchase), purchase.model_dump())
    assert Purchase.model_validate(read(fields(Purchase), again)) == purchase


@pytest.mark.parametrize(
    ("model", "path", "text", "said"),
    [
        (Search, "limit", "many", "this is not a whole number"),
        (Search, "limit", "9" * 21, "this is not a whole number"),
        (Purchase, "lines", "[", "this is not JSON"),
        (Purchase, "lines", "[" * 100_000, "this is not JSON"),
    ],
)
def test_what_cannot_be_read_is_said_of_its_field(
    model: type[Model], path: str, text: str, said: str
) -> None:
    with pytest.raises(FormError, match=said) as caught:
        read(fields(model), {path: text})
    assert caught.value.path == path


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(_VALUES)
def test_json_to_be_edited_is_visible_and_the_same(value: object) -> None:
    text = plain_json(value)
    assert json.loads(text) == value
    assert visible(text) == text


def test_a_text_that_cannot_be_shown_is_not_filled_in() -> None:
    assert written(fields(Search), {"text": "a\x1b[2Jb", "limit": 3}) == {"limit": "3"}


def test_every_operation_can_be_chosen_and_says_what_will_happen() -> None:
    for choice in choices(KnownNodes()):
        callee, _, name = choice.partition(" ")
        wanted = command_for(callee, name)
        assert wanted is not None
        warning = wanted.warning({}).said()
        operation = OPERATIONS.get((callee, name)) or OPERATIONS["*", name]
        assert ("will refuse" in warning) == (not allowed(operation))
    assert command_for("settlement", "fly") is None
    assert command_for("nobody", "cancel") is None
