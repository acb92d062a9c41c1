"""Replace a store's files by a backup, completely or not at all.

The previous files are moved aside, never deleted. The next start reports a restore that was
interrupted (`bus.storage.lock.RESTORING`); it is then run again.
"""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from bus.contract.channel import ROLES
from bus.contract.errors import ConfigurationError, JournalError
from bus.storage.damage import DAMAGE, what_is_wrong
from bus.storage.durable import new_file, sync
from bus.storage.generation import refuse_foreign_log
from bus.storage.lock import RESTORING, hold
from bus.storage.private import make_folder, opener
from store.backup import MANIFEST, MARKER, digest_of

_OURS = ("*.db", "*.db-wal", "*.db-shm", "*.db-generation", "*.jsonl", MARKER, MANIFEST)
"""The files that a restore replaces: databases with their companions, and effect logs."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore."""

    files: list[str]
    aside: Path | None
    """Where the previous files are; None if there were none."""
    made: str | None
    """When the backup was made, RFC 3339; None for a backup of an older Storebus, which has no
    date."""
    later: list[str] | None
    """Orders that are not in the backup; None if the previous files cannot be read."""


def restore_store(backup: Path, data: Path) -> Restored:
    """Replace a store's files by those of a backup.

    Raises:
        ConfigurationError: `backup` is not a complete backup, or is the store itself.
        RoleTakenError: the store, or one of its nodes, is running.
        JournalError: the backup is damaged, or a file cannot be written; the store is unchanged, or
            says at its next start that the restore has to be run again.
    """
    if backup.resolve() == data.resolve():
        raise ConfigurationError(f"{backup} is the store itself, not a backup of it")
    names, made = verify(backup)
    try:
        make_folder(data)
        with ExitStack() as stack:
            _hold_all(stack, data, names)
            fresh = data / f".restoring-{os.getpid()}"
            stack.callback(shutil.rmtree, fresh, ignore_errors=True)
            _copy(backup, fresh, names)
            aside = _exchange(data, fresh, names)
            return Restored(names, aside, made, _later(data, aside))
    except OSError as error:
        where = error.filename or data
        raise JournalError(f"the restore is not complete: {where}: {error.strerror}") from error


def verify(backup: Path) -> tuple[list[str], str | None]:
    """Check that a backup is complete and unchanged; return its files and when it was made.

    Raises:
        ConfigurationError: there is no complete backup.
        JournalError: a file is damaged, or is from another backup.
    """
    names = sorted({path.name for each in _OURS for path in backup.glob(each)} - {MANIFEST})
    if missing := sorted(ROLES - {name.removesuffix(".db") for name in names}):
        raise ConfigurationError(
            f"{backup} is not a complete backup of a store: there is no {missing[0]}.db"
        )
    if logs := [name for name in names if name.endswith(("-wal", "-shm", "-generation"))]:
        raise ConfigurationError(
            f"{backup} is a store's folder, not a backup: it contains {logs[0]}. Make one with"
            " `storebus backup`"
        )
    made = None
    if (backup / MANIFEST).exists():
        made = _as_written(backup, names)
    for name in names:
        if name.endswith(".db"):
            _whole(backup / name)
    return names, made


def _as_written(backup: Path, names: list[str]) -> str:
    """Check each file against the manifest; return when the backup was made."""
    try:
        manifest = json.loads((backup / MANIFEST).read_bytes())
        digests, made = dict(manifest["files"]), str(manifest["at"])
    except (ValueError, KeyError, TypeError) as error:
        raise JournalError(f"{backup / MANIFEST} is damaged: {error}") from error
    except OSError as error:
        raise JournalError(f"{backup / MANIFEST}: {error.strerror}") from error
    if gone := sorted(digests.keys() - set(names)):
        raise ConfigurationError(f"{backup} is not complete: {gone[0]} is missing")
    if strange := sorted(set(names) - digests.keys()):
        raise ConfigurationError(f"{backup / strange[0]} does not belong to this backup")
    for name in names:
        if digest_of(backup / name) != digests[name]:
            raise JournalError(
                f"{backup / name} is not as it was backed up: it is damaged, or from another"
                " backup. Use another backup; nothing was changed"
            )
    return made


def _whole(path: Path) -> None:
    try:
        uri = f"{path.absolute().as_uri()}?immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
            orphans = database.execute("PRAGMA foreign_key_check").fetchmany(1)
    except (sqlite3.Error, UnicodeError) as error:
        found, orphans = what_is_wrong(error), []
    if found != "ok" or orphans:
        what = found if found != "ok" else f"rows of {orphans[0][0]} refer to nothing"
        raise JournalError(f"{path} is damaged: {what}. Use another backup; nothing was changed")


def _hold_all(stack: ExitStack, data: Path, names: list[str]) -> None:
    """Hold the locks of the store and of each node, so that none can start."""
    databases = {path.stem for path in data.glob("*.db")} | {Path(name).stem for name in names}
    for stem in sorted({"store", *databases}):
        stack.callback(os.close, hold(data / f"{stem}.lock", restoring=True))


def _copy(backup: Path, fresh: Path, names: list[str]) -> None:
    make_folder(fresh)
    for name in names:
        with (backup / name).open("rb") as source, new_file(fresh / name) as copy:
            shutil.copyfileobj(source, copy)
    sync(fresh)


def _exchange(data: Path, fresh: Path, names: list[str]) -> Path | None:
    """Move the old files aside and the new ones into place, under a marker file."""
    marker = data / RESTORING
    os.close(opener(str(marker), os.O_WRONLY | os.O_CREAT))
    sync(data)
    aside = data / f"before-restore-{time.strftime('%Y%m%dT%H%M%S')}"
    old = list(_old(data))
    if old:
        make_folder(aside)
    for path in old:
        path.rename(aside / path.name)
    if old:
        sync(aside)
        sync(data)
    for name in names:
        (fresh / name).rename(data / name)
    sync(data)
    marker.unlink()
    sync(data)
    return aside if old else None


def _old(data: Path) -> Iterator[Path]:
    for pattern in _OURS:
        yield from data.glob(pattern)


def _later(data: Path, aside: Path | None) -> list[str] | None:
    """The orders that the store knew and the backup does not."""
    if aside is None:
        return []
    now = _orders(data / "settlement.db")
    before = _orders(aside / "settlement.db")
    return None if before is None or now is None else sorted(before - now)


def _orders(path: Path) -> set[str] | None:
    try:
        mode = "mode=ro" if refuse_foreign_log(path) else "immutable=1"
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as database:
            return {row[0] for row in database.execute("SELECT id FROM orders")}
    except (JournalError, *DAMAGE):
        return None
