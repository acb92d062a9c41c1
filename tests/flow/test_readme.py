"""What the README tells people to type works as it stands there, and its options exist."""

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from bare import readme
from needs import require
from ports import free_port
from store_process import StorebusHere, StoreProcess, running_store_process

_TEXT = (readme.REPOSITORY / "README.md").read_text(encoding="utf-8")
_LINES = [line for line in readme.lines(_TEXT) if not line.startswith(readme.BY_MAKE)]
_INLINE = sorted(set(re.findall(r"`storebus ([a-z]+)([^`]*)`", _TEXT)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StoreProcess]:
    """A store in a folder of its own, as after `make run`."""
    folder = tmp_path_factory.mktemp("readme")
    async with running_store_process(folder / "storebus-data") as running:
        yield running


@pytest.mark.parametrize("line", _LINES)
def test_a_line_of_the_readme_does_what_it_says(line: str, store: StoreProcess) -> None:
    needs = readme.way_of(line).needs
    if needs:
        require("mosquitto-clients" if needs.startswith("mosquitto") else needs)
    folder = store.data.parent
    programs = Path(sys.executable).parent
    environment = readme.other_terminal(folder, programs, store.greeting)
    if not (folder / "labels").exists():
        one = "storebus labels oxford-shirt --out labels"
        readme.perform(one, folder, environment, whole=False)
    line = re.sub(r"--web-port \d+", f"--web-port {free_port()}", line)
    readme.perform(readme.as_printed(line, store.greeting), folder, environment, whole=False)


@pytest.mark.parametrize(("command", "rest"), _INLINE)
def test_a_command_within_the_readmes_text_exists_with_its_options(
    command: str, rest: str, storebus_here: StorebusHere
) -> None:
    code, told, _ = storebus_here(command, "--help")
    assert code == 0
    for option in re.findall(r"--[a-z0-9-]+", rest):
        assert option in told
