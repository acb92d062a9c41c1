"""A query that takes long holds up nobody, and is answered all the same."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from running_store import PATIENCE, Store, running_store

from bus.contract.catalog import LOOKUP, REGISTERED, Lookup, RegisteredList, RegisteredQuery
from bus.contract.errors import Busy, Internal, Refused, TooLarge
from bus.link import MemoryBroker
from bus.runtime import request_handler
from bus.runtime.requests import Request

LABEL = "https://shop.example/01/09506000134352"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with running_store(MemoryBroker(), tmp_path) as store:
        yield store


def _answer_with(store: Store, query: Any) -> None:
    handler = store.nodes["catalog"].running._dispatcher._requests
    handler._queries = {**handler._queries, REGISTERED.name: query}


async def _list(store: Store) -> RegisteredList:
    found: RegisteredList = await store.ask(REGISTERED, "catalog", RegisteredQuery())
    return found


@pytest.fixture
def go_on(store: Store) -> threading.Event:
    """Set, lets the catalog go on with a list."""
    go_on, answer = threading.Event(), store.nodes["catalog"].role.queries[REGISTERED]

    def slow(rows: sqlite3.Connection, request: Request[Any]) -> Any:
        go_on.wait(PATIENCE)
        return answer(rows, request)

    _answer_with(store, slow)
    return go_on


async def test_while_a_list_takes_long_others_are_answered(
    store: Store, go_on: threading.Event
) -> None:
    listing = asyncio.create_task(_list(store))
    await asyncio.sleep(0)
    await store.buy({"MUG": 1})
    found = await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))
    assert found.product.url == LABEL
    assert not listing.done()
    go_on.set()
    assert len((await listing).products) == 2


async def test_when_too_many_lists_wait_the_next_is_told_to_come_later(
    store: Store, go_on: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_handler, "_LONG_QUERIES", 1)
    listing = asyncio.create_task(_list(store))
    await asyncio.sleep(0)
    with pytest.raises(Refused) as refused:
        await _list(store)
    assert refused.value.data.code == Busy.code
    go_on.set()
    await listing
    assert (await _list(store)).products


@pytest.mark.parametrize(
    ("raised", "code"),
    [(TooLarge("no"), TooLarge.code), (ValueError("no"), Internal.code)],
)
async def test_what_is_wrong_with_a_list_is_told(
    store: Store, raised: Exception, code: str
) -> None:
    def broken(_: sqlite3.Connection, __: Request[Any]) -> Any:
        raise raised

    _answer_with(store, broken)
    with pytest.raises(Refused) as refused:
        await _list(store)
    assert refused.value.data.code == code


async def test_a_node_ends_although_a_list_is_under_way(
    store: Store, go_on: threading.Event
) -> None:
    listing = asyncio.create_task(_list(store))
    await store.buy({"MUG": 1})
    stopping = asyncio.create_task(store.stop("catalog"))
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    listing.cancel()
