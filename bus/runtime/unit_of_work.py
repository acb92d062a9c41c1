"""The unit of work of one message within the transaction that carries it out.

It collects what is published after the commit; nothing leaves the node before.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bus.contract.channel import Event, Operation, State
from bus.contract.envelope import child_trace, order_of
from bus.contract.errors import Problem
from bus.contract.every import Presence
from bus.contract.outbound import MessageFactory
from bus.contract.values import Model
from bus.runtime.environment import Environment
from bus.runtime.outbox import Pending, insert
from bus.runtime.requests import Reply, Request
from bus.runtime.traces import order_trace


@dataclass(slots=True)
class UnitOfWork:
    """What one message changes, and what is published because of it."""

    connection: sqlite3.Connection
    now: int
    """Milliseconds since the epoch, the same throughout. For people; nothing waits by it."""
    steady: int
    """Milliseconds of the node's steady clock; whatever waits goes by it."""
    messages: MessageFactory
    environment: Environment
    online: Mapping[str, Presence]
    """The nodes that are online, if the role watches presence."""
    trace: str | None = None
    """The traceparent of the message that led here."""
    cause: str | None = None
    """The id of the message that led here."""
    replies: list[Reply] = field(default_factory=list)
    added: list[Pending] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    postponed: list[str] = field(default_factory=list)
    """Commands that the other side could not carry out now; they are sent again."""
    events: list[tuple[Event[Any], Model, str]] = field(default_factory=list)
    """Each with its traceparent; so are the states."""
    shown: list[tuple[State[Any], Model, str]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    alarmed: bool = False
    """Whether the node's alarms have changed."""
    refused: str | None = None
    """The code of the problem that this unit of work ended in."""

    @property
    def node(self) -> str:
        """The name of the node."""
        return self.messages.node

    def send(
        self,
        operation: Operation[Any, Any],
        callee: str,
        data: Model,
        *,
        within: int | None = None,
        order: str | None = None,
    ) -> str:
        """Give a command: sent after the commit, and again until it is answered.

        Args:
            operation: what.
            callee: to whom.
            data: the request.
            within: milliseconds until it need not be begun any more; None for ever.
            order: what it is about, where the data does not say so.

        Returns:
            The message's id.
        """
        identifier = self.environment.message()
        order = order or order_of(data)
        trace = self._span(order)
        payload = self.messages.request(
            callee,
            operation,
            data,
            identifier=identifier,
            at=self.now,
            trace=trace,
            cause=self.cause,
            order=order,
        ).to_bytes()
        deadline = None if within is None else self.steady + within
        self._add(
            Pending(
                identifier, "command", callee, operation.name, payload, trace, self.steady, deadline
            )
        )
        return identifier

    def after(self, delay: int, timer: str, data: Model) -> str:
        """Set a timer that is due in `delay` milliseconds; returns its id."""
        identifier = self.environment.message()
        self._add_own("timer", identifier, timer, data, self.steady + delay)
        return identifier

    def call(self, adapter: str, data: Model, *, key: str) -> None:
        """Call a provider or machine after the commit; `key` is its idempotency key."""
        self._add_own("call", key, adapter, data, self.steady)

    def _add_own(self, kind: str, identifier: str, target: str, data: Model, due_at: int) -> None:
        payload, trace = data.model_dump_json().encode(), self._span(order_of(data))
        self._add(Pending(identifier, kind, target, "", payload, trace, due_at, None))

    def ask_on(self, row: Pending) -> bool:
        """Go on asking what has come of a command whose deadline has passed; False if it is known.

        From now on each copy says that it must not begin; so it ends with the first reply, or with
        410 `expired`.
        """
        assert row.expires_at is not None, f"{row.id} has no deadline that could have passed"
        asked = replace(row, deadline=-row.expires_at, due_at=self.steady)
        done = self.connection.execute(
            "UPDATE outbox SET deadline = ?, due_at = ? WHERE id = ? AND deadline = ?",
            (asked.deadline, asked.due_at, row.id, row.deadline),
        )
        if done.rowcount:
            self.added.append(asked)
        return bool(done.rowcount)

    def drop(self, identifier: str | None) -> None:
        """Forget a command, timer or call of this node that is not needed any more."""
        if identifier is not None:
            self.connection.execute("DELETE FROM outbox WHERE id = ?", (identifier,))
            self.removed.append(identifier)

    def answer(
        self, operation: Operation[Any, Any], caller: str, request: str, reply: Model | Problem
    ) -> None:
        """Answer a command of an earlier transaction; a second answer has no effect."""
        row = self.connection.execute(
            "SELECT correlation, trace, order_id FROM inbox"
            " WHERE caller = ? AND id = ? AND reply IS NULL",
            (caller, request),
        ).fetchone()
        if row is not None:
            self._answer(operation, caller, request, reply, *row)

    def answer_at_once(self, request: Request[Any], reply: Model | Problem) -> None:
        """Answer the command that this unit of work has carried out."""
        self._answer(
            request.operation, request.caller, request.id, reply,
            request.correlation, request.trace, request.order,
        )  # fmt: skip

    def _answer(
        self,
        operation: Operation[Any, Any],
        caller: str,
        request: str,
        reply: Model | Problem,
        correlation: bytes | None,
        trace: str | None,
        order: str | None,
    ) -> None:
        payload = self.messages.reply(
            caller,
            operation,
            reply,
            request=request,
            at=self.now,
            parent=trace,
            cause=self.cause,
            order=order,
        ).to_bytes()
        self.connection.execute(
            "UPDATE inbox SET reply = ?, answered_at = ? WHERE caller = ? AND id = ?",
            (payload, self.steady, caller, request),
        )
        self.replies.append(Reply(operation, caller, payload, correlation))

    def refuse(self, request: Request[Any], problem: Problem) -> None:
        """Refuse a request without storing the refusal: its id belongs to another body."""
        payload = self.messages.reply(
            request.caller,
            request.operation,
            problem,
            request=request.id,
            at=self.now,
            parent=request.trace,
            order=request.order,
        ).to_bytes()
        self.replies.append(Reply(request.operation, request.caller, payload, request.correlation))
        self.refused = problem.code

    def forget(self) -> None:
        """Drop what was to be published, since the message was refused and rolled back."""
        self.replies.clear()
        self.added.clear()
        self.removed.clear()
        self.events.clear()
        self.shown.clear()
        self.touched.clear()
        self.alarmed = False

    def emit(self, event: Event[Any], data: Model) -> None:
        """Publish an event after the commit."""
        self.events.append((event, data, self._span(order_of(data))))

    def show(self, state: State[Any], data: Model) -> None:
        """Show a new state of this node after the commit, and again from then on as it is now."""
        self.connection.execute(
            "INSERT INTO shown VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data",
            (state.name, data.model_dump_json()),
        )
        self.shown.append((state, data, self._span(order_of(data))))

    def alarm(self) -> None:
        """Show the node's alarms anew after the commit; see `Role.alarms`."""
        self.alarmed = True

    def touch(self, key: str) -> None:
        """Name something that `Role.committed` must refresh."""
        self.touched.add(key)

    def begin_trace(self, request: Request[Any]) -> None:
        """Take over the trace that another role has given an order."""
        if request.order is not None:
            order_trace(self.connection, request.order, request.trace, self.environment)

    def _span(self, order: str | None) -> str:
        """A traceparent for a new message: in the order's trace, or in that of what led here."""
        if order is None:
            return child_trace(self.trace, self.environment.span())
        return order_trace(self.connection, order, self.trace, self.environment)

    def _add(self, row: Pending) -> None:
        insert(self.connection, row)
        self.added.append(row)
