"""A role without its node: each thing it is told is a transaction, on a clock that a test sets."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from unit_rows import tables

from bus.contract.channel import Operation, State
from bus.contract.envelope import body_digest
from bus.contract.errors import Problem
from bus.contract.every import PRESENCE, Presence
from bus.contract.outbound import MessageFactory
from bus.contract.topics import Topics
from bus.contract.values import Model
from bus.runtime.clock import Moment
from bus.runtime.environment import Environment
from bus.runtime.inputs import CallCompleted, Input, ReplyReceived, StateObserved, TimerFired
from bus.runtime.outbox import Pending
from bus.runtime.processor import Processor
from bus.runtime.requests import Observed, Request
from bus.runtime.role import Role
from bus.runtime.unit_of_work import UnitOfWork

SECOND, HOUR, DAY = 1_000, 3_600_000, 86_400_000


class Bench:
    """One role and its rows.

    Args:
        role: what is tried.
        name: of its node.
        connection: with the role's tables.
    """

    def __init__(self, role: Role, name: str, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.steady = 10 * DAY
        """What the steady clock says."""
        self.online: dict[str, Presence] = {}
        self._name = name
        environment = Environment()
        messages = MessageFactory(Topics("main"), name, environment, role.kind)
        self._processor = Processor(role, messages, environment)
        self._adapters = {adapter.name: adapter for adapter in role.adapters}
        self._asked = 0
        self._carry_out(None)

    def _carry_out(self, item: Input) -> UnitOfWork:
        at = Moment(1_800_000_000_000 + self.steady, self.steady)
        (unit,) = self._processor.carry_out(self.connection, at, [item], [], self.online)
        return unit

    def tell(
        self,
        operation: Operation[Any, Any],
        data: Model,
        caller: str,
        identifier: str | None = None,
        deadline: int | None = None,
        correlation: bytes | None = None,
        trace: str | None = None,
    ) -> UnitOfWork:
        """Somebody gives a command."""
        self._asked += 1
        identifier = identifier or f"{caller}-{self._asked}"
        digest = body_digest(operation.name, data.model_dump(mode="json"))
        return self._carry_out(
            Request(
                operation, caller, identifier, data, digest, self.steady,
                trace=trace, deadline=deadline, correlation=correlation,
            )
        )  # fmt: skip

    def waiting(self, operation: str) -> list[Pending]:
        """What waits in the outbox under the name of an operation, a timer or an adapter."""
        query = (
            "SELECT * FROM outbox WHERE operation = ? OR target = ? ORDER BY due_at, length(id), id"
        )
        return [Pending(*row) for row in self.connection.execute(query, (operation, operation))]

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The data of the commands of this name that wait for an answer."""
        return [json.loads(row.payload)["data"] for row in self.waiting(operation)]

    def answer(self, row: Pending, data: Model | Problem) -> UnitOfWork:
        """Another node answers a command."""
        body = (data.to_data() if isinstance(data, Problem) else data).model_dump(mode="json")
        return self._carry_out(
            ReplyReceived(row, "answer-1", body, isinstance(data, Problem), None)
        )

    def answer_only(self, operation: str, data: Model | Problem) -> UnitOfWork:
        """Another node answers the only command of this name."""
        (row,) = self.waiting(operation)
        return self.answer(row, data)

    def wait(self, until: int) -> None:
        """Let the steady clock go on, and carry out each timer at its time."""
        while True:
            query = "SELECT * FROM outbox WHERE kind = 'timer' AND due_at <= ? ORDER BY due_at"
            row = self.connection.execute(query, (until,)).fetchone()
            if row is None:
                break
            self.steady = max(self.steady, row["due_at"])
            self._carry_out(TimerFired(Pending(*row)))
        self.steady = until

    def done(self, adapter: str, result: Any) -> UnitOfWork:
        """The only call of this adapter comes back."""
        (row,) = self.waiting(adapter)
        data = self._adapters[adapter].data.model_validate_json(row.payload)
        return self._carry_out(CallCompleted(row, data, result))

    def see(self, state: State[Any], node: str, data: Model) -> UnitOfWork:
        """Another node shows a state."""
        if state is PRESENCE:
            assert isinstance(data, Presence)
            self.online = {name: seen for name, seen in self.online.items() if name != node}
            if data.status == "online":
                self.online[node] = data
        return self._carry_out(StateObserved(state, Observed(node, data)))

    def comes(self, node: str) -> UnitOfWork:
        """A node shows itself online."""
        return self.see(PRESENCE, node, Presence(status="online", boot="b-1", since=""))

    def value(self, query: str, *values: Any) -> Any:
        """The one value that a query finds."""
        ((value,),) = self.connection.execute(query, values).fetchall()
        return value


def reply(unit: UnitOfWork) -> Mapping[str, Any]:
    """The data of the one answer that a turn gives."""
    (answer,) = unit.replies
    data: Mapping[str, Any] = json.loads(answer.payload)["data"]
    return data


@contextmanager
def bench(role: Role, name: str) -> Iterator[Bench]:
    """A role on a bench, with empty tables."""
    with tables(*role.schemas) as connection:
        yield Bench(role, name, connection)
