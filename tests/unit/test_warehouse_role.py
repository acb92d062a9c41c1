"""What the warehouse does about its jobs, message by message, on a clock that the test sets."""

from collections.abc import Iterator
from typing import Any

import pytest
from role_bench import SECOND, Bench, bench
from settlement_orders import POINTS

from bus.contract.catalog import Line, OrderOnly, StockLevel
from bus.contract.every import PRESENCE, Presence
from bus.contract.sorter import PickReply
from bus.contract.warehouse import FULFIL, REASSIGN, RECEIVE, Fulfil, Receive
from bus.errors import WrongState
from nodes.warehouse.role import Warehouse

HERE = "A-01-1"
FULFILLED = Fulfil(order="o-1", lines=[Line(sku="SHIRT", quantity=2)], pickup_point="north")


@pytest.fixture
def warehouse() -> Iterator[Bench]:
    """Nine shirts lie there; one order is to be brought, and two sorters are there."""
    with bench(Warehouse(POINTS, [HERE]).role, "warehouse") as found:
        goods = Receive(sku="SHIRT", location=HERE, quantity=9)
        found.tell(RECEIVE, goods, "tester-1")
        found.answer_only("restock", StockLevel(sku="SHIRT", on_hand=9, reserved=0, available=9))
        found.comes("sorter-1")
        found.comes("sorter-2")
        found.tell(FULFIL, FULFILLED, "settlement")
        yield found


def job(warehouse: Bench) -> tuple[Any, ...]:
    """State, assignment and sorter of the only job."""
    query = "SELECT state, assignment, sorter FROM job"
    return tuple(warehouse.connection.execute(query).fetchone())


def test_a_refusal_of_a_pick_that_was_given_to_another_meanwhile_changes_nothing(
    warehouse: Bench,
) -> None:
    (old,) = warehouse.waiting("pick")
    assert job(warehouse) == ("assigned", 1, "sorter-1")
    warehouse.tell(REASSIGN, OrderOnly(order="o-1"), "console-1")
    assert job(warehouse) == ("assigned", 2, "sorter-2")
    # what comes late of the first assignment was on its way before the outbox forgot it
    warehouse.connection.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row(old))
    warehouse.answer(old, PickReply(job=_job(warehouse), accepted=False))
    assert job(warehouse) == ("assigned", 2, "sorter-2")
    assert [row.target for row in warehouse.waiting("abort")] == ["sorter-1"]


def _row(row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in row.__slots__)


def _job(warehouse: Bench) -> str:
    return str(warehouse.value("SELECT id FROM job"))


def test_a_job_that_a_sorter_refuses_goes_to_the_next_that_is_free(warehouse: Bench) -> None:
    warehouse.answer_only("pick", PickReply(job=_job(warehouse), accepted=False))
    assert job(warehouse) == ("assigned", 2, "sorter-2")


def test_a_job_that_every_sorter_refuses_is_offered_again_after_a_second(warehouse: Bench) -> None:
    for _ in range(2):
        warehouse.answer_only("pick", PickReply(job=_job(warehouse), accepted=False))
    assert job(warehouse) == ("waiting", 2, None)
    warehouse.wait(warehouse.steady + 999)
    assert job(warehouse) == ("waiting", 2, None)
    warehouse.wait(warehouse.steady + 1)
    assert job(warehouse)[:2] == ("assigned", 3)


def test_a_job_that_is_taken_stays_with_its_sorter(warehouse: Bench) -> None:
    warehouse.answer_only("pick", PickReply(job=_job(warehouse), accepted=True))
    assert job(warehouse) == ("assigned", 1, "sorter-1")
    assert warehouse.waiting("abort") == []


def test_a_problem_in_place_of_an_answer_to_a_pick_is_a_refusal(warehouse: Bench) -> None:
    warehouse.answer_only("pick", WrongState("no"))
    assert job(warehouse) == ("assigned", 2, "sorter-2")


@pytest.mark.parametrize(
    ("away", "sorter"), [(30 * SECOND - 1, "sorter-1"), (30 * SECOND, "sorter-2")]
)
def test_a_sorter_that_is_lost_has_its_time(warehouse: Bench, away: int, sorter: str) -> None:
    warehouse.comes("warehouse")  # it sees itself, as it does on the bus
    lost = Presence(status="lost", boot="b-1", since="")
    warehouse.see(PRESENCE, "sorter-1", lost)
    warehouse.wait(warehouse.steady + away)
    assert job(warehouse)[2] == sorter


def test_a_sorter_that_is_back_in_time_keeps_its_job(warehouse: Bench) -> None:
    warehouse.comes("warehouse")
    warehouse.see(PRESENCE, "sorter-1", Presence(status="lost", boot="b-1", since=""))
    warehouse.wait(warehouse.steady + 29 * SECOND)
    warehouse.comes("sorter-1")
    warehouse.wait(warehouse.steady + 2 * SECOND)
    assert job(warehouse) == ("assigned", 1, "sorter-1")
