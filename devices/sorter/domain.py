"""What a sorter decides: which jobs to take and which step comes next. Pure."""

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


def accept(pick: Pick, known: Job | None, under_way: Job | None, now: int) -> Job | None:
    """Take a job if there is none under way; None when this one cannot be taken.

    The same assignment of a job that is known is taken as it is: it is not begun again.
    """
    if known is not None:
        return known if known.assignment == pick.assignment else None
    if under_way is not None:
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


def report(job: Job) -> Packed:
    """What the warehouse is told when the parcel is packed."""
    assert job.parcel is not None, f"job {job.id} is not packed"
    quantities: dict[str, int] = {}
    for pick in job.picks:
        quantities[pick.sku] = quantities.get(pick.sku, 0) + pick.quantity
    return Packed(
        job=job.id,
        assignment=job.assignment,
        order=job.order,
        parcel=job.parcel,
        lines=[Line(sku=sku, quantity=quantity) for sku, quantity in quantities.items()],
    )
