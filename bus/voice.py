"""What a node says: states, events, replies and commands as messages for the link."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from bus.clock import StoreTime
from bus.contract.channel import Event, State
from bus.contract.every import PRESENCE, Presence
from bus.contract.topics import Topics
from bus.contract.values import Model
from bus.envelope import Sealed, seconds_left, with_deadline
from bus.identity import Identity
from bus.link import Outgoing
from bus.timestamp import rfc3339
from bus.turn import Pending, Reply


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


class Voice:
    """Makes one node's messages and hands them to its connection.

    Args:
        node: its name.
        kind: its role or kind of device.
        topics: of its site.
        identity: its clock and identifiers.
        counts: where a message that could not be sent is counted.
        store_time: the clock that deadlines go by, for those who give commands.
    """

    def __init__(
        self,
        node: str,
        kind: str,
        topics: Topics,
        identity: Identity,
        counts: Counts,
        store_time: StoreTime | None = None,
    ) -> None:
        self._node = node
        self._kind = kind
        self._topics = topics
        self._identity = identity
        self._counts = counts
        self._store_time = store_time or StoreTime(identity)
        self.since = rfc3339(identity.now())
        """When this start of the node was."""
        self.send: Callable[[Outgoing], bool] = lambda _: False
        """The connection's; False when it is not there."""

    def say(self, message: Outgoing) -> None:
        """Send if connected; what matters is repeated until it is answered."""
        if not self.send(message):
            self._counts.drop("not-connected")

    def reply(self, reply: Reply) -> None:
        """A reply that is stored in the inbox."""
        topic = self._topics.reply(reply.caller, self._node, reply.operation.name)
        self.say(Outgoing(topic, reply.payload, reply.operation.qos, correlation=reply.correlation))
        self._counts["answered"] += 1

    def command(self, row: Pending) -> None:
        """A command of the outbox, with what is left of its time."""
        payload, expiry = row.payload, None
        if row.deadline is not None:
            left = row.deadline - self._identity.steady()
            there = self._store_time.at(row.target)
            if row.expired_at is not None:  # asked about: it begins nothing
                payload = with_deadline(payload, 0, None)
            else:
                expiry = seconds_left(left)
                payload = with_deadline(payload, expiry, None if there is None else there + left)
        self.say(
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

    def state(self, state: State[Any], data: Model) -> None:
        """A new state."""
        self.say(self.state_message(state, data))

    def event(self, event: Event[Any], data: Model) -> None:
        """Something that happened."""
        self.say(Outgoing(self._topics.event(self._node, event.name), self._seal(event.name, data)))

    def presence(self, status: Any) -> Outgoing:
        """This start of the node as online, offline or lost."""
        presence = Presence(status=status, boot=self._identity.boot, since=self.since)
        return self.state_message(PRESENCE, presence)

    def state_message(self, state: State[Any], data: Model) -> Outgoing:
        """A state as a message: retained."""
        topic = self._topics.state(self._node, state.name)
        return Outgoing(topic, self._seal(state.name, data), qos=1, retain=True)

    def _seal(self, name: str, data: Model) -> bytes:
        span = self._identity.span()
        return Sealed(
            id=self._identity.message(),
            source=f"/{self._topics.site}/{self._node}",
            type=f"storebus.{self._kind}.{name}",
            at=self._identity.now(),
            data=data,
            trace=f"00-{span}{self._identity.span()}-{span}-01",
            order=getattr(data, "order", None),
        ).to_bytes()
