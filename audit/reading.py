"""Find and read a store's files: databases, effect logs, and which folder holds which.

Opens everything read-only. Knows the names of files and tables, but not their meaning.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from bus.contract.channel import ROLES, role_of
from bus.contract.errors import ConfigurationError, JournalError
from bus.storage.damage import what_is_wrong
from bus.storage.generation import refuse_foreign_log
from bus.storage.snapshot import snapshots

SCHEMAS = {
    "bus": 7,
    "nodes.catalog": 5,
    "nodes.settlement": 10,
    "nodes.warehouse": 8,
    "devices.sorter": 3,
    "devices.terminal": 3,
}
"""The last migration that the audit knows, by schema."""

Row = Any
"""A row of a database, with its columns by name."""


@dataclass(frozen=True, slots=True)
class Database:
    """One node's database."""

    node: str
    path: Path
    connection: sqlite3.Connection

    def rows(self, query: str, *values: Any) -> list[Row]:
        """Return all rows of a query.

        Raises:
            JournalError: the database cannot be read.
        """
        try:
            return self.connection.execute(query, values).fetchall()
        except (sqlite3.Error, UnicodeError) as error:
            why = what_is_wrong(error)
            raise JournalError(f"{self.path} cannot be read: {why}") from error


@dataclass(frozen=True, slots=True)
class Files:
    """A store's files at one moment."""

    databases: dict[str, Database]
    """By node."""
    records: dict[str, list[dict[str, Any]]]
    """Effect logs by file name: what was done in the world, one entry per line."""


@contextmanager
def opened_files(folders: Sequence[Path], *, running: bool) -> Iterator[Files]:
    """Open the files of the store in these folders.

    Args:
        folders: each node's files are in exactly one of them.
        running: whether nodes may be writing; then all files are read as of one moment.

    Raises:
        ConfigurationError: there is no store, or a file is there twice.
        JournalError: a file cannot be read, is damaged, or is older or newer than this program.
    """
    databases = {
        name.removesuffix(".db"): path
        for name, path in _files(folders, "*.db").items()
        if role_of(name.removesuffix(".db")) is not None
    }
    if missing := sorted(ROLES - databases.keys()):
        where = ", ".join(map(str, folders))
        raise ConfigurationError(f"there is no complete store in {where}: no {missing[0]}.db")
    records = _files(folders, "*.jsonl")
    known = {
        name: path
        for name, path in records.items()
        if name == "acquirer.jsonl" or name.endswith((".screen.jsonl", ".conveyor.jsonl"))
    }
    with ExitStack() as stack:
        if running:
            connections, sizes = stack.enter_context(
                snapshots(list(databases.values()), list(known.values()))
            )
        else:
            connections = [stack.enter_context(_opened(path)) for path in databases.values()]
            sizes = [path.stat().st_size for path in known.values()]
        opened = {
            node: Database(node, path, connection)
            for (node, path), connection in zip(databases.items(), connections, strict=True)
        }
        for database in opened.values():
            database.connection.row_factory = sqlite3.Row
            _refuse_foreign_schema(database)
        found = {
            name: list(entries(path, size))
            for (name, path), size in zip(known.items(), sizes, strict=True)
        }
        yield Files(opened, found)


def _files(folders: Sequence[Path], pattern: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ConfigurationError(f"there is no folder {folder}")
        for path in sorted(folder.glob(pattern)):
            if path.name in found:
                raise ConfigurationError(
                    f"{path.name} is both in {found[path.name].parent} and in {folder}:"
                    " these are two stores, or one and its copy"
                )
            found[path.name] = path
    return found


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    # Without a WAL nobody has it open; `immutable` then leaves no files behind in the folder.
    mode = "mode=ro" if refuse_foreign_log(path) else "immutable=1"
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
    except sqlite3.Error as error:
        raise JournalError(f"{path} cannot be read: {error}") from error
    with closing(connection):
        yield connection


def _refuse_foreign_schema(database: Database) -> None:
    kind = role_of(database.node)
    home = "nodes" if kind in ROLES else "devices"
    found = {
        row["package"]: row["number"]
        for row in database.rows("SELECT package, max(number) AS number FROM migration GROUP BY 1")
    }
    for package in ("bus", f"{home}.{kind}"):
        number, known = found.get(package, 0), SCHEMAS.get(package, 0)
        if number > known:
            raise JournalError(f"{database.path} was written by a newer Storebus")
        if number < known:
            raise JournalError(
                f"{database.path} was written by an older Storebus; start its node once"
            )


def entries(path: Path, size: int) -> Iterator[dict[str, Any]]:
    """Yield the entries of an effect log; a line cut off by a crash counts as not done.

    Args:
        path: the file.
        size: how many of its bytes count.

    Raises:
        JournalError: a complete line is damaged.
    """
    with path.open("rb") as file:
        content = file.read(size)
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), 1):
        try:
            entry = from_json(line)
        except ValueError as error:
            raise JournalError(f"{path} is damaged: line {number} is not JSON") from error
        if not isinstance(entry, dict) or "key" not in entry:
            raise JournalError(f"{path} is damaged: line {number} has no key")
        yield entry
