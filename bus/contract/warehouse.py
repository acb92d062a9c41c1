"""The warehouse: where goods lie, pickup points, pick jobs and parcels."""

from typing import Annotated, Literal

from pydantic import Field

from bus.contract.catalog import Lines, OrderOnly
from bus.contract.channel import State, command, query
from bus.contract.sorter import MAX_PICKS, PickLine
from bus.contract.values import (
    Count,
    Empty,
    Location,
    Model,
    Name,
    PointId,
    Quantity,
    Reference,
    Sku,
    Text,
)


class PickupPoint(Model):
    """Where customers collect."""

    id: PointId
    name: Text


class PickupPoints(Model):
    """All pickup points and the one that is taken when none is named."""

    points: Annotated[list[PickupPoint], Field(min_length=1, max_length=100)]
    default: PointId


class Locate(Model):
    """Which style."""

    sku: Sku


class Bin(Model):
    """How many of a style lie at a location."""

    location: Location
    quantity: Count


class Located(Model):
    """Where a style lies."""

    sku: Sku
    bins: list[Bin]


class Fulfil(Model):
    """Bring these to a pickup point."""

    order: Reference
    lines: Lines
    pickup_point: PointId


class Packed(Model):
    """A sorter conveyed and packed a job."""

    job: Reference
    assignment: Annotated[int, Field(ge=1)]
    order: Reference
    parcel: Reference
    lines: Lines


class Return(Model):
    """Goods of an order that are to be put back on a shelf with `receive`."""

    parcel: Reference
    order: Reference
    lines: Lines


class Returns(Model):
    """All goods that are to be put back, oldest first, at most what one message holds."""

    returns: list[Return]


class Alarm(Model):
    """Something that a person should look at."""

    kind: Literal["no-sorter"]
    detail: Text
    since: str
    """RFC 3339."""


class Alarms(Model):
    """Everything that is wrong now; empty when all is well."""

    alarms: list[Alarm]


class JobOnly(Model):
    """A job, and nothing more to say of it."""

    job: Reference


class Fault(Model):
    """A sorter cannot go on with a job."""

    job: Reference
    assignment: Annotated[int, Field(ge=1)]
    reason: Text


class ShortPick(Model):
    """A location held fewer pieces than the sorter was to take there; it took what there was."""

    job: Reference
    assignment: Annotated[int, Field(ge=1)]
    sku: Sku
    location: Location
    found: Count


class ShortPickReply(Model):
    """Where to take the rest, as far as it can be had."""

    job: Reference
    picks: Annotated[list[PickLine], Field(max_length=MAX_PICKS)]
    """To be added to the job's picks; often none: the sorter packs what it has, and a job that
    has nothing to pack is over without a parcel."""


class JobStatus(Model):
    """Where the job of an order is."""

    job: Reference
    order: Reference
    state: Literal["waiting", "assigned", "packed", "withdrawing", "withdrawn"]
    assignment: Annotated[int, Field(ge=0)]
    sorter: Name | None


class Resume(Model):
    """A sorter that was faulty, slow or gone can be relied on again."""

    sorter: Name


class Resumed(Resume):
    """It gets jobs again."""

    job: Reference | None
    """What it was given at once."""


class Receive(Model):
    """Goods that came in and were put on a shelf."""

    sku: Sku
    location: Location
    quantity: Quantity
    parcel: Reference | None = None
    """The parcel these come out of, when an order's goods are put back on a shelf."""


class BinLevel(Model):
    """What a location holds of a style now."""

    sku: Sku
    location: Location
    quantity: Count


PICKUP_POINTS = query(
    "warehouse", "pickup-points", Empty, PickupPoints, "Where can goods be collected?"
)
RETURNS = query("warehouse", "returns", Empty, Returns, "Which goods are to be put back?")
LOCATE = query("warehouse", "locate", Locate, Located, "Where does this style lie?")
FULFIL = command(
    "warehouse", "fulfil", Fulfil, OrderOnly,
    "Bring an order's goods to its pickup point", callers={"settlement"},
)  # fmt: skip
WITHDRAW = command(
    "warehouse", "withdraw", OrderOnly, OrderOnly,
    "Do not bring this order, or bring it back", callers={"settlement"},
)  # fmt: skip
PACKED = command(
    "warehouse", "packed", Packed, JobOnly,
    "A parcel lies at its pickup point", callers={"sorter"},
)  # fmt: skip
FAULT = command(
    "warehouse", "fault", Fault, JobOnly,
    "A sorter cannot go on with a job", callers={"sorter"},
)  # fmt: skip
SHORT_PICK = command(
    "warehouse", "short-pick", ShortPick, ShortPickReply,
    "A location held fewer than the books say", callers={"sorter"},
)  # fmt: skip
REASSIGN = command(
    "warehouse", "reassign", OrderOnly, JobStatus,
    "Take an order's job from its sorter and give it to another", callers={"console"}, timeout=30.0,
)  # fmt: skip
RESUME = command(
    "warehouse", "resume", Resume, Resumed,
    "Give a sorter jobs again before its pause is over", callers={"console"}, timeout=30.0,
)  # fmt: skip
RECEIVE = command(
    "warehouse", "receive", Receive, BinLevel,
    "Put goods on a shelf", callers={"tester", "console"}, timeout=30.0,
)  # fmt: skip
PICKUP_POINTS_STATE = State(
    "warehouse", "pickup-points", PickupPoints, "pickup points and the default"
)
ALARMS_STATE = State("warehouse", "alarms", Alarms, "what a person should look at")

CHANNELS = (
    PICKUP_POINTS, LOCATE, RETURNS, FULFIL, WITHDRAW, PACKED, FAULT, SHORT_PICK,
    REASSIGN, RESUME, RECEIVE, PICKUP_POINTS_STATE, ALARMS_STATE,
)  # fmt: skip
