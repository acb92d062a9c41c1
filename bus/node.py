"""The runtime of every node: inbox, batch, pure decision, one transaction, publish.

Knows nothing of what a role decides. See docs/adr/0001 for why a transaction is one function.
"""

import asyncio
import logging
import sqlite3
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from bus.batch import Batch, Done, Due, Input, Replied, Watched
from bus.caller import Asks
from bus.contract.channel import EVERY, Operation, State, role_of
from bus.contract.every import (
    ABOUT,
    ABOUT_STATE,
    PING,
    PRESENCE,
    REFUSED,
    About,
    Pong,
    Presence,
    Refusal,
)
from bus.contract.topics import Address, Topics
from bus.contract.values import Model
from bus.envelope import Reading, Sealed, is_problem, rfc3339
from bus.errors import (
    Busy,
    Forbidden,
    ForeignResponseTopic,
    Internal,
    Problem,
    UnknownOperation,
    first_error,
)
from bus.gate import Gate, validate
from bus.identity import Identity
from bus.intake import Observed, Request
from bus.journal import Journal
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.outbox import Schedule
from bus.role import Role
from bus.session import Session
from bus.settings import RuntimeSettings
from bus.takeover import refuse_second
from bus.turn import Pending, Turn

logger = logging.getLogger("storebus.node")

VERSION = version("storebus")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node runs."""

    connector: Connector
    site: str
    data: Path
    """The folder of the databases; each node has its own file there."""
    settings: RuntimeSettings = field(default_factory=RuntimeSettings)


Seen = TypeVar("Seen")


class Node:
    """One role or device on the bus.

    Args:
        name: `catalog`, `sorter-1` ...
        role: what it plays.
        place: where it runs.
        identity: clock and identifiers; a simulation hands in its own.
    """

    def __init__(
        self, name: str, role: Role, place: Place, identity: Identity | None = None
    ) -> None:
        self.name = name
        self.role = role
        self.place = place
        self.identity = identity or Identity()
        self.topics = Topics(place.site)
        self.counts: Counter[str] = Counter()
        self.ready = asyncio.Event()
        """Set once it is connected, has claimed its name and can be asked."""
        settings = place.settings
        self._gate = Gate(self.topics, name, role.kind, self.identity)
        self._schedule = Schedule(settings.retry_first, settings.retry_limit, self.identity.now)
        self._queries = {operation.name: run for operation, run in role.queries.items()}
        self._queries |= {PING.name: self._ping, ABOUT.name: self._about}
        self._watches = {state.name: (state, run) for state, run in role.watches.items()}
        self._adapters = {adapter.name: adapter for adapter in role.adapters}
        self._calls = asyncio.Semaphore(settings.adapter_limit)
        self._presence: dict[str, Presence] = {}
        self._heeded = {(operation.callee, operation.name) for operation in role.answers}
        self._acknowledged: list[str] = []
        self._inputs: deque[Input] = deque()
        self._input = asyncio.Event()
        self._stop = asyncio.Event()
        self._since = rfc3339(self.identity.now())
        self._journal: Journal
        self._session: Session
        self._asks = Asks(name, self.topics, self.identity, settings, self._publish)

    # -- life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Play the role until cancelled or told to `stop`.

        Raises:
            RoleTakenError: another living process plays this node.
            JournalError: its database cannot be used.
            BrokerError: the first connection could not be made.
        """
        with Journal(self.place.data / f"{self.name}.db", self.role.package) as self._journal:
            await refuse_second(
                self.place.connector, self.topics, self.name, self.identity,
                self.place.settings.takeover_wait,
            )  # fmt: skip
            for row in self._journal.reader.execute("SELECT * FROM outbox"):
                self._schedule.add(Pending(*row))
            self._session = self._new_session()
            await self._carry_out([None])
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    running = [
                        tasks.create_task(self._session.run(once=True), name=f"{self.name}/link"),
                        tasks.create_task(self._work(), name=f"{self.name}/work"),
                        tasks.create_task(self._keep_time(), name=f"{self.name}/time"),
                    ]
                    await self._stop.wait()
                    for task in running:
                        task.cancel()
                await self._carry_out([])
            except ExceptionGroup as group:
                raise first_error(group) from None

    def stop(self) -> None:
        """End `run` after a goodbye; what is not done yet goes on at the next start."""
        self._goodbye()
        self._stop.set()

    async def ask(self, operation: Operation[Any, Any], callee: str, data: Model) -> Any:
        """Ask a query of another node.

        Raises:
            Problem: the refusal, or `NoAnswer`.
        """
        return await self._asks.ask(operation, callee, data)

    async def decide(self, work: Callable[[Turn], None]) -> Turn:
        """Carry out something of this node's own accord, such as a customer's purchase."""
        return await self._carry_out_one(work)

    def read(self, query: Callable[[sqlite3.Connection], Seen]) -> Seen:
        """Look something up in the node's database."""
        return query(self._journal.reader)

    def _new_session(self) -> Session:
        wants = [
            Subscription(self.topics.requests_to(self.name), 1),
            Subscription(self.topics.replies_to(self.name), 1),
        ]
        for state in self.role.watches:
            owner = state.owner if state.owner not in (EVERY, "sorter", "terminal") else "+"
            wants.append(Subscription(self.topics.state(owner, state.name), 1))
        return Session(
            self.place.connector,
            f"{self.place.site}-{self.name}-{self.identity.boot}",
            wants,
            self._receive,
            self._connected,
            self._state_message(PRESENCE, self._my_presence("lost")),
            self.place.settings.reconnect_limit,
        )

    def _connected(self) -> None:
        self._publish(self._state_message(PRESENCE, self._my_presence("online")))
        self._publish(self._state_message(ABOUT_STATE, self._describe()))
        for state, data in self.role.states(self._journal.reader):
            self._publish(self._state_message(state, data))
        self._schedule.hurry()
        self.ready.set()

    def _goodbye(self) -> None:
        if self.ready.is_set():
            self._publish(self._state_message(PRESENCE, self._my_presence("offline")))

    # -- in -----------------------------------------------------------------------------------

    def _receive(self, messages: list[Incoming]) -> None:
        """Sort what arrived: queries are answered here, the rest waits for a transaction."""
        for message in messages:
            self.counts["received"] += 1
            address = self.topics.parse(message.topic)
            if address is None:
                self._drop("foreign-topic")
            elif address.kind == "req":
                self._receive_request(message, address)
            elif address.kind == "rep":
                self._receive_reply(message, address)
            else:
                self._receive_state(message, address)
        for topic in self._session.take_denied():
            self._drop("denied-by-broker")
            logger.error("%s: the broker's access list denied %s", self.name, topic)

    def _receive_request(self, message: Incoming, address: Address) -> None:
        if not message.payload:
            self._drop("empty-request")
            return
        reading = Reading(message.payload)
        try:
            request = self._gate.read(message, address, reading)
            if request.operation.kind == "query":
                reply = self._gate.reply(request, self._answer(request))
            elif len(self._inputs) >= self.place.settings.queue_limit:
                raise Busy("Too many commands are waiting.", retryAfter=1)
            else:
                self._take(request)
                return
        except Problem as problem:
            reply = self._gate.refusal(message, address, reading, problem)
            self._count_refusal(problem.code)
            if isinstance(problem, (Forbidden, ForeignResponseTopic)):
                refusal = Refusal(
                    caller=address.node,
                    operation=address.name,
                    code=problem.code,
                    detail=problem.detail,
                )
                self._publish(self._event_message(REFUSED.name, refusal))
        else:
            self.counts["answered"] += 1
        self._publish(reply)

    def _answer(self, request: Request[Any]) -> Model:
        run = self._queries.get(request.operation.name)
        if run is None:
            raise UnknownOperation(f"{self.name} does not answer {request.operation.name}.")
        try:
            return run(self._journal.reader, request)
        except Problem:
            raise
        except Exception as error:
            logger.exception("%s: query %s failed", self.name, request.operation.name)
            raise Internal("The query failed; the operator has been told.") from error

    def _receive_reply(self, message: Incoming, address: Address) -> None:
        try:
            envelope = Reading(message.payload).envelope()
        except Problem:
            self._drop("malformed-reply")
            return
        asked = envelope.correlation_id or envelope.id
        if self._asks.answered(asked, address, envelope):
            return
        row = self._schedule.get(asked)
        if row is None or (row.target, row.operation) != (address.callee, address.name):
            self._drop("unsolicited-reply")
            return
        reply = Replied(row, envelope.id, envelope.data, is_problem(envelope), envelope.trace)
        heeded = (role_of(address.callee), address.name) in self._heeded
        if heeded or reply.is_for_the_moment:
            self._take(reply)
        else:
            if reply.problem:
                self.counts["unheeded-problems"] += 1
                logger.error(
                    "%s: %s refused %s: %s", self.name, row.target, row.operation, reply.data
                )
            self._schedule.remove(row.id)
            self._acknowledged.append(row.id)

    def _receive_state(self, message: Incoming, address: Address) -> None:
        known = self._watches.get(address.name)
        if known is None or not message.payload:
            self._drop("unwatched-state")
            return
        state, _ = known
        try:
            data = validate(state.data, Reading(message.payload).envelope().data)
        except Problem:
            self._drop("malformed-state")
            return
        if isinstance(data, Presence):
            before = self._presence.get(address.node)
            if data.status == "lost" and before is not None and before.boot != data.boot:
                return
            self._presence[address.node] = data
            if data.status == "online":
                self._schedule.hurry(address.node)
        self._take(Watched(state, Observed(address.node, data)))

    def _take(self, item: Input) -> None:
        self._inputs.append(item)
        self._input.set()

    # -- decide -------------------------------------------------------------------------------

    async def _work(self) -> None:
        """Carry out whatever has arrived, a batch at a time."""
        limit = self.place.settings.batch_limit
        while True:
            while not self._inputs:
                self._input.clear()
                await self._input.wait()
            batch = [self._inputs.popleft() for _ in range(min(limit, len(self._inputs)))]
            await self._carry_out(batch)

    async def _carry_out(self, batch: list[Input]) -> list[Turn]:
        """One transaction for all; if one blows up, each on its own."""
        now = self.identity.now()
        online = {
            name: presence
            for name, presence in self._presence.items()
            if presence.status == "online"
        }
        work = Batch(self.role, self.name, self.place.site, self.identity, now, online)
        acknowledged, self._acknowledged = self._acknowledged, []
        try:
            turns = await self._journal.transact(
                lambda rows: work.carry_out(rows, batch, acknowledged)
            )
        except Exception:
            self._acknowledged += acknowledged
            if len(batch) > 1:
                logger.exception("%s: a batch failed and is taken one by one", self.name)
                return [turn for item in batch for turn in await self._carry_out([item])]
            logger.exception("%s: a message failed", self.name)
            self._failed(batch[0])
            return []
        for turn in turns:
            self._publish_turn(turn)
        return turns

    async def _carry_out_one(self, work: Callable[[Turn], None]) -> Turn:
        now = self.identity.now()

        def run(rows: sqlite3.Connection) -> Turn:
            turn = Turn(rows, now, self.name, self.place.site, self.identity, {})
            work(turn)
            return turn

        turn = await self._journal.transact(run)
        self._publish_turn(turn)
        return turn

    def _failed(self, item: Input) -> None:
        """A message that could not be carried out at all; a command gets to know it."""
        if isinstance(item, Request):
            self._count_refusal(Internal.code)
            problem = Internal("The request failed and had no effect; the operator has been told.")
            address = Address("req", item.caller, self.name, item.operation.name)
            reading = Reading(b"", id=item.id)
            message = Incoming("", b"", correlation=item.correlation)
            self._publish(self._gate.refusal(message, address, reading, problem))
        elif isinstance(item, (Replied, Due, Done)):
            self._schedule.tried(item.row.id)

    # -- out ----------------------------------------------------------------------------------

    def _publish_turn(self, turn: Turn) -> None:
        """What a committed turn has to say."""
        for identifier in turn.removed:
            self._schedule.remove(identifier)
        for identifier in turn.postponed:
            self._schedule.tried(identifier)
        for reply in turn.replies:
            topic = self.topics.reply(reply.caller, self.name, reply.operation.name)
            self._publish(
                Outgoing(topic, reply.payload, reply.operation.qos, correlation=reply.correlation)
            )
            self.counts["answered"] += 1
        for row in turn.added:
            self._schedule.add(row)
        for state, data in turn.shown:
            self._publish(self._state_message(state, data))
        for event, data in turn.events:
            self._publish(self._event_message(event.name, data))
        if turn.refused is not None:
            self._count_refusal(turn.refused)
        if turn.touched:
            self.role.committed(self._journal.reader, frozenset(turn.touched))

    async def _keep_time(self) -> None:
        """Send commands (again), notice deadlines and timers, start calls."""
        while True:
            for row in await self._schedule.due():
                if row.kind == "timer":
                    self._take(Due(row))
                elif row.kind == "call":
                    self._tasks.create_task(self._call(row), name=f"{self.name}/{row.id}")
                elif row.deadline is not None and row.deadline <= self.identity.now():
                    self._take(Due(row))
                else:
                    self._send_command(row)
                    self._schedule.tried(row.id)

    def _send_command(self, row: Pending) -> None:
        expiry = None
        if row.deadline is not None:
            expiry = max(1, (row.deadline - self.identity.now()) // 1000)
        self._publish(
            Outgoing(
                self.topics.request(self.name, row.target, row.operation),
                row.payload,
                qos=1,
                response_topic=self.topics.reply(self.name, row.target, row.operation),
                correlation=row.id.encode(),
                expiry=expiry,
                trace=row.trace,
            )
        )

    async def _call(self, row: Pending) -> None:
        """Call a provider or machine; whatever goes wrong, ask again with the same key."""
        adapter = self._adapters[row.target]
        try:
            async with self._calls:
                data = adapter.data.model_validate_json(row.payload)
                result = await adapter.call(row.id, data)
        except Exception as error:  # noqa: BLE001 - any failure means unknown: ask again
            logger.warning("%s: %s of %s: %r; asking again", self.name, row.target, row.id, error)
            self.counts[f"unknown.{row.target}"] += 1
            self._schedule.tried(row.id)
            return
        self._take(Done(row, data, result))

    def _publish(self, message: Outgoing) -> None:
        if not self._session.send(message):
            self._drop("not-connected")

    def _state_message(self, state: State[Any], data: Model) -> Outgoing:
        payload = self._seal(f"storebus.{self.role.kind}.{state.name}", data)
        return Outgoing(self.topics.state(self.name, state.name), payload, qos=1, retain=True)

    def _event_message(self, name: str, data: Model) -> Outgoing:
        payload = self._seal(f"storebus.{self.role.kind}.{name}", data)
        return Outgoing(self.topics.event(self.name, name), payload)

    def _seal(self, kind: str, data: Model) -> bytes:
        span = self.identity.span()
        return Sealed(
            id=self.identity.message(),
            source=f"/{self.place.site}/{self.name}",
            type=kind,
            at=self.identity.now(),
            data=data,
            trace=f"00-{span}{self.identity.span()}-{span}-01",
            order=getattr(data, "order", None),
        ).to_bytes()

    # -- what every node answers --------------------------------------------------------------

    def _ping(self, _: sqlite3.Connection, __: Request[Any]) -> Model:
        return Pong(node=self.name, boot=self.identity.boot, version=VERSION)

    def _about(self, _: sqlite3.Connection, __: Request[Any]) -> Model:
        return self._describe()

    def _describe(self) -> About:
        return About(
            node=self.name,
            role=self.role.kind,
            boot=self.identity.boot,
            version=VERSION,
            since=self._since,
            operations=sorted(
                {*self._queries, *(operation.name for operation in self.role.commands)}
            ),
            counts=dict(self.counts),
            outbox=len(self._schedule),
        )

    def _my_presence(self, status: Any) -> Presence:
        return Presence(status=status, boot=self.identity.boot, since=self._since)

    def _drop(self, reason: str) -> None:
        self.counts["dropped"] += 1
        self.counts[f"dropped.{reason}"] += 1

    def _count_refusal(self, code: str) -> None:
        self.counts["refused"] += 1
        self.counts[f"refused.{code}"] += 1
