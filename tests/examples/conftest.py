"""One store for each broker engine, shared by all examples."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from example_shop import Shop
from store_process import free_port, running_store_process


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["mosquitto", "embedded"])
async def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    """The store."""
    options = ["--sorters", "0"]
    websocket_port = free_port() if request.param == "mosquitto" else None
    if websocket_port is not None:
        options += ["--websocket-port", str(websocket_port)]
    data = tmp_path_factory.mktemp(f"{request.param}-shop").resolve()
    async with running_store_process(data, request.param, "inf", *options) as store:
        yield Shop(store, websocket_port)
