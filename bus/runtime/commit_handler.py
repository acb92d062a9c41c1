"""What follows a commit: a unit of work leaves the node, and its commands and timers are due."""

import sqlite3

from bus.runtime.outbox import NEAR
from bus.runtime.publisher import Counts, Publisher
from bus.runtime.role import Role
from bus.runtime.schedule import Schedule
from bus.runtime.service_watch import ServiceWatch
from bus.runtime.shown import ShownStates
from bus.runtime.unit_of_work import UnitOfWork
from bus.storage.journal import snapshot


class CommitHandler:
    """Publishes what units of work have to say, once they are committed.

    Args:
        role: told what was touched.
        reader: the journal's read-only connection.
        publisher: of the node.
        schedule: of its commands, calls and timers.
        services: told which of them are done.
        states: its alarms are shown anew.
        counts: where refusals are counted.
    """

    def __init__(
        self,
        role: Role,
        reader: sqlite3.Connection,
        publisher: Publisher,
        schedule: Schedule,
        services: ServiceWatch,
        states: ShownStates,
        counts: Counts,
    ) -> None:
        self._role = role
        self._reader = reader
        self._publisher = publisher
        self._schedule = schedule
        self._services = services
        self._states = states
        self._counts = counts

    def publish(self, unit: UnitOfWork) -> None:
        """Publish what a committed unit of work has to say."""
        self._reschedule(unit)
        for reply in unit.replies:
            self._publisher.reply(reply)
        for state, data, trace in unit.shown:
            self._publisher.state(state, data, trace)
        for event, data, trace in unit.events:
            self._publisher.event(event, data, trace)
        if unit.alarmed:
            self._states.show_alarms()
        if unit.refused is not None:
            self._counts.refuse(unit.refused)
        if unit.touched:
            with snapshot(self._reader) as rows:
                self._role.committed(rows, frozenset(unit.touched))

    def _reschedule(self, unit: UnitOfWork) -> None:
        for identifier in unit.removed:
            self._schedule.remove(identifier)
            self._services.done(identifier)
        for identifier in unit.postponed:
            self._schedule.tried(identifier)
        for row in unit.added:
            if row.kind != "timer" or row.due_at <= unit.steady + NEAR:
                self._schedule.add(row)
