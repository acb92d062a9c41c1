"""A role's tables in memory: the same migrations as in its journal, without a file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from bus.storage.journal import SCHEMA, Schema, migrate


@contextmanager
def tables(*schemas: Schema) -> Iterator[sqlite3.Connection]:
    """A connection on which the migrations of a role have run."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = 1")
        for each in (SCHEMA, *schemas):
            migrate(connection, each)
        yield connection
