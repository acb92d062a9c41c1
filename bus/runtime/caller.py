"""A client of the bus that only asks: for tools and tests."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bus.contract.outbound import MessageFactory
from bus.contract.topics import Topics
from bus.link import Connector, Incoming, Subscription
from bus.link.session import Session
from bus.runtime.clock import StoreTime
from bus.runtime.clock_watch import difference
from bus.runtime.environment import Environment
from bus.runtime.pending_requests import PendingRequests
from bus.runtime.settings import RuntimeSettings

logger = logging.getLogger("storebus.clock")


class Caller:
    """A client that only asks, such as `tester-1`.

    Raises:
        BrokerError: from `connected`, when there is no broker.
    """

    def __init__(
        self,
        connector: Connector,
        site: str,
        name: str,
        settings: RuntimeSettings | None = None,
        environment: Environment | None = None,
    ) -> None:
        self.name = name
        self.topics = Topics(site)
        self.environment = environment or Environment()
        settings = settings or RuntimeSettings()
        self._session = Session(
            connector,
            f"{site}-{name}-{self.environment.boot}",
            [Subscription(self.topics.replies_to(name), 1)],
            self._receive,
            lambda: None,
            reconnect_limit=settings.reconnect_limit,
            chance=self.environment.chance,
        )
        self.store_time = StoreTime(self.environment)
        """The store's time, as far as replies have told it."""
        self._messages = MessageFactory(self.topics, name, self.environment)
        self._pending = PendingRequests(
            self._messages, self.environment, settings, self._session.send, self.store_time
        )
        self.ask = self._pending.ask
        self.exchange = self._pending.exchange

    @property
    def shortage(self) -> str:
        """What the bus needs and the broker does not grant, as a sentence; empty if nothing."""
        return self._session.shortage

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Caller"]:
        """Stay connected within the block."""
        running = asyncio.create_task(self._session.run(once=True), name=f"{self.name}/link")
        up = asyncio.create_task(self._session.up.wait(), name=f"{self.name}/up")
        try:
            await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            yield self
        finally:
            for task in (running, up):
                task.cancel()
            await asyncio.gather(running, up, return_exceptions=True)
            if wrong := self.store_time.wrong():
                logger.warning("%s: %s", self.name, difference(wrong))

    def _receive(self, messages: list[Incoming]) -> None:
        for message in messages:
            address = self.topics.parse(message.topic)
            if address is not None:
                self._pending.take(message, address)
