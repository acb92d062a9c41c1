"""Wires a sorter's decisions to its channels and its machine."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable

from bus.contract.channel import State
from bus.contract.sorter import (
    ABORT,
    JOB_STATE,
    PICK,
    Abort,
    Aborted,
    JobState,
    Pick,
    PickReply,
)
from bus.contract.timestamp import rfc3339
from bus.contract.warehouse import (
    FAULT,
    PACKED,
    SHORT_PICK,
    Fault,
    JobOnly,
    ShortPick,
    ShortPickReply,
)
from bus.runtime.requests import Answer, Request
from bus.runtime.role import Adapter, Role
from bus.runtime.unit_of_work import UnitOfWork
from devices.sorter import domain, store
from devices.sorter.drivers import DeviceReading, Driver, MachineFault, Movement, ReportingDriver


class Sorter:
    """An automatic sorting device.

    Args:
        driver: of the machine.
        read: called with each reading that the machine reports.
    """

    def __init__(
        self, driver: Driver, read: Callable[[DeviceReading], None] = lambda _: None
    ) -> None:
        self._driver = driver
        self._read = read
        self._fault: MachineFault | None = None
        """A fault that the machine has reported and no step has failed with yet."""
        self._step: asyncio.Task[int | None] | None = None
        """The step that is under way."""
        if isinstance(driver, ReportingDriver):
            driver.listen(self._report)
        self.role = Role(
            kind="sorter",
            schemas=(store.SCHEMA,),
            commands={PICK: _pick, ABORT: _abort},
            answers={PACKED: _reported, SHORT_PICK: _take_rest},
            adapters=(Adapter("machine", Movement, self._perform, _moved),),
            states=_states,
        )

    async def _perform(self, key: str, movement: Movement) -> int | MachineFault | None:
        """Let the machine do a step; how many pieces it found, or its fault."""
        try:
            if isinstance(self._driver, ReportingDriver):
                return await self._perform_until_fault(key, movement)
            return await self._driver.perform(key, movement)
        except MachineFault as fault:
            return fault

    async def _perform_until_fault(self, key: str, movement: Movement) -> int | None:
        """Do a step unless the machine reports a fault before it is done, which is raised."""
        if self._fault is None:
            self._step = asyncio.ensure_future(self._driver.perform(key, movement))
            try:
                await asyncio.wait({self._step})
                if not self._step.cancelled():
                    return self._step.result()
            finally:
                self._step.cancel()
        assert self._fault is not None
        fault, self._fault = self._fault, None
        raise fault

    def _report(self, event: DeviceReading | MachineFault) -> None:
        """The machine has reported something by itself."""
        if isinstance(event, DeviceReading):
            self._read(event)
            return
        self._fault = event
        if self._step is not None:
            self._step.cancel()


def _pick(unit: UnitOfWork, request: Request[Pick]) -> PickReply:
    pick = request.data
    known = store.job(unit.connection, pick.job, pick.assignment)
    newest = store.newest_assignment(unit.connection, pick.job)
    under_way = store.under_way(unit.connection)
    job = domain.accept(pick, known, newest, under_way, unit.now)
    if job is None:
        why = domain.why_not(known, under_way)
        return PickReply(job=pick.job, accepted=False, reason=why)
    if job is not known:
        unit.show(JOB_STATE, job.state())
        _go_on(unit, _advance(unit, job))
    return PickReply(job=pick.job, accepted=True)


def _go_on(unit: UnitOfWork, job: domain.AssignedJob) -> None:
    """Begin the next step: ask the machine, or tell the warehouse."""
    _save(unit, job)
    if job.step == "aborted":
        return  # nothing of it was found, as the warehouse knows
    if job.step == "short":
        unit.send(SHORT_PICK, "warehouse", domain.short_pick(job), order=job.order)
        return
    if job.step == "done":
        unit.send(PACKED, "warehouse", domain.report(job))
        return
    unit.call(
        "machine",
        Movement(
            job=job.id,
            assignment=job.assignment,
            step=job.step,
            pick=job.picks[job.pick],
            pickup_point=job.pickup_point,
        ),
        key=job.movement(),
    )


def _moved(unit: UnitOfWork, movement: Movement, outcome: int | MachineFault | None) -> None:
    job = store.job(unit.connection, movement.job, movement.assignment)
    if job is None or job.step != movement.step:
        return
    if isinstance(outcome, MachineFault):
        stopped = _stop(unit, job)
        report = Fault(job=stopped.id, assignment=stopped.assignment, reason=str(outcome))
        unit.send(FAULT, "warehouse", report, order=job.order)
        return
    _go_on(unit, _advance(unit, job, outcome))


def _advance(
    unit: UnitOfWork, job: domain.AssignedJob, pieces: int | None = None
) -> domain.AssignedJob:
    return domain.advance(job, unit.now, unit.environment.reference("p-"), pieces)


def _take_rest(unit: UnitOfWork, answer: Answer[ShortPickReply]) -> None:
    """The warehouse has said where the rest is; if it refused, an abort is on its way."""
    sent: ShortPick = answer.request
    job = store.job(unit.connection, sent.job, sent.assignment)
    if answer.data is not None and job is not None and job.step == "short":
        _go_on(unit, domain.take_rest(job, answer.data.picks, unit.now))


def _abort(unit: UnitOfWork, request: Request[Abort]) -> Aborted:
    """Stop a job and answer what had been taken; an unknown job must never be begun."""
    data = request.data
    job = store.job(unit.connection, data.job, data.assignment)
    if job is None:
        job = domain.tombstone(data.job, data.assignment, unit.now)
        store.save(unit.connection, job)
    return Aborted(job=job.id, taken=domain.taken_lines(_stop(unit, job)))


def _stop(unit: UnitOfWork, job: domain.AssignedJob) -> domain.AssignedJob:
    unit.drop(job.movement())
    stopped = domain.stop(job, unit.now)
    if stopped != job:
        _save(unit, stopped)
    return stopped


def _save(unit: UnitOfWork, job: domain.AssignedJob) -> None:
    store.save(unit.connection, job)
    unit.show(JOB_STATE, job.state())


def _reported(unit: UnitOfWork, _: Answer[JobOnly]) -> None:
    """The warehouse knows of the parcel: the sorter is idle unless it has another job."""
    if store.under_way(unit.connection) is None:
        unit.show(JOB_STATE, JobState(step="idle", since=rfc3339(unit.now)))


def _states(connection: sqlite3.Connection) -> Iterable[tuple[State[JobState], JobState]]:
    """The job state, for databases of a version that did not store what it had shown."""
    job = store.under_way(connection)
    if job is not None:
        yield JOB_STATE, job.state()
    elif (since := store.idle_since(connection)) is not None:
        yield JOB_STATE, JobState(step="idle", since=rfc3339(since))
