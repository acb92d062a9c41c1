"""Assigns jobs to sorters, and reassigns those of sorters that fail, refuse, are slow or gone."""

from collections.abc import Sequence
from dataclasses import replace

from bus.contract.catalog import WRITE_OFF, Line, OrderOnly, WriteOff
from bus.contract.channel import role_of
from bus.contract.every import Presence
from bus.contract.refusals import UnknownOrder, WrongState
from bus.contract.settlement import FAILED, READY, Failed, Ready
from bus.contract.sorter import ABORT, PICK, Abort, Aborted, Pick, PickReply
from bus.contract.values import Empty, Model, Reference
from bus.contract.warehouse import (
    Fault,
    JobOnly,
    JobStatus,
    Packed,
    Resume,
    Resumed,
    ShortPick,
    ShortPickReply,
)
from bus.runtime.requests import Answer, Observed, Request
from bus.runtime.unit_of_work import UnitOfWork
from nodes.warehouse import domain, goods_return, returns, store, troubles
from nodes.warehouse.settings import WarehouseSettings
from nodes.warehouse.withdrawals import finish_withdrawal

_LOOK_AGAIN = 1000
"""Milliseconds after which a warehouse that has just started knows which sorters are online."""
_SORTERS = 100
"""The most sorters that get jobs in one unit of work."""


class JobTimeout(Model):
    """The data of a timer: when it is due, the job may have to be given to another sorter."""

    job: Reference
    assignment: int
    if_lost: bool
    """Only if its sorter is offline by then."""


class JobAssigner:
    """Gives the warehouse's jobs to sorters, and takes them back.

    Args:
        settings: how long it waits for a sorter.
    """

    def __init__(self, settings: WarehouseSettings) -> None:
        self._lost_sorter = round(settings.lost_sorter * 1000)
        self._slow_job = round(settings.slow_job * 1000)
        self._refusal_pause = round(settings.refusal_pause * 1000)
        self._fault_pause = round(settings.fault_pause * 1000)

    def assign_jobs(self, unit: UnitOfWork, job: domain.Job | None = None) -> dict[str, domain.Job]:
        """Give waiting jobs to free sorters, as far as the bins hold their goods.

        Args:
            unit: the unit of work.
            job: one that this unit of work has loaded or changed; it is saved here.

        Returns:
            The jobs that were saved, by their ids.
        """
        online = {name for name in unit.online if role_of(name) == "sorter"}
        soon = online - returns.paused(unit.connection, unit.steady + self._refusal_pause)
        online -= returns.paused(unit.connection, unit.steady)
        busy = store.busy(unit.connection, job.id if job else None) & online
        if job is not None and job.state == "assigned" and job.sorter in online:
            busy.add(job.sorter)
        queue = domain.queue(store.waiting(unit.connection, _SORTERS), job)
        saved = {} if job is None else {job.id: job}
        ready: list[domain.Job] = []
        for identifier in queue:
            if len(ready) >= len(online) - len(busy):
                break
            before = saved.get(identifier) or store.job(unit.connection, identifier)
            after = self._allocate(unit, before)
            if after != before:
                saved[identifier] = after
            if after.picks:
                ready.append(after)
        for given, sorter in domain.assign(ready, busy, online):
            message = unit.send(PICK, sorter, domain.pick(given))
            saved[given.id] = replace(given, pick_message=message)
            timeout = JobTimeout(job=given.id, assignment=given.assignment, if_lost=False)
            unit.after(self._slow_job, "patience", timeout)
        for each in saved.values():
            store.save_job(unit.connection, each, unit.now)
        self._raise_alarms(unit, nobody=bool(queue) and not soon)
        return saved

    def due(self, unit: UnitOfWork, _: Empty) -> None:
        """A sorter's pause is over: it may get jobs again."""
        self.assign_jobs(unit)

    def _allocate(self, unit: UnitOfWork, job: domain.Job) -> domain.Job:
        """Take the goods of a waiting job out of the bins' books, if they hold them.

        What no bin holds and nobody will put back is missing: the job goes on without it.

        Returns:
            The job as it is then; without picks, it has to wait.
        """
        if job.picks:
            return job
        held = store.held(unit.connection, job.lines)
        missing = domain.lacking(job.lines, held)
        if any(returns.is_coming_back(unit.connection, line.sku) for line in missing):
            return job
        if missing:
            job = domain.go_without(job, missing)
            for line in missing:
                troubles.note_short(
                    unit.connection, line, None, order=job.order, sorter=None, now=unit.now
                )
            unit.alarm()
            _tell_missing(unit, job, missing)
        picks = domain.allocate(job.lines, held)
        if not picks:
            return job
        for pick in picks:
            store.move(unit.connection, pick.sku, pick.location, -pick.quantity)
        return replace(job, picks=picks)

    def _raise_alarms(self, unit: UnitOfWork, *, nobody: bool) -> None:
        detail = "No sorter is there that could bring the goods." if nobody else None
        if returns.set_alarm(unit.connection, "no-sorter", detail, unit.now):
            unit.alarm()

    def taken(self, unit: UnitOfWork, answer: Answer[PickReply]) -> None:
        """A sorter has taken its job, or has not: then another gets it, or the same one later."""
        if answer.data is not None and answer.data.accepted:
            if troubles.took(unit.connection, answer.callee):
                unit.alarm()
            return
        sent: Pick = answer.request
        troubles.refused(unit.connection, answer.callee, _reason(answer), unit.steady)
        unit.alarm()
        job = store.job(unit.connection, sent.job)
        if job.state == "assigned" and job.assignment == sent.assignment:
            self._give_to_another(unit, job, self._refusal_pause)

    def packed(self, unit: UnitOfWork, request: Request[Packed]) -> JobOnly:
        """A parcel lies at its pickup point: tell settlement."""
        report = request.data
        before = store.job(unit.connection, report.job)
        job = domain.packed(before, request.caller, report)
        if job != before:
            store.save_job(unit.connection, job, unit.now)
            ready = Ready(order=job.order, parcel=report.parcel, pickup_point=job.pickup_point)
            unit.send(READY, "settlement", ready)
            self.assign_jobs(unit)
        return JobOnly(job=job.id)

    def fault(self, unit: UnitOfWork, request: Request[Fault]) -> JobOnly:
        """A sorter cannot go on: give its job to another."""
        job = store.job(unit.connection, request.data.job)
        if job.sorter != request.caller or job.assignment != request.data.assignment:
            raise WrongState(f"Job {job.id} is not {request.caller}'s.", state=job.state)
        if job.state == "assigned":
            self._give_to_another(unit, job, self._fault_pause)
        return JobOnly(job=job.id)

    def short_pick(self, unit: UnitOfWork, request: Request[ShortPick]) -> ShortPickReply:
        """A location holds fewer pieces than the books say: correct them, here and in the catalog.

        The sorter took all that were there, so whatever else the books have there is missing, too.
        """
        data = request.data
        before = store.job(unit.connection, data.job)
        held = {place.location: place.quantity for place in store.bins(unit.connection, data.sku)}
        short = domain.short_pick(before, request.caller, data, held)
        store.move(unit.connection, data.sku, data.location, -short.left)
        gone = short.gone
        troubles.note_short(
            unit.connection, Line(sku=data.sku, quantity=gone), data.location,
            order=before.order, sorter=request.caller, now=unit.now,
        )  # fmt: skip
        unit.alarm()
        store.adjust(unit.connection, data.sku, data.location, -gone, now=unit.now, job=before.id)
        written_off = WriteOff(sku=data.sku, quantity=gone)
        unit.send(WRITE_OFF, "catalog", written_off, order=before.order)
        for pick in short.elsewhere:
            store.move(unit.connection, pick.sku, pick.location, -pick.quantity)
        store.save_job(unit.connection, short.job, unit.now)
        if short.missing:
            _tell_missing(unit, short.job, short.missing)
        if short.job.state == "withdrawn":
            unit.drop(before.pick_message)
            self.assign_jobs(unit)
        return ShortPickReply(job=before.id, picks=list(short.elsewhere))

    def reassign(self, unit: UnitOfWork, request: Request[OrderOnly]) -> JobStatus:
        """An operator wants another sorter to bring an order; if it waits, try to assign it now."""
        job = store.job_of_order(unit.connection, request.data.order)
        if job is None:
            raise UnknownOrder(f"The warehouse has no job for {request.data.order}.")
        if job.state not in ("waiting", "assigned"):
            raise WrongState(f"Order {job.order} is {job.state}.", state=job.state)
        if job.state == "assigned":
            job = self._give_to_another(unit, job, self._fault_pause)
        else:
            job = self.assign_jobs(unit, job)[job.id]
        return JobStatus(
            job=job.id,
            order=job.order,
            state=job.state,
            assignment=job.assignment,
            sorter=job.sorter,
        )

    def resume(self, unit: UnitOfWork, request: Request[Resume]) -> Resumed:
        """An operator has seen to a sorter: it gets jobs again."""
        sorter = request.data.sorter
        returns.pause(unit.connection, sorter, unit.steady)
        given = [job for job in self.assign_jobs(unit).values() if job.sorter == sorter]
        job = given[0] if given else store.job_of_sorter(unit.connection, sorter)
        return Resumed(sorter=sorter, job=job.id if job else None)

    def presence(self, unit: UnitOfWork, observed: Observed[Presence]) -> None:
        """A sorter has come online or gone offline."""
        if role_of(observed.node) != "sorter":
            return
        if observed.data.status != "online" and troubles.took(unit.connection, observed.node):
            unit.alarm()
        job = store.job_of_sorter(unit.connection, observed.node)
        if observed.data.status != "online" and job is not None:
            timeout = JobTimeout(job=job.id, assignment=job.assignment, if_lost=True)
            unit.after(self._lost_sorter, "patience", timeout)
        self.assign_jobs(unit)

    def timed_out(self, unit: UnitOfWork, timeout: JobTimeout) -> None:
        """A sorter is slow, or has been offline for too long: give its job to another."""
        job = store.job(unit.connection, timeout.job)
        if job.state != "assigned" or job.assignment != timeout.assignment:
            return
        if timeout.if_lost and unit.node not in unit.online:
            unit.after(_LOOK_AGAIN, "patience", timeout)
        elif not (timeout.if_lost and job.sorter in unit.online):
            self._give_to_another(unit, job, self._fault_pause)

    def _give_to_another(self, unit: UnitOfWork, job: domain.Job, pause: int) -> domain.Job:
        """Give a job to another sorter; its own gets no job for so many milliseconds.

        Returns:
            The job as it is then.
        """
        assert job.sorter is not None
        returns.pause(unit.connection, job.sorter, unit.steady + pause)
        unit.after(pause, "dispatch", Empty())
        return self.assign_jobs(unit, self.supersede(unit, job))[job.id]

    def supersede(self, unit: UnitOfWork, job: domain.Job) -> domain.Job:
        """Take a job from its sorter, which reports what it had taken when it is back."""
        assert job.sorter is not None
        returns.save_superseded(unit.connection, job)
        unit.drop(job.pick_message)
        abort = Abort(job=job.id, assignment=job.assignment)
        unit.send(ABORT, job.sorter, abort, order=job.order)
        return domain.supersede(job)

    def aborted(self, unit: UnitOfWork, answer: Answer[Aborted]) -> None:
        """A superseded sorter has reported what it had taken: a person is to put that back."""
        sent: Abort = answer.request
        picks = returns.take_superseded(unit.connection, sent.job, sent.assignment)
        if picks is None:
            return
        job = store.job(unit.connection, sent.job)
        # A sorter that cannot say has to be looked after by a person: all counts as taken.
        taken = list(answer.data.taken) if answer.data is not None else list(job.lines)
        there, gone = goods_return.split_taken(picks, taken)
        for pick in there:
            store.move(unit.connection, pick.sku, pick.location, pick.quantity)
        parcel = f"{job.id}.{sent.assignment}"
        goods = goods_return.GoodsReturn(parcel, job.id, job.order, gone, answer.callee)
        returns.save_return(unit.connection, goods, unit.steady)
        unit.alarm()
        self.assign_jobs(unit, finish_withdrawal(unit, job))


def _reason(answer: Answer[PickReply]) -> str:
    """Why a sorter did not take its job, if it says so."""
    if answer.problem is not None:
        return answer.problem.detail
    return (answer.data.reason if answer.data else None) or "it does not say why"


def _tell_missing(unit: UnitOfWork, job: domain.Job, missing: Sequence[Line]) -> None:
    """Tell settlement which lines are missing, so that it refunds them; or that nothing is left."""
    what = ", ".join(f"{line.quantity} of {line.sku}" for line in missing)
    lines = list(missing) if job.lines else None
    failed = Failed(order=job.order, reason=f"{what} could not be found"[:200], lines=lines)
    unit.send(FAILED, "settlement", failed)
