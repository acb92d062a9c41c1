"""A shop that closes for the night while people still have something to do breaks no promise."""

import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from running_store import FAST, FaultyBroker, Store, eventually, running_store
from store_process import storebus

from audit import OPEN_ITEMS, AuditResult, audit, findings
from bus.contract.catalog import OrderOnly
from bus.contract.settlement import CANCEL


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with running_store(
        FaultyBroker(), tmp_path, settings=FAST, sorters=1, terminals=2
    ) as store:
        yield store


async def closed(store: Store) -> AuditResult:
    """Close the shop and look at its files."""
    await store.stop()
    return audit([store.deployment.data])


def waits(result: AuditResult) -> dict[tuple[str, str], int]:
    """How much waits, by kind and for whom."""
    return dict(Counter((each.kind, each.who) for each in result.open_items))


async def test_goods_of_a_cancelled_order_wait_to_be_put_back(store: Store) -> None:
    receipt = await store.buy({"SHIRT-BLUE": 2, "MUG": 1})
    await store.reminded(receipt.order)
    await store.ask_as("console-1", CANCEL, "settlement", OrderOnly(order=receipt.order))
    await eventually(lambda: store.rows("warehouse", "SELECT * FROM goods_return"), "a return")
    result = await closed(store)
    assert result.findings == []
    assert waits(result) == {("put-back", "warehouse"): 1}
    (goods,) = result.open_items
    assert "2 x SHIRT-BLUE" in goods.text
    assert findings([store.deployment.data]) == [goods]  # who expects a store at rest is told
    code, out, err = await storebus("audit", str(store.deployment.data))
    assert code == 0, out + err
    assert "1 waiting. Goods to put back." in out
    assert goods.text in out
    code, out, _ = await storebus("audit", str(store.deployment.data), "--json")
    (group,) = json.loads(out)["waiting"]
    assert (code, group["kind"], group["items"]) == (0, "put-back", [goods.text])


async def test_a_terminal_that_is_off_is_waited_for(store: Store) -> None:
    store.machine.free.clear()
    receipts = [await store.buy({"MUG": 1}) for _ in range(3)]
    await store.stop("terminal-1")
    store.machine.go_on()
    ready = "SELECT count(*) FROM orders WHERE state = 'ready'"
    await eventually(lambda: store.value("settlement", ready) == len(receipts), "three parcels")
    result = await closed(store)
    assert result.findings == []
    assert waits(result) == {("remind", "terminal-1"): 3, ("collect", "north"): 3}


async def test_a_sorter_that_is_off_is_waited_for_with_its_job_and_with_those_that_follow(
    store: Store,
) -> None:
    store.machine.stops_at = "picking"
    first, second = [await store.buy({"MUG": 1}) for _ in range(2)]
    await eventually(lambda: not store.machine.free.is_set(), "the sorter at work")
    await store.crash("sorter-1")
    result = await closed(store)
    assert result.findings == []
    assert waits(result) == {("sort", "sorter-1"): 1, ("sort", "any sorter"): 1}
    assert {each.text for each in result.open_items} == {first.order, second.order}


async def test_an_order_that_is_cancelled_while_its_sorter_is_off_waits_for_the_sorter(
    store: Store,
) -> None:
    store.machine.stops_at = "picking"
    receipt = await store.buy({"MUG": 1})
    await eventually(lambda: not store.machine.free.is_set(), "the sorter at work")
    await store.crash("sorter-1")
    await store.ask_as("console-1", CANCEL, "settlement", OrderOnly(order=receipt.order))
    await eventually(lambda: store.rows("warehouse", "SELECT * FROM superseded"), "superseded")
    result = await closed(store)
    assert result.findings == []
    assert waits(result) == {("sort", "sorter-1"): 1}


async def test_what_was_under_way_between_two_roles_goes_on_at_the_next_start(
    store: Store,
) -> None:
    await store.stop("warehouse")
    receipt = await store.buy({"MUG": 1})
    result = await closed(store)
    assert result.findings == []
    assert waits(result) == {("go-on", "warehouse"): 1}
    assert receipt.order in result.open_items[0].text
    await store.start("catalog", "settlement", "warehouse", "sorter-1", "terminal-1")
    await store.reminded(receipt.order)
    await store.quiet()
    await store.stop()
    assert findings([store.deployment.data]) == []


def test_each_kind_of_waiting_says_what_to_do() -> None:
    assert all(len(text) > 20 for text in OPEN_ITEMS.values())


@pytest.mark.parametrize(
    ("node", "statement", "invariant"),
    [
        ("settlement", "DELETE FROM outbox WHERE operation = 'withdraw'", "I4"),
        ("warehouse", "DELETE FROM goods_return", "I4"),
        ("warehouse", "UPDATE job SET withdrawal = 'x' WHERE state = 'withdrawing'", "I7"),
        ("settlement", "UPDATE orders SET undo = '[]' WHERE state = 'cancelling'", "I4"),
        ("settlement", "DELETE FROM outbox WHERE operation = 'remind'", "I6"),
        ("settlement", "UPDATE orders SET reminder = 'x' WHERE state = 'ready'", "I10"),
        ("warehouse", "UPDATE job SET state = 'packed' WHERE state = 'waiting'", "I4"),
        ("warehouse", "UPDATE job SET pick_message = 'x' WHERE state = 'assigned'", "I10"),
    ],
)
async def test_what_nothing_will_take_further_is_a_finding(
    store: Store, node: str, statement: str, invariant: str
) -> None:
    cancelled = await store.buy({"MUG": 1})
    await store.reminded(cancelled.order)
    await store.ask_as("console-1", CANCEL, "settlement", OrderOnly(order=cancelled.order))
    await eventually(lambda: store.rows("warehouse", "SELECT * FROM goods_return"), "a return")
    store.machine.free.clear()
    await store.buy({"MUG": 1})
    await store.stop("terminal-1")
    store.machine.go_on()
    ready = "SELECT count(*) FROM orders WHERE state = 'ready'"
    await eventually(lambda: store.value("settlement", ready), "a parcel")
    await store.stop("sorter-1")
    for _ in range(2):
        await store.buy({"MUG": 1}, terminal="terminal-2")
    await store.stop()
    jobs = store.rows("warehouse", "SELECT id FROM job WHERE state = 'waiting'")
    with closing(sqlite3.connect(store.deployment.data / "warehouse.db")) as warehouse, warehouse:
        # One of them was just given to the sorter when everything was closed.
        warehouse.execute(
            "UPDATE job SET state = 'assigned', sorter = 'sorter-1', assignment = 1,"
            " pick_message = 'm-9' WHERE id = ?", jobs[0],
        )  # fmt: skip
        warehouse.execute(
            "INSERT INTO outbox VALUES ('m-9', 'command', 'sorter-1', 'pick', ?, '', 1, NULL)",
            (json.dumps({"id": "m-9", "data": {"job": jobs[0][0]}}).encode(),),
        )
    assert audit([store.deployment.data]).findings == []
    with closing(sqlite3.connect(store.deployment.data / f"{node}.db")) as database, database:
        assert database.execute(statement).rowcount
    found = audit([store.deployment.data]).findings
    assert [text for text in map(str, found) if text.startswith(f"{invariant}: ")], found
