"""Check a store's files for `storebus doctor`: what is wrong with each, and what to do.

Opens everything read-only and leaves nothing behind, even while the store runs.
"""

import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from broker.embedded import TURNED_AWAY
from bus.contract.channel import ROLES, role_of
from bus.contract.errors import JournalError
from bus.storage.damage import DAMAGE, what_is_wrong
from bus.storage.generation import refuse_foreign_log
from bus.storage.journal import SCHEMA as JOURNAL
from bus.storage.lock import RESTORING
from bus.storage.private import is_open_to_others
from devices.sorter import store as sorter
from devices.terminal import store as terminal
from devices.terminal.web import store as web
from nodes.catalog import store as catalog
from nodes.settlement import store as settlement
from nodes.warehouse import store as warehouse

Finding = tuple[bool | None, str, str]
"""Whether it is good (None: a note), what was checked, and what was found."""

SCHEMAS = (
    JOURNAL,
    *(catalog.SCHEMA, settlement.SCHEMA, warehouse.SCHEMA, sorter.SCHEMA),
    *(terminal.SCHEMA, web.SCHEMA),
)
_ROOM = 256 << 20
"""Bytes of free space below which a store will soon stop."""
_OURS = (
    "*.db",
    "*.db-wal",
    "*.db-shm",
    "*.db-generation",
    "*.jsonl",
    "*.lock",
    "broker-url*",
    "shop-folder",
)


def store_files(folder: Path) -> Iterator[Finding]:
    """Check a store's data folder and everything in it.

    Args:
        folder: where the nodes' files are.
    """
    yield from _folder(folder)
    databases = sorted(each for each in folder.glob("*.db") if role_of(each.stem) is not None)
    here = {path.stem for path in databases}
    logs = {name.removesuffix(".db-wal") for name in (p.name for p in folder.glob("*.db-wal"))}
    if here & ROLES:
        for role in sorted(ROLES - here - logs):
            text = f"{role}.db is missing, but the other roles' files are there. Restore a backup"
            yield False, role, f"{text}: storebus restore BACKUP --data {folder}"
    for lost in sorted(node for node in logs - here if role_of(node) is not None):
        yield False, lost, f"{lost}.db is missing, but its log is there. Restore a backup"
    for path in databases:
        yield from _database(path)
    yield from _records(folder)
    yield from _rights(folder)
    yield from _turned_away(folder / "embedded.log")


def _folder(folder: Path) -> Iterator[Finding]:
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        yield False, "data", f"{there} is a file, not a folder; pick another with --data"
        return
    if not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        yield False, "data", f"{folder} cannot be written by this user: run as its owner, or chown"
    elif folder.exists():
        yield True, "data", str(folder)
    else:
        yield True, "data", f"{folder} (made at the first start)"
    free = shutil.disk_usage(there).free
    if free < _ROOM:
        text = f"{free / 1e6:.0f} MB are free at {there}: the disk is nearly full. Free some space"
        yield False, "disk", text
    else:
        yield True, "disk", f"{free / 1e9:.1f} GB are free"
    if (folder / RESTORING).exists():
        text = f"a restore was interrupted; run it again: storebus restore BACKUP --data {folder}"
        yield False, "data", text


def _database(path: Path) -> Iterator[Finding]:
    """Check a node's database: its owner, its log, its integrity, its version."""
    node = path.stem
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        yield False, node, f"{path} cannot be read and written by this user: run as its owner"
        return
    in_use = _is_held(path.with_suffix(".lock"))
    try:
        has_log = refuse_foreign_log(path)
        mode = "mode=ro" if has_log else "immutable=1"
        uri = f"{path.absolute().as_uri()}?{mode}"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            wrong = _damage(database)
            versions = {} if wrong else _versions(database)
    except JournalError as error:
        yield False, node, str(error)
        return
    except DAMAGE as error:
        wrong, versions = what_is_wrong(error), {}
    if wrong:
        yield False, node, f"{path} is damaged: {wrong}. Restore a backup: storebus restore BACKUP"
        return
    newer = [f"{name} {number}" for name, (number, known) in versions.items() if number > known]
    older = [f"{name} {number}" for name, (number, known) in versions.items() if number < known]
    if newer:
        text = f"{path} was written by a newer Storebus ({', '.join(newer)}): install that, or"
        yield False, node, f"{text} restore a backup of this version"
    elif older:
        text = f"{path} is of an older Storebus ({', '.join(older)}): back it up; its next start"
        yield None, node, f"{text} migrates it to this version"
    else:
        state = ", in use by a running process" if in_use else ""
        closed = ", was not closed: its next start recovers it" if has_log and not in_use else ""
        yield True, node, f"{path.name} is whole{state}{closed}"


def _damage(database: sqlite3.Connection) -> str:
    (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        return str(found)
    orphans = database.execute("PRAGMA foreign_key_check").fetchmany(1)
    return f"rows of {orphans[0][0]} refer to nothing" if orphans else ""


def _versions(database: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """By schema, the last migration in the file and the last one that this program has."""
    query = "SELECT package, max(number) FROM migration GROUP BY package"
    known = {schema.name: len(schema.scripts) for schema in SCHEMAS}
    return {name: (number, known.get(name, 0)) for name, number in database.execute(query)}


def _records(folder: Path) -> Iterator[Finding]:
    """Check an effect log: whole lines of JSON, each with a key."""
    from audit.reading import entries  # noqa: PLC0415 - of what many commands do not need

    for path in sorted(folder.glob("*.jsonl")):
        if path.name == "acquirer.jsonl" or path.name.endswith(
            (".screen.jsonl", ".conveyor.jsonl")
        ):
            try:
                for _ in entries(path, path.stat().st_size):
                    pass
            except JournalError as error:
                yield False, "records", f"{error}. Restore a backup: storebus restore BACKUP"
            except OSError as error:
                yield False, "records", f"{path}: {error.strerror}"


def _turned_away(log: Path) -> Iterator[Finding]:
    """Devices that could not connect to the embedded broker since its last start."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    said = {line.partition(TURNED_AWAY)[2]: line for line in lines if TURNED_AWAY in line}
    for line in said.values():
        yield None, "broker", f"{log.name}: {line}"


def _rights(folder: Path) -> Iterator[Finding]:
    """Only the owner may read customers' data, and all files have one owner."""
    if not folder.is_dir():
        return
    ours = sorted({path for pattern in _OURS for path in folder.glob(pattern)})
    exposed = [path.name for path in (*ours, folder) if is_open_to_others(path)]
    if exposed and ours:
        names = ", ".join(exposed[:5]) + (" and more" if len(exposed) > 5 else "")  # noqa: PLR2004
        text = f"other users may read {names} in {folder}: chmod -R go= {folder}"
        yield False, "rights", text
    owner = folder.stat().st_uid
    for path in ours:
        if path.exists() and path.stat().st_uid != owner:
            text = f"{path} does not belong to its folder's owner: chown it,"
            yield False, "rights", f"{text} or its node cannot write it"


def _is_held(lock: Path) -> bool:
    """Whether a process holds the lock; nothing is created or locked."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    finally:
        os.close(descriptor)
    return False
