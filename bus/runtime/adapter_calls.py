"""Calls providers and machines; whatever goes wrong, a call is made again with the same key."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from bus.contract.errors import RoleTakenError
from bus.runtime.environment import Environment
from bus.runtime.inputs import CallCompleted, InputQueue
from bus.runtime.lease import Lease
from bus.runtime.outbox import Pending
from bus.runtime.publisher import Counts
from bus.runtime.role import Adapter
from bus.runtime.schedule import Schedule
from bus.runtime.service_watch import Service, ServiceWatch

logger = logging.getLogger("storebus.node")


class AdapterCalls:
    """Makes the calls of one node.

    Args:
        node: its name.
        adapters: whom it calls.
        limit: how many calls may be under way at once.
        environment: its clocks.
        lease: nobody is called without it.
        inputs: where a result waits for its transaction.
        schedule: when a call is made again.
        services: told whether those who are called answer.
        counts: where calls without an outcome are counted.
    """

    def __init__(
        self,
        node: str,
        adapters: Iterable[Adapter[Any]],
        limit: int,
        environment: Environment,
        lease: Lease,
        inputs: InputQueue,
        schedule: Schedule,
        services: ServiceWatch,
        counts: Counts,
    ) -> None:
        self._node = node
        self._adapters = {adapter.name: adapter for adapter in adapters}
        self._slots = asyncio.Semaphore(limit)
        self._environment = environment
        self._lease = lease
        self._inputs = inputs
        self._schedule = schedule
        self._services = services
        self._counts = counts

    async def call(self, row: Pending) -> None:
        """Make a call of the outbox."""
        adapter = self._adapters[row.target]
        began = self._environment.steady()
        try:
            async with self._slots:
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
        self._inputs.take(CallCompleted(row, data, result))

    def _unknown(self, row: Pending, error: BaseException, began: int) -> None:
        logger.warning("%s: %s of %s: %r; asking again", self._node, row.target, row.id, error)
        self._counts[f"unknown.{row.target}"] += 1
        self._schedule.tried(row.id)
        service = Service("provider-silent", self._adapters[row.target].serves, "")
        reason = str(error) or type(error).__name__
        self._services.failed(row.id, service, reason, began, row.order)
