"""Mistakes of the runtime that every node shares."""
# ruff: noqa: SLF001 - a bug is planted where nobody else has a hand

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

from bus.contract.envelope import child_trace
from bus.runtime.admission import Admission
from bus.runtime.batch_runner import BatchRunner
from bus.runtime.outbox import Pending
from bus.runtime.processor import Processor
from bus.runtime.publisher import Publisher
from bus.runtime.schedule import Schedule
from bus.runtime.shown import ShownStates
from bus.runtime.unit_of_work import UnitOfWork
from bus.storage.journal import Journal
from simulation.planted.bug import Bug
from testing.kit.virtual_time import VirtualEnvironment


class _Leaky:
    """A journal within whose transactions something is said before they are committed."""

    def __init__(self, journal: Journal, leak: Callable[[UnitOfWork], None]) -> None:
        self.reader = journal.reader
        self._journal = journal
        self._leak = leak

    async def transact(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        def run(rows: sqlite3.Connection) -> Any:
            result = work(rows)
            for unit in result:
                self._leak(unit)
            return result

        return await self._journal.transact(run)


def _early(leak: Callable[[Publisher, UnitOfWork], None]) -> AbstractContextManager[Any]:
    """Something leaves the node before the commit."""
    carry_out = BatchRunner.carry_out

    async def planted(self: Any, batch: Any) -> Any:
        transactor, publisher = self._transactor, self._commits._publisher
        journal = transactor._journal
        transactor._journal = _Leaky(journal, lambda unit: leak(publisher, unit))
        try:
            return await carry_out(self, batch)
        finally:
            transactor._journal = journal

    return patch.object(BatchRunner, "carry_out", planted)


def _reply_early(publisher: Publisher, unit: UnitOfWork) -> None:
    for reply in unit.replies:
        publisher.reply(reply)


def _command_early(publisher: Publisher, unit: UnitOfWork) -> None:
    for row in unit.added:
        if row.kind == "command":
            publisher.command(row)


def _no_inbox() -> AbstractContextManager[Any]:
    """A message that was carried out is carried out again."""

    def planted(self: Any, unit: UnitOfWork, request: Any) -> None:
        unit.connection.execute(
            "DELETE FROM inbox WHERE caller = ? AND id = ?", (request.caller, request.id)
        )
        self._new_request(unit, request)

    return patch.object(Processor, "_request", planted)


def _no_body_check() -> AbstractContextManager[Any]:
    """The same id is the same message, whatever its body says."""
    read = Admission.read

    def planted(self: Admission, *message: Any) -> Any:
        return replace(read(self, *message), digest=b"always the same")

    return patch.object(Admission, "read", planted)


def _foreign_trace() -> AbstractContextManager[Any]:
    """What a unit of work says is in the trace of what led to it, whichever order it is about."""

    def planted(self: UnitOfWork, _: str | None) -> str:
        return child_trace(self.trace, self.environment.span())

    return patch.object(UnitOfWork, "_span", planted)


def _no_deadline() -> AbstractContextManager[Any]:
    read = Admission.read

    def planted(self: Admission, *message: Any) -> Any:
        return replace(read(self, *message), deadline=None)

    return patch.object(Admission, "read", planted)


def _answered_twice() -> AbstractContextManager[Any]:
    """What comes of a command, call or timer is handled twice."""
    finish = Processor._finish

    def planted(self: Processor, unit: UnitOfWork, item: Any) -> None:
        row = item.row
        known = unit.connection.execute("SELECT 1 FROM outbox WHERE id = ?", (row.id,)).fetchone()
        finish(self, unit, item)
        if known is not None and row.id in unit.removed:
            unit.connection.execute(
                "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    row.id, row.kind, row.target, row.operation, row.payload, row.trace,
                    row.due_at, row.deadline,
                ),
            )  # fmt: skip
            finish(self, unit, item)

    return patch.object(Processor, "_finish", planted)


def _sent_once() -> AbstractContextManager[Any]:
    """A command is not sent again."""
    tried = Schedule.tried

    def planted(self: Schedule, identifier: str) -> None:
        row = self.get(identifier)
        if row is not None and row.kind != "command":
            tried(self, identifier)

    return patch.object(Schedule, "tried", planted)


def _forgotten_when_sent() -> AbstractContextManager[Any]:
    """The outbox row goes before the answer has come; only memory still knows the command."""
    carry_out, decide = BatchRunner.carry_out, BatchRunner.decide

    def forget(runner: Any, *units: UnitOfWork) -> None:
        added = [row for unit in units for row in unit.added]
        runner._inputs.acknowledge(*(row.id for row in added if row.kind == "command"))

    async def carrying_out(self: BatchRunner, batch: Any) -> Any:
        units = await carry_out(self, batch)
        forget(self, *units)
        return units

    async def deciding(self: BatchRunner, work: Any) -> Any:
        unit = await decide(self, work)
        forget(self, unit)
        return unit

    return patch.multiple(BatchRunner, carry_out=carrying_out, decide=deciding)


def _lost_at_restart(*kinds: str) -> AbstractContextManager[Any]:
    """A restart takes up only a part of what was to be done."""

    def planted(*columns: Any) -> Pending:
        row = Pending(*columns)
        return replace(row, kind="timer", due_at=row.due_at * 2) if row.kind in kinds else row

    return patch("bus.runtime.outbox.Pending", planted)


def _shown_once() -> AbstractContextManager[Any]:
    """A node shows its states when it connects and never again."""

    async def planted(*_: Any) -> None:
        await asyncio.Event().wait()

    return patch.object(ShownStates, "show_again", planted)


def _by_the_wall_clock() -> AbstractContextManager[Any]:
    """What waits goes by a clock that anybody may set."""
    return patch.object(VirtualEnvironment, "steady", VirtualEnvironment.now)


BUGS = (
    Bug("a reply leaves before the commit", partial(_early, _reply_early)),
    Bug("a command leaves before the commit", partial(_early, _command_early)),
    Bug("no inbox check: a repeated command is carried out again", _no_inbox),
    Bug("another body under a used id passes for a repetition", _no_body_check),
    Bug("a purchase is begun after its deadline", _no_deadline),
    Bug("timers and deadlines go by the wall clock", _by_the_wall_clock),
    Bug("what a command or call has come to is handled twice", _answered_twice),
    Bug("a command is sent only once", _sent_once),
    Bug("the outbox row is deleted before the answer is there", _forgotten_when_sent),
    Bug("calls are not taken up after a restart", partial(_lost_at_restart, "call")),
    Bug("timers are not taken up after a restart", partial(_lost_at_restart, "timer")),
    Bug("commands are not taken up after a restart", partial(_lost_at_restart, "command")),
    Bug("a state that was lost is not shown again", _shown_once),
    Bug("an order's message is in the trace of another", _foreign_trace),
)
