"""Records all messages of a site, over a connection of its own that loses none.

The times of a recording are from a steady clock, so that setting the wall clock does not matter.
"""

import asyncio
from collections.abc import Callable

from bus.contract.errors import first_error
from bus.contract.topics import Topics
from bus.history.recording import Recording, compress
from bus.link import Connector, Incoming, Subscription
from bus.link.session import Session
from bus.runtime.environment import Environment

_FLUSH = 1.0
"""The most seconds until a message is in the file."""


class Recorder:
    """Writes a store's messages into a recording.

    Args:
        connector: to the broker.
        topics: of the site.
        recording: takes the messages; the caller closes it.
        keep: the number of compressed parts that are kept; None for all.
        reconnect_limit: the most seconds between two attempts to connect.
        connected: called at each connection.
    """

    def __init__(
        self,
        connector: Connector,
        topics: Topics,
        recording: Recording,
        keep: int | None = None,
        reconnect_limit: float = 5.0,
        connected: Callable[[], None] = lambda: None,
    ) -> None:
        self._recording = recording
        self._keep = keep
        self._told = connected
        self._environment = Environment()
        self._session = Session(
            connector,
            f"{topics.site}-recorder-{self._environment.boot}",
            [Subscription(topics.everything(), 1)],
            self._receive,
            self._connected,
            reconnect_limit=reconnect_limit,
        )

    async def run(self, *, once: bool = False) -> None:
        """Record until cancelled.

        Args:
            once: whether to give up if there is no broker at the start.

        Raises:
            BrokerError: there is none.
            JournalError: the file cannot be written.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._session.run(once=once), name="recorder/link")
                tasks.create_task(self._flush(), name="recorder/flush")
        except ExceptionGroup as group:
            raise first_error(group) from None

    def _receive(self, messages: list[Incoming]) -> None:
        at = self._environment.steady()
        for message in messages:
            self._recording.write(at, message)

    def _connected(self) -> None:
        self._recording.connected(self._environment.steady())
        self._told()

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH)
            complete = self._recording.flush()
            if complete is not None:
                await asyncio.to_thread(compress, complete, self._keep)
