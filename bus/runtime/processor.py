"""One transaction's work: each message of a batch meets the inbox, its handler, and the outbox."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from bus.contract import find_operation
from bus.contract.channel import ROLES, Operation, role_of
from bus.contract.envelope import Reading
from bus.contract.errors import IdReused, Problem, UnknownOperation
from bus.contract.every import Presence
from bus.contract.outbound import MessageFactory
from bus.contract.values import Model
from bus.runtime import peers
from bus.runtime.admission import read_reply, validate
from bus.runtime.clock import Moment
from bus.runtime.environment import Environment
from bus.runtime.inputs import (
    CallCompleted,
    HealthProbe,
    Input,
    PeerSeen,
    ReplyReceived,
    StateObserved,
    TimerFired,
)
from bus.runtime.outbox import Pending, forget
from bus.runtime.requests import Answer, Reply, Request
from bus.runtime.role import Role
from bus.runtime.unit_of_work import UnitOfWork

_FORGOTTEN_PER_INPUT = 2
"""More than one, or the backlog of what is to be forgotten would never shrink."""


class Processor:
    """Carries out messages, those of a batch in one transaction.

    Args:
        role: what the node plays.
        messages: makes its messages.
        environment: where its identifiers come from.
    """

    def __init__(self, role: Role, messages: MessageFactory, environment: Environment) -> None:
        self._role = role
        self._messages = messages
        self._environment = environment
        self._timers = {timer.name: timer for timer in role.timers}
        self._adapters = {adapter.name: adapter for adapter in role.adapters}
        self._answers = {
            (operation.callee, operation.name): run for operation, run in role.answers.items()
        }

    def unit(
        self, connection: sqlite3.Connection, at: Moment, online: Mapping[str, Presence]
    ) -> UnitOfWork:
        """A unit of work that begins now.

        Args:
            connection: the journal's.
            at: the time.
            online: the nodes that are there.
        """
        return UnitOfWork(connection, at.now, at.steady, self._messages, self._environment, online)

    def carry_out(
        self,
        connection: sqlite3.Connection,
        at: Moment,
        inputs: list[Input],
        acknowledged: list[str],
        online: Mapping[str, Presence],
        forget_before: int | None = None,
    ) -> list[UnitOfWork]:
        """Carry out all of them, in order; runs within the journal's transaction.

        Args:
            connection: the journal's.
            at: the time, the same for all.
            inputs: the batch.
            acknowledged: commands that were answered and whose answers change nothing. They are
                forgotten along the way: they cost no transaction of their own, and after a crash
                are merely sent once more.
            online: the nodes that are there.
            forget_before: commands that were answered before this time, in milliseconds of the
                steady clock, are forgotten: a few for each input, so that no batch waits for it.
        """
        forget(connection, acknowledged)
        units = []
        for item in inputs:
            unit = self.unit(connection, at, online)
            self._carry_out(unit, item)
            units.append(unit)
        if any(
            isinstance(item, Request | ReplyReceived | TimerFired | CallCompleted)
            for item in inputs
        ):
            peers.went_on(connection)
        if forget_before is not None:
            connection.execute(
                "DELETE FROM inbox WHERE (caller, id) IN (SELECT caller, id FROM inbox"
                " WHERE answered_at < ? ORDER BY answered_at LIMIT ?)",
                (forget_before, _FORGOTTEN_PER_INPUT * len(inputs)),
            )
        return units

    def _carry_out(self, unit: UnitOfWork, item: Input) -> None:
        if item is None:
            peers.begin(unit.connection, self._environment.boot)
            self._role.started(unit)
        elif isinstance(item, Request):
            unit.trace, unit.cause = item.trace, item.id
            self._request(unit, item)
        elif isinstance(item, StateObserved):
            self._role.watches[item.state](unit, item.observed)
        elif isinstance(item, PeerSeen):
            peers.save(unit.connection, item.node, item.peer)
            unit.alarmed = item.changes_alarms
        elif not isinstance(item, HealthProbe):
            self._finish(unit, item)

    def _request(self, unit: UnitOfWork, request: Request[Any]) -> None:
        seen = unit.connection.execute(
            "SELECT digest, reply, correlation FROM inbox WHERE caller = ? AND id = ?",
            (request.caller, request.id),
        ).fetchone()
        if seen is None:
            self._new_request(unit, request)
        elif seen["digest"] != request.digest:
            problem = IdReused("This message id was used with another body.")
            unit.refuse(request, problem)
        elif seen["reply"] is not None:
            unit.replies.append(
                Reply(request.operation, request.caller, seen["reply"], request.correlation)
            )

    def _new_request(self, unit: UnitOfWork, request: Request[Any]) -> None:
        unit.connection.execute(
            "INSERT INTO inbox VALUES (?, ?, ?, ?, NULL, ?, ?, ?, NULL, ?)",
            (
                request.caller,
                request.id,
                request.operation.name,
                request.digest,
                request.correlation,
                request.trace or "",
                unit.steady,
                request.order,
            ),
        )
        unit.connection.execute("SAVEPOINT message")
        try:
            request.check_deadline(unit.now, unit.steady)
            run = self._role.commands.get(request.operation)
            if run is None:
                raise UnknownOperation(
                    f"{self._messages.node} cannot {request.operation.name} yet."
                )
            if role_of(request.caller) in ROLES:
                unit.begin_trace(request)
            reply = run(unit, request)
        except Problem as problem:
            unit.connection.execute("ROLLBACK TO message")
            unit.connection.execute("RELEASE message")
            unit.forget()
            if (
                problem.retryable or not problem.final
            ):  # the same id may succeed later: nothing is remembered of it
                unit.connection.execute(
                    "DELETE FROM inbox WHERE caller = ? AND id = ?", (request.caller, request.id)
                )
                unit.refuse(request, problem)
                return
            unit.refused = problem.code
            unit.answer_at_once(request, problem)
            return
        unit.connection.execute("RELEASE message")
        if reply is not None:
            unit.answer_at_once(request, reply)

    def _finish(self, unit: UnitOfWork, item: ReplyReceived | TimerFired | CallCompleted) -> None:
        """Finish a row of the outbox, exactly once: by its reply, its timer or its deadline."""
        row = item.row
        if isinstance(item, ReplyReceived) and item.is_for_the_moment:
            unit.postponed.append(row.id)
            return
        if isinstance(item, TimerFired) and self._is_asked_on(row):
            gone = unit.ask_on(row)
        else:
            done = unit.connection.execute("DELETE FROM outbox WHERE id = ?", (row.id,))
            gone = bool(done.rowcount)
            unit.removed.append(row.id)
        if not gone:
            return
        unit.trace = row.trace
        unit.cause = item.id if isinstance(item, ReplyReceived) else row.id
        if isinstance(item, CallCompleted):
            self._adapters[row.target].done(unit, item.data, item.result)
        elif row.kind == "timer":
            timer = self._timers[row.target]
            timer.due(unit, timer.data.model_validate_json(row.payload))
        else:
            self._answered(unit, row, item)

    def _is_asked_on(self, row: Pending) -> bool:
        key = role_of(row.target) or "", row.operation
        return row.kind == "command" and find_operation(*key) in self._role.asks_on

    def _answered(self, unit: UnitOfWork, row: Pending, item: ReplyReceived | TimerFired) -> None:
        kind = role_of(row.target) or ""
        operation = find_operation(kind, row.operation)
        run = self._answers.get((kind, row.operation))
        if operation is None or run is None:
            return
        sent = validate(operation.request, Reading(row.payload).envelope().data)
        run(unit, _answer(operation, row, sent, item))


def _answer(
    operation: Operation[Any, Any], row: Pending, sent: Model, item: ReplyReceived | TimerFired
) -> Answer[Any]:
    """The answer to a command; a reply that breaks the contract counts as a problem."""
    if isinstance(item, TimerFired):
        return Answer(operation, row.target, row.id, sent)
    try:
        data = read_reply(operation, row.target, item.data, problem=item.problem)
    except Problem as problem:
        return Answer(operation, row.target, row.id, sent, problem=problem.to_data())
    return Answer(operation, row.target, row.id, sent, data=data)
