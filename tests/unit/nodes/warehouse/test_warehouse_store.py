"""The warehouse's shelves and jobs as they are written down."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest
from unit_rows import tables

from bus.contract.catalog import Line
from bus.contract.refusals import UnknownJob, UnknownLocation
from bus.contract.sorter import PickLine
from nodes.warehouse import store
from nodes.warehouse.domain import Job
from nodes.warehouse.store import SCHEMA as WAREHOUSE

SHIRTS = Line(sku="SHIRT", quantity=2)


@pytest.fixture
def rows() -> Iterator[sqlite3.Connection]:
    with tables(WAREHOUSE) as connection:
        store.save_locations(connection, ["A-1", "A-2"])
        store.save_locations(connection, ["A-2", "B-1"])
        yield connection


def _job(number: int) -> Job:
    return Job(f"j-{number}", f"o-{number}", "north", (SHIRTS,))


def _bins(rows: sqlite3.Connection) -> list[tuple[str, int]]:
    return [(each.location, each.quantity) for each in store.bins(rows, "SHIRT")]


def test_pieces_go_into_bins_and_out_again(rows: sqlite3.Connection) -> None:
    assert store.move(rows, "SHIRT", "B-1", 5) == 5
    assert store.move(rows, "SHIRT", "A-1", 2) == 2
    assert store.move(rows, "SHIRT", "B-1", -3) == 2
    assert _bins(rows) == [("A-1", 2), ("B-1", 2)]
    assert store.move(rows, "SHIRT", "A-1", -2) == 0
    assert _bins(rows) == [("B-1", 2)]
    coats = Line(sku="COAT", quantity=1)
    assert store.held(rows, [SHIRTS, coats]) == {"SHIRT": {"B-1": 2}, "COAT": {}}


def test_a_bin_never_holds_less_than_nothing(rows: sqlite3.Connection) -> None:
    store.move(rows, "SHIRT", "A-1", 2)
    with pytest.raises(sqlite3.IntegrityError, match="quantity"):
        store.move(rows, "SHIRT", "A-1", -3)
    assert _bins(rows) == [("A-1", 2)]


def test_a_location_that_the_warehouse_does_not_have_is_refused(rows: sqlite3.Connection) -> None:
    store.refuse_unknown_location(rows, "B-1")
    with pytest.raises(UnknownLocation, match="C-1"):
        store.refuse_unknown_location(rows, "C-1")
    with pytest.raises(sqlite3.IntegrityError):
        store.move(rows, "SHIRT", "C-1", 1)


def test_a_receipt_is_taken_once(rows: sqlite3.Connection) -> None:
    receipt = store.GoodsReceipt("tester-1", "m-1", "SHIRT", "A-1", 5)
    store.save_receipt(rows, receipt, "restock-1")
    assert store.take_receipt(rows, "restock-2") is None
    assert store.take_receipt(rows, "restock-1") == receipt
    assert store.take_receipt(rows, "restock-1") is None


def test_a_job_is_read_as_it_was_written_at_each_step(rows: sqlite3.Connection) -> None:
    waiting = _job(1)
    picks = (
        PickLine(sku="SHIRT", location="A-1", quantity=1),
        PickLine(sku="SHIRT", location="B-1", quantity=1),
    )
    assigned = replace(waiting, state="assigned", assignment=3, sorter="sorter-1", picks=picks)
    done = replace(assigned, state="packed", parcel="p-1")
    for now, job in enumerate([waiting, assigned, done]):
        store.save_job(rows, job, now)
        assert store.job(rows, "j-1") == job
        assert store.job_of_order(rows, "o-1") == job
    assert store.job_of_order(rows, "o-2") is None
    with pytest.raises(UnknownJob, match="j-2"):
        store.job(rows, "j-2")


def test_jobs_wait_in_the_order_they_came_also_when_one_comes_back(
    rows: sqlite3.Connection,
) -> None:
    for number in (3, 1, 2):
        store.save_job(rows, _job(number), now=7)
    store.save_job(rows, replace(_job(3), state="assigned", sorter="sorter-1", assignment=1), 8)
    assert list(store.waiting(rows, 10)) == ["j-1", "j-2"]
    assert store.busy(rows) == {"sorter-1"}
    store.save_job(rows, replace(_job(3), assignment=1), 9)
    assert list(store.waiting(rows, 10)) == ["j-3", "j-1", "j-2"]
    assert list(store.waiting(rows, 1)) == ["j-3"]
    assert store.busy(rows) == set()


def test_a_sorter_has_one_job_at_a_time_and_an_order_one_job(rows: sqlite3.Connection) -> None:
    store.save_job(rows, replace(_job(1), state="assigned", sorter="sorter-1"), 1)
    with pytest.raises(sqlite3.IntegrityError, match="sorter"):
        store.save_job(rows, replace(_job(2), state="assigned", sorter="sorter-1"), 2)
    with pytest.raises(sqlite3.IntegrityError, match="order_id"):
        store.save_job(rows, replace(_job(1), id="j-9"), 3)
    store.save_job(rows, replace(_job(1), state="packed", sorter="sorter-1", parcel="p-1"), 4)
    store.save_job(rows, replace(_job(2), state="assigned", sorter="sorter-1"), 5)
