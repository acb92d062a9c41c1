"""Reads a database that nobody has open."""

import sqlite3
from contextlib import closing
from pathlib import Path


def all_rows(path: Path, query: str) -> list[sqlite3.Row]:
    """Everything that a query finds."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(query).fetchall()
