"""What is wrong with a value is said in plain words, to clerks and to who builds devices."""

from typing import Any

import pytest

from bus.contract.catalog import Retire, StyleUpdate
from bus.contract.errors import InvalidField
from bus.contract.settlement import StatementQuery
from bus.contract.values import Model
from bus.contract.warehouse import CountGoods, Receive
from bus.runtime.admission import validate

ACCOUNT = "a capital letter, a hyphen and digits, such as C-1001"
GOODS = {"sku": "MUG", "location": "A-1", "quantity": 1}


@pytest.mark.parametrize(
    ("model", "fields", "said"),
    [
        (Receive, GOODS | {"quantity": 0}, "quantity: it must be at least 1."),
        (Receive, GOODS | {"quantity": 1.5}, "quantity: it must be a whole number."),
        (Receive, GOODS | {"quantity": 10**9}, "quantity: it must be at most 1000000."),
        (Receive, {"sku": "MUG", "quantity": 1}, "location: it is missing."),
        (Receive, GOODS | {"sku": 7}, "sku: it must be a text."),
        (Receive, GOODS | {"delivery": {"name": "  "}}, "delivery.name: it must not be empty."),
        (Retire, {"sku": "MUG", "reason": " \u00a0 "}, "reason: it must not be empty."),
        (Retire, {"sku": "MUG", "reason": ""}, "reason: it must not be empty."),
        (Retire, {"sku": "MUG", "reason": "x" * 201}, "reason: it has more than 200 characters."),
        (
            CountGoods,
            {"sku": "MUG", "counted": 1, "reason": "\t "},
            "reason: the text has a control or bidi-override character.",
        ),
        (StyleUpdate, {"sku": "MUG", "tax_rate": 10_001}, "tax_rate: it must be at most 10000."),
        (
            StatementQuery,
            {"account": "seven"},
            f"account: it is not written with {ACCOUNT}.",
        ),
        (
            Receive,
            GOODS | {"location": "a 1"},
            "location: it is not written with capital letters, digits and hyphens, such as A-03-2.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_words(
    model: type[Model], fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidField) as refused:
        validate(model, fields)
    assert refused.value.detail == said
