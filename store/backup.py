"""Copy the files of a running store, so that a store can be started from the copy.

The copy is what a power cut of all nodes at one moment would leave: see `bus.storage.snapshot`.
"""

import hashlib
import json
import os
import secrets
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bus.contract.errors import ConfigurationError, JournalError
from bus.storage.damage import what_is_wrong
from bus.storage.durable import new_file, sync
from bus.storage.generation import new_generation
from bus.storage.private import make_folder, opener
from bus.storage.snapshot import snapshots

MARKER = "shop-imported"
MANIFEST = "backup.json"
"""The file that lists all files of a backup with their digests, to prove that they belong
together."""
_CHUNK = 1 << 20


def copy_store(source: Path, target: Path) -> list[str]:
    """Copy a store and return the file names; the copy is then safe from a power cut.

    Raises:
        ConfigurationError: there is no store at `source`, or `target` is not a new or empty folder.
        JournalError: a file cannot be read or is damaged, or `target` cannot be written.
    """
    databases = sorted(source.glob("*.db"))
    if not databases:
        raise ConfigurationError(f"there are no databases of a store in {source}")
    # What was done in the world (screens, conveyors, the simulated acquirer), only ever added to.
    records = sorted(source.glob("*.jsonl"))
    if (source / MARKER).exists():
        records.append(source / MARKER)
    try:
        make_folder(target)
        if any(target.iterdir()):
            raise ConfigurationError(f"{target} is not empty; back up into a new folder")
        with snapshots(databases, records) as (connections, sizes):
            for file, snapshot in zip(databases, connections, strict=True):
                _copy_database(file, snapshot, target / file.name)
        for file, size in zip(records, sizes, strict=True):
            _copy_beginning(file, target / file.name, size)
        _write_manifest(target, [file.name for file in (*databases, *records)])
        sync(target)
        sync(target.parent)
    except OSError as error:
        where = error.filename or target
        raise JournalError(f"the backup is not complete: {where}: {error.strerror}") from error
    except JournalError as error:
        raise JournalError(f"the backup is not complete: {error}") from error
    return [file.name for file in (*databases, *records)]


def _copy_database(file: Path, snapshot: sqlite3.Connection, target: Path) -> None:
    os.close(opener(str(target), os.O_WRONLY | os.O_CREAT))
    try:
        with closing(sqlite3.connect(target)) as copy:
            snapshot.backup(copy)
            # A generation of its own: no log left behind belongs to this file.
            copy.execute(f"PRAGMA user_version = {new_generation()}")
            # The copy is one file: a node that opens it makes a WAL of its own.
            copy.execute("PRAGMA journal_mode = delete").fetchall()
            (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    except (sqlite3.Error, UnicodeError) as error:
        raise JournalError(f"{file}: {what_is_wrong(error)}") from error
    if found != "ok":
        raise JournalError(f"{file}: damaged: {found}")
    sync(target)


def _copy_beginning(file: Path, target: Path, size: int) -> None:
    """Copy as much of an effect log as there was at the moment of the snapshots."""
    with file.open("rb") as source, new_file(target) as copy:
        while size and (chunk := source.read(min(size, _CHUNK))):
            copy.write(chunk)
            size -= len(chunk)


def _write_manifest(target: Path, names: list[str]) -> None:
    manifest = {
        "backup": secrets.token_hex(8),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "storebus": version("storebus"),
        "files": {name: digest_of(target / name) for name in names},
    }
    with new_file(target / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=1).encode())


def digest_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
