"""A query reads of one moment, also while its node writes."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from running_store import FAST, Store, running_store

from bus.contract.catalog import SEARCH, Search, SearchResult
from bus.link import MemoryBroker
from bus.runtime.requests import Request

SOLD = "SELECT sum(available) FROM (SELECT on_hand - reserved AS available FROM style)"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with running_store(MemoryBroker(), tmp_path, settings=FAST) as store:
        yield store


def _twice(rows: sqlite3.Connection, file: Path) -> tuple[int, int]:
    """What is read before and after somebody has written."""
    (before,) = rows.execute(SOLD).fetchone()
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("UPDATE style SET on_hand = on_hand + 1, received = received + 1")
    (after,) = rows.execute(SOLD).fetchone()
    return before, after


async def test_what_an_answer_is_made_of_is_of_one_moment(store: Store, tmp_path: Path) -> None:
    found: list[tuple[int, int]] = []
    catalog = store.nodes["catalog"]

    def search(rows: sqlite3.Connection, _: Request[Search]) -> SearchResult:
        found.append(_twice(rows, tmp_path / "catalog.db"))
        return SearchResult(products=[])

    handler = catalog.running._dispatcher._requests
    handler._queries = {**handler._queries, "search": search}
    for _ in range(2):
        await store.ask(SEARCH, "catalog", Search(text="mug"))
    found.append(catalog.read(lambda rows: _twice(rows, tmp_path / "catalog.db")))
    first, second, third = found
    assert first[0] == first[1] < second[0] == second[1] < third[0] == third[1]
