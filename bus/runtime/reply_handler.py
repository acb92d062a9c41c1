"""Replies that arrive at a node: to what it has asked, and to the commands of its outbox."""

import logging
from collections.abc import Iterable
from typing import Any

from bus.contract.channel import Operation, role_of
from bus.contract.envelope import Envelope, Reading, is_problem
from bus.contract.errors import Expired, Problem
from bus.contract.timestamp import milliseconds
from bus.contract.topics import Address
from bus.link import Incoming
from bus.runtime.clock import StoreTime
from bus.runtime.environment import Environment
from bus.runtime.inputs import InputQueue, ReplyReceived
from bus.runtime.peer_watch import PeerWatch
from bus.runtime.pending_requests import PendingRequests
from bus.runtime.publisher import Counts
from bus.runtime.schedule import Schedule
from bus.runtime.service_watch import Service, ServiceWatch

logger = logging.getLogger("storebus.node")


class ReplyHandler:
    """Takes the replies to one node.

    Args:
        node: its name.
        heeded: the commands whose replies its role wants to know.
        environment: its clocks.
        counts: what was dropped.
        schedule: the commands whose replies are awaited.
        pending: the other requests whose replies are awaited.
        store_time: what is heard of the store's clock.
        inputs: where replies wait for their transaction.
        services: told who refuses.
        peers: told what is refused because it is not known.
    """

    def __init__(
        self,
        node: str,
        heeded: Iterable[Operation[Any, Any]],
        environment: Environment,
        counts: Counts,
        schedule: Schedule,
        pending: PendingRequests,
        store_time: StoreTime,
        inputs: InputQueue,
        services: ServiceWatch,
        peers: PeerWatch,
    ) -> None:
        self._node = node
        self._heeded = {(operation.callee, operation.name) for operation in heeded}
        self._environment = environment
        self._counts = counts
        self._schedule = schedule
        self._pending = pending
        self._store_time = store_time
        self._inputs = inputs
        self._services = services
        self._peers = peers

    def handle(self, message: Incoming, address: Address) -> None:
        """Take a reply."""
        reading = Reading(message.payload)
        try:
            envelope = reading.envelope()
        except Problem as why:
            if not self._pending.unreadable(message, address, reading, why):
                self._counts.drop("malformed-reply")
            return
        if self._pending.answered(message, address, envelope):
            return
        row = self._schedule.get(envelope.correlation_id or envelope.id)
        if row is None or (row.target, row.operation) != (address.callee, address.name):
            self._counts.drop("unsolicited-reply")
            return
        reply = ReplyReceived(row, envelope.id, envelope.data, is_problem(envelope), envelope.trace)
        if reply.code == Expired.code and not self._is_final(reply, envelope):
            self._too_late(reply)
            return
        self._note(reply)
        heeded = (role_of(address.callee), address.name) in self._heeded
        if heeded or reply.is_for_the_moment:
            self._inputs.take(reply)
        else:
            self._acknowledge(reply)

    def _is_final(self, reply: ReplyReceived, envelope: Envelope) -> bool:
        """Whether it was too late for every copy when this was said, by the callee's clock.

        One that was said before, of a copy with a wrong deadline, says nothing of the others.
        """
        expired, said = reply.row.expired_at, envelope.sent_at
        if expired is None or said is None:
            return False
        written = self._store_time.written(reply.row.target, said)
        return written is not None and written >= expired

    def _too_late(self, reply: ReplyReceived) -> None:
        """The other clock says that it is too late. Ours decides that: until then it is sent on.

        As soon as that one says what time it is, and we thought otherwise, it is sent at once.
        """
        self._counts["too-late"] += 1
        try:
            there = milliseconds(str(reply.data.get("now")))
        except (ValueError, OverflowError):
            return
        if self._store_time.corrected(reply.row.target, there):
            self._schedule.hurry(reply.row.target)

    def _note(self, reply: ReplyReceived) -> None:
        """Who carries out commands, and who refuses them, also for not knowing what it must."""
        row = reply.row
        service = Service("refuses", row.target, row.operation)
        problem = reply.data if reply.problem and isinstance(reply.data, dict) else {}
        if reply.is_for_the_moment:
            reason, now = str(problem.get("detail") or reply.code), self._environment.steady()
            self._services.failed(row.id, service, reason, now, row.order)
            return
        self._services.served(service)
        self._services.done(row.id)
        self._peers.refused(row.target, problem)

    def _acknowledge(self, reply: ReplyReceived) -> None:
        """The role does not care what the answer is: the command is done."""
        row = reply.row
        if reply.problem:
            self._counts["unheeded-problems"] += 1
            logger.error("%s: %s refused %s: %s", self._node, row.target, row.operation, reply.data)
        self._schedule.remove(row.id)
        self._inputs.acknowledge(row.id)
