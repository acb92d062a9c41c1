"""What the README tells people to type works as it stands there, and its options exist."""

import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from bare import readme
from ports import free_port
from store_process import StorebusHere, StoreProcess, running_store_process

from broker.mosquitto import find_mosquitto

_TEXT = (readme.REPOSITORY / "README.md").read_text(encoding="utf-8")
_LINES = [line for line in readme.lines(_TEXT) if not line.startswith(readme.BY_MAKE)]
_INLINE = sorted(set(re.findall(r"`storebus ([a-z]+)([^`]*)`", _TEXT)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StoreProcess]:
    """A store in a folder of its own, as after `make run`."""
    folder = tmp_path_factory.mktemp("readme")
    engine = "mosquitto" if find_mosquitto() else "embedded"
    async with running_store_process(folder / "storebus-data", engine) as running:
        yield running


@pytest.fixture
def environment(store: StoreProcess) -> dict[str, str]:
    """As in the README's other terminal, but for the port: every test's store has its own."""
    folder = store.data.parent
    readme.put_sorter(folder / "bin")
    for client in ("mosquitto_pub", "mosquitto_sub"):
        (folder / client).write_text(f"-p {store.port}\n")
    path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "XDG_CONFIG_HOME": str(folder), "COLUMNS": "200"}


@pytest.mark.parametrize("line", _LINES)
def test_a_line_of_the_readme_does_what_it_says(
    line: str, store: StoreProcess, environment: dict[str, str]
) -> None:
    needs = readme.way_of(line).needs
    if needs and shutil.which(needs) is None:
        pytest.skip(f"{needs} is not installed")
    page = re.search(r"http://127\.0\.0\.1:\d+", store.greeting)
    assert page is not None
    line = line.replace("http://127.0.0.1:8080", page[0])
    line = re.sub(r"--web-port \d+", f"--web-port {free_port()}", line)
    folder = store.data.parent
    if not (folder / "labels").exists():
        one = "storebus labels oxford-shirt --out labels"
        readme.perform(one, folder, environment, whole=False)
    readme.perform(line, folder, environment, whole=False)


@pytest.mark.parametrize(("command", "rest"), _INLINE)
def test_a_command_within_the_readmes_text_exists_with_its_options(
    command: str, rest: str, storebus_here: StorebusHere
) -> None:
    code, told, _ = storebus_here(command, "--help")
    assert code == 0
    for option in re.findall(r"--[a-z0-9-]+", rest):
        assert option in told
