"""A sorter's decisions: which jobs to take, and which step comes next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bus.contract.catalog import Line
from bus.contract.sorter import JobState, JobStep, Pick, PickLine
from bus.contract.timestamp import rfc3339
from bus.contract.warehouse import Packed, ShortPick


@dataclass(frozen=True, slots=True)
class AssignedJob:
    """A job under one assignment."""

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
    """How many pieces were taken at each finished pick."""

    def movement(self) -> str:
        """The key of the machine's current step, the same each time it is asked for."""
        return f"{self.id}.{self.assignment}.{self.pick}.{self.step}"

    def state(self) -> JobState:
        """The job state of the contract."""
        return JobState(
            step=self.step,
            job=self.id,
            order=self.order,
            pick=self.pick,
            picks=len(self.picks),
            since=rfc3339(self.since),
        )


def accept(
    pick: Pick, known: AssignedJob | None, newest: int, under_way: AssignedJob | None, now: int
) -> AssignedJob | None:
    """Take a job if none is under way; None if it cannot be taken.

    Args:
        pick: the request.
        known: the same job and assignment, if it is known: it is not begun again, and never if it
            was aborted.
        newest: the highest known assignment of this job; older ones are superseded.
        under_way: the job that is under way.
        now: milliseconds since the epoch.
    """
    if known is not None:
        return None if known.step == "aborted" else known
    if under_way is not None or pick.assignment < newest:
        return None
    return AssignedJob(
        id=pick.job,
        assignment=pick.assignment,
        order=pick.order,
        pickup_point=pick.pickup_point,
        picks=tuple(pick.picks),
        step="assigned",
        pick=0,
        since=now,
    )


def why_not(known: AssignedJob | None, under_way: AssignedJob | None) -> str:
    """Why a job was not taken, for people; see `accept`."""
    if known is not None:
        return "this assignment was stopped"
    if under_way is not None:
        return f"it is at the job {under_way.id} of {under_way.order}, {under_way.step}"
    return "the job was given to another since"


def advance(job: AssignedJob, now: int, parcel: str, pieces: int | None = None) -> AssignedJob:
    """The job after the machine has done a step.

    The sorter travels to each pick and picks; then everything is conveyed, and packed as one
    parcel. After a short pick, the job waits for the warehouse.

    Args:
        job: the job.
        now: milliseconds since the epoch.
        parcel: the id of the parcel, if it is packed now.
        pieces: how many a pick has found; None for all of them.
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


def take_rest(job: AssignedJob, picks: Sequence[PickLine], now: int) -> AssignedJob:
    """The job with the picks by which the warehouse replaces what was missing.

    If nothing at all was found, it ends without a parcel.
    """
    return _after_pick(replace(job, picks=(*job.picks, *picks)), now)


def _after_pick(job: AssignedJob, now: int) -> AssignedJob:
    if len(job.found) < len(job.picks):
        return replace(job, step="travelling", pick=len(job.found), since=now)
    return replace(job, step="conveying" if any(job.found) else "aborted", since=now)


def short_pick(job: AssignedJob) -> ShortPick:
    """The report to the warehouse of a pick that found too few pieces."""
    pick = job.picks[job.pick]
    return ShortPick(
        job=job.id,
        assignment=job.assignment,
        sku=pick.sku,
        location=pick.location,
        found=job.found[job.pick],
    )


def stop(job: AssignedJob, now: int) -> AssignedJob:
    """The job, stopped. A pick under way counts as taken, since a person has to look."""
    if job.step == "aborted":
        return job
    found = job.found
    if job.step == "picking":
        found = (*found, job.picks[job.pick].quantity)
    return replace(job, step="aborted", since=now, found=found)


def tombstone(job: str, assignment: int, now: int) -> AssignedJob:
    """A record that a job, whose abort came first, must never be begun."""
    return AssignedJob(job, assignment, "none", "none", (), "aborted", 0, now)


def taken_lines(job: AssignedJob) -> list[Line]:
    """The goods that had left their locations when the job was stopped."""
    return _lines(job)


def report(job: AssignedJob) -> Packed:
    """The report to the warehouse that the parcel is packed."""
    assert job.parcel is not None, f"job {job.id} is not packed"
    return Packed(
        job=job.id,
        assignment=job.assignment,
        order=job.order,
        parcel=job.parcel,
        lines=_lines(job),
    )


def _lines(job: AssignedJob) -> list[Line]:
    """The goods taken so far."""
    quantities: dict[str, int] = {}
    for pick, found in zip(job.picks, job.found, strict=False):
        quantities[pick.sku] = quantities.get(pick.sku, 0) + found
    return [Line(sku=sku, quantity=count) for sku, count in quantities.items() if count]
