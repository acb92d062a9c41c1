"""A terminal: where a customer scans, buys and is reminded."""

from typing import Annotated

from pydantic import Field

from bus.contract.catalog import Line
from bus.contract.channel import command
from bus.contract.settlement import PickupCode
from bus.contract.values import Model, PointId, Reference, Text


class Remind(Model):
    """Tell the customer that the parcel can be collected."""

    order: Reference
    pickup_point: PointId
    pickup_point_name: Text
    pickup_code: PickupCode
    missing: Annotated[list[Line], Field(default_factory=list)]
    """What is not in the parcel because it could not be had; its price has gone back."""


class Shown(Model):
    """Whether the customer has been shown it."""

    shown: bool


REMIND = command(
    "terminal", "remind", Remind, Shown,
    "Remind the customer to collect", callers={"settlement"},
)  # fmt: skip

CHANNELS = (REMIND,)
