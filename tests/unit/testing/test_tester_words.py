"""A tester's words become the message that they say, or are refused in a sentence."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.contract import OPERATIONS
from bus.contract.catalog import Search, Upsert
from bus.contract.errors import ConfigurationError, InvalidField
from bus.contract.settlement import Orders, Purchase
from bus.contract.values import Model
from schema.navigation import SchemaNode
from testing.kit.template import filled
from testing.kit.words import flaws, parse_words

_MODELS = st.sampled_from([operation.request for operation in OPERATIONS.values()])
_LEAVES = sorted(
    {leaf for each in OPERATIONS.values() for leaf in SchemaNode.of(each.request).leaves()}
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_a_purchase_is_written_in_words() -> None:
    data = parse_words(
        [
            "lines[0].sku=MUG", "lines.0.quantity=2", "lines[1].sku=007", "lines[1].quantity=1",
            "payment.method=account", "payment.account=C-1001", "pickup_point:=null",
            "expected_total.amount=1250", "expected_total.currency=EUR",
        ],
        Purchase,
    )  # fmt: skip
    assert data == {
        "lines": [{"sku": "MUG", "quantity": 2}, {"sku": "007", "quantity": 1}],
        "payment": {"method": "account", "account": "C-1001"},
        "pickup_point": None,
        "expected_total": {"amount": 1250, "currency": "EUR"},
    }
    assert flaws(Purchase, data) == []


def test_a_text_may_look_like_anything_else() -> None:
    for text in ("5", "true", "null", "a=b", "a:=b", "", " ", "[1]", "@x", "-"):
        assert parse_words([f"text={text}"], Search) == {"text": text}


def test_every_missing_field_is_named() -> None:
    assert [flaw.partition(":")[0] for flaw in flaws(Purchase, {"lines": [{"sku": "A"}]})] == [
        "lines[0].quantity", "payment", "expected_total",
    ]  # fmt: skip


def test_a_card_number_is_refused_and_not_repeated() -> None:
    payment = {"method": "card", "token": "4111111111111111"}
    said = " ".join(flaws(Purchase, {"payment": payment}))
    assert "card number" in said
    assert "4111" not in said


@pytest.mark.parametrize(
    ("model", "words", "said"),
    [
        (Search, ["text=a", "limit=many"], "limit is to be a whole number."),
        (Search, ["limit=1.5"], "limit is to be a whole number."),
        (Search, ["limit=٣"], "limit is to be a whole number."),
        (Search, ["limt=5"], "limt is no field: the message has text, limit, after."),
        (Search, ["text.x=5"], "text.x does not fit: text has no fields."),
        (Search, ["text"], "text is not of the form key=value or key:=json."),
        (Search, ["=a"], "A word is not a path such as lines[0].sku."),
        (Search, ["text=a", "text=b"], "text is given twice."),
        (Search, ["text=a", "text:=1"], "text is given twice."),
        (Search, ["text:={"], "text is not JSON: Expecting property name enclosed in double"),
        (Search, ["text:=NaN"], "text holds what JSON cannot say."),
        (Search, ["text:=1e999"], "text holds what JSON cannot say."),
        (Search, ['text:="\\ud800"'], "text holds text that is not Unicode."),
        (Search, ["text=\udcff"], "The message holds text that is not Unicode."),
        (Search, ["text:=" + "[" * 100_000], "text is not JSON: it cannot be read."),
        (Search, ["text:=" + "9" * 5_000], "text is not JSON: it cannot be read."),
        (Purchase, ["lines=3"], "lines is a list: name what is in it, or write lines:=[...]."),
        (Purchase, ["payment=x"], "payment is an object: name what is in it, or write payment:="),
        (Purchase, ["lines.x=3"], "lines.x does not fit: lines is a list, such as lines[0]."),
        (Purchase, ["lines[0].skew=3"], "lines[0].skew is no field: lines[0] has sku, quantity."),
        (Purchase, ["lines[1].sku=A"], "lines has [1] and no [0]."),
        (Purchase, ["lines:=[]", "lines[0].sku=A"], "lines[0].sku is given twice: as a value and"),
        (Purchase, ["payment[0]=A"], "payment[0] does not fit: payment is not a list."),
        (Purchase, ["lines[0=A"], "lines[0 is not a path such as lines[0].sku."),
        (Purchase, ["payment..a=A"], "payment..a is not a path such as lines[0].sku."),
        (None, ["a[0]=x", "a.b=y"], "a is written as a list and as an object."),
        (None, [".".join("a" * 40) + "=x"], "has more than 32 parts."),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_in_a_sentence(
    model: type[Model] | None, words: list[str], said: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_words(words, model)
    assert said in str(refused.value)


def test_who_insists_may_send_what_the_contract_does_not_have() -> None:
    words = ["limt=5", "limit=many", "text.deep[0]=x"]
    assert parse_words(words, Search, lenient=True) == {
        "limt": "5", "limit": "many", "text": {"deep": ["x"]},
    }  # fmt: skip
    assert parse_words(["a.0.b=x", "a.1:=2"], None) == {"a": [{"b": "x"}, 2]}


def test_all_fields_of_a_message_are_known_to_the_shell() -> None:
    assert "products[0].styles[0].price.amount" in SchemaNode.of(Upsert).leaves()
    assert list(SchemaNode.of(Purchase).leaves()) == [
        "lines[0].sku", "lines[0].quantity", "pickup_point", "payment.method", "payment.account",
        "payment.token", "expected_total.amount", "expected_total.currency",
    ]  # fmt: skip
    state = SchemaNode.of(Orders).step("state")
    assert state is not None
    assert "settled" in state.choices


@given(
    st.lists(
        st.text(max_size=20)
        | st.builds(
            "{}{}{}".format,
            st.sampled_from(_LEAVES)
            | st.from_regex(r"\A[a-z]{1,3}([.\[]{1,2}[0-9a-z\]]{1,8}){0,3}\Z"),
            st.sampled_from(["=", ":=", "=="]),
            st.text(st.characters(), max_size=10) | _JSON.map(json.dumps),
        ),
        max_size=6,
    ),
    _MODELS | st.none(),
    st.booleans(),
)  # fmt: skip
def test_whatever_is_written_is_parsed_or_refused_in_a_sentence(
    words: list[str], model: type[Model] | None, lenient: bool
) -> None:
    try:
        data = parse_words(words, model, lenient=lenient)
    except ConfigurationError as refused:
        sentence = str(refused)
        assert sentence.isprintable()
        assert sentence.endswith(".")
        assert len(sentence) < 600
    else:
        json.dumps(data, allow_nan=False).encode()
        if model is not None:
            assert all(flaw.endswith(".") for flaw in flaws(model, data))


@given(st.dictionaries(st.from_regex(r"\A[a-z]{1,8}\Z"), _JSON, max_size=5))
def test_any_message_can_be_written_as_raw_json(message: dict[str, Any]) -> None:
    words = [f"{name}:={json.dumps(value)}" for name, value in message.items()]
    assert parse_words(words, None) == message


def test_a_reply_refers_to_its_request() -> None:
    request = {"id": "7", "data": {"order": "o-1", "lines": [{"sku": "MUG", "quantity": 2}]}}
    template = {
        "order": "{{data.order}}", "all": "{{ data.lines }}", "of": ["{{data.lines[0].quantity}}"],
        "note": "{{id}}: {{data.lines.0.quantity}} x {{data.lines.0.sku}}", "shown": True,
    }  # fmt: skip
    assert filled(template, request) == {
        "order": "o-1", "all": [{"sku": "MUG", "quantity": 2}], "of": [2], "note": "7: 2 x MUG",
        "shown": True,
    }  # fmt: skip
    for gap in ("data.parcel", "data.lines[1]", "data.lines[x]", "id.id", "data.order[0]"):
        with pytest.raises(InvalidField, match="The request has no"):
            filled("{{" + gap + "}}", request)


def test_a_space_that_looks_like_another_is_shown_as_what_it_is() -> None:
    with pytest.raises(ConfigurationError, match=r"^\\u00a00 is not of the form"):
        parse_words(["\xa00"], None)
