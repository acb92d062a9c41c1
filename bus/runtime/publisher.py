"""Publishes a node's messages, and counts those that could not be sent."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bus.contract.channel import Event, State
from bus.contract.envelope import Reading, seconds_left, with_deadline
from bus.contract.errors import TooLarge, Unavailable
from bus.contract.outbound import MessageFactory
from bus.contract.values import Model
from bus.link import Outgoing
from bus.runtime.clock import StoreTime
from bus.runtime.environment import Environment
from bus.runtime.outbox import Pending
from bus.runtime.outgoing import outgoing
from bus.runtime.requests import Reply


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
    """Hands one node's messages to its connection.

    Args:
        messages: makes them.
        environment: its clocks.
        counts: where a message that could not be sent is counted.
        send: the connection's; False when it is not there, `TooLarge` as a `Session` raises it.
        store_time: the clock that deadlines go by, for those who give commands.
    """

    def __init__(
        self,
        messages: MessageFactory,
        environment: Environment,
        counts: Counts,
        send: Callable[[Outgoing], bool],
        store_time: StoreTime | None = None,
    ) -> None:
        self._messages = messages
        self._node = messages.node
        self._topics = messages.topics
        self._environment = environment
        self._counts = counts
        self._send = send
        self._store_time = store_time or StoreTime(environment)

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
            if not self._send(message):
                self._counts.drop("not-connected")
        except TooLarge:
            self._counts.drop("too-large")
            raise

    def reply(self, reply: Reply) -> None:
        """Publish a reply that is stored in the inbox.

        One that is too large for the broker is not lost: the caller is told to ask again.
        """
        topic = self._topics.reply(reply.caller, self._node, reply.operation.name)
        qos, correlation = reply.operation.qos, reply.correlation
        try:
            self.try_to_publish(Outgoing(topic, reply.payload, qos, correlation=correlation))
        except TooLarge as too_large:
            self.publish(self._kept_back(reply, too_large))
        self._counts["answered"] += 1

    def _kept_back(self, reply: Reply, too_large: TooLarge) -> Outgoing:
        asked = Reading(reply.payload).envelope().correlation_id
        problem = Unavailable(f"The answer is there, but does not get through. {too_large.detail}")
        return outgoing(
            self._messages.reply(
                reply.caller,
                reply.operation,
                problem,
                request=asked,
                correlation=reply.correlation,
            )
        )

    def command(self, row: Pending) -> None:
        """Publish a command of the outbox, with the time that is left for it."""
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
        """Publish a state; without a traceparent it begins a trace of its own."""
        self.publish(outgoing(self._messages.state(state, data, trace=trace)))

    def event(self, event: Event[Any], data: Model, trace: str | None = None) -> None:
        """Publish an event."""
        self.publish(outgoing(self._messages.event(event, data, trace=trace)))
