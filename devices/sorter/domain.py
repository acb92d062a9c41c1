"""What a sorter decides: which jobs to take and which step comes next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bus.contract.catalog import Line
from bus.contract.sorter import JobState, JobStep, Pick, PickLine
from bus.contract.timestamp import rfc3339
from bus.contract.warehouse import Packed, ShortPick


@dataclass(frozen=True, slots=True)
class Job:
    """The job as the sorter keeps it."""

    id: str
    assignment: int
    order: str
    pickup_point: str
    picks: tuple[PickLine, ...]
    step: JobStep
    pick: int
    since: int
    parcel: str | None = None
    found: tuple[int, ...] = ()
    """How many pieces were taken at each of the picks that are done."""

    def movement(self) -> str:
        """The key of the machine's current step: the same however often it is asked for."""
        return f"{self.id}.{self.assignment}.{self.pick}.{self.step}"

    def state(self) -> JobState:
        """As the contract shows it."""
        return JobState(
            step=self.step,
            job=self.id,
            order=self.order,
            pick=self.pick,
            picks=len(self.picks),
            since=rfc3339(self.since),
        )


def accept(
    pick: Pick, known: Job | None, newest: int, under_way: Job | None, now: int
) -> Job | None:
    """Take a job if there is none under way; None when this one cannot be taken.

    Args:
        pick: the job.
        known: what this sorter has of the same assignment: it is not begun again, and never if
            it was aborted.
        newest: the highest assignment of this job that was seen; an older one is superseded.
        under_way: the job that is not done yet.
        now: milliseconds since the epoch.
    """
    if known is not None:
        return None if known.step == "aborted" else known
    if under_way is not None or pick.assignment < newest:
        return None
    return Job(
        id=pick.job,
        assignment=pick.assignment,
        order=pick.order,
        pickup_point=pick.pickup_point,
        picks=tuple(pick.picks),
        step="assigned",
        pick=0,
        since=now,
    )


def why_not(known: Job | None, under_way: Job | None) -> str:
    """Why a job was not taken, for people; see `accept`."""
    if known is not None:
        return "this assignment was stopped"
    if under_way is not None:
        return f"it is at the job {under_way.id} of {under_way.order}, {under_way.step}"
    return "the job was given to another since"


def advance(job: Job, now: int, parcel: str, pieces: int | None = None) -> Job:
    """The machine has done a step: the job at its next one.

    Each pick is travelled to and picked; then everything is conveyed, and packed as one parcel.
    Where a pick was short, the job waits for the warehouse's word.

    Args:
        job: the job.
        now: milliseconds since the epoch.
        parcel: what the parcel is called, if it is packed now.
        pieces: how many a pick has found; None for all.
    """
    if job.step == "picking":
        wanted = job.picks[job.pick].quantity
        found = wanted if pieces is None else max(0, min(pieces, wanted))
        job = replace(job, found=(*job.found, found))
        return replace(job, step="short", since=now) if found < wanted else _after_pick(job, now)
    following: dict[JobStep, JobStep] = {
        "assigned": "travelling",
        "travelling": "picking",
        "conveying": "packing",
        "packing": "done",
    }
    step = following[job.step]
    return replace(job, step=step, since=now, parcel=parcel if step == "done" else None)


def take_rest(job: Job, picks: Sequence[PickLine], now: int) -> Job:
    """The warehouse has said where the rest is to be taken, as far as it can be had.

    A job for which nothing was found at all is over without a parcel.
    """
    return _after_pick(replace(job, picks=(*job.picks, *picks)), now)


def _after_pick(job: Job, now: int) -> Job:
    if len(job.found) < len(job.picks):
        return replace(job, step="travelling", pick=len(job.found), since=now)
    return replace(job, step="conveying" if any(job.found) else "aborted", since=now)


def short_pick(job: Job) -> ShortPick:
    """What the warehouse has to be told of a pick that found too little."""
    pick = job.picks[job.pick]
    return ShortPick(
        job=job.id,
        assignment=job.assignment,
        sku=pick.sku,
        location=pick.location,
        found=job.found[job.pick],
    )


def stop(job: Job, now: int) -> Job:
    """The job is not to go on. A pick that was being taken counts as taken: look and see."""
    if job.step == "aborted":
        return job
    found = job.found
    if job.step == "picking":
        found = (*found, job.picks[job.pick].quantity)
    return replace(job, step="aborted", since=now, found=found)


def tombstone(job: str, assignment: int, now: int) -> Job:
    """An abort came before its job: that one is never to be begun."""
    return Job(job, assignment, "none", "none", (), "aborted", 0, now)


def taken_lines(job: Job) -> list[Line]:
    """What had left its locations when the job was stopped."""
    return _lines(job)


def report(job: Job) -> Packed:
    """What the warehouse is told when the parcel is packed."""
    assert job.parcel is not None, f"job {job.id} is not packed"
    return Packed(
        job=job.id,
        assignment=job.assignment,
        order=job.order,
        parcel=job.parcel,
        lines=_lines(job),
    )


def _lines(job: Job) -> list[Line]:
    """What was taken so far."""
    quantities: dict[str, int] = {}
    for pick, found in zip(job.picks, job.found, strict=False):
        quantities[pick.sku] = quantities.get(pick.sku, 0) + found
    return [Line(sku=sku, quantity=count) for sku, count in quantities.items() if count]
