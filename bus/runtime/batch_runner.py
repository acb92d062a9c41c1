"""Carries out what has arrived at a node, a batch in one transaction."""

import sqlite3
from collections.abc import Callable

from bus.contract.errors import RoleTakenError
from bus.runtime import peers
from bus.runtime.clock import Moment
from bus.runtime.commit_handler import CommitHandler
from bus.runtime.failure_handler import FailureHandler
from bus.runtime.health import Health
from bus.runtime.inputs import HealthProbe, Input, InputQueue
from bus.runtime.presences import Presences
from bus.runtime.processor import Processor
from bus.runtime.settings import RuntimeSettings
from bus.runtime.transactor import Transactor
from bus.runtime.unit_of_work import UnitOfWork

_REPETITIONS = 10
"""After so many, whoever waits for an answer has asked for it again."""


class BatchRunner:
    """Carries out the inputs of one node.

    Args:
        processor: carries out those of a batch.
        transactor: gives it its transaction.
        inputs: what has arrived.
        presences: the nodes that are there.
        commits: publishes what was committed.
        failures: told of inputs that could not be carried out.
        health: told of its probes.
        settings: how large a batch is, and how long answers are kept.
        started: when the node started, in milliseconds of the steady clock.
    """

    def __init__(
        self,
        processor: Processor,
        transactor: Transactor,
        inputs: InputQueue,
        presences: Presences,
        commits: CommitHandler,
        failures: FailureHandler,
        health: Health,
        settings: RuntimeSettings,
        started: int,
    ) -> None:
        self._processor = processor
        self._transactor = transactor
        self._inputs = inputs
        self._presences = presences
        self._commits = commits
        self._failures = failures
        self._health = health
        self._settings = settings
        self._started = started

    async def run(self) -> None:
        """Carry out whatever has arrived, a batch at a time, until cancelled."""
        while True:
            await self.carry_out(await self._inputs.next_batch(self._settings.batch_limit))

    async def carry_out(self, batch: list[Input]) -> list[UnitOfWork]:
        """One transaction for all; if one blows up, each on its own.

        Raises:
            JournalError: not even the start of the node can be written.
            RoleTakenError: another process plays this node now.
        """
        acknowledged = self._inputs.take_acknowledged()
        online = self._presences.online

        def carry_out(rows: sqlite3.Connection, at: Moment) -> list[UnitOfWork]:
            before = forget_before(at.steady, self._started, self._settings)
            return self._processor.carry_out(rows, at, batch, acknowledged, online, before)

        is_probed = any(isinstance(item, HealthProbe) for item in batch)
        try:
            units = await self._transactor.transact(carry_out, record=is_probed)
        except RoleTakenError:
            raise
        except Exception as error:
            self._inputs.acknowledge(*acknowledged)
            if batch == [None]:
                raise self._transactor.explained(error) from error
            if len(batch) > 1:
                self._transactor.log("a batch failed and is taken one by one", error)
                return [unit for item in batch for unit in await self.carry_out([item])]
            self._transactor.log("a message failed", error)
            for item in batch:
                self._failures.failed(item)
            return []
        for unit in units:
            self._commits.publish(unit)
        if is_probed:
            self._health.probed(failed=False)
        return units

    async def decide(self, work: Callable[[UnitOfWork], None]) -> UnitOfWork:
        """Carry out something of the node's own accord.

        Raises:
            JournalError: the database cannot be written; nothing was done.
            RoleTakenError: another process plays this node now; nothing was done.
        """

        def run(rows: sqlite3.Connection, at: Moment) -> UnitOfWork:
            unit = self._processor.unit(rows, at, {})
            work(unit)
            peers.went_on(rows)
            return unit

        try:
            unit = await self._transactor.transact(run)
        except sqlite3.Error as error:
            raise self._transactor.explained(error) from error
        self._commits.publish(unit)
        return unit


def forget_before(now: int, started: int, settings: RuntimeSettings) -> int | None:
    """Until when answered commands may be forgotten; None soon after the start.

    Args:
        now: milliseconds of the steady clock; so is what is returned.
        started: when the node started.
        settings: how long answers are kept, and how often others repeat what they ask.
    """
    if now - started < _REPETITIONS * settings.retry_limit * 1000:
        return None
    return now - round(settings.keep_answers * 1000)
