"""Sorters jam, vanish and come back; each order is brought once, by whoever can."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from running_store import FAST, FaultyBroker, Store, eventually, running_store
from test_ways_back import put_everything_back, view

from audit import findings
from bus.contract.catalog import OrderOnly
from bus.contract.channel import Operation
from bus.contract.errors import Refused
from bus.contract.topics import Topics
from bus.contract.values import Model
from bus.contract.warehouse import REASSIGN, RESUME, Resume
from nodes.warehouse.settings import WarehouseSettings


@pytest.fixture
def broker() -> FaultyBroker:
    return FaultyBroker()


@pytest.fixture
async def store(broker: FaultyBroker, tmp_path: Path) -> AsyncIterator[Store]:
    patience = WarehouseSettings(lost_sorter=0.2, slow_job=0.6, refusal_pause=0.1, fault_pause=0.5)
    async with running_store(
        broker, tmp_path, settings=FAST, sorters=1, warehouse=patience
    ) as store:
        yield store


def alarms(broker: FaultyBroker) -> list[str]:
    """The kinds of alarm that the warehouse shows now."""
    state = broker.retained[Topics("main").state("warehouse", "alarms")]
    return [alarm["kind"] for alarm in json.loads(state.payload)["data"]["alarms"]]


def jobs(store: Store) -> list[tuple[object, ...]]:
    return store.rows("warehouse", "SELECT state, sorter, assignment FROM job")


async def brought_once(store: Store, order: str) -> None:
    """Reminded, and the books balance when everything is back on its shelf."""
    await store.reminded(order)
    await store.quiet()
    await put_everything_back(store)
    await store.quiet()
    assert [reminder.order for reminder in store.reminders] == [order]
    assert store.value("warehouse", "SELECT sum(quantity) FROM bin WHERE sku = 'MUG'") == 18
    assert findings([store.deployment.data]) == []


@pytest.mark.parametrize("step", ["travelling", "picking", "conveying", "packing"])
async def test_the_job_of_a_sorter_that_jams_is_given_to_another(store: Store, step: str) -> None:
    await store.start("sorter-2")
    store.machine.jams_at = step
    receipt = await store.buy({"MUG": 2})
    await store.reminded(receipt.order)
    assert jobs(store) == [("packed", "sorter-2", 2)]
    await brought_once(store, receipt.order)


async def test_a_sorter_that_jammed_gets_jobs_again_after_a_pause(
    store: Store, broker: FaultyBroker
) -> None:
    store.machine.jams_at = "conveying"
    receipt = await store.buy({"MUG": 2})
    await eventually(lambda: "no-sorter" in alarms(broker), "an alarm")
    await brought_once(store, receipt.order)
    assert jobs(store) == [("packed", "sorter-1", 2)]
    assert alarms(broker) == []


async def test_the_job_of_a_sorter_that_is_gone_is_given_to_another_and_packed_once(
    store: Store,
) -> None:
    store.machine.stops_at = "conveying"
    receipt = await store.buy({"MUG": 2})
    await eventually(lambda: not store.machine.free.is_set(), "conveying")
    await store.stop("sorter-1")
    await store.start("sorter-2")
    await store.reminded(receipt.order)
    assert jobs(store) == [("packed", "sorter-2", 2)]

    store.machine.free.set()
    await store.start("sorter-1")  # it goes on where it was, and learns that it is too late
    await brought_once(store, receipt.order)
    assert store.value("sorter-1", "SELECT step FROM job") == "aborted"
    assert store.value("warehouse", "SELECT count(*) FROM superseded") == 0


async def test_a_sorter_that_is_back_soon_keeps_its_job(store: Store) -> None:
    store.machine.stops_at = "conveying"
    receipt = await store.buy({"MUG": 2})
    await eventually(lambda: not store.machine.free.is_set(), "conveying")
    await store.stop("sorter-1")
    store.machine.free.set()
    await store.start("sorter-1")
    await brought_once(store, receipt.order)
    assert jobs(store) == [("packed", "sorter-1", 1)]


async def test_a_slow_sorter_loses_its_job_and_its_late_parcel_is_put_back(store: Store) -> None:
    await store.start("sorter-2")
    store.machine.stops_at = "packing"
    receipt = await store.buy({"MUG": 2})
    await store.reminded(receipt.order)
    assert jobs(store) == [("packed", "sorter-2", 2)]
    store.machine.free.set()
    await brought_once(store, receipt.order)


async def test_without_a_sorter_an_order_waits_and_the_customer_sees_why(
    store: Store, broker: FaultyBroker
) -> None:
    await store.stop("sorter-1")
    receipt = await store.buy({"MUG": 2})
    await eventually(lambda: alarms(broker) == ["no-sorter"], "an alarm")
    await eventually(lambda: store.rows("settlement", "SELECT * FROM alarm"), "the alarm's arrival")
    shown = await view(store, receipt.order)
    assert shown.waits_for == "No sorter is there that could bring the goods."
    await store.start("sorter-1")
    await brought_once(store, receipt.order)
    assert alarms(broker) == []
    assert (await view(store, receipt.order)).waits_for is None


async def _told(store: Store, operation: Operation[Any, Any], data: Model) -> Any:
    """What an operator is answered by the warehouse."""
    return await store.ask_as("console-1", operation, "warehouse", data)


async def test_an_operator_gives_a_job_to_another_sorter(store: Store) -> None:
    store.machine.stops_at = "conveying"
    receipt = await store.buy({"MUG": 2})
    await eventually(lambda: not store.machine.free.is_set(), "conveying")
    await store.start("sorter-2")
    status = await _told(store, REASSIGN, OrderOnly(order=receipt.order))
    assert (status.state, status.sorter, status.assignment) == ("assigned", "sorter-2", 2)
    await store.reminded(receipt.order)
    with pytest.raises(Refused) as refused:
        await _told(store, REASSIGN, OrderOnly(order=receipt.order))
    assert refused.value.to_data().code == "wrong-state"
    store.machine.free.set()
    await brought_once(store, receipt.order)


async def test_an_operator_has_looked_after_a_sorter_and_it_gets_jobs_again(tmp_path: Path) -> None:
    for_long = WarehouseSettings(fault_pause=3600)
    async with running_store(
        FaultyBroker(), tmp_path, settings=FAST, sorters=1, warehouse=for_long
    ) as store:
        store.machine.jams_at = "travelling"
        receipt = await store.buy({"MUG": 2})
        await eventually(lambda: jobs(store) == [("waiting", None, 1)], "a job that waits")
        status = await _told(store, REASSIGN, OrderOnly(order=receipt.order))
        assert (status.state, status.sorter) == ("waiting", None)
        resumed = await _told(store, RESUME, Resume(sorter="sorter-1"))
        assert resumed.job == status.job
        await brought_once(store, receipt.order)
        assert (await _told(store, RESUME, Resume(sorter="sorter-1"))).job is None
        with pytest.raises(Refused) as refused:
            await _told(store, REASSIGN, OrderOnly(order="o-unknown"))
        assert refused.value.to_data().code == "unknown-order"


async def test_a_presence_that_got_lost_is_shown_again(tmp_path: Path) -> None:
    broker = FaultyBroker()
    often = FAST.model_copy(update={"show_again": 0.1})
    async with running_store(broker, tmp_path, settings=often, sorters=0) as store:
        broker.lose("state/sorter-1/presence", 2)
        await store.start("sorter-1")
        receipt = await store.buy({"MUG": 2})
        await store.reminded(receipt.order)
        assert len(broker.lost) == 2
