"""A sorter: the automatic device that conveys goods from their locations and packs them."""

from typing import Annotated, Literal

from pydantic import Field

from bus.contract.catalog import Line
from bus.contract.channel import State, command
from bus.contract.values import (
    MAX_LINES,
    Assignment,
    Count,
    JobId,
    Location,
    Model,
    OrderId,
    PointId,
    Quantity,
    Sku,
    Text,
    Time,
)

JobStep = Literal[
    "idle", "assigned", "travelling", "picking", "short", "conveying", "packing", "done", "aborted"
]
MAX_PICKS = MAX_LINES * 4
"""A line may lie at several locations."""


class PickLine(Model):
    """Take so many of a style from a location."""

    sku: Sku
    location: Location
    quantity: Quantity


class Pick(Model):
    """A job: take these, convey them, pack one parcel."""

    job: JobId
    assignment: Assignment
    """Rises each time the job is given to a sorter; an older one is superseded."""
    order: OrderId
    picks: Annotated[list[PickLine], Field(min_length=1, max_length=MAX_PICKS)]
    """In the order in which they are to be taken."""
    pickup_point: PointId
    """Where the parcel goes."""


class PickReply(Model):
    """Whether the sorter took the job."""

    job: JobId
    accepted: bool
    """False when it has another job: it will be asked again, or another sorter."""
    reason: Text | None = None
    """Of a job that was not taken: why, for people who look at the sorter."""


class Abort(Model):
    """Stop a job; accepted also for one never seen."""

    job: JobId
    assignment: Assignment
    """As in the `pick` that is to be stopped."""


class Aborted(Model):
    """The job is stopped."""

    job: JobId
    taken: Annotated[list[Line], Field(max_length=MAX_LINES)]
    """What had left its locations and is to be put back on a shelf; often nothing."""


class JobState(Model):
    """What a sorter is doing."""

    step: JobStep
    """What it is doing."""
    job: JobId | None = None
    """The job it is at; null when idle."""
    order: OrderId | None = None
    """Whose goods these are."""
    pick: Count = 0
    """Which of the picks is being worked on, from 0; the rest of a short pick may count, too."""
    picks: Count = 0
    """How many picks the job has."""
    since: Time
    """RFC 3339 time of the step."""


PICK = command(
    "sorter", "pick", Pick, PickReply,
    "Take, convey and pack goods", callers={"warehouse"},
)  # fmt: skip
ABORT = command(
    "sorter", "abort", Abort, Aborted,
    "Stop a job", callers={"warehouse"},
)  # fmt: skip
JOB_STATE = State("sorter", "job", JobState, "the job a sorter is at")
