"""Firmware written from the design speaks to Storebus: every shape is read and written back."""

from typing import Any

import pytest
from contract_messages import messages
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import from_json

from bus.contract import EVENTS, OPERATIONS, STATES
from bus.contract.values import Model

MODELS: dict[str, type[Model]] = {
    **{f"{op.callee} {op.name} request": op.request for op in OPERATIONS.values()},
    **{f"{op.callee} {op.name} reply": op.reply for op in OPERATIONS.values()},
    **{f"{state.owner} {state.name} state": state.data for state in STATES.values()},
    **{f"{event.owner} {event.name} event": event.data for event in EVENTS.values()},
}
EUROS = {"amount": 5900, "currency": "EUR"}
LINES = [{"sku": "OXF-BLU-M", "quantity": 2}]
PRICED = [{"sku": "OXF-BLU-M", "quantity": 2, "price": EUROS}]
PRODUCT = {
    "id": "oxford-shirt",
    "name": "Oxford shirt",
    "description": "A shirt.",
    "url": "https://shop.example/01/09506000134352",
    "styles": [
        {
            "sku": "OXF-BLU-M",
            "gtin": "09506000134352",
            "attributes": {"colour": "blue", "size": "M"},
            "price": EUROS,
            "available": 12,
        }
    ],
}
TOTAL = {"amount": 11800, "currency": "EUR"}
PURCHASE = {"lines": LINES, "pickup_point": "north", "expected_total": TOTAL}
BY_ACCOUNT = {"method": "account", "account": "C-1001"}
DESIGNED: dict[str, list[Any]] = {
    "catalog lookup request": [{"code": "https://shop.example/01/09506000134352"}],
    "catalog lookup reply": [
        {"product": PRODUCT, "scanned": "OXF-BLU-M"},
        {"product": PRODUCT, "scanned": None},
    ],
    "catalog search request": [{"text": "shirt", "limit": 20}, {"text": "shirt"}],
    "catalog search reply": [{"products": [PRODUCT]}],
    "catalog reserve request": [{"order": "o-1", "lines": LINES}],
    "catalog reserve reply": [{"order": "o-1", "lines": PRICED}],
    "catalog commit request": [{"order": "o-1"}],
    "catalog release reply": [{"order": "o-1"}],
    "settlement purchase request": [
        {**PURCHASE, "payment": BY_ACCOUNT},
        {**PURCHASE, "payment": {"method": "card", "token": "tok_approve"}},
        {**PURCHASE, "payment": BY_ACCOUNT, "pickup_point": None},
        {"lines": LINES, "payment": BY_ACCOUNT, "expected_total": TOTAL},
    ],
    "settlement purchase reply": [
        {
            "order": "o-1",
            "state": "settled",
            "lines": PRICED,
            "total": TOTAL,
            "payment": {"method": "account", "reference": "o-1.charge"},
            "pickup_point": "north",
            "pickup_code": "482913",
        }
    ],
    "settlement order request": [{"order": "o-1"}],
    "settlement collect request": [{"code": "482913"}],
    "settlement collect reply": [{"order": "o-1", "state": "collected"}],
    "settlement cancel reply": [
        {"order": "o-1", "state": "cancelling"},
        {"order": "o-1", "state": "cancelled"},
    ],
    "warehouse fulfil request": [{"order": "o-1", "lines": LINES, "pickup_point": "north"}],
    "warehouse pickup-points request": [{}],
    "warehouse pickup-points reply": [
        {"points": [{"id": "north", "name": "North door"}], "default": "north"}
    ],
    "sorter pick request": [
        {
            "job": "j-1",
            "assignment": 1,
            "order": "o-1",
            "picks": [{"sku": "OXF-BLU-M", "location": "A-03-2", "quantity": 2}],
            "pickup_point": "north",
        }
    ],
    "sorter pick reply": [{"job": "j-1", "accepted": True}],
    "warehouse packed request": [
        {"job": "j-1", "assignment": 1, "order": "o-1", "parcel": "p-1", "lines": LINES}
    ],
    "settlement ready request": [{"order": "o-1", "parcel": "p-1", "pickup_point": "north"}],
    "terminal remind request": [
        {
            "order": "o-1",
            "pickup_point": "north",
            "pickup_point_name": "North door",
            "pickup_code": "482913",
        }
    ],
    "terminal remind reply": [{"shown": True}],
    "* ping request": [{}],
    "* ping reply": [{"node": "catalog", "boot": "ab12", "version": "0.1.0"}],
    "* presence state": [
        {"status": status, "boot": "ab12", "since": "2026-01-01T00:00:00.000Z"}
        for status in ("online", "offline", "lost")
    ],
}


def _sent(message: Model) -> Any:
    """What a reader gets to see of a message."""
    return from_json(message.model_dump_json())


def _all_of(part: Any, whole: Any) -> bool:
    """Whether everything in `part` also stands in `whole`."""
    if isinstance(part, dict):
        return all(name in whole and _all_of(part[name], whole[name]) for name in part)
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(_all_of, part, whole))
    return bool(part == whole and type(part) is type(whole))


@pytest.mark.parametrize("name", sorted(DESIGNED))
def test_a_message_as_the_design_shows_it_is_read_and_written_back(name: str) -> None:
    for shape in DESIGNED[name]:
        message = MODELS[name].model_validate(shape)
        assert _all_of(shape, _sent(message))


@pytest.mark.parametrize("name", sorted(MODELS))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_whatever_its_schema_allows_is_read_and_unknown_fields_are_ignored(
    name: str, data: st.DataObject
) -> None:
    model = MODELS[name]
    shape = data.draw(messages(model))
    message = model.model_validate(shape)
    assert _all_of(shape, _sent(message))
    assert model.model_validate(_sent(message)) == message
    assert model.model_validate({**shape, "of_a_later_version": {"any": ["thing"]}}) == message


@pytest.mark.parametrize("name", sorted(DESIGNED))
def test_a_message_that_lacks_a_field_is_refused(name: str) -> None:
    model, shape = MODELS[name], DESIGNED[name][0]
    required = [each for each, field in model.model_fields.items() if field.is_required()]
    for missing in required:
        rest = {each: shape[each] for each in shape if each != missing}
        with pytest.raises(ValidationError):
            model.model_validate(rest)


@pytest.mark.parametrize(("count", "fits"), [(0, False), (1, True), (100, True), (101, False)])
def test_an_order_has_one_to_a_hundred_lines(count: int, fits: bool) -> None:
    lines = [{"sku": f"S-{number}", "quantity": 1} for number in range(count)]
    purchase = {**PURCHASE, "lines": lines, "payment": BY_ACCOUNT}
    if fits:
        MODELS["settlement purchase request"].model_validate(purchase)
        return
    with pytest.raises(ValidationError):
        MODELS["settlement purchase request"].model_validate(purchase)
