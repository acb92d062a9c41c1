"""What the warehouse decides: which bins, which sorter, which parcel. Pure: rows in, rows out."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from bus.contract.catalog import Line
from bus.contract.errors import InvalidField
from bus.contract.refusals import WrongState
from bus.contract.sorter import MAX_PICKS, Pick, PickLine
from bus.contract.warehouse import Packed, ShortPick

JobPhase = Literal["waiting", "assigned", "packed", "withdrawing", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Job:
    """One order's way from the bins to its pickup point."""

    id: str
    order: str
    pickup_point: str
    lines: tuple[Line, ...]
    state: JobPhase = "waiting"
    assignment: int = 0
    """How often it was given to a sorter; reports with an older number are superseded."""
    sorter: str | None = None
    picks: tuple[PickLine, ...] = ()
    """Where the goods were taken from, once they are allocated."""
    parcel: str | None = None
    pick_message: str | None = None
    """The id of the message that gave it to its sorter."""
    withdrawer: str | None = None
    """The node that waits for its goods to be back on their shelves."""
    withdrawal: str | None = None
    """The id of that node's `withdraw`."""
    place: int | None = field(default=None, compare=False)
    """Its place in the queue; None for a new job, which is the last."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """What follows for a job from a location that holds fewer pieces than the books say."""

    job: Job
    """With the picks and lines that it has now."""
    absent: int
    """Pieces of the pick that are not where they should be."""
    left: int
    """Pieces that the books still have there: the sorter took all that there were."""
    elsewhere: tuple[PickLine, ...]
    """Where to take them instead."""
    missing: tuple[Line, ...]
    """What cannot be had at all."""

    @property
    def gone(self) -> int:
        """Pieces by which the books of the location are wrong."""
        return self.absent + self.left


@dataclass(frozen=True, slots=True)
class BookStock:
    """The pieces of a style at a location by the books, and how certain that number is."""

    booked: int
    """Pieces that lie there by the books."""
    coming: int = 0
    """Of those, pieces that the catalog has not acknowledged yet."""
    leaving: int = 0
    """Further pieces that a sorter is taking, or was taking when it was superseded: they may still
    lie there."""

    def correction(self, counted: int) -> int:
        """By how much the books are certainly wrong if so many pieces were counted."""
        least, most = self.booked - self.coming, self.booked + self.leaving
        return counted - max(least, min(counted, most))


def allocate(
    lines: Sequence[Line], bins: Mapping[str, Mapping[str, int]]
) -> tuple[PickLine, ...] | None:
    """Choose locations for all lines, as few as possible.

    None if the bins hold too little, or in so many places that no job can name them all.

    Args:
        lines: what is wanted; no SKU twice.
        bins: per SKU, the quantity at each location.
    """
    picks: list[PickLine] = []
    for line in lines:
        held = bins.get(line.sku, {})
        enough = [(held[place], place) for place in held if held[place] >= line.quantity]
        if enough:
            _, place = min(enough)
            picks.append(PickLine(sku=line.sku, location=place, quantity=line.quantity))
            continue
        gathered = _gather(line.sku, line.quantity, held)
        if sum(pick.quantity for pick in gathered) < line.quantity:
            return None
        picks += gathered
    if len(picks) > MAX_PICKS:
        return None
    return tuple(sorted(picks, key=lambda pick: pick.location))


def _gather(sku: str, wanted: int, held: Mapping[str, int]) -> list[PickLine]:
    """Pieces from as few locations as possible, up to the number wanted."""
    picks: list[PickLine] = []
    for quantity, place in sorted((-held[place], place) for place in held):
        taken = min(-quantity, wanted)
        if taken:
            picks.append(PickLine(sku=sku, location=place, quantity=taken))
            wanted -= taken
    return picks


def lacking(lines: Sequence[Line], bins: Mapping[str, Mapping[str, int]]) -> tuple[Line, ...]:
    """The part of the lines that no bin holds."""
    short = {line.sku: line.quantity - sum(bins.get(line.sku, {}).values()) for line in lines}
    return tuple(Line(sku=sku, quantity=count) for sku, count in short.items() if count > 0)


def go_without(job: Job, missing: Sequence[Line]) -> Job:
    """The job without what is missing; if nothing is left, it is withdrawn."""
    gone = sums(missing)
    lines = tuple(
        line.model_copy(update={"quantity": line.quantity - gone.get(line.sku, 0)})
        for line in job.lines
        if line.quantity > gone.get(line.sku, 0)
    )
    job = replace(job, lines=lines)
    return job if lines else replace(job, state="withdrawn", sorter=None, pick_message=None)


def short_pick(job: Job, sorter: str, report: ShortPick, held: Mapping[str, int]) -> Shortage:
    """A sorter found fewer pieces than it was to take: the rest is taken from other locations.

    Args:
        job: the job.
        sorter: who reports it.
        report: where and how many it found.
        held: the quantity of the style at each location.

    Raises:
        WrongState: the job is not this sorter's (any more).
        InvalidField: it was not to take more than that there.
    """
    if (job.state, job.sorter, job.assignment) != ("assigned", sorter, report.assignment):
        raise _not_yours(job, sorter, report.assignment)
    here = [
        pick for pick in job.picks if (pick.sku, pick.location) == (report.sku, report.location)
    ]
    if not here or here[0].quantity <= report.found:
        raise InvalidField(
            f"Job {job.id} takes no more than {report.found} of {report.sku} from"
            f" {report.location}.",
            field="found",
        )
    absent = here[0].quantity - report.found
    others = {pick.location for pick in job.picks if pick.sku == report.sku}
    elsewhere = _gather(
        report.sku,
        absent,
        {place: quantity for place, quantity in held.items() if place not in others},
    )[: MAX_PICKS - len(job.picks)]
    picks = [pick for pick in job.picks if pick is not here[0]]
    if report.found:
        picks.append(here[0].model_copy(update={"quantity": report.found}))
    job = replace(job, picks=(*picks, *elsewhere))
    lost = absent - sum(pick.quantity for pick in elsewhere)
    missing = (Line(sku=report.sku, quantity=lost),) if lost else ()
    return Shortage(
        go_without(job, missing), absent, held.get(report.location, 0), tuple(elsewhere), missing
    )


def _not_yours(job: Job, sorter: str, assignment: int) -> WrongState:
    return WrongState(
        f"Job {job.id} is not {sorter}'s under assignment {assignment}.",
        state=job.state,
        assignment=job.assignment,
    )


def queue(waiting: Mapping[str, int], job: Job | None) -> list[str]:
    """The jobs that no sorter has, first come first.

    Args:
        waiting: the places, by id, of those that are saved as waiting.
        job: one that is not saved yet as it is now.
    """
    places: dict[str, float] = dict(waiting)
    if job is not None:
        places.pop(job.id, None)
        if job.state == "waiting":
            places[job.id] = math.inf if job.place is None else job.place
    return sorted(places, key=places.__getitem__)


def assign(
    waiting: Sequence[Job], busy: Collection[str], online: Collection[str]
) -> list[tuple[Job, str]]:
    """Give waiting jobs, first come first served, to the sorters that are online and free."""
    free = sorted(set(online) - set(busy))
    return [
        (replace(job, state="assigned", sorter=sorter, assignment=job.assignment + 1), sorter)
        for job, sorter in zip(waiting, free, strict=False)
    ]


def pick(job: Job) -> Pick:
    """What a sorter is told of its job."""
    return Pick(
        job=job.id,
        assignment=job.assignment,
        order=job.order,
        picks=list(job.picks),
        pickup_point=job.pickup_point,
    )


def packed(job: Job, sorter: str, report: Packed) -> Job:
    """A sorter reports that it has packed a job.

    Raises:
        WrongState: the job is not this sorter's (any more), or is another order's.
        InvalidField: the parcel does not hold what was ordered.
    """
    if job.sorter != sorter or job.assignment != report.assignment or job.order != report.order:
        raise _not_yours(job, sorter, report.assignment)
    if job.state == "packed":
        if job.parcel == report.parcel:
            return job
        raise WrongState(f"Job {job.id} is packed as another parcel.", state=job.state)
    if sums(report.lines) != sums(job.lines):
        raise InvalidField("The parcel does not hold what was ordered.", field="lines")
    return replace(job, state="packed", parcel=report.parcel)


def supersede(job: Job) -> Job:
    """Take the job from its sorter: it waits for another, and for other goods."""
    return replace(job, state="waiting", sorter=None, picks=(), pick_message=None)


def finish_withdrawal(job: Job, *, is_back: bool) -> Job:
    """A job that is being withdrawn is withdrawn once all its goods are back."""
    return replace(job, state="withdrawn") if job.state == "withdrawing" and is_back else job


def sums(lines: Sequence[Line]) -> dict[str, int]:
    """How many pieces of each style."""
    found: dict[str, int] = {}
    for line in lines:
        found[line.sku] = found.get(line.sku, 0) + line.quantity
    return found
