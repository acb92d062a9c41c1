"""The command in the test's own process, and one store for all scenarios of a module."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from store_process import StorebusHere, StoreProcess, Told, running_store_process

from cli.main import main


@pytest.fixture
def storebus_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> StorebusHere:
    """Runs the command in this process: its exit code and what it printed.

    A new process takes a second of processor time: what is about words alone needs none.
    """
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path) -> Told:
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StoreProcess]:
    """A store that the scenarios of a module share: each has names of its own."""
    async with running_store_process(tmp_path_factory.mktemp("store")) as running:
        yield running
