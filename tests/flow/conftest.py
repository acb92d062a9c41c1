"""One store for all scenarios of a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from store_process import StoreProcess, running_store_process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StoreProcess]:
    """A store that the scenarios of a module share: each has names of its own."""
    async with running_store_process(tmp_path_factory.mktemp("store")) as running:
        yield running
