"""Asks other nodes what time it is in the store."""

import asyncio
import logging

from bus.contract.channel import TIMEKEEPER
from bus.contract.errors import Problem
from bus.contract.every import PING
from bus.contract.values import Empty
from bus.runtime.background import BackgroundTasks
from bus.runtime.clock import StoreTime
from bus.runtime.pending_requests import PendingRequests
from bus.runtime.schedule import Schedule

logger = logging.getLogger("storebus.node")

_ASK_AGAIN = 2.0
"""Seconds until the store's time is asked again."""


class StoreTimeAsker:
    """Asks in the name of one node; each other node is asked once at a time.

    Args:
        node: its name.
        store_time: where the replies are noted.
        pending: asks.
        schedule: commands that waited for the time are due then.
        background: where others are asked.
    """

    def __init__(
        self,
        node: str,
        store_time: StoreTime,
        pending: PendingRequests,
        schedule: Schedule,
        background: BackgroundTasks,
    ) -> None:
        self._node = node
        self._store_time = store_time
        self._pending = pending
        self._schedule = schedule
        self._background = background
        self._asking: set[str] = set()

    def ask_beside(self, target: str) -> None:
        """Ask a node for its time: a deadline can only be sent in that time."""
        if target not in self._asking:
            self._asking.add(target)
            self._background.start(self._ask(target), "time")

    async def learn(self, up: asyncio.Event) -> None:
        """Learn once what time it is: else nobody knew that a clock here is wrong.

        Args:
            up: set while the node is on the bus.
        """
        while self._node != TIMEKEEPER and self._store_time.anywhere() is None:
            await up.wait()
            if TIMEKEEPER not in self._asking:
                self._asking.add(TIMEKEEPER)
                await self._ask(TIMEKEEPER)
            await asyncio.sleep(_ASK_AGAIN)

    async def _ask(self, target: str) -> None:
        try:
            await self._pending.ask(PING, target, Empty())
        except Problem as problem:  # asked again when the command is tried again
            logger.debug("%s: %s does not say its time: %s", self._node, target, problem)
        else:
            self._schedule.hurry(target)
        finally:
            self._asking.discard(target)
