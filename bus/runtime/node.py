"""The runtime of every node: inbox, batch, pure decision, one transaction, publish.

Knows nothing of what a role decides. See docs/adr/0001 for why a transaction is one function.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from bus.contract.channel import Operation
from bus.contract.outbound import MessageFactory
from bus.contract.topics import Topics
from bus.contract.values import Model
from bus.link import Outgoing
from bus.runtime.clock import NodeClock, StoreTime
from bus.runtime.deployment import Deployment
from bus.runtime.environment import Environment
from bus.runtime.last_errors import LastErrors
from bus.runtime.pending_requests import PendingRequests
from bus.runtime.publisher import Counts, Publisher
from bus.runtime.role import Role
from bus.runtime.running_node import NodeContext, RunningNode
from bus.runtime.takeover import refuse_second
from bus.runtime.unit_of_work import UnitOfWork
from bus.storage.damage import reading
from bus.storage.journal import snapshot

ResultT = TypeVar("ResultT")


class Node:
    """One role or device on the bus.

    Args:
        name: `catalog`, `sorter-1` ...
        role: what it plays.
        deployment: where it runs.
        environment: clock and identifiers; the deployment's if None.
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
        """Set once it is connected, nobody else has its name, and it can be asked."""
        self._stopping = asyncio.Event()
        self._errors = LastErrors(name, self.environment)
        self._messages = MessageFactory(self.topics, name, self.environment, role.kind)
        self._store_time = StoreTime(self.environment)
        self._publisher = Publisher(
            self._messages, self.environment, self.counts, self._send, self._store_time
        )
        self._pending = PendingRequests(
            self._messages,
            self.environment,
            deployment.settings,
            self._publisher.try_to_publish,
            self._store_time,
        )
        self._running: RunningNode | None = None

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
            self.deployment.journal(path, *self.role.schemas) as journal,
        ):
            clock = NodeClock(self.environment)
            clock.resume(journal.reader)
            shown = await refuse_second(
                self.deployment.connector,
                self.topics,
                self.name,
                self.environment,
                self.deployment.settings.takeover_wait,
            )
            self._running = RunningNode(self._context(), journal, clock)
            await self._running.run(shown)

    def stop(self) -> None:
        """End `run` after a goodbye; what is not done yet goes on at the next start."""
        if self._running is not None and self.ready.is_set():
            self._running.say_goodbye()
        self._stopping.set()

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
        return await self.running.batches.decide(work)

    @property
    def connected(self) -> bool:
        """Whether it is on the bus now."""
        return self.ready.is_set() and self.running.connection.session.up.is_set()

    def read(self, query: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """Look something up in the node's database."""
        with snapshot(self.running.journal.reader) as rows:
            return query(rows)

    @property
    def running(self) -> RunningNode:
        """This start of the node, once its database is open."""
        assert self._running is not None, f"{self.name} has not started"
        return self._running

    def _send(self, message: Outgoing) -> bool:
        return self._running is not None and self._running.connection.send(message)

    def _context(self) -> NodeContext:
        return NodeContext(
            role=self.role,
            deployment=self.deployment,
            environment=self.environment,
            messages=self._messages,
            counts=self.counts,
            store_time=self._store_time,
            publisher=self._publisher,
            pending=self._pending,
            errors=self._errors,
            ready=self.ready,
            stopping=self._stopping,
        )
