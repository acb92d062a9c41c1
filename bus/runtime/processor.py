"""One transaction's work: each message of a batch meets the inbox, its handler, and the outbox."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bus.contract import find_operation
from bus.contract.channel import ROLES, Operation, State, role_of
from bus.contract.envelope import Reading
from bus.contract.errors import IdReused, Problem, UnknownOperation
from bus.contract.every import Presence
from bus.contract.values import Model
from bus.runtime import peers
from bus.runtime.admission import read_reply, validate
from bus.runtime.clock import Moment
from bus.runtime.environment import Identity
from bus.runtime.peers import Peer
from bus.runtime.requests import Answer, Observed, Request
from bus.runtime.role import Role
from bus.runtime.schedule import forget
from bus.runtime.unit_of_work import Pending, Reply, Turn

_FORGOTTEN_PER_INPUT = 2
"""More than one, or what was kept too long would never be caught up with."""


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply to a command of ours."""

    row: Pending
    id: str
    data: Any
    problem: bool
    trace: str | None

    @property
    def code(self) -> str | None:
        """Of the problem, if it is one."""
        return str(self.data.get("code")) if self.problem and isinstance(self.data, dict) else None

    @property
    def is_for_the_moment(self) -> bool:
        """A refusal that says the same command may succeed later."""
        return self.problem and isinstance(self.data, dict) and self.data.get("retryable") is True


@dataclass(frozen=True, slots=True)
class Due:
    """A timer that is due, or a command whose deadline has passed."""

    row: Pending


@dataclass(frozen=True, slots=True)
class Done:
    """A call that came back."""

    row: Pending
    data: Model
    result: Any


@dataclass(frozen=True, slots=True)
class Watched:
    """Another node's state."""

    state: State[Any]
    observed: Observed[Any]


@dataclass(frozen=True, slots=True)
class Met:
    """What is known of another node's database, to be remembered."""

    node: str
    peer: Peer
    tells: bool
    """Whether that changes what is to be told."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Nothing: to see whether transactions are carried out."""


Input = Request[Any] | Replied | Due | Done | Watched | Met | Probe | None
"""What a transaction carries out; None is the start of the node."""


class Batches:
    """Carries out messages, those of a batch in one transaction.

    Args:
        role: what the node plays.
        node: its name.
        site: its site.
        identity: where its identifiers come from.
    """

    def __init__(self, role: Role, node: str, site: str, identity: Identity) -> None:
        self._role = role
        self._node = node
        self._site = site
        self._identity = identity
        self._timers = {timer.name: timer for timer in role.timers}
        self._adapters = {adapter.name: adapter for adapter in role.adapters}
        self._answers = {
            (operation.callee, operation.name): run for operation, run in role.answers.items()
        }

    def carry_out(
        self,
        connection: sqlite3.Connection,
        at: Moment,
        inputs: list[Input],
        acknowledged: list[str],
        online: Mapping[str, Presence],
        forget_before: int | None = None,
    ) -> list[Turn]:
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
        turns = []
        for item in inputs:
            turn = Turn(
                connection, at.now, at.steady, self._node, self._site, self._identity, online
            )
            self._carry_out(turn, item)
            turns.append(turn)
        if any(isinstance(item, Request | Replied | Due | Done) for item in inputs):
            peers.went_on(connection)
        if forget_before is not None:
            connection.execute(
                "DELETE FROM inbox WHERE (caller, id) IN (SELECT caller, id FROM inbox"
                " WHERE answered_at < ? ORDER BY answered_at LIMIT ?)",
                (forget_before, _FORGOTTEN_PER_INPUT * len(inputs)),
            )
        return turns

    def _carry_out(self, turn: Turn, item: Input) -> None:
        if item is None:
            peers.begin(turn.connection, self._identity.boot)
            self._role.started(turn)
        elif isinstance(item, Request):
            turn.trace, turn.cause = item.trace, item.id
            self._request(turn, item)
        elif isinstance(item, Watched):
            self._role.watches[item.state](turn, item.observed)
        elif isinstance(item, Met):
            peers.save(turn.connection, item.node, item.peer)
            turn.alarmed = item.tells
        elif not isinstance(item, Probe):
            self._finish(turn, item)

    def _request(self, turn: Turn, request: Request[Any]) -> None:
        seen = turn.connection.execute(
            "SELECT digest, reply, correlation FROM inbox WHERE caller = ? AND id = ?",
            (request.caller, request.id),
        ).fetchone()
        if seen is None:
            self._new_request(turn, request)
        elif seen["digest"] != request.digest:
            problem = IdReused("This message id was used with another body.")
            turn.refuse(request, problem)
        elif seen["reply"] is not None:
            turn.replies.append(
                Reply(request.operation, request.caller, seen["reply"], request.correlation)
            )

    def _new_request(self, turn: Turn, request: Request[Any]) -> None:
        turn.connection.execute(
            "INSERT INTO inbox VALUES (?, ?, ?, ?, NULL, ?, ?, ?, NULL, ?)",
            (
                request.caller,
                request.id,
                request.operation.name,
                request.digest,
                request.correlation,
                request.trace or "",
                turn.steady,
                request.order,
            ),
        )
        turn.connection.execute("SAVEPOINT message")
        try:
            request.check_deadline(turn.now, turn.steady)
            run = self._role.commands.get(request.operation)
            if run is None:
                raise UnknownOperation(f"{self._node} cannot {request.operation.name} yet.")
            if role_of(request.caller) in ROLES:
                turn.begin_trace(request)
            reply = run(turn, request)
        except Problem as problem:
            turn.connection.execute("ROLLBACK TO message")
            turn.connection.execute("RELEASE message")
            turn.forget()
            if (
                problem.retryable or not problem.final
            ):  # the same id may succeed later: nothing is remembered of it
                turn.connection.execute(
                    "DELETE FROM inbox WHERE caller = ? AND id = ?", (request.caller, request.id)
                )
                turn.refuse(request, problem)
                return
            turn.refused = problem.code
            turn.answer_at_once(request, problem)
            return
        turn.connection.execute("RELEASE message")
        if reply is not None:
            turn.answer_at_once(request, reply)

    def _finish(self, turn: Turn, item: Replied | Due | Done) -> None:
        """Something of the outbox is done: exactly once, whoever says so first."""
        row = item.row
        if isinstance(item, Replied) and item.is_for_the_moment:
            turn.postponed.append(row.id)
            return
        if isinstance(item, Due) and self._is_asked_on(row):
            gone = turn.ask_on(row)
        else:
            done = turn.connection.execute("DELETE FROM outbox WHERE id = ?", (row.id,))
            gone = bool(done.rowcount)
            turn.removed.append(row.id)
        if not gone:
            return
        turn.trace = row.trace
        turn.cause = item.id if isinstance(item, Replied) else row.id
        if isinstance(item, Done):
            self._adapters[row.target].done(turn, item.data, item.result)
        elif row.kind == "timer":
            timer = self._timers[row.target]
            timer.due(turn, timer.data.model_validate_json(row.payload))
        else:
            self._answered(turn, row, item)

    def _is_asked_on(self, row: Pending) -> bool:
        key = role_of(row.target) or "", row.operation
        return row.kind == "command" and find_operation(*key) in self._role.asks_on

    def _answered(self, turn: Turn, row: Pending, item: Replied | Due) -> None:
        kind = role_of(row.target) or ""
        operation = find_operation(kind, row.operation)
        run = self._answers.get((kind, row.operation))
        if operation is None or run is None:
            return
        sent = validate(operation.request, Reading(row.payload).envelope().data)
        run(turn, _answer(operation, row, sent, item))


def _answer(
    operation: Operation[Any, Any], row: Pending, sent: Model, item: Replied | Due
) -> Answer[Any]:
    """The reply as the contract reads it; one that breaks the contract is a problem of its own."""
    if isinstance(item, Due):
        return Answer(operation, row.target, row.id, sent)
    try:
        data = read_reply(operation, row.target, item.data, problem=item.problem)
    except Problem as problem:
        return Answer(operation, row.target, row.id, sent, problem=problem.to_data())
    return Answer(operation, row.target, row.id, sent, data=data)
