"""A node carries out what has arrived in one transaction, and one bad message spoils no other."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from raw_client import RawClient, raw_in_memory
from running_store import PRODUCTS, Store, eventually, running_store

from bus.contract.catalog import UPSERT
from bus.contract.every import PING
from bus.contract.values import Empty
from bus.link import MemoryBroker, Outgoing
from bus.runtime.node import Node
from bus.runtime.requests import Request
from bus.runtime.settings import RuntimeSettings
from bus.runtime.unit_of_work import UnitOfWork

COUNT = 40


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
async def store(broker: MemoryBroker, tmp_path: Path) -> AsyncIterator[Store]:
    settings = RuntimeSettings(queue_limit=COUNT)
    async with running_store(broker, tmp_path, settings=settings) as store:
        yield store


@pytest.fixture
async def raw(broker: MemoryBroker, store: Store) -> AsyncIterator[RawClient]:
    async with raw_in_memory(broker, store.site, "terminal-9") as raw:
        yield raw


def put(broker: MemoryBroker, topic: str, identifier: str, data: Any) -> None:
    """Send without giving anybody time to carry it out."""
    broker.route(Outgoing(topic, json.dumps({"id": identifier, "data": data}).encode()))


def put_purchases(broker: MemoryBroker, raw: RawClient, count: int) -> None:
    purchase = {
        "lines": [{"sku": "SHIRT-BLUE", "quantity": 1}],
        "payment": {"method": "account", "account": "C-1001"},
        "expected_total": {"amount": 5900, "currency": "EUR"},
    }
    for number in range(count):
        topic = raw.topics.request(raw.name, "settlement", "purchase")
        put(broker, topic, f"p-{number}", purchase)


async def replies(raw: RawClient, callee: str, operation: str, count: int) -> dict[str, Any]:
    """The data of so many replies, by the request's id."""
    topic = raw.topics.reply(raw.name, callee, operation)
    found = [await raw.expect(topic) for _ in range(count)]
    return {reply.document["correlationid"]: reply.data for reply in found}


def count_transactions(node: Node) -> list[int]:
    """Grows by one with each transaction of a node."""
    transact = node.running.journal.transact
    counted: list[int] = []

    async def counting(work: Any) -> Any:
        counted.append(1)
        return await transact(work)

    node.running.journal.transact = counting  # type: ignore[method-assign]
    return counted


async def test_many_purchases_cost_few_transactions(
    store: Store, broker: MemoryBroker, raw: RawClient
) -> None:
    counted = {name: count_transactions(store.nodes[name]) for name in ("settlement", "catalog")}
    put_purchases(broker, raw, COUNT)
    receipts = await replies(raw, "settlement", "purchase", COUNT)
    assert {receipt["state"] for receipt in receipts.values()} == {"settled"}
    assert len({receipt["order"] for receipt in receipts.values()}) == COUNT
    # Settlement alone has two messages for each of them.
    assert len(counted["settlement"]) < COUNT / 2
    assert len(counted["catalog"]) < COUNT / 2
    assert store.balance("sales:EUR") == COUNT * 5900


async def test_what_does_not_fit_into_the_queue_is_busy_and_may_be_sent_again(
    store: Store, broker: MemoryBroker, raw: RawClient
) -> None:
    put_purchases(broker, raw, COUNT + 5)
    found = await replies(raw, "settlement", "purchase", COUNT + 5)
    busy = {name: data for name, data in found.items() if "code" in data}
    assert set(busy) == {f"p-{number}" for number in range(COUNT, COUNT + 5)}
    for problem in busy.values():
        assert (problem["status"], problem["code"]) == (429, "busy")
        assert (problem["retryable"], problem["retryAfter"]) == (True, 1)
    assert store.nodes["settlement"].counts["refused.busy"] == 5
    assert store.value("settlement", "SELECT count(*) FROM orders") == COUNT

    ready = "SELECT count(*) FROM orders WHERE state = 'ready'"
    await eventually(  # else what the orders lead to takes room in the queue
        lambda: store.value("settlement", ready) == COUNT, "parcels that are packed"
    )
    put_purchases(broker, raw, COUNT)
    again = await replies(raw, "settlement", "purchase", COUNT)
    assert all(again[name] == found[name] for name in again)


async def test_one_message_that_blows_up_gets_500_and_the_others_go_through(
    store: Store, broker: MemoryBroker
) -> None:
    catalog = store.nodes["catalog"]
    commands = dict(catalog.role.commands)

    def upsert(unit: UnitOfWork, request: Request[Any]) -> Any:
        reply = commands[UPSERT](unit, request)
        if request.data.products[0].id == "product-2":
            raise ZeroDivisionError
        return reply

    catalog.role.commands = {**commands, UPSERT: upsert}
    async with raw_in_memory(broker, store.site, "tester-2") as raw:
        for number in range(5):
            put_product(broker, raw, number)
        found = await replies(raw, "catalog", "upsert", 5)
        problem = found.pop("u-2")
        assert (problem["status"], problem["code"]) == (500, "internal")
        assert problem["retryable"]
        assert all(data == {"created": 1, "updated": 0, "retired": []} for data in found.values())
        assert known(store) == {"product-0", "product-1", "product-3", "product-4"}
        assert (await store.ask(PING, "catalog", Empty())).node == "catalog"

        catalog.role.commands = commands
        put_product(broker, raw, 2)
        again = await replies(raw, "catalog", "upsert", 1)
        assert again == {"u-2": {"created": 1, "updated": 0, "retired": []}}


def put_product(broker: MemoryBroker, raw: RawClient, number: int) -> None:
    product = PRODUCTS.products[1].model_dump()
    style = {**product["styles"][0], "sku": f"SKU-{number}", "gtin": GTINS[number]}
    product |= {"id": f"product-{number}", "url": f"https://x/{number}", "styles": [style]}
    topic = raw.topics.request(raw.name, "catalog", "upsert")
    put(broker, topic, f"u-{number}", {"products": [product]})


def known(store: Store) -> set[str]:
    rows = store.rows("catalog", "SELECT id FROM product WHERE id LIKE 'product-%'")
    return {row[0] for row in rows}


GTINS = ["00000000000017", "00000000000024", "00000000000031", "00000000000048", "00000000000055"]


async def test_a_query_is_answered_while_a_transaction_is_under_way(store: Store) -> None:
    catalog = store.nodes["catalog"]
    transact, go_on = catalog.running.journal.transact, asyncio.Event()

    async def held(work: Any) -> Any:
        await go_on.wait()
        return await transact(work)

    catalog.running.journal.transact = held  # type: ignore[method-assign]
    upsert = asyncio.create_task(store.ask(UPSERT, "catalog", PRODUCTS))
    assert (await store.terminals["terminal-1"].scan("40170725")).scanned == "MUG"
    assert not upsert.done()
    go_on.set()
    assert (await upsert).updated == 2
