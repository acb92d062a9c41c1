"""A connection to the store that can be pulled out and put in again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bus.contract.errors import BrokerError
from bus.link import Link, MemoryBroker, Outgoing


class Plug:
    """A connector that can be pulled out."""

    description = "memory"

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._links: list[Any] = []
        self.is_out = False

    @asynccontextmanager
    async def connect(self, client_id: str, will: Outgoing | None = None) -> AsyncIterator[Link]:
        """Connect, if it is in."""
        if self.is_out:
            raise BrokerError("the plug is out")
        async with self._broker.connect(client_id, will) as link:
            self._links.append(link)
            yield link

    def pull(self) -> None:
        """Every connection is lost, and there are no new ones."""
        self.is_out = True
        for link in self._links:
            link.lose()
        self._links.clear()

    def put_in(self) -> None:
        """There may be connections again."""
        self.is_out = False
