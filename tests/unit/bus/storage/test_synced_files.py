"""What must outlive a power cut is on the disk, whole, before anybody is told of it."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from acquirer.log import Entry, Log
from bus.history import recording
from bus.storage import generation
from bus.storage.effect_log import EffectLog
from store import backup, restore
from tui.alarm_file import AlarmFile


def _deed(folder: Path) -> Path:
    with EffectLog(folder / "done.jsonl") as done:
        done.write("j-1.1", sku="MUG")
        assert done.get("j-1.1")
    return folder / "done.jsonl"


def _second_deed(folder: Path) -> Path:
    _deed(folder)
    with EffectLog(folder / "done.jsonl") as done:
        done.write("j-1.2")
    return folder / "done.jsonl"


def _capture(folder: Path) -> Path:
    with closing(Log(folder / "acquirer.jsonl")) as log:
        log.append(Entry(kind="void", key="o-1.charge"))
    return folder / "acquirer.jsonl"


def _history(folder: Path) -> Path:
    part = folder / f"history-{recording._stamp(0)}.jsonl"
    part.write_text("{}\n")
    recording.compress(part)
    return part.with_name(f"{part.name}.gz")


def _generation(folder: Path) -> Path:
    path = folder / "catalog.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a)")
        generation.begin_generation(connection, path, durable=True)
    return generation.beside(path)


def _manifest(folder: Path) -> Path:
    (folder / "catalog.db").write_bytes(b"x")
    backup._write_manifest(folder, ["catalog.db"])
    return folder / backup.MANIFEST


def _alarms(folder: Path) -> Path:
    AlarmFile(folder / "alarms.json")._write({"now": []})
    return folder / "alarms.json"


def _restored(folder: Path) -> Path:
    (folder / "catalog.db").write_bytes(b"x" * 9_000)
    restore._copy(folder, folder / "fresh", ["catalog.db"])
    return folder / "fresh" / "catalog.db"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[tuple[int, int]]:
    """The files that were synced, by inode, and how long they were then."""
    found: set[tuple[int, int]] = set()
    fsync = os.fsync

    def note(descriptor: int) -> None:
        fsync(descriptor)
        status = os.fstat(descriptor)
        found.add((status.st_ino, status.st_size))

    monkeypatch.setattr(os, "fsync", note)
    return found


@pytest.mark.parametrize(
    "write", [_deed, _second_deed, _capture, _history, _generation, _manifest, _restored, _alarms]
)
def test_a_file_is_synced_with_all_that_is_in_it(
    tmp_path: Path, synced: set[tuple[int, int]], write: Callable[[Path], Path]
) -> None:
    status = write(tmp_path).stat()
    assert status.st_size > 0
    assert (status.st_ino, status.st_size) in synced


def test_a_new_files_folder_is_synced_too(tmp_path: Path, synced: set[tuple[int, int]]) -> None:
    for write in (_deed, _capture, _generation):
        folder = tmp_path / write.__name__
        folder.mkdir()
        write(folder)
        assert folder.stat().st_ino in {inode for inode, _ in synced}
