"""Jobs and their sorters: who gets which, what is short, and what comes of those that fail."""

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
    WITHDRAW,
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
from nodes.warehouse import domain, returns, store, troubles
from nodes.warehouse.settings import WarehouseSettings

_LOOK_AGAIN = 1000
"""Milliseconds until a warehouse that has just started knows who is there."""
_SORTERS = 100
"""The most sorters that one unit of work gives jobs to."""


class Patience(Model):
    """Set when a job may have to be given to another sorter."""

    job: Reference
    assignment: int
    if_lost: bool
    """Only if its sorter is not there."""


class Dispatch:
    """Gives the warehouse's jobs to sorters, and takes them away again.

    Args:
        settings: how long it waits for a sorter.
    """

    def __init__(self, settings: WarehouseSettings) -> None:
        self._lost_sorter = round(settings.lost_sorter * 1000)
        self._slow_job = round(settings.slow_job * 1000)
        self._refusal_pause = round(settings.refusal_pause * 1000)
        self._fault_pause = round(settings.fault_pause * 1000)

    def dispatch(self, unit: UnitOfWork) -> None:
        """Give waiting jobs to free sorters, as far as the bins hold their goods."""
        online = {name for name in unit.online if role_of(name) == "sorter"}
        soon = online - returns.paused(unit.connection, unit.steady + self._refusal_pause)
        online -= returns.paused(unit.connection, unit.steady)
        busy = store.busy(unit.connection) & online
        waiting = store.waiting(unit.connection, _SORTERS)
        ready: list[domain.Job] = []
        for identifier in waiting:
            if len(ready) >= len(online) - len(busy):
                break
            allocated = self._allocate(unit, store.job(unit.connection, identifier))
            if allocated is not None:
                ready.append(allocated)
        for job, sorter in domain.assign(ready, busy, online):
            message = unit.send(PICK, sorter, domain.pick(job))
            store.save_job(unit.connection, replace(job, pick_message=message), unit.now)
            patience = Patience(job=job.id, assignment=job.assignment, if_lost=False)
            unit.after(self._slow_job, "patience", patience)
        self._raise_alarms(unit, nobody=bool(waiting) and not soon)

    def _allocate(self, unit: UnitOfWork, job: domain.Job) -> domain.Job | None:
        """A waiting job with its goods taken out of the bins' books; None if it has to wait on.

        What no bin holds and nobody will put back cannot be had: the job goes on without it.
        """
        if job.picks:
            return job
        held = store.held(unit.connection, job.lines)
        missing = domain.lacking(job.lines, held)
        if any(returns.is_coming_back(unit.connection, line.sku) for line in missing):
            return None
        if missing:
            job = domain.go_without(job, missing)
            store.save_job(unit.connection, job, unit.now)
            for line in missing:
                troubles.note_short(
                    unit.connection, line, None, order=job.order, sorter=None, now=unit.now
                )
            unit.alarm()
            _tell_missing(unit, job, missing)
        picks = domain.allocate(job.lines, held)
        if not picks:
            return None
        for pick in picks:
            store.move(unit.connection, pick.sku, pick.location, -pick.quantity)
        return replace(job, picks=picks)

    def _raise_alarms(self, unit: UnitOfWork, *, nobody: bool) -> None:
        detail = "No sorter is there that could bring the goods." if nobody else None
        if returns.set_alarm(unit.connection, "no-sorter", detail, unit.now):
            unit.alarm()

    def taken(self, unit: UnitOfWork, answer: Answer[PickReply]) -> None:
        """A sorter took its job, or did not: then another gets it, or the same one later."""
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
        """A parcel lies at its pickup point: settlement gets to know."""
        report = request.data
        before = store.job(unit.connection, report.job)
        job = domain.packed(before, request.caller, report)
        if job != before:
            store.save_job(unit.connection, job, unit.now)
            ready = Ready(order=job.order, parcel=report.parcel, pickup_point=job.pickup_point)
            unit.send(READY, "settlement", ready)
            self.dispatch(unit)
        return JobOnly(job=job.id)

    def fault(self, unit: UnitOfWork, request: Request[Fault]) -> JobOnly:
        """A sorter cannot go on: its job is given to another."""
        job = store.job(unit.connection, request.data.job)
        if job.sorter != request.caller or job.assignment != request.data.assignment:
            raise WrongState(f"Job {job.id} is not {request.caller}'s.", state=job.state)
        if job.state == "assigned":
            self._give_to_another(unit, job, self._fault_pause)
        return JobOnly(job=job.id)

    def short_pick(self, unit: UnitOfWork, request: Request[ShortPick]) -> ShortPickReply:
        """A location holds fewer than the books say: they are corrected, here and at the catalog.

        The sorter took all there was: whatever else the books have there is not there either.
        """
        data = request.data
        before = store.job(unit.connection, data.job)
        held = {place.location: place.quantity for place in store.bins(unit.connection, data.sku)}
        short = domain.short_pick(before, request.caller, data, held)
        left = held.get(data.location, 0)
        store.move(unit.connection, data.sku, data.location, -left)
        gone = short.absent + left
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
            self.dispatch(unit)
        return ShortPickReply(job=before.id, picks=list(short.elsewhere))

    def reassign(self, unit: UnitOfWork, request: Request[OrderOnly]) -> JobStatus:
        """An operator wants another sorter to bring an order; one that waits is tried at once."""
        job = store.job_of_order(unit.connection, request.data.order)
        if job is None:
            raise UnknownOrder(f"The warehouse has no job for {request.data.order}.")
        if job.state not in ("waiting", "assigned"):
            raise WrongState(f"Order {job.order} is {job.state}.", state=job.state)
        if job.state == "assigned":
            self._give_to_another(unit, job, self._fault_pause)
        else:
            self.dispatch(unit)
        job = store.job(unit.connection, job.id)
        return JobStatus(
            job=job.id,
            order=job.order,
            state=job.state,
            assignment=job.assignment,
            sorter=job.sorter,
        )

    def resume(self, unit: UnitOfWork, request: Request[Resume]) -> Resumed:
        """An operator has looked after a sorter."""
        sorter = request.data.sorter
        returns.pause(unit.connection, sorter, unit.steady)
        self.dispatch(unit)
        job = store.job_of_sorter(unit.connection, sorter)
        return Resumed(sorter=sorter, job=job.id if job else None)

    def presence(self, unit: UnitOfWork, observed: Observed[Presence]) -> None:
        """A sorter has come or gone."""
        if role_of(observed.node) != "sorter":
            return
        if observed.data.status != "online" and troubles.took(unit.connection, observed.node):
            unit.alarm()
        job = store.job_of_sorter(unit.connection, observed.node)
        if observed.data.status != "online" and job is not None:
            patience = Patience(job=job.id, assignment=job.assignment, if_lost=True)
            unit.after(self._lost_sorter, "patience", patience)
        self.dispatch(unit)

    def out_of_patience(self, unit: UnitOfWork, patience: Patience) -> None:
        """A sorter is slow, or gone for too long: its job is given to another."""
        job = store.job(unit.connection, patience.job)
        if job.state != "assigned" or job.assignment != patience.assignment:
            return
        if patience.if_lost and unit.node not in unit.online:
            unit.after(_LOOK_AGAIN, "patience", patience)
        elif not (patience.if_lost and job.sorter in unit.online):
            self._give_to_another(unit, job, self._fault_pause)

    def _give_to_another(self, unit: UnitOfWork, job: domain.Job, pause: int) -> None:
        """Its sorter cannot be relied on now: it gets no job for so many milliseconds."""
        assert job.sorter is not None
        returns.pause(unit.connection, job.sorter, unit.steady + pause)
        unit.after(pause, "dispatch", Empty())
        store.save_job(unit.connection, self.supersede(unit, job), unit.now)
        self.dispatch(unit)

    def supersede(self, unit: UnitOfWork, job: domain.Job) -> domain.Job:
        """Take a job from its sorter: what that one had taken, it says when it is back."""
        assert job.sorter is not None
        returns.save_superseded(unit.connection, job)
        unit.drop(job.pick_message)
        abort = Abort(job=job.id, assignment=job.assignment)
        unit.send(ABORT, job.sorter, abort, order=job.order)
        return domain.supersede(job)

    def aborted(self, unit: UnitOfWork, answer: Answer[Aborted]) -> None:
        """A superseded sorter has said what it had taken: that is to be put back by a person."""
        sent: Abort = answer.request
        picks = returns.take_superseded(unit.connection, sent.job, sent.assignment)
        if picks is None:
            return
        job = store.job(unit.connection, sent.job)
        # A sorter that cannot say has to be looked after by a person: all counts as taken.
        taken = list(answer.data.taken) if answer.data is not None else list(job.lines)
        there, gone = domain.split_taken(picks, taken)
        for pick in there:
            store.move(unit.connection, pick.sku, pick.location, pick.quantity)
        parcel = f"{job.id}.{sent.assignment}"
        goods = domain.GoodsReturn(parcel, job.id, job.order, gone, answer.callee)
        returns.save_return(unit.connection, goods, unit.steady)
        unit.alarm()
        finish_withdrawal(unit, job.id)
        self.dispatch(unit)


def _reason(answer: Answer[PickReply]) -> str:
    """Why a sorter did not take its job, as far as it says."""
    if answer.problem is not None:
        return answer.problem.detail
    return (answer.data.reason if answer.data else None) or "it does not say why"


def finish_withdrawal(unit: UnitOfWork, identifier: str) -> None:
    """Answer who waits for a job's goods to be back, if they are."""
    job = store.job(unit.connection, identifier)
    if job.state != "withdrawing" or not returns.is_back(unit.connection, job.id):
        return
    store.save_job(unit.connection, replace(job, state="withdrawn"), unit.now)
    assert job.withdrawer is not None
    assert job.withdrawal is not None
    unit.answer(WITHDRAW, job.withdrawer, job.withdrawal, OrderOnly(order=job.order))


def _tell_missing(unit: UnitOfWork, job: domain.Job, missing: Sequence[Line]) -> None:
    """Settlement gives the money back: of those lines, or of all if nothing is left."""
    what = ", ".join(f"{line.quantity} of {line.sku}" for line in missing)
    lines = list(missing) if job.lines else None
    failed = Failed(order=job.order, reason=f"{what} could not be found"[:200], lines=lines)
    unit.send(FAILED, "settlement", failed)
