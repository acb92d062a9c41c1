"""What a node hears: each message becomes an answered query, an input to decide, or a count.

Nothing that arrives, however wrong, may end the node.
"""

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bus.contract.channel import EVERY, Event, role_of
from bus.contract.envelope import Envelope, Reading, is_problem
from bus.contract.errors import (
    Busy,
    Expired,
    Forbidden,
    ForeignResponseTopic,
    Internal,
    Problem,
    UnknownOperation,
)
from bus.contract.every import ABOUT, PING, PRESENCE, REFUSED, Presence, Refusal
from bus.contract.timestamp import milliseconds
from bus.contract.topics import Address, Topics
from bus.contract.values import Model
from bus.link import Incoming
from bus.runtime.admission import Admission, validate
from bus.runtime.clock import StoreTime
from bus.runtime.pending_requests import PendingRequests
from bus.runtime.processor import Input, ReplyReceived, StateObserved
from bus.runtime.publisher import Counts, Publisher
from bus.runtime.requests import Observed, Request
from bus.runtime.role import Role
from bus.runtime.schedule import Schedule
from bus.storage.journal import snapshot

logger = logging.getLogger("storebus.node")

Query = Callable[[sqlite3.Connection, Request[Any]], Model]
_TELLS_HEALTH = (PING, ABOUT)
_LONG_QUERIES = 1000
"""How many may wait."""


class Dispatcher:
    """Sorts what arrives at one node.

    Args:
        node: its name.
        role: what it plays.
        topics: of its site.
        admission: reads and authorises.
        publisher: publishes replies and refusals.
        counts: what was heard, refused and dropped.
        schedule: the commands whose replies are awaited.
        asks: the queries whose replies are awaited.
        store_time: what is heard of the store's clock.
        take: queues an input for the next transaction; False when there is no room.
        seen_as: told what presence this node is seen with.
        met: told what presence another node shows.
        replied: told of each reply to a command.
    """

    def __init__(
        self,
        node: str,
        role: Role,
        topics: Topics,
        admission: Admission,
        publisher: Publisher,
        counts: Counts,
        schedule: Schedule,
        pending: PendingRequests,
        store_time: StoreTime,
        take: Callable[[Input], bool],
        seen_as: Callable[[Presence], None],
        met: Callable[[str, Presence], None],
        replied: Callable[[ReplyReceived], None],
    ) -> None:
        self._node = node
        self._topics = topics
        self._admission = admission
        self._publisher = publisher
        self._counts = counts
        self._schedule = schedule
        self._pending = pending
        self._store_time = store_time
        self._take = take
        self._seen_as = seen_as
        self._met = met
        self._replied = replied
        self._watches = {state.name: state for state in role.watches}
        self._hears = {
            ("event" if isinstance(channel, Event) else "state", channel.name): (channel, tell)
            for channel, tell in role.hears.items()
        }
        self._heeded = {(operation.callee, operation.name) for operation in role.answers}
        self.queries: Mapping[str, Query] = {}
        """By name of the operation."""
        self._long_queries = role.long_queries
        self.when_known: Callable[[Callable[[], None]], None] = lambda then: then()
        """Calls back as soon as it is known how healthy the node is."""
        self.reader: sqlite3.Connection
        """The journal's read-only connection."""
        self.look_up: Callable[[Callable[[sqlite3.Connection], Model]], Awaitable[Model]]
        """Carries out a query in the journal's thread for long ones."""
        self.do_beside: Callable[[Coroutine[Any, Any, None], str], None]
        """Carries out what takes longer, until it is done or the node ends."""
        self._waiting = 0
        """Long queries that have not been answered yet."""
        self._presence: dict[str, Presence] = {}  # of the nodes that have been heard of
        self.online: Mapping[str, Presence] = {}
        """The nodes that are there; made anew when one comes or goes."""
        self.acknowledged: list[str] = []
        """Commands that are done and can be forgotten with the next transaction."""

    def dispatch(self, messages: list[Incoming]) -> None:
        """Sort what arrived, in order."""
        for message in messages:
            self._counts["received"] += 1
            try:
                self._sort(message)
            except Exception:
                self._counts.drop("defect")
                logger.exception("%s: could not take %s", self._node, message.topic)

    def _sort(self, message: Incoming) -> None:
        address = self._topics.parse(message.topic)
        if address is None:
            self._counts.drop("foreign-topic")
        elif address.kind == "req":
            self._request(message, address)
        elif address.kind == "rep":
            self._reply(message, address)
        elif (address.kind, address.name) in self._hears:
            self._observe(message, address)
        else:
            self._state(message, address)

    def _request(self, message: Incoming, address: Address) -> None:
        if not message.payload:
            self._counts.drop("empty-request")
            return
        reading = Reading(message.payload)
        try:
            request = self._admission.read(message, address, reading)
            if request.operation in _TELLS_HEALTH:
                self.when_known(lambda: self._answer_later(message, address, reading, request))
            elif request.operation in self._long_queries:
                if self._waiting >= _LONG_QUERIES:
                    raise Busy("Too many queries are waiting.", retryAfter=1)
                self._waiting += 1
                self.do_beside(self._answer_long(message, address, reading, request), "query")
            elif request.operation.kind == "query":
                self._answer_query(message, address, reading, request)
            elif not self._take(request):
                raise Busy("Too many commands are waiting.", retryAfter=1)
        except Problem as problem:
            self._refuse(message, address, reading, problem)

    def _refuse(
        self, message: Incoming, address: Address, reading: Reading, problem: Problem
    ) -> None:
        self._counts.refuse(problem.code)
        self._publisher.publish(self._admission.refusal(message, address, reading, problem))
        if isinstance(problem, (Forbidden, ForeignResponseTopic)):
            refusal = Refusal(
                caller=address.node,
                operation=address.name,
                code=problem.code,
                detail=problem.detail,
            )
            self._publisher.event(REFUSED, refusal)

    def _answer_query(
        self, message: Incoming, address: Address, reading: Reading, request: Request[Any]
    ) -> None:
        try:
            with self._explaining(request), snapshot(self.reader) as rows:
                answer = self._query(request)(rows, request)
            self._reply_to_query(request, answer)
        except Problem as problem:
            self._refuse(message, address, reading, problem)

    async def _answer_long(
        self, message: Incoming, address: Address, reading: Reading, request: Request[Any]
    ) -> None:
        try:
            with self._explaining(request):
                query = self._query(request)
                answer = await self.look_up(lambda rows: query(rows, request))
            self._reply_to_query(request, answer)
        except Problem as problem:
            self._refuse(message, address, reading, problem)
        except Exception:
            self._counts.drop("defect")
            logger.exception("%s: could not answer %s", self._node, message.topic)
        finally:
            self._waiting -= 1

    def _answer_later(
        self, message: Incoming, address: Address, reading: Reading, request: Request[Any]
    ) -> None:
        try:
            self._answer_query(message, address, reading, request)
        except Exception:
            self._counts.drop("defect")
            logger.exception("%s: could not answer %s", self._node, message.topic)

    def _query(self, request: Request[Any]) -> Query:
        query = self.queries.get(request.operation.name)
        if query is None:
            raise UnknownOperation(f"{self._node} does not answer {request.operation.name}.")
        return query

    @contextmanager
    def _explaining(self, request: Request[Any]) -> Iterator[None]:
        """What goes wrong within is told to the operator, and to the caller that it did."""
        try:
            yield
        except Problem:
            raise
        except Exception as error:
            logger.exception("%s: query %s failed", self._node, request.operation.name)
            raise Internal("The query failed; the operator has been told.") from error

    def _reply_to_query(self, request: Request[Any], answer: Model) -> None:
        self._publisher.try_to_publish(self._admission.reply(request, answer))
        self._counts["answered"] += 1

    def _reply(self, message: Incoming, address: Address) -> None:
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
        self._replied(reply)
        heeded = (role_of(address.callee), address.name) in self._heeded
        if heeded or reply.is_for_the_moment:
            self._take(reply)
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

    def _acknowledge(self, reply: ReplyReceived) -> None:
        """The role does not care what the answer is: the command is done."""
        row = reply.row
        if reply.problem:
            self._counts["unheeded-problems"] += 1
            logger.error("%s: %s refused %s: %s", self._node, row.target, row.operation, reply.data)
        self._schedule.remove(row.id)
        self.acknowledged.append(row.id)

    def _observe(self, message: Incoming, address: Address) -> None:
        """Something that is only looked at: no transaction, and nothing is remembered."""
        channel, tell = self._hears[address.kind, address.name]
        if channel.owner not in (EVERY, role_of(address.node)) or not message.payload:
            self._counts.drop("unwatched-state")
            return
        try:
            data = validate(channel.data, Reading(message.payload).envelope().data)
        except Problem:
            self._counts.drop("malformed-state")
            return
        tell(address.node, data)

    def _state(self, message: Incoming, address: Address) -> None:
        is_presence = address.name == PRESENCE.name
        state = PRESENCE if is_presence else self._watches.get(address.name)
        is_watched = address.name in self._watches
        if state is None or not message.payload:
            self._counts.drop("unwatched-state")
            return
        try:
            data = validate(state.data, Reading(message.payload).envelope().data)
        except Problem:
            self._counts.drop("malformed-state")
            return
        if isinstance(data, Presence):
            if address.node == self._node:
                self._seen_as(data)
            else:
                self._met(address.node, data)
            if not is_watched:
                return
        if isinstance(data, Presence) and not self._changed(address.node, data):
            return
        self._take(StateObserved(state, Observed(address.node, data)))

    def _changed(self, node: str, presence: Presence) -> bool:
        """Remember a presence; the last will of an older start says nothing of this one."""
        before = self._presence.get(node)
        if before is not None:
            if presence.status == "lost" and before.boot != presence.boot:
                return False
            if (before.status, before.boot) == (presence.status, presence.boot):
                return False  # shown again
        self._presence[node] = presence
        self._look_who_is_there()
        if presence.status == "online":
            self._schedule.hurry(node)
        return True

    def forget(self, node: str) -> None:
        """Take the node's next presence for a new one."""
        self._presence.pop(node, None)
        self._look_who_is_there()

    def _look_who_is_there(self) -> None:
        self.online = {
            name: presence
            for name, presence in self._presence.items()
            if presence.status == "online"
        }
