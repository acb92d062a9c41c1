"""What holds between the fields of a message: what cannot be true is refused, with the reason."""

from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from bus.contract import CHANNELS
from bus.contract.values import Model
from schema.examples import DATA
from schema.messages import messages_of

MODELS: dict[str, type[Model]] = {
    message.name: message.model for channel in CHANNELS for message in messages_of(channel)
}
TWICE = (
    ("catalog.search.reply", "products"),
    ("catalog.reserve.request", "lines"),
    ("catalog.reserve.reply", "lines"),
    ("catalog.retire.reply", "styles"),
    ("catalog.reinstate.reply", "styles"),
    ("catalog.retired.reply", "styles"),
    ("catalog.registered.reply", "products"),
    ("catalog.stock-changed.event", "levels"),
    ("settlement.purchase.request", "lines"),
    ("settlement.purchase.reply", "lines"),
    ("settlement.order.reply", "lines"),
    ("settlement.orders.reply", "orders"),
    ("settlement.failed.request", "lines"),
    ("settlement.resolve.reply", "refunds"),
    ("settlement.delivered.reply", "before"),
    ("settlement.payment-methods.state", "methods"),
    ("warehouse.pickup-points.reply", "points"),
    ("warehouse.pickup-points.state", "points"),
    ("warehouse.locate.reply", "bins"),
    ("warehouse.returns.reply", "returns"),
    ("warehouse.fulfil.request", "lines"),
)
"""Lists of which no two items are of the same."""
EUROS = {"amount": 11_799, "currency": "EUR"}
UNTRUE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("catalog.lookup.reply", {"scanned": "HAT"}, "no style of the product"),
    ("catalog.lookup.reply", {"scanned": None, "retired": "OXF-BLU-M"}, "cannot be retired"),
    (
        "catalog.registered.reply",
        {"products": [DATA["catalog.registered.reply"]["products"][0] | {"retired": ["HAT"]}]},
        "no style of the product",
    ),
    ("catalog.restock.reply", {"available": 13}, "on hand less reserved"),
    ("catalog.write-off.reply", {"on_hand": 1}, "on hand less reserved"),
    ("catalog.retire.reply", {"product": "hat"}, "another product's"),
    ("settlement.purchase.reply", {"total": EUROS}, "not the sum"),
    ("settlement.purchase.reply", {"lines": []}, "no price"),
    ("settlement.order.reply", {"total": EUROS}, "not the sum"),
    ("settlement.order.reply", {"payment": None}, "settled has a payment"),
    ("settlement.order.reply", {"state": "ready"}, "ready has a parcel"),
    ("settlement.order.reply", {"refunded": 11_801}, "more has gone back"),
    ("settlement.order.reply", {"state": "short"}, "another state"),
    (
        "settlement.order.reply",
        {"missing": [{"sku": "OXF-BLU-M", "quantity": 3}]},
        "more is missing",
    ),
    ("warehouse.pickup-points.reply", {"default": "roof"}, "none of the points"),
    ("warehouse.pickup-points.state", {"default": "roof"}, "none of the points"),
    ("warehouse.reassign.reply", {"state": "assigned", "sorter": None}, "has a sorter"),
    ("warehouse.reassign.reply", {"state": "waiting", "sorter": "sorter-1"}, "has no sorter"),
    ("warehouse.count.reply", {"change": -3}, "more than was counted"),
    ("warehouse.count.reply", {"change": 1}, "more than was counted"),
)


def _refused(name: str, data: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        MODELS[name].model_validate(data)
    return str(refused.value)


@pytest.mark.parametrize(("name", "field"), TWICE)
def test_what_is_listed_once_cannot_stand_there_twice(name: str, field: str) -> None:
    data = deepcopy(DATA[name])
    data[field] = [data[field][0], data[field][0]]
    assert "stands there twice" in _refused(name, data)


@pytest.mark.parametrize(("name", "change", "why"), UNTRUE)
def test_what_cannot_be_true_together_is_refused(
    name: str, change: dict[str, Any], why: str
) -> None:
    MODELS[name].model_validate(DATA[name])
    assert why in _refused(name, DATA[name] | change)


def test_devices_may_say_more_than_the_store_does() -> None:
    """What one sorter in the field says otherwise than ours is no reason to refuse it."""
    line = {"sku": "OXF-BLU-M", "quantity": 1}
    packed = DATA["warehouse.packed.request"] | {"lines": [line, line]}
    MODELS["warehouse.packed.request"].model_validate(packed)
    idle = {"step": "idle", "job": "j-1", "since": "2026-11-23T09:10:11.123Z", "pick": 1}
    MODELS["sorter.job.state"].model_validate(idle)
