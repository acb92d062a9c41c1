"""One start of a node: puts the parts of the runtime together, and runs them."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from bus.contract.errors import StandstillError, first_error
from bus.contract.every import ABOUT, ALARMS_STATE, PING, Alarm, Alarms, Presence
from bus.contract.outbound import MessageFactory
from bus.contract.timestamp import rfc3339
from bus.link import Incoming
from bus.runtime.about import SelfDescription
from bus.runtime.adapter_calls import AdapterCalls
from bus.runtime.admission import Admission
from bus.runtime.background import BackgroundTasks
from bus.runtime.batch_runner import BatchRunner
from bus.runtime.clock import NodeClock, StoreTime
from bus.runtime.clock_watch import ClockWatch
from bus.runtime.commit_handler import CommitHandler
from bus.runtime.connection import NodeConnection
from bus.runtime.deployment import Deployment
from bus.runtime.disk_watch import DiskWatch
from bus.runtime.dispatcher import Dispatcher
from bus.runtime.environment import Environment
from bus.runtime.failure_handler import FailureHandler
from bus.runtime.health import Health
from bus.runtime.inputs import HealthProbe, InputQueue
from bus.runtime.last_errors import LastErrors
from bus.runtime.outbox import forget
from bus.runtime.outbox_runner import OutboxRunner
from bus.runtime.peer_watch import PeerWatch
from bus.runtime.pending_requests import PendingRequests
from bus.runtime.presences import Presences
from bus.runtime.processor import Processor
from bus.runtime.publisher import Counts, Publisher
from bus.runtime.reply_handler import ReplyHandler
from bus.runtime.request_handler import RequestHandler
from bus.runtime.role import Role
from bus.runtime.schedule import Schedule
from bus.runtime.service_watch import ServiceWatch
from bus.runtime.shown import ShownStates
from bus.runtime.state_handler import StateHandler
from bus.runtime.store_time_asker import StoreTimeAsker
from bus.runtime.transactor import Transactor
from bus.storage.journal import Journal

logger = logging.getLogger("storebus.node")


@dataclass(frozen=True, slots=True)
class NodeContext:
    """What a node has before it runs, and what its parts share."""

    role: Role
    deployment: Deployment
    environment: Environment
    messages: MessageFactory
    counts: Counts
    store_time: StoreTime
    publisher: Publisher
    pending: PendingRequests
    errors: LastErrors
    ready: asyncio.Event
    """Set once it is on the bus."""
    stopping: asyncio.Event
    """Set when it is to end."""


class RunningNode:
    """A node whose database is open, and whose name nobody else has.

    Args:
        context: what the node had before.
        journal: its database.
        clock: its steady clock, which goes on where its database has recorded it.
    """

    def __init__(self, context: NodeContext, journal: Journal, clock: NodeClock) -> None:
        role, environment, messages = context.role, context.environment, context.messages
        settings, counts, publisher = context.deployment.settings, context.counts, context.publisher
        store_time, pending, reader = context.store_time, context.pending, journal.reader
        name = messages.node
        self.name = name
        self.journal = journal
        self._context = context
        self._tasks = asyncio.TaskGroup()
        self._background = background = BackgroundTasks(name, self._tasks)
        self._health = health = Health(
            name, self._probe, self._may_act, settings.takeover_wait / 2, settings.standstill
        )
        self.inputs = inputs = InputQueue(settings.queue_limit, health)
        self.schedule = schedule = Schedule(
            settings.retry_first, settings.retry_limit, environment.steady, environment.spread
        )
        self._peers = peers = PeerWatch(messages, environment, reader, pending, inputs, background)
        self._disk = disk = DiskWatch(name, environment, self._show_alarms)
        self._services = services = ServiceWatch(name, environment, self._show_alarms)
        presences = Presences(schedule)
        admission = Admission(messages, environment, store_time)
        self.connection = connection = NodeConnection(
            name, role, context.deployment, environment, messages.topics, counts, context.ready,
            context.stopping, peers.presence, self._show_presence, self._receive, self._regained,
        )  # fmt: skip
        self._about = about = SelfDescription(
            role, messages, environment, context.deployment.data, reader, health, schedule, counts,
            context.errors, connection.in_last_hour,
        )  # fmt: skip
        self.states = ShownStates(
            role, reader, environment, publisher, lambda: peers.presence("online"), about.describe,
            self._watched,
        )  # fmt: skip
        self._transactor = transactor = Transactor(
            name, journal, connection.lease, clock, health, disk
        )
        self._clock_watch = ClockWatch(
            name, environment, clock, store_time, transactor.record_clock, self._show_alarms
        )
        commits = CommitHandler(role, reader, publisher, schedule, services, self.states, counts)
        failures = FailureHandler(
            name, reader, admission, publisher, counts, schedule, presences, health
        )
        self.batches = BatchRunner(
            Processor(role, messages, environment), transactor, inputs, presences, commits,
            failures, health, settings, environment.steady(),
        )  # fmt: skip
        self._asker = asker = StoreTimeAsker(name, store_time, pending, schedule, background)
        calls = AdapterCalls(
            name, role.adapters, settings.adapter_limit, environment, connection.lease, inputs,
            schedule, services, counts,
        )  # fmt: skip
        self._outbox = OutboxRunner(
            reader, environment, schedule, connection.lease, inputs, publisher, store_time, asker,
            calls, background,
        )  # fmt: skip
        queries = {operation.name: run for operation, run in role.queries.items()}
        self._dispatcher = Dispatcher(
            name,
            messages.topics,
            counts,
            RequestHandler(
                name, queries | {PING.name: about.pong, ABOUT.name: about.about}, role.long_queries,
                journal, admission, inputs, publisher, counts, health, background,
            ),
            ReplyHandler(
                name, role.answers, environment, counts, schedule, pending, store_time, inputs,
                services, peers,
            ),
            StateHandler(name, role, counts, inputs, presences, peers, connection.seen_as),
        )  # fmt: skip

    async def run(self, shown: Presence | None) -> None:
        """Run until told to stop.

        Args:
            shown: the presence last shown under the node's name.

        Raises:
            RoleTakenError: another living process plays this node.
            JournalError: its database cannot be written.
            BrokerError: the first connection could not be made.
            StandstillError: a transaction did not come to an end.
        """
        session, context = self.connection.session, self._context
        try:
            async with self._tasks as tasks:
                begun = {"lease": self.connection.lease.keep(), "health": self._keep_healthy()}
                running = [
                    tasks.create_task(each, name=f"{self.name}/{name}")
                    for name, each in begun.items()
                ]
                await self.batches.carry_out([None])
                self._peers.remember(shown)
                pause = context.deployment.settings.show_again
                then = {
                    "link": session.run(once=True),
                    "work": self.batches.run(),
                    "time": self._outbox.run(),
                    "show": self.states.show_again(pause, session.up.is_set),
                    "ahead": self._outbox.keep_looking_ahead(),
                    "clock": self._clock_watch.keep_looking(),
                    "learn-time": self._learn_time(),
                }
                running += [
                    tasks.create_task(each, name=f"{self.name}/{name}")
                    for name, each in then.items()
                ]
                await context.stopping.wait()
                self._clock_watch.look()
                for task in running:
                    task.cancel()
                self._background.cancel()
            acknowledged = self.inputs.take_acknowledged()
            await self._transactor.last(lambda rows: forget(rows, acknowledged))
        except ExceptionGroup as group:
            raise first_error(group) from None

    def say_goodbye(self) -> None:
        """Show the node as offline."""
        self._context.publisher.publish(self._peers.presence("offline"))

    def _probe(self) -> None:
        self.inputs.take(HealthProbe())

    def _may_act(self) -> bool:
        return self.connection.lease.holds()

    def _receive(self, messages: list[Incoming]) -> None:
        self._dispatcher.dispatch(messages)

    def _regained(self) -> None:
        self.states.show()
        self.schedule.hurry()

    def _show_presence(self) -> None:
        self.states.show_presence()

    def _show_alarms(self) -> None:
        self.states.show_alarms()

    def _watched(self) -> Iterable[Alarm]:
        """What the runtime has noticed."""
        parts = (self._clock_watch, self._disk, self._services, self._peers)
        return [alarm for part in parts for alarm in part.alarms]

    async def _learn_time(self) -> None:
        await self._asker.learn(self.connection.session.up)
        self._clock_watch.look()

    async def _keep_healthy(self) -> None:
        """End the node when its transactions stand still.

        Raises:
            StandstillError: they do.
        """
        context = self._context
        try:
            await self._health.watch()
        except StandstillError as error:
            logger.critical("%s", error)
            self.journal.abandon()
            since = rfc3339(context.environment.now())
            alarm = Alarm(kind="standstill", detail=str(error), since=since)
            context.publisher.state(ALARMS_STATE, Alarms(alarms=[alarm]))
            context.publisher.publish(self._peers.presence("lost"))
            raise
