"""A terminal: where a customer scans, buys and is reminded."""

from typing import Annotated

from pydantic import Field

from bus.contract.catalog import Line
from bus.contract.channel import command
from bus.contract.settlement import PickupCode
from bus.contract.values import MAX_LINES, Model, OrderId, PointId, Text, distinct


class Remind(Model):
    """Tell the customer that the parcel can be collected."""

    order: OrderId
    pickup_point: PointId
    """Where the parcel lies."""
    pickup_point_name: Text
    """As it is shown to customers."""
    pickup_code: PickupCode
    """Six digits by which the customer collects."""
    missing: Annotated[
        list[Line], Field(max_length=MAX_LINES, default_factory=list), distinct("sku")
    ]
    """What is not in the parcel because it could not be had; its price has gone back."""


class Shown(Model):
    """Whether the customer has been shown it."""

    shown: bool
    """True when the customer has seen it; false leaves it to the customer to ask."""


REMIND = command(
    "terminal", "remind", Remind, Shown,
    "Remind the customer to collect", callers={"settlement"},
)  # fmt: skip
