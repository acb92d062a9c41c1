"""Wires a sorter's decisions to its channels and its machine."""

import sqlite3
from collections.abc import Iterable

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
from devices.sorter.drivers import Driver, MachineFault, Movement


class Sorter:
    """An automatic sorting device.

    Args:
        driver: the machine.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.role = Role(
            kind="sorter",
            schemas=(store.SCHEMA,),
            commands={PICK: _pick, ABORT: _abort},
            answers={PACKED: _reported, SHORT_PICK: _take_rest},
            adapters=(Adapter("machine", Movement, self._perform, _moved),),
            states=_states,
        )

    async def _perform(self, key: str, movement: Movement) -> int | MachineFault | None:
        """Let the machine do a step; how many pieces it found, or what is wrong with it."""
        try:
            return await self._driver.perform(key, movement)
        except MachineFault as fault:
            return fault


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


def _go_on(unit: UnitOfWork, job: domain.Job) -> None:
    """The next step: to the machine, or to the warehouse when it has to know of something."""
    _save(unit, job)
    if job.step == "aborted":
        return  # nothing was found of it, as the warehouse knows
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


def _advance(unit: UnitOfWork, job: domain.Job, pieces: int | None = None) -> domain.Job:
    return domain.advance(job, unit.now, unit.environment.reference("p-"), pieces)


def _take_rest(unit: UnitOfWork, answer: Answer[ShortPickReply]) -> None:
    """The warehouse has said where the rest is; refused means that an abort is on its way."""
    sent: ShortPick = answer.request
    job = store.job(unit.connection, sent.job, sent.assignment)
    if answer.data is not None and job is not None and job.step == "short":
        _go_on(unit, domain.take_rest(job, answer.data.picks, unit.now))


def _abort(unit: UnitOfWork, request: Request[Abort]) -> Aborted:
    """Stop a job and say what had been taken; one never seen is never begun."""
    data = request.data
    job = store.job(unit.connection, data.job, data.assignment)
    if job is None:
        job = domain.tombstone(data.job, data.assignment, unit.now)
        store.save(unit.connection, job)
    return Aborted(job=job.id, taken=domain.taken_lines(_stop(unit, job)))


def _stop(unit: UnitOfWork, job: domain.Job) -> domain.Job:
    unit.drop(job.movement())
    stopped = domain.stop(job, unit.now)
    if stopped != job:
        _save(unit, stopped)
    return stopped


def _save(unit: UnitOfWork, job: domain.Job) -> None:
    store.save(unit.connection, job)
    unit.show(JOB_STATE, job.state())


def _reported(unit: UnitOfWork, _: Answer[JobOnly]) -> None:
    """The warehouse knows: the sorter is idle again unless it already has the next job."""
    if store.under_way(unit.connection) is None:
        unit.show(JOB_STATE, JobState(step="idle", since=rfc3339(unit.now)))


def _states(connection: sqlite3.Connection) -> Iterable[tuple[State[JobState], JobState]]:
    """What it is at, where an older version did not write down what it has shown."""
    job = store.under_way(connection)
    if job is not None:
        yield JOB_STATE, job.state()
    elif (since := store.idle_since(connection)) is not None:
        yield JOB_STATE, JobState(step="idle", since=rfc3339(since))
