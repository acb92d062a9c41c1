"""What a sorter decides: which jobs to take and which step comes next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bus.contract.catalog import Line
from bus.contract.sorter import JobState, JobStep, Pick, PickLine
from bus.contract.warehouse import Packed
from bus.envelope import rfc3339


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
    taken: int = 0
    """How many of the picks had been taken when it was stopped."""

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


def advance(job: Job, now: int, parcel: str) -> Job:
    """The machine has done a step: the job at its next one.

    Each pick is travelled to and picked; then everything is conveyed, and packed as one parcel.
    """
    if job.step == "picking" and job.pick + 1 < len(job.picks):
        return replace(job, step="travelling", pick=job.pick + 1, since=now)
    following: dict[JobStep, JobStep] = {
        "assigned": "travelling",
        "travelling": "picking",
        "picking": "conveying",
        "conveying": "packing",
        "packing": "done",
    }
    step = following[job.step]
    return replace(job, step=step, since=now, parcel=parcel if step == "done" else None)


def stop(job: Job, now: int) -> Job:
    """The job is not to go on. A pick that was being taken counts as taken: look and see."""
    if job.step == "aborted":
        return job
    taken = {"assigned": job.pick, "travelling": job.pick, "picking": job.pick + 1}
    count = taken.get(job.step, len(job.picks))
    return replace(job, step="aborted", since=now, taken=count)


def tombstone(job: str, assignment: int, now: int) -> Job:
    """An abort came before its job: that one is never to be begun."""
    return Job(job, assignment, "none", "none", (), "aborted", 0, now)


def taken_lines(job: Job) -> list[Line]:
    """What had left its locations when the job was stopped."""
    return _lines(job.picks[: job.taken])


def report(job: Job) -> Packed:
    """What the warehouse is told when the parcel is packed."""
    assert job.parcel is not None, f"job {job.id} is not packed"
    return Packed(
        job=job.id,
        assignment=job.assignment,
        order=job.order,
        parcel=job.parcel,
        lines=_lines(job.picks),
    )


def _lines(picks: Sequence[PickLine]) -> list[Line]:
    quantities: dict[str, int] = {}
    for pick in picks:
        quantities[pick.sku] = quantities.get(pick.sku, 0) + pick.quantity
    return [Line(sku=sku, quantity=quantity) for sku, quantity in quantities.items()]
