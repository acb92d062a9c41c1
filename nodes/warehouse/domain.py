"""What the warehouse decides: which bins, which sorter, which parcel. Pure: rows in, rows out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bus.contract.catalog import Line
from bus.contract.sorter import MAX_PICKS, Pick, PickLine
from bus.contract.warehouse import Packed
from bus.errors import InvalidField, WrongState

JobPhase = Literal["waiting", "assigned", "packed"]


@dataclass(frozen=True, slots=True)
class Job:
    """One order's way from the bins to its pickup point."""

    id: str
    order: str
    pickup_point: str
    lines: tuple[Line, ...]
    state: JobPhase = "waiting"
    assignment: int = 0
    """How often it was given to a sorter: an older number is superseded."""
    sorter: str | None = None
    picks: tuple[PickLine, ...] = ()
    """Where the goods were taken from, once they are allocated."""
    parcel: str | None = None


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
        wanted = line.quantity
        for quantity, place in sorted((-held[place], place) for place in held):
            taken = min(-quantity, wanted)
            if taken:
                picks.append(PickLine(sku=line.sku, location=place, quantity=taken))
                wanted -= taken
        if wanted:
            return None
    if len(picks) > MAX_PICKS:
        return None
    return tuple(sorted(picks, key=lambda pick: pick.location))


def assign(
    waiting: Sequence[Job], busy: Collection[str], online: Collection[str]
) -> list[tuple[Job, str]]:
    """Give waiting jobs, first come first served, to the sorters that are there and free."""
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
    """A sorter says that the job is done.

    Raises:
        WrongState: the job is not this sorter's (any more), or is another order's.
        InvalidField: the parcel does not hold what was ordered.
    """
    if job.sorter != sorter or job.assignment != report.assignment or job.order != report.order:
        raise WrongState(
            f"Job {job.id} is not {sorter}'s under assignment {report.assignment}.",
            state=job.state,
            assignment=job.assignment,
        )
    if job.state == "packed":
        if job.parcel == report.parcel:
            return job
        raise WrongState(f"Job {job.id} is packed as another parcel.", state=job.state)
    if _sums(report.lines) != _sums(job.lines):
        raise InvalidField("The parcel does not hold what was ordered.", field="lines")
    return replace(job, state="packed", parcel=report.parcel)


def returned(job: Job) -> Job:
    """The sorter did not take it: it waits again."""
    return replace(job, state="waiting", sorter=None)


def _sums(lines: Sequence[Line]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.sku] = sums.get(line.sku, 0) + line.quantity
    return sums
