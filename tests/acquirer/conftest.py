"""One acquirer for all tests that only need keys of their own, and a client for it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from acquirer_process import AcquirerProcess

from nodes.settlement.acquirer.client import Acquirer


@pytest.fixture(scope="session")
def acquirer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AcquirerProcess]:
    """A running acquirer, shared: each test uses its own keys."""
    log = tmp_path_factory.mktemp("acquirer") / "acquirer.jsonl"
    with AcquirerProcess(log) as process:
        yield process


@pytest.fixture
async def client(acquirer: AcquirerProcess) -> AsyncIterator[Acquirer]:
    """Our client, connected to the shared acquirer."""
    async with Acquirer(acquirer.url) as client:
        yield client
