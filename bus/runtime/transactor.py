"""Carries out transactions as long as this process holds the lease on its node's name."""

import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from bus.contract.errors import JournalError
from bus.runtime.clock import Moment, NodeClock
from bus.runtime.disk_watch import DiskWatch
from bus.runtime.health import Health
from bus.runtime.lease import LapsedError, Lease
from bus.storage.journal import Journal

logger = logging.getLogger("storebus.node")

ResultT = TypeVar("ResultT")


class Transactor:
    """The one way to write to a node's database.

    Args:
        node: its name.
        journal: its database.
        lease: on its name; what is carried out after its end is rolled back.
        clock: tells each transaction the time, and is written down now and then.
        health: told of each transaction.
        disk: told whether it was written.
    """

    def __init__(
        self,
        node: str,
        journal: Journal,
        lease: Lease,
        clock: NodeClock,
        health: Health,
        disk: DiskWatch,
    ) -> None:
        self._node = node
        self._journal = journal
        self._lease = lease
        self._clock = clock
        self._health = health
        self._disk = disk

    async def transact(
        self, work: Callable[[sqlite3.Connection, Moment], ResultT], *, record: bool = False
    ) -> ResultT:
        """Carry out `work`, which is told the time; again if the lease was over before its commit.

        Args:
            work: what is done.
            record: write down what the clocks say, also if that is not due yet.

        Raises:
            RoleTakenError: another process plays this node now.
            sqlite3.Error: it could not be written.
        """
        while True:
            await self._lease.held()
            at = self._clock.moment()
            recording = record or self._clock.is_due(at)

            def run(
                rows: sqlite3.Connection, at: Moment = at, recording: bool = recording
            ) -> ResultT:
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

    async def record_clock(self) -> None:
        """Write down what the clocks say; if that fails, the next transaction does."""
        with suppress(sqlite3.Error):
            await self.transact(lambda _, __: None)

    async def last(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Carry out what is welcome but not needed; nothing happens if the lease is over."""
        with suppress(LapsedError, sqlite3.Error):
            await self._journal.transact(self._lease.guard(work))

    def log(self, what: str, error: Exception) -> None:
        """Log an error: one of the disk as a sentence, any other as a defect with its traceback."""
        if self._disk.alarms:
            what, defect = f"{what}: {self.explained(error)}", None
        else:
            defect = error
        logger.error("%s: %s", self._node, what, exc_info=defect)

    def explained(self, error: Exception) -> Exception:
        """An error of the database as a sentence; any other as it is."""
        if not isinstance(error, sqlite3.Error):
            return error
        return JournalError(f"{self._node} cannot write to {self._journal.path}: {error}")
