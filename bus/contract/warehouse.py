"""The warehouse: where goods lie, pickup points, pick jobs and parcels."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bus.contract.catalog import Lines, LinesOfStyles, OrderOnly, StockLevel
from bus.contract.channel import State, command, query
from bus.contract.delivery import Delivered, DeliveredReply, Delivery
from bus.contract.sorter import MAX_PICKS, PickLine
from bus.contract.values import (
    MAX_COUNT,
    MAX_ENTRIES,
    MAX_INTEGER,
    MAX_QUANTITY,
    Assignment,
    Count,
    Empty,
    GivenReason,
    JobId,
    Location,
    Model,
    Name,
    OrderId,
    ParcelId,
    PointId,
    Quantity,
    Reason,
    Sku,
    Text,
    Time,
    Total,
    distinct,
)


class PickupPoint(Model):
    """Where customers collect."""

    id: PointId
    name: Text
    """As it is shown to customers."""


class PickupPoints(Model):
    """All pickup points and the one that is taken when none is named."""

    points: Annotated[list[PickupPoint], Field(min_length=1, max_length=100), distinct("id")]
    """All of them."""
    default: PointId
    """The one that is taken when none is named."""

    @model_validator(mode="after")
    def _default_is_there(self) -> Self:
        if self.default not in {point.id for point in self.points}:
            raise ValueError("the default is none of the points")
        return self


class Locate(Model):
    """Which style."""

    sku: Sku


class Bin(Model):
    """How many of a style lie at a location."""

    location: Location
    quantity: Count
    """Pieces that lie there by the books."""


class Located(Model):
    """Where a style lies."""

    sku: Sku
    bins: Annotated[list[Bin], Field(max_length=MAX_ENTRIES), distinct("location")]
    """The locations that hold some, as many as a message names."""
    received: Total | None = None
    """Pieces that ever came in, here or on their way out; an older warehouse does not say."""
    written_off: Total | None = None
    """Pieces that ever turned out not to be there; likewise. The catalog counts the same."""


class Fulfil(Model):
    """Bring these to a pickup point."""

    order: OrderId
    lines: LinesOfStyles
    """What is to be brought."""
    pickup_point: PointId
    """Where to."""


class Packed(Model):
    """A sorter conveyed and packed a job."""

    job: JobId
    assignment: Assignment
    """As in the `pick` that was carried out."""
    order: OrderId
    parcel: ParcelId
    """Named by the sorter, once for each parcel."""
    lines: Lines
    """What lies in the parcel."""


class Return(Model):
    """Goods of an order that are to be put back on a shelf with `receive`."""

    parcel: ParcelId
    order: OrderId
    lines: Lines
    """What is to be put back."""


class Returns(Model):
    """All goods that are to be put back, oldest first, at most what one message holds."""

    returns: Annotated[list[Return], Field(max_length=100), distinct("parcel")]
    """Oldest first."""


class JobOnly(Model):
    """A job, and nothing more to say of it."""

    job: JobId


class Fault(Model):
    """A sorter cannot go on with a job."""

    job: JobId
    assignment: Assignment
    """As in the `pick` that cannot be carried out."""
    reason: Text
    """What is wrong, in words."""


class ShortPick(Model):
    """A location held fewer pieces than the sorter was to take there; it took what there was."""

    job: JobId
    assignment: Assignment
    """As in the `pick`."""
    sku: Sku
    location: Location
    found: Count
    """Pieces that were there."""


class ShortPickReply(Model):
    """Where to take the rest, as far as it can be had."""

    job: JobId
    picks: Annotated[list[PickLine], Field(max_length=MAX_PICKS)]
    """To be added to the job's picks; often none: the sorter packs what it has, and a job that
    has nothing to pack is over without a parcel."""


class JobStatus(Model):
    """Where the job of an order is."""

    job: JobId
    order: OrderId
    state: Literal["waiting", "assigned", "packed", "withdrawing", "withdrawn"]
    """Where the job is."""
    assignment: Annotated[int, Field(ge=0, le=MAX_INTEGER)]
    """How often it was given to a sorter."""
    sorter: Name | None
    """Who has it; null if nobody."""

    @model_validator(mode="after")
    def _assigned_to_somebody(self) -> Self:
        if self.state == "assigned" and (self.sorter is None or not self.assignment):
            raise ValueError("an assigned job has a sorter and an assignment")
        if self.state == "waiting" and self.sorter is not None:
            raise ValueError("a job that waits has no sorter")
        return self


class Resume(Model):
    """A sorter that was faulty, slow or gone can be relied on again."""

    sorter: Name
    """Such as `sorter-2`."""


class Resumed(Resume):
    """It gets jobs again."""

    job: JobId | None
    """What it was given at once."""


class Receive(Model):
    """Goods that came in and were put on a shelf."""

    sku: Sku
    location: Location
    quantity: Quantity
    parcel: ParcelId | None = None
    """The parcel these come out of, when an order's goods are put back on a shelf."""
    delivery: Delivery | None = None
    """What they came with; the same of it again is not counted a second time."""


class BinLevel(Model):
    """What a location holds of a style now."""

    sku: Sku
    location: Location
    quantity: Count
    """Pieces that lie there now."""
    already: Time | None = None
    """When the delivery had brought them before (RFC 3339): nothing was added now."""


Change = Annotated[
    int,
    Field(
        ge=-MAX_COUNT,
        le=MAX_COUNT,
        description="Pieces more than the books had, or, below zero, fewer.",
    ),
]


class CountGoods(Model):
    """Somebody has counted a style at a location: the books are to say so, too."""

    sku: Sku
    location: Location | None = None
    """Where it was counted; null if the style lies in one place only."""
    counted: Annotated[int, Field(ge=0, le=MAX_QUANTITY)]
    """Pieces that lie there now, all of them."""
    reason: GivenReason


class StockCount(Model):
    """What somebody counted, and what came of it."""

    sku: Sku
    location: Location
    """Where it was counted."""
    booked: Count
    """Pieces that the books had there before."""
    counted: Count
    """Pieces that were counted."""
    change: Change
    reason: Reason

    @model_validator(mode="after")
    def _change_is_no_larger(self) -> Self:
        difference = self.counted - self.booked
        if not min(0, difference) <= self.change <= max(0, difference):
            raise ValueError("the books cannot change by more than was counted otherwise")
        return self


class Counted(StockCount):
    """The books are as was counted."""

    quantity: Count
    """Pieces that the books have there now."""
    under_way: Count = 0
    """Pieces that a sorter is just taking there. It may have had them in hand when the others were
    counted, or not: where that explains a difference, the books are left as they are."""
    level: StockLevel | None = None
    """What the catalog has of the style now; null if nothing had to be changed."""

    @model_validator(mode="after")
    def _level_is_its_own(self) -> Self:
        if self.level is not None and self.level.sku != self.sku:
            raise ValueError("the level is another style's")
        return self


class Counts(Model):
    """What was counted, newest first."""

    sku: Sku | None = None
    """Only this style; null for all."""
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    """The most counts to be answered."""


class PastCount(StockCount):
    """A count of the past: who, when and why."""

    by: Name
    """The node at which it was entered."""
    at: Time


class CountList(Model):
    """Counts, newest first."""

    counts: Annotated[list[PastCount], Field(max_length=100)]
    """Newest first."""


PICKUP_POINTS = query(
    "warehouse", "pickup-points", Empty, PickupPoints, "Where can goods be collected?"
)
RETURNS = query("warehouse", "returns", Empty, Returns, "Which goods are to be put back?")
LOCATE = query("warehouse", "locate", Locate, Located, "Where does this style lie?")
FULFIL = command(
    "warehouse", "fulfil", Fulfil, OrderOnly,
    "Bring an order's goods to its pickup point", callers={"settlement"},
    problems={"wrong-state"},
)  # fmt: skip
WITHDRAW = command(
    "warehouse", "withdraw", OrderOnly, OrderOnly,
    "Do not bring this order, or bring it back", callers={"settlement"},
)  # fmt: skip
PACKED = command(
    "warehouse", "packed", Packed, JobOnly,
    "A parcel lies at its pickup point", callers={"sorter"},
    problems={"unknown-job", "wrong-state"},
)  # fmt: skip
FAULT = command(
    "warehouse", "fault", Fault, JobOnly,
    "A sorter cannot go on with a job", callers={"sorter"},
    problems={"unknown-job", "wrong-state"},
)  # fmt: skip
SHORT_PICK = command(
    "warehouse", "short-pick", ShortPick, ShortPickReply,
    "A location held fewer than the books say", callers={"sorter"},
    problems={"unknown-job", "wrong-state"},
)  # fmt: skip
REASSIGN = command(
    "warehouse", "reassign", OrderOnly, JobStatus,
    "Take an order's job from its sorter and give it to another", callers={"console"}, timeout=30.0,
    problems={"unknown-order", "wrong-state"},
)  # fmt: skip
RESUME = command(
    "warehouse", "resume", Resume, Resumed,
    "Give a sorter jobs again before its pause is over", callers={"console"}, timeout=30.0,
)  # fmt: skip
RECEIVE = command(
    "warehouse", "receive", Receive, BinLevel,
    "Put goods on a shelf", callers={"tester", "console"}, timeout=30.0,
    problems={"unknown-location", "unknown-sku", "unknown-parcel", "wrong-state", "conflict"},
)  # fmt: skip
COUNT = command(
    "warehouse", "count", CountGoods, Counted,
    "Goods were counted: correct the books of a location, up or down",
    callers={"tester", "console"}, timeout=30.0,
    problems={"unknown-location", "unknown-sku", "conflict"},
)  # fmt: skip
COUNTS = query("warehouse", "counts", Counts, CountList, "What was counted, by whom and why?")
DELIVERED = query(
    "warehouse", "delivered", Delivered, DeliveredReply, "What of this came with a delivery?"
)
PICKUP_POINTS_STATE = State(
    "warehouse", "pickup-points", PickupPoints, "pickup points and the default"
)
