"""The runtime of every node: inbox, batch, pure decision, one transaction, publish.

Knows nothing of what a role decides. See docs/adr/0001 for why a transaction is one function.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic_core import from_json

from bus.contract import STATES
from bus.contract.channel import ROLES, TIMEKEEPER, Event, Operation
from bus.contract.envelope import Reading, order_of
from bus.contract.errors import (
    BrokerError,
    Internal,
    JournalError,
    Problem,
    RoleTakenError,
    StandstillError,
    first_error,
)
from bus.contract.every import (
    ABOUT,
    ABOUT_STATE,
    ALARMS_STATE,
    PING,
    PRESENCE,
    About,
    Alarm,
    Alarms,
    Pong,
    Presence,
)
from bus.contract.outbound import MessageFactory
from bus.contract.timestamp import rfc3339
from bus.contract.topics import Address, Topics
from bus.contract.values import Empty, Model
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.link.session import Session
from bus.runtime import peers
from bus.runtime.admission import Admission
from bus.runtime.clock import Moment, NodeClock, StoreTime
from bus.runtime.clock_watch import ClockWatch
from bus.runtime.disk_watch import DiskWatch
from bus.runtime.dispatcher import Dispatcher
from bus.runtime.environment import Environment
from bus.runtime.health import Health
from bus.runtime.last_errors import LastErrors
from bus.runtime.lease import LapsedError, Lease
from bus.runtime.outgoing import outgoing
from bus.runtime.pending_requests import PendingRequests
from bus.runtime.processor import (
    CallCompleted,
    HealthProbe,
    Input,
    PeerSeen,
    Processor,
    ReplyReceived,
    StateObserved,
    TimerFired,
)
from bus.runtime.publisher import Counts, Publisher
from bus.runtime.requests import Request
from bus.runtime.role import Role
from bus.runtime.schedule import AHEAD, Schedule, count_timers, forget, near_timers, unfinished
from bus.runtime.service_watch import Service, ServiceWatch
from bus.runtime.settings import RuntimeSettings
from bus.runtime.takeover import refuse_second
from bus.runtime.traces import known_trace
from bus.runtime.unit_of_work import Pending, UnitOfWork, last_shown
from bus.storage.damage import reading
from bus.storage.journal import Journal, snapshot
from bus.text.safe import short

logger = logging.getLogger("storebus.node")

VERSION = version("storebus")
_REPETITIONS = 10
"""After so many, whoever waits for an answer has asked for it again."""
_ARRIVALS = 1_000
"""The most connections of an hour that are counted."""
_TEXT = 200
"""Characters of a text of the contract."""
_HOUR = 3_600.0
"""Seconds."""
_ASK_TIME = 2.0
"""Seconds until the store's time is asked again."""
_QUEUE = "queue"
"""What waits for the next transaction."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where a node runs."""

    connector: Connector
    site: str
    data: Path
    """The folder of the databases; each node has its own file there."""
    settings: RuntimeSettings = field(default_factory=RuntimeSettings)
    environment: Callable[[], Environment] = Environment
    """Makes the clock and the identifiers of each start; a simulation hands in its own."""
    journal: Callable[..., Journal] = Journal
    """Opens a node's database; a simulation hands in one that has no thread."""
    lease: Callable[..., Lease] = Lease
    """Holds a node's name; a simulation hands in one that lives in virtual time."""


Seen = TypeVar("Seen")


class Node:
    """One role or device on the bus.

    Args:
        name: `catalog`, `sorter-1` ...
        role: what it plays.
        deployment: where it runs.
        environment: clock and identifiers; the place's if None.
    """

    def __init__(
        self, name: str, role: Role, deployment: Deployment, environment: Environment | None = None
    ) -> None:
        self.name = name
        self.role = role
        self.deployment = deployment
        self.environment = environment or deployment.environment()
        self.topics = Topics(deployment.site)
        self.counts = Counts()
        self.ready = asyncio.Event()
        """Set once it is connected, has claimed its name and can be asked."""
        settings = deployment.settings
        self._store_time = store_time = StoreTime(self.environment)
        self._clock = NodeClock(self.environment)
        self._watch = ClockWatch(
            name, self.environment, self._clock, store_time, self._record_clock, self._show_alarms
        )
        self._disk = DiskWatch(name, self.environment, self._show_alarms)
        self._services = ServiceWatch(name, self.environment, self._show_alarms)
        self._own = (self.environment.boot, 0)
        """The name and the position of its database; a new one will be named so."""
        self._peers: dict[str, peers.Peer] = {}
        self._verifying: set[str] = set()
        """Nodes that are being asked which database they have."""
        self._messages = MessageFactory(self.topics, name, self.environment, role.kind)
        self._publisher = Publisher(
            self._messages, self.environment, self.counts, self._send, store_time
        )
        self._processor = Processor(role, self._messages, self.environment)
        self._admission = Admission(self._messages, self.environment, store_time)
        self._schedule = Schedule(
            settings.retry_first,
            settings.retry_limit,
            self.environment.steady,
            self.environment.spread,
        )
        self._pending = PendingRequests(
            self._messages,
            self.environment,
            settings,
            self._publisher.try_to_publish,
            store_time,
        )
        self._dispatcher = Dispatcher(
            name, role, self.topics, self._admission, self._publisher, self.counts, self._schedule,
            self._pending, store_time, self._take, self._seen_as, self._met, self._replied,
        )  # fmt: skip
        self._health = Health(
            name, self._probe, self._may_act, settings.takeover_wait / 2, settings.standstill
        )
        self._dispatcher.when_known = self._when_known
        self._dispatcher.do_beside = self._do_beside
        self._dispatcher.queries = {
            operation.name: run for operation, run in role.queries.items()
        } | {
            PING.name: self._ping,
            ABOUT.name: lambda *_: self._describe(),
        }
        self._own_states = [state for state in STATES.values() if state.owner == role.kind]
        self._adapters = {adapter.name: adapter for adapter in role.adapters}
        self._calls = asyncio.Semaphore(settings.adapter_limit)
        self._beside: set[asyncio.Task[None]] = set()
        self._asking_time: set[str] = set()
        self._inputs: deque[Input] = deque()
        self._input = asyncio.Event()
        self._stop = asyncio.Event()
        self._errors = LastErrors(name, self.environment)
        self._arrivals: deque[float] = deque(maxlen=_ARRIVALS)
        """When it connected last, in seconds of a clock that is never set."""
        self._echoed = False
        """Whether this connection has brought back that we are online."""
        self._started = 0
        """When, by the steady clock."""
        self._journal: Journal
        self._session: Session
        self._lease: Lease

    # -- life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Play the role until cancelled or told to `stop`.

        Raises:
            RoleTakenError: another living process plays this node.
            JournalError: its database cannot be used.
            BrokerError: the first connection could not be made.
            StandstillError: a transaction did not come to an end; it is to be started again.
        """
        path = self.deployment.data / f"{self.name}.db"
        with (
            self._errors.listening(),
            reading(path),
            self.deployment.journal(path, *self.role.schemas) as self._journal,
        ):
            self._clock.resume(self._journal.reader)
            self._started = self.environment.steady()
            self._own = peers.own(self._journal.reader) or self._own
            for row in unfinished(self._journal.reader):
                self._schedule.add(Pending(*row))
            self._look_ahead()
            self._dispatcher.reader = self._journal.reader
            self._dispatcher.look_up = self._journal.look_up
            shown = await self._refuse_second(patient=False)
            wait = self.deployment.settings.takeover_wait
            self._lease = self.deployment.lease(
                self.name, wait, self.environment.elapsed, self._ask_again, self._regained
            )
            self._session = self._new_session()
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    running = [
                        tasks.create_task(self._lease.keep(), name=f"{self.name}/lease"),
                        tasks.create_task(self._keep_healthy(), name=f"{self.name}/health"),
                    ]
                    await self._carry_out([None])
                    self._remember(shown)
                    running += [
                        tasks.create_task(self._session.run(once=True), name=f"{self.name}/link"),
                        tasks.create_task(self._work(), name=f"{self.name}/work"),
                        tasks.create_task(self._keep_time(), name=f"{self.name}/time"),
                        tasks.create_task(self._show_again(), name=f"{self.name}/show"),
                        tasks.create_task(self._keep_looking(), name=f"{self.name}/ahead"),
                        tasks.create_task(self._watch.keep_looking(), name=f"{self.name}/clock"),
                        tasks.create_task(self._learn_time(), name=f"{self.name}/learn-time"),
                    ]
                    await self._stop.wait()
                    self._watch.look()
                    for task in (*running, *self._beside):
                        task.cancel()
                await self._leave()
            except ExceptionGroup as group:
                raise first_error(group) from None

    def stop(self) -> None:
        """End `run` after a goodbye; what is not done yet goes on at the next start."""
        if self.ready.is_set():
            self._publisher.publish(self._presence("offline"))
        self._stop.set()

    async def ask(self, operation: Operation[Any, Any], callee: str, data: Model) -> Any:
        """Ask a query of another node.

        Raises:
            Problem: the refusal, or `NoAnswer`.
        """
        return await self._pending.ask(operation, callee, data)

    async def decide(self, work: Callable[[UnitOfWork], None]) -> UnitOfWork:
        """Carry out something of this node's own accord, such as a customer's purchase.

        `work` is done again when the lease was over before its commit: only the last try counts.

        Raises:
            JournalError: the database cannot be written; nothing was done.
            RoleTakenError: another process plays this node now; nothing was done.
        """
        return await self._carry_out_one(work)

    @property
    def connected(self) -> bool:
        """Whether it is on the bus now."""
        return self.ready.is_set() and self._session.up.is_set()

    def read(self, query: Callable[[sqlite3.Connection], Seen]) -> Seen:
        """Look something up in the node's database."""
        with snapshot(self._journal.reader) as rows:
            return query(rows)

    def _new_session(self) -> Session:
        wants = [
            Subscription(self.topics.requests_to(self.name), 1),
            Subscription(self.topics.replies_to(self.name), 1),
        ]
        if PRESENCE not in self.role.watches:
            wants.append(Subscription(self.topics.state(self.name, PRESENCE.name), 1))
            roles = sorted(ROLES - {self.name})
            wants += [Subscription(self.topics.state(role, PRESENCE.name), 1) for role in roles]
        for state in (*self.role.watches, *self.role.hears):
            owner = state.owner if state.owner in ROLES else "+"
            if isinstance(state, Event):
                wants.append(Subscription(self.topics.event(owner, state.name), 0))
            else:
                wants.append(Subscription(self.topics.state(owner, state.name), 1))
        return Session(
            self.deployment.connector,
            f"{self.deployment.site}-{self.name}-{self.environment.boot}",
            wants,
            self._receive,
            self._connected,
            self._presence("lost"),
            self.deployment.settings.reconnect_limit,
            self.environment.chance,
        )

    # -- one process plays a role -------------------------------------------------------------

    async def _refuse_second(self, *, patient: bool) -> Presence | None:
        return await refuse_second(
            self.deployment.connector,
            self.topics,
            self.name,
            self.environment,
            self.deployment.settings.takeover_wait,
            patient=patient,
        )

    async def _ask_again(self, stood_still: bool) -> None:
        logger.info("%s: is nobody else playing it by now?", self.name)
        while True:
            if self.ready.is_set():  # before, the session may wait for us
                await self._session.up.wait()
            try:
                await self._refuse_second(patient=stood_still)
            except BrokerError as error:
                logger.debug("%s: could not ask: %s", self.name, error)
                limit = self.deployment.settings.reconnect_limit
                await asyncio.sleep(self.environment.chance.uniform(0, limit))
            else:
                return

    def _connected(self) -> None:
        self._echoed = False
        self._arrivals.append(self.environment.elapsed())
        if self.ready.is_set():
            self._lease.doubt()
        else:
            self._regained()
            self.ready.set()

    def _regained(self) -> None:
        self._show()
        self._schedule.hurry()

    def _seen_as(self, presence: Presence) -> None:
        """The presence that others see in our name."""
        own = self.environment.boot
        if (presence.status, presence.boot) == ("online", own):
            self._echoed = True
        elif not self._echoed or self._stop.is_set():
            pass  # from before this connection, or our goodbye
        elif presence.status == "online" and presence.boot != own:
            # Anybody can say so, and whose start was later no clock can tell: who answers for it?
            self._lease.doubt(stood_still=True)
        else:  # a late word of an earlier start or connection hides us
            self._publisher.publish(self._presence("online"))

    def _send(self, message: Outgoing) -> bool:
        if not self._lease.holds() or not self._session.send(message):
            return False
        self.counts["said"] += 1
        return True

    # -- others' databases --------------------------------------------------------------------

    def _presence(self, status: str) -> Outgoing:
        """Whether this start is there, and how far its database had come when that was looked up.

        Whoever says goodbye may have closed it, or have a disk that does not answer.
        """
        if status == "online":
            self._own = peers.own(self._journal.reader) or self._own
        return outgoing(self._messages.presence(status, *self._own))

    def _remember(self, shown: Presence | None) -> None:
        """Take up what is known of others; and whether our own name had another database before."""
        rows = self._journal.reader
        self._peers = peers.load(rows)
        own = peers.own(rows)
        if shown is None or shown.database is None or own is None:
            return
        if not peers.is_remembered(self.name):
            return
        before = peers.Peer(shown.database, shown.position or 0, shown.boot)
        now = self.environment.steady()
        before = self._peers.get(self.name, before)
        self._know(self.name, peers.met(before, *own, self.environment.boot, now))

    def _met(self, node: str, presence: Presence) -> None:
        """Another node shows which database it has."""
        database = presence.database
        if presence.status == "online" and database is not None and peers.is_remembered(node):
            before, now = self._peers.get(node), self.environment.steady()
            position, boot = presence.position or 0, presence.boot
            peer = peers.met(before, database, position, boot, now)
            if peer.loss == (before and before.loss):
                self._know(node, peer)
            elif node not in self._verifying:  # what is shown may be of yesterday
                self._verifying.add(node)
                self._do_beside(self._verify(node, before), f"verify {node}")

    async def _verify(self, node: str, before: peers.Peer | None) -> None:
        """Ask a node itself which database it has now.

        Args:
            node: whom.
            before: what was known of it before it is asked.
        """
        try:
            about: About = await self._pending.ask(ABOUT, node, Empty())
        except Problem as problem:  # asked again when it shows itself again
            logger.debug("%s: %s does not say what it has: %s", self.name, node, problem)
        else:
            if about.database is not None:
                position, now = about.position or 0, self.environment.steady()
                self._know(node, peers.met(before, about.database, position, about.boot, now))
        finally:
            self._verifying.discard(node)

    def _know(self, node: str, peer: peers.Peer) -> None:
        before = self._peers.get(node)
        if peer != before:
            self._peers[node] = peer
            self._take(PeerSeen(node, peer, peer.loss != (before and before.loss)))

    def _replied(self, reply: ReplyReceived) -> None:
        """A command was answered: or refused, also by a node that does not know what it must."""
        row = reply.row
        service = Service("refuses", row.target, row.operation)
        problem = reply.data if reply.problem and isinstance(reply.data, dict) else {}
        if reply.is_for_the_moment:
            reason, now = str(problem.get("detail") or reply.code), self.environment.steady()
            self._services.failed(row.id, service, reason, now, self._order_of(row))
            return
        self._services.served(service)
        self._services.done(row.id)
        if peers.is_ignorant(reply.code, problem.get("state", "")):
            now = self.environment.steady()
            self._know(row.target, peers.forgot(self._peers.get(row.target), now))

    # -- hear ---------------------------------------------------------------------------------

    def _show(self) -> None:
        """Show every state of this node."""
        self._publisher.publish(self._presence("online"))
        self._publisher.state(ABOUT_STATE, self._describe())
        with snapshot(self._journal.reader) as rows:
            states = dict(self.role.states(rows)) | dict(last_shown(rows, self._own_states))
            for state, data in states.items():
                order = order_of(data)
                trace = None if order is None else known_trace(rows, order, self.environment)
                self._publisher.state(state, data, trace)
        self._show_alarms()

    def _show_alarms(self) -> None:
        """Everything that is wrong here: what the role says, the clocks and the disk."""
        with snapshot(self._journal.reader) as rows:
            found = [*self.role.alarms(rows), *self._watch.alarms, *self._disk.alarms]
        found += self._services.alarms
        found += peers.alarms(
            self._peers, self.name, self.environment.now(), self.environment.steady()
        )
        self._publisher.state(ALARMS_STATE, Alarms(alarms=found))

    async def _show_again(self) -> None:
        while True:
            await asyncio.sleep(self.deployment.settings.show_again)
            if self._session.up.is_set():
                self._show()

    def _receive(self, messages: list[Incoming]) -> None:
        self._dispatcher.dispatch(messages)
        for topic in self._session.take_denied():
            self.counts.drop("denied-by-broker")
            logger.error("%s: the broker's access list denied %s", self.name, topic)

    def _take(self, item: Input) -> bool:
        """Queue for the next transaction; only new requests can find the queue full."""
        if isinstance(item, Request) and len(self._inputs) >= self.deployment.settings.queue_limit:
            return False
        self._inputs.append(item)
        self._input.set()
        self._health.begun(_QUEUE)
        return True

    # -- health -------------------------------------------------------------------------------

    def _probe(self) -> None:
        self._take(HealthProbe())

    def _when_known(self, then: Callable[[], None]) -> None:
        """Call back when it is known whether transactions are carried out."""

        async def look() -> None:
            await self._health.look()
            then()

        self._do_beside(look(), "look")

    def _do_beside(self, what: Coroutine[Any, Any, None], name: str) -> None:
        """Something that the node does until it is done, or the node ends."""
        task = self._tasks.create_task(what, name=f"{self.name}/{name}")
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def _may_act(self) -> bool:
        return self._lease.holds()

    async def _keep_healthy(self) -> None:
        """End the node when its transactions stand still.

        Raises:
            StandstillError: they do.
        """
        try:
            await self._health.watch()
        except StandstillError as error:
            logger.critical("%s", error)
            self._journal.abandon()
            since = rfc3339(self.environment.now())
            alarm = Alarm(kind="standstill", detail=str(error), since=since)
            self._publisher.state(ALARMS_STATE, Alarms(alarms=[alarm]))
            self._publisher.publish(self._presence("lost"))
            raise

    # -- decide -------------------------------------------------------------------------------

    async def _work(self) -> None:
        """Carry out whatever has arrived, a batch at a time."""
        limit = self.deployment.settings.batch_limit
        while True:
            while not self._inputs:
                self._input.clear()
                await self._input.wait()
            batch = [self._inputs.popleft() for _ in range(min(limit, len(self._inputs)))]
            self._health.ended(_QUEUE)
            if self._inputs:
                self._health.begun(_QUEUE)
            await self._carry_out(batch)

    async def _carry_out(self, batch: list[Input]) -> list[UnitOfWork]:
        """One transaction for all; if one blows up, each on its own.

        Raises:
            JournalError: not even the start of the node can be written.
        """
        acknowledged, self._dispatcher.acknowledged = self._dispatcher.acknowledged, []

        def carry_out(rows: sqlite3.Connection, at: Moment) -> list[UnitOfWork]:
            return self._processor.carry_out(
                rows, at, batch, acknowledged, online, self._forget_before(at.steady)
            )

        online = self._dispatcher.online
        is_probed = any(isinstance(item, HealthProbe) for item in batch)
        try:
            units = await self._transact(carry_out, record=is_probed)
        except RoleTakenError:
            raise
        except Exception as error:
            self._dispatcher.acknowledged += acknowledged
            if batch == [None]:
                raise self._explained(error) from error
            if len(batch) > 1:
                self._log("a batch failed and is taken one by one", error)
                return [unit for item in batch for unit in await self._carry_out([item])]
            self._log("a message failed", error)
            for item in batch:
                self._failed(item)
            return []
        for unit in units:
            self._publish_unit(unit)
        if is_probed:
            self._health.probed(failed=False)
        return units

    def _forget_before(self, now: int) -> int | None:
        """Until when answered commands may be forgotten; None soon after the start."""
        settings = self.deployment.settings
        if now - self._started < _REPETITIONS * settings.retry_limit * 1000:
            return None
        return now - round(settings.keep_answers * 1000)

    async def _leave(self) -> None:
        """Forget what was answered, unless the lease is over: nobody renews it any more."""
        acknowledged = self._dispatcher.acknowledged
        with suppress(LapsedError, sqlite3.Error):  # then they are merely sent once more
            await self._journal.transact(self._lease.guard(lambda rows: forget(rows, acknowledged)))

    async def _carry_out_one(self, work: Callable[[UnitOfWork], None]) -> UnitOfWork:
        def run(rows: sqlite3.Connection, at: Moment) -> UnitOfWork:
            unit = UnitOfWork(rows, at.now, at.steady, self._messages, self.environment, {})
            work(unit)
            peers.went_on(rows)
            return unit

        try:
            unit = await self._transact(run)
        except sqlite3.Error as error:
            raise self._explained(error) from error
        self._publish_unit(unit)
        return unit

    async def _transact(
        self, work: Callable[[sqlite3.Connection, Moment], Seen], *, record: bool = False
    ) -> Seen:
        """Carry out `work`, which is told the time, once this process surely plays its role.

        Args:
            work: what is done.
            record: write down what the clocks say, also if that is not due yet.
        """
        while True:
            await self._lease.held()
            at = self._clock.moment()
            recording = record or self._clock.is_due(at)

            def run(rows: sqlite3.Connection, at: Moment = at, recording: bool = recording) -> Seen:
                if recording:
                    self._clock.record(rows, at)
                return work(rows, at)

            try:
                with self._health.transaction():
                    result = await self._journal.transact(self._lease.guard(run))
            except LapsedError:
                continue
            except sqlite3.Error as error:
                self._disk.failed(error)
                raise
            self._disk.wrote()
            if recording:
                self._clock.recorded(at)
            return result

    async def _record_clock(self) -> None:
        with suppress(sqlite3.Error):  # then the next transaction does
            await self._transact(lambda _, __: None)

    def _log(self, what: str, error: Exception) -> None:
        """A disk that fails is told in a sentence; anything else is a defect, with traceback."""
        if self._disk.alarms:
            what, defect = f"{what}: {self._explained(error)}", None
        else:
            defect = error
        logger.error("%s: %s", self.name, what, exc_info=defect)

    def _explained(self, error: Exception) -> Exception:
        if not isinstance(error, sqlite3.Error):
            return error
        return JournalError(f"{self.name} cannot write to {self._journal.path}: {error}")

    def _failed(self, item: Input) -> None:
        """A message that could not be carried out at all; a command gets to know it."""
        if isinstance(item, Request):
            if self._is_accepted(item):
                return  # it is under way, or answered: its repetition is told nothing else
            self.counts.refuse(Internal.code)
            problem = Internal("The request failed and had no effect; the operator has been told.")
            address = Address("req", item.caller, self.name, item.operation.name)
            reading = Reading(b"", id=item.id)
            message = Incoming("", b"", correlation=item.correlation)
            self._publisher.publish(self._admission.refusal(message, address, reading, problem))
        elif isinstance(item, (ReplyReceived, TimerFired, CallCompleted)):
            self._schedule.tried(item.row.id)
        elif isinstance(item, StateObserved):
            self._dispatcher.forget(item.observed.node)  # to be heard when it is shown again
        elif isinstance(item, HealthProbe):
            self._health.probed(failed=True)

    def _is_accepted(self, request: Request[Any]) -> bool:
        try:
            return bool(
                self._journal.reader.execute(
                    "SELECT 1 FROM inbox WHERE caller = ? AND id = ?", (request.caller, request.id)
                ).fetchone()
            )
        except sqlite3.Error:
            return True  # not known: then nothing may be said

    # -- out ----------------------------------------------------------------------------------

    def _publish_unit(self, unit: UnitOfWork) -> None:
        """What a committed unit of work has to say."""
        self._reschedule(unit)
        for reply in unit.replies:
            self._publisher.reply(reply)
        for state, data, trace in unit.shown:
            self._publisher.state(state, data, trace)
        for event, data, trace in unit.events:
            self._publisher.event(event, data, trace)
        if unit.alarmed:
            self._show_alarms()
        if unit.refused is not None:
            self.counts.refuse(unit.refused)
        if unit.touched:
            with snapshot(self._journal.reader) as rows:
                self.role.committed(rows, frozenset(unit.touched))

    def _reschedule(self, unit: UnitOfWork) -> None:
        for identifier in unit.removed:
            self._schedule.remove(identifier)
            self._services.done(identifier)
        for identifier in unit.postponed:
            self._schedule.tried(identifier)
        for row in unit.added:
            if row.kind != "timer" or row.due_at <= unit.steady + AHEAD:
                self._schedule.add(row)

    async def _keep_time(self) -> None:
        """Send commands (again), notice deadlines and timers, start calls."""
        while True:
            await asyncio.sleep(0)  # however much is due, others get their turn
            due = await self._schedule.due()
            await self._lease.held()
            for row in due:
                if row.kind == "timer":
                    self._take(TimerFired(row))
                elif row.kind == "call":
                    self._do_beside(self._call(row), row.id)
                elif row.expires_at is not None and row.expires_at <= self.environment.steady():
                    self._take(TimerFired(row))
                else:
                    if row.deadline is None or self._store_time.at(row.target) is not None:
                        self._publisher.command(row)
                    elif row.target not in self._asking_time:
                        self._asking_time.add(row.target)
                        self._do_beside(self._ask_time(row.target), "time")
                    self._schedule.tried(row.id)

    async def _ask_time(self, target: str) -> None:
        """What time is it there? A deadline can only be sent in that time."""
        try:
            await self._pending.ask(PING, target, Empty())
        except Problem as problem:  # asked again when the command is tried again
            logger.debug("%s: %s does not say its time: %s", self.name, target, problem)
        else:
            self._schedule.hurry(target)
        finally:
            self._asking_time.discard(target)

    async def _learn_time(self) -> None:
        """Learn once what time it is in the store: else nobody knew that a clock here is wrong."""
        while self.name != TIMEKEEPER and self._store_time.anywhere() is None:
            await self._session.up.wait()
            if TIMEKEEPER not in self._asking_time:
                self._asking_time.add(TIMEKEEPER)
                await self._ask_time(TIMEKEEPER)
            await asyncio.sleep(_ASK_TIME)
        self._watch.look()

    def _look_ahead(self) -> None:
        """Take up the timers whose time is near."""
        for row in near_timers(self._journal.reader, self.environment.steady()):
            if self._schedule.get(row["id"]) is None:
                self._schedule.add(Pending(*row))

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(AHEAD / 1000 / 2)
            self._look_ahead()

    async def _call(self, row: Pending) -> None:
        """Call a provider or machine; whatever goes wrong, ask again with the same key."""
        adapter = self._adapters[row.target]
        began = self.environment.steady()
        try:
            async with self._calls:
                await self._lease.held()
                data = adapter.data.model_validate_json(row.payload)
                result = await adapter.call(row.id, data)
        except RoleTakenError:
            return
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._unknown(row, error, began)  # something within it was cancelled, not we
            return
        except Exception as error:  # noqa: BLE001 - any failure means unknown: ask again
            self._unknown(row, error, began)
            return
        self._services.served(Service("provider-silent", adapter.serves, ""))
        self._take(CallCompleted(row, data, result))

    def _unknown(self, row: Pending, error: BaseException, began: int) -> None:
        logger.warning("%s: %s of %s: %r; asking again", self.name, row.target, row.id, error)
        self.counts[f"unknown.{row.target}"] += 1
        self._schedule.tried(row.id)
        service = Service("provider-silent", self._adapters[row.target].serves, "")
        reason = str(error) or type(error).__name__
        self._services.failed(row.id, service, reason, began, self._order_of(row))

    def _order_of(self, row: Pending) -> str | None:
        """The order that something of the outbox is about, where it says so."""
        content = from_json(row.payload)
        found = content.get("order", content.get("orderid"))
        return found if isinstance(found, str) else None

    # -- what every node answers --------------------------------------------------------------

    def _ping(self, _: sqlite3.Connection, __: Request[Any]) -> Model:
        return Pong(
            node=self.name, boot=self.environment.boot, version=VERSION, writer=self._health.writer
        )

    def _describe(self) -> About:
        database, position = peers.own(self._journal.reader) or (None, None)
        return About(
            database=database,
            position=position,
            node=self.name,
            role=self.role.kind,
            boot=self.environment.boot,
            version=VERSION,
            since=self._messages.since,
            operations=sorted(
                {*self._dispatcher.queries, *(operation.name for operation in self.role.commands)}
            ),
            counts=dict(self.counts),
            outbox=len(self._schedule),
            timers=count_timers(self._journal.reader),
            writer=self._health.writer,
            host=short(self.environment.computer(), _TEXT),
            process=self.environment.process(),
            data=self.environment.folder(self.deployment.data)[-_TEXT:],
            connections=self._connections(),
            errors=self._errors.kept,
        )

    def _connections(self) -> int:
        """How often it has connected within the last hour."""
        hour_ago = self.environment.elapsed() - _HOUR
        return sum(at > hour_ago for at in self._arrivals)
