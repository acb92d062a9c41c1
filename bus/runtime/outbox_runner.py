"""Does what is due in the outbox: sends commands (again), lets timers fire, starts calls."""

import asyncio
import sqlite3

from bus.runtime.adapter_calls import AdapterCalls
from bus.runtime.background import BackgroundTasks
from bus.runtime.clock import StoreTime
from bus.runtime.environment import Environment
from bus.runtime.inputs import InputQueue, TimerFired
from bus.runtime.lease import Lease
from bus.runtime.outbox import NEAR, near_timers, unfinished
from bus.runtime.publisher import Publisher
from bus.runtime.schedule import Schedule
from bus.runtime.store_time_asker import StoreTimeAsker


class OutboxRunner:
    """Runs the outbox of one node, from what an earlier start has left.

    Args:
        reader: the journal's read-only connection.
        environment: its clocks.
        schedule: when what is due.
        lease: nothing is done without it.
        inputs: where a timer waits for its transaction.
        publisher: sends commands.
        store_time: the time that deadlines are sent in.
        asker: asks for it where it is not known.
        calls: makes calls.
        background: where they are made.
    """

    def __init__(
        self,
        reader: sqlite3.Connection,
        environment: Environment,
        schedule: Schedule,
        lease: Lease,
        inputs: InputQueue,
        publisher: Publisher,
        store_time: StoreTime,
        asker: StoreTimeAsker,
        calls: AdapterCalls,
        background: BackgroundTasks,
    ) -> None:
        self._reader = reader
        self._environment = environment
        self._schedule = schedule
        self._lease = lease
        self._inputs = inputs
        self._publisher = publisher
        self._store_time = store_time
        self._asker = asker
        self._calls = calls
        self._background = background
        for row in unfinished(reader):
            schedule.add(row)
        self._look_ahead()

    async def run(self) -> None:
        """Do whatever is due, until cancelled."""
        while True:
            await asyncio.sleep(0)  # however much is due, other tasks run in between
            due = await self._schedule.due()
            await self._lease.held()
            for row in due:
                if row.kind == "timer":
                    self._inputs.take(TimerFired(row))
                elif row.kind == "call":
                    self._background.start(self._calls.call(row), row.id)
                elif row.expires_at is not None and row.expires_at <= self._environment.steady():
                    self._inputs.take(TimerFired(row))
                else:
                    if row.deadline is None or self._store_time.at(row.target) is not None:
                        self._publisher.command(row)
                    else:
                        self._asker.ask_beside(row.target)
                    self._schedule.tried(row.id)

    async def keep_looking_ahead(self) -> None:
        """Take up timers whose time is near, until cancelled."""
        while True:
            await asyncio.sleep(NEAR / 1000 / 2)
            self._look_ahead()

    def _look_ahead(self) -> None:
        for row in near_timers(self._reader, self._environment.steady()):
            if self._schedule.get(row.id) is None:
                self._schedule.add(row)
