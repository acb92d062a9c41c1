"""An open store and raw clients for the contract's scenarios."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import pytest
from raw_client import OpenRaw, RawClient, raw_in_memory, raw_over_mqtt
from running_store import Store, Transport, running_store

from bus.link import MemoryBroker


@pytest.fixture
async def store(transport: Transport, site: str, tmp_path: Path) -> AsyncIterator[Store]:
    """A seeded store with one sorter and two terminals."""
    async with running_store(transport.connector, tmp_path, site=site, terminals=2) as store:
        yield store


@pytest.fixture
def open_raw(transport: Transport, site: str) -> OpenRaw:
    """Opens a client of this name that speaks MQTT 3.1.1 by hand (or in memory)."""

    def open_one(name: str) -> AbstractAsyncContextManager[RawClient]:
        if transport.broker is None:
            assert isinstance(transport.connector, MemoryBroker)
            return raw_in_memory(transport.connector, site, name)
        return raw_over_mqtt(transport.broker.url_v311, site, name)

    return open_one


@pytest.fixture
async def raw(open_raw: OpenRaw) -> AsyncIterator[RawClient]:
    """A hand-made terminal-9."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(open_raw("terminal-9"))
