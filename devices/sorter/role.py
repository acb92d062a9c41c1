"""Wires a sorter's decisions to its channels and its machine."""

import sqlite3
from collections.abc import Iterable

from bus.contract.channel import State
from bus.contract.sorter import JOB_STATE, PICK, JobState, Pick, PickReply
from bus.contract.warehouse import PACKED, JobOnly
from bus.envelope import rfc3339
from bus.intake import Answer, Request
from bus.role import Adapter, Role
from bus.turn import Turn
from devices.sorter import domain, store
from devices.sorter.drivers import Driver, Movement


class Sorter:
    """An automatic sorting device.

    Args:
        driver: the machine.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.role = Role(
            kind="sorter",
            package="devices.sorter",
            commands={PICK: _pick},
            answers={PACKED: _reported},
            adapters=(Adapter("machine", Movement, driver.perform, _moved),),
            states=_states,
        )


def _pick(turn: Turn, request: Request[Pick]) -> PickReply:
    pick = request.data
    known = store.job(turn.connection, pick.job)
    job = domain.accept(pick, known, store.under_way(turn.connection), turn.now)
    if job is not None and known is None:
        store.save(turn.connection, job)
        turn.show(JOB_STATE, job.state())
        _go_on(turn, job)
    return PickReply(job=pick.job, accepted=job is not None)


def _go_on(turn: Turn, job: domain.Job) -> None:
    """The next step: to the machine, or to the warehouse when all are done."""
    job = domain.advance(job, turn.now, turn.identity.reference("p-"))
    store.save(turn.connection, job)
    turn.show(JOB_STATE, job.state())
    if job.step == "done":
        turn.send(PACKED, "warehouse", domain.report(job))
        return
    turn.call(
        "machine",
        Movement(
            job=job.id, step=job.step, pick=job.picks[job.pick], pickup_point=job.pickup_point
        ),
        key=f"{job.id}.{job.assignment}.{job.pick}.{job.step}",
    )


def _moved(turn: Turn, movement: Movement, _: None) -> None:
    job = store.job(turn.connection, movement.job)
    if job is not None and job.step == movement.step:
        _go_on(turn, job)


def _reported(turn: Turn, _: Answer[JobOnly]) -> None:
    """The warehouse knows: the sorter is idle again unless it already has the next job."""
    if store.under_way(turn.connection) is None:
        turn.show(JOB_STATE, JobState(step="idle", since=rfc3339(turn.now)))


def _states(connection: sqlite3.Connection) -> Iterable[tuple[State[JobState], JobState]]:
    job = store.latest(connection)
    if job is not None:
        yield JOB_STATE, job.state()
