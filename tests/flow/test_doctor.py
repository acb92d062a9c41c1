"""The doctor names what is wrong with a store's files, what to do, and ends with 1."""

import asyncio
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from running_store import FaultyBroker, running_store

from bus.storage.generation import log_of
from bus.storage.journal import Journal
from bus.storage.lock import RESTORING
from cli.main import main
from devices.terminal.store import SCHEMA as TERMINAL

sys.path.insert(0, str(Path(__file__).parent.parent / "faults"))
from disks import small_disk

NODES = ("catalog", "settlement", "warehouse", "sorter-1", "terminal-1")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed shop."""
    folder = tmp_path_factory.mktemp("doctor") / "data"

    async def lived() -> None:
        async with running_store(FaultyBroker(), folder) as store:
            await store.reminded((await store.buy({"MUG": 1})).order)

    asyncio.run(lived())
    return folder


@pytest.fixture
def data(whole: Path, tmp_path: Path) -> Path:
    """Its files, to do something to."""
    shutil.copytree(whole, tmp_path / "data")
    return tmp_path / "data"


Look = Callable[[Path], tuple[int, str]]


@pytest.fixture
def look(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Look:
    """What the doctor says, and its exit code."""
    monkeypatch.setenv("COLUMNS", "300")

    def look(data: Path) -> tuple[int, str]:
        with pytest.raises(SystemExit) as end:
            main(["doctor", "--data", str(data), "--broker", "mqtt://127.0.0.1:1"])
        out, err = capfd.readouterr()
        assert err == ""
        return int(end.value.code or 0), out

    return look


def _sql(node: str, statement: str) -> Callable[[Path], None]:
    def change(data: Path) -> None:
        with closing(sqlite3.connect(data / f"{node}.db", isolation_level=None)) as database:
            database.execute(statement)

    return change


def _flipped(data: Path) -> None:
    with (data / "warehouse.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096))


def _foreign_log(data: Path) -> None:
    """As after `cp` of a backup over a node that was killed."""
    path = data / "catalog.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE later (x)")
        log, content = log_of(path).read_bytes(), bytearray(path.read_bytes())
    content[60:64] = b"\0\0\0\7"
    path.write_bytes(content)
    log_of(path).write_bytes(log)
    log_of(path).chmod(0o600)


PLANTED: dict[str, tuple[Callable[[Path], object], str]] = {
    "newer": (_sql("catalog", "INSERT INTO migration VALUES ('bus', 99, 'x')"), "newer Storebus"),
    "unknown": (_sql("catalog", "INSERT INTO migration VALUES ('no', 1, 'x')"), "newer Storebus"),
    "no database": (lambda data: (data / "catalog.db").write_bytes(b"x" * 9000), "damaged"),
    "corrupt": (_flipped, "warehouse.db is damaged"),
    "orphans": (_sql("catalog", "DELETE FROM product"), "refer to nothing"),
    "missing": (lambda data: (data / "settlement.db").unlink(), "settlement.db is missing"),
    "foreign log": (_foreign_log, "storebus restore"),
    "half restored": (lambda data: (data / RESTORING).touch(), "run it again"),
    "world-readable": (lambda data: (data / "settlement.db").chmod(0o644), "chmod -R go="),
    "open folder": (lambda data: data.chmod(0o755), "chmod -R go="),
    "record": (lambda data: (data / "terminal-1.screen.jsonl").write_bytes(b"\xff\n"), "line 1"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_each_planted_problem_is_named_with_what_to_do(
    data: Path, look: Look, planted: str
) -> None:
    plant, words = PLANTED[planted]
    plant(data)
    before = {path: path.read_bytes() for path in data.iterdir()}
    code, out = look(data)
    (line,) = [line for line in out.splitlines() if line.startswith("BAD")]
    assert (code, words in line) == (1, True), out
    assert {path: path.read_bytes() for path in data.iterdir()} == before


def test_a_store_in_order_has_nothing_bad_and_an_older_one_is_to_be_migrated(
    data: Path, look: Look
) -> None:
    code, out = look(data)
    assert (code, "BAD" in out) == (0, False), out
    assert all(f"{node}.db is whole" in out for node in NODES)
    _sql("catalog", "DELETE FROM migration WHERE package = 'nodes.catalog' AND number > 1")(data)
    code, out = look(data)
    assert (code, "older Storebus" in out) == (0, True), out


def test_what_is_in_use_is_said(data: Path, look: Look) -> None:
    with Journal(data / "terminal-1.db", TERMINAL):
        code, out = look(data)
    assert (code, "terminal-1.db is whole, in use" in out) == (0, True), out


@pytest.mark.needs("root")
def test_what_another_user_owns_is_said(data: Path, look: Look) -> None:
    os.chown(data / "catalog.db", 65534, 65534)
    code, out = look(data)
    assert (code, "does not belong to its folder's owner" in out) == (1, True), out


@pytest.mark.needs("root")
def test_a_store_that_this_user_cannot_write_is_said(data: Path, look: Look) -> None:
    with tempfile.TemporaryDirectory() as open_to_all:  # a test's own folder is not
        Path(open_to_all).chmod(0o755)
        folder = Path(shutil.copytree(data, Path(open_to_all) / "data"))
        folder.chmod(0o755)
        os.seteuid(65534)
        try:
            code, out = look(folder)
        finally:
            os.seteuid(0)
    bad = [line for line in out.splitlines() if line.startswith("BAD")]
    assert code == 1
    assert sum("run as its owner" in line for line in bad) == 1 + len(NODES), out


def test_a_disk_that_is_nearly_full_is_said(data: Path, tmp_path: Path, look: Look) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shutil.copytree(data, disk / "data")
        code, out = look(disk / "data")
    assert (code, "nearly full" in out) == (1, True), out
