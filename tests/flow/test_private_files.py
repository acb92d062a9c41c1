"""Whatever the umask, what a store keeps of its customers is for its owner's eyes only."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from audited_day import ANN, recording
from store_process import running_store_process, storebus

from acquirer.log import Log
from bus.history.recording import Recording
from bus.storage.effect_log import EffectLog
from bus.storage.journal import Journal
from devices.terminal.role import Terminal
from devices.terminal.store import SCHEMA as TERMINAL
from store.settings import read_settings
from store.terminal import running_terminal
from tui.model.export import export


@pytest.fixture(autouse=True, params=[0o000, 0o022])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a careless administrator, and most systems, have."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def _open_to_others(folder: Path) -> list[str]:
    return [
        f"{path.relative_to(folder.parent)} {path.stat().st_mode & 0o777:o}"
        for path in (folder, *folder.rglob("*"))
        if path.stat().st_mode & 0o077
    ]


async def _buy(terminal: Terminal) -> str:
    receipt = await terminal.buy({"CAN-40": 1}, await terminal.styles(["CAN-40"]), ANN)
    await terminal.reminded(receipt.order)
    return receipt.order


async def test_all_that_a_store_and_its_tools_write_is_private(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    data = shop / "deep" / "data"
    async with running_store_process(data) as store:
        recorder = await recording(store, shop / "monday.jsonl")
        settings = read_settings(data=data)
        async with running_terminal("terminal-1", store.url, settings) as terminal:
            order = await _buy(terminal)
        code, out, err = await storebus("backup", str(shop / "backup"), "--data", str(data))
        assert code == 0, out + err
        code, out, err = await storebus(
            "labels", "--code", order, "--out", str(shop / "slips"), "--data", str(data)
        )
        assert code == 0, out + err
        recorder.terminate()
        await recorder.communicate()
        export([], shop / "traffic.csv")
        (shop / "slips").chmod(0o700)  # the folder is a label sheet's, and may be anybody's
        assert {path.suffix for path in data.iterdir()} >= {
            ".db",
            ".db-wal",
            ".db-generation",
            ".jsonl",
        }
        assert _open_to_others(shop) == []
        await store.kill()
    code, out, err = await storebus("restore", str(shop / "backup"), "--data", str(data))
    assert code == 0, out + err
    assert _open_to_others(shop) == []


def test_an_older_store_is_taken_away_from_others_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    opened = {
        "terminal-1.db": lambda path: Journal(path, TERMINAL),
        "terminal-1.screen.jsonl": EffectLog,
        "monday.jsonl": Recording,
        "acquirer.jsonl": Log,
    }
    for name, open_ in opened.items():
        open_(data / name).close()  # type: ignore[no-untyped-call]
    for path in (data, *data.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for name, open_ in opened.items():
        caplog.clear()
        open_(data / name).close()  # type: ignore[no-untyped-call]
        assert name in caplog.text
        assert "only the owner can" in caplog.text
        caplog.clear()
        open_(data / name).close()  # type: ignore[no-untyped-call]
        assert caplog.text == ""
    assert _open_to_others(data) == []


def test_a_folder_that_all_may_write_to_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "like-tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    for _ in range(2):
        Journal(folder / "terminal-1.db", TERMINAL).close()
    assert folder.stat().st_mode & 0o7777 == 0o1777
