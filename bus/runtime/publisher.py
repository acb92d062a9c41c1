"""What a node says: states, events, replies and commands as messages for the link."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bus.contract.channel import Event, State
from bus.contract.envelope import (
    Reading,
    Sealed,
    child_trace,
    order_of,
    seconds_left,
    with_deadline,
)
from bus.contract.errors import TooLarge, Unavailable
from bus.contract.every import PRESENCE, Presence
from bus.contract.timestamp import rfc3339
from bus.contract.topics import Topics
from bus.contract.values import Model
from bus.link import Outgoing
from bus.runtime.clock import StoreTime
from bus.runtime.environment import Environment
from bus.runtime.unit_of_work import Pending, Reply


class Counts(Counter[str]):
    """What a node has counted since it started; shown by `about`."""

    def drop(self, reason: str) -> None:
        """A message that had no effect and got no answer."""
        self["dropped"] += 1
        self[f"dropped.{reason}"] += 1

    def refuse(self, code: str) -> None:
        """A request that was answered with a problem."""
        self["refused"] += 1
        self[f"refused.{code}"] += 1


class Publisher:
    """Makes one node's messages and hands them to its connection.

    Args:
        node: its name.
        kind: its role or kind of device.
        topics: of its site.
        environment: its clock and identifiers.
        counts: where a message that could not be sent is counted.
        store_time: the clock that deadlines go by, for those who give commands.
    """

    def __init__(
        self,
        node: str,
        kind: str,
        topics: Topics,
        environment: Environment,
        counts: Counts,
        store_time: StoreTime | None = None,
    ) -> None:
        self._node = node
        self._kind = kind
        self._topics = topics
        self._environment = environment
        self._counts = counts
        self._store_time = store_time or StoreTime(environment)
        self.since = rfc3339(environment.now())
        """When this start of the node was."""
        self.send: Callable[[Outgoing], bool] = lambda _: False
        """The connection's; False when it is not there, `TooLarge` as a `Session` raises it."""

    def publish(self, message: Outgoing) -> None:
        """Send if connected; what matters is repeated until it is answered."""
        with suppress(TooLarge):  # counted, and the session has told the operator
            self.try_to_publish(message)

    def try_to_publish(self, message: Outgoing) -> None:
        """Send if connected.

        Raises:
            TooLarge: it will not get through, however often it is sent.
        """
        try:
            if not self.send(message):
                self._counts.drop("not-connected")
        except TooLarge:
            self._counts.drop("too-large")
            raise

    def reply(self, reply: Reply) -> None:
        """A reply that is stored in the inbox.

        One that does not get through is not lost: the caller is told to ask again, for good
        while the broker passes on so little.
        """
        topic = self._topics.reply(reply.caller, self._node, reply.operation.name)
        qos, correlation = reply.operation.qos, reply.correlation
        try:
            self.try_to_publish(Outgoing(topic, reply.payload, qos, correlation=correlation))
        except TooLarge as too_large:
            problem = self._kept_back(reply, too_large)
            self.publish(Outgoing(topic, problem, qos, correlation=correlation))
        self._counts["answered"] += 1

    def _kept_back(self, reply: Reply, too_large: TooLarge) -> bytes:
        asked = Reading(reply.payload).envelope().correlation_id
        problem = Unavailable(f"The answer is there, but does not get through. {too_large.detail}")
        return Sealed(
            id=self._environment.message(),
            source=f"/{self._topics.site}/{self._node}",
            type=f"storebus.{self._kind}.{reply.operation.name}.problem",
            at=self._environment.now(),
            data=problem.to_data(),
            trace=child_trace(None, self._environment.span()),
            correlation_id=asked,
            causation_id=asked,
        ).to_bytes()

    def command(self, row: Pending) -> None:
        """A command of the outbox, with what is left of its time."""
        payload, expiry = row.payload, None
        if row.deadline is not None:
            left = row.deadline - self._environment.steady()
            there = self._store_time.at(row.target)
            if row.expired_at is not None:  # asked about: it begins nothing
                payload = with_deadline(payload, 0, None)
            else:
                expiry = seconds_left(left)
                payload = with_deadline(payload, expiry, None if there is None else there + left)
        self.publish(
            Outgoing(
                self._topics.request(self._node, row.target, row.operation),
                payload,
                qos=1,
                response_topic=self._topics.reply(self._node, row.target, row.operation),
                correlation=row.id.encode(),
                expiry=expiry,
                trace=row.trace,
            )
        )

    def state(self, state: State[Any], data: Model, trace: str | None = None) -> None:
        """A new state; without a traceparent it begins a trace of its own."""
        self.publish(self.state_message(state, data, trace))

    def event(self, event: Event[Any], data: Model, trace: str | None = None) -> None:
        """Something that happened."""
        payload = self._seal(event.name, data, trace)
        self.publish(Outgoing(self._topics.event(self._node, event.name), payload))

    def presence(
        self, status: Any, database: str | None = None, position: int | None = None
    ) -> Outgoing:
        """This start of the node as online, offline or lost, and with which database."""
        presence = Presence(
            status=status, boot=self._environment.boot, since=self.since,
            database=database, position=position,
        )  # fmt: skip
        return self.state_message(PRESENCE, presence)

    def state_message(self, state: State[Any], data: Model, trace: str | None = None) -> Outgoing:
        """A state as a message: retained."""
        topic = self._topics.state(self._node, state.name)
        return Outgoing(topic, self._seal(state.name, data, trace), qos=1, retain=True)

    def _seal(self, name: str, data: Model, trace: str | None) -> bytes:
        return Sealed(
            id=self._environment.message(),
            source=f"/{self._topics.site}/{self._node}",
            type=f"storebus.{self._kind}.{name}",
            at=self._environment.now(),
            data=data,
            trace=trace or child_trace(None, self._environment.span()),
            order=order_of(data),
        ).to_bytes()
