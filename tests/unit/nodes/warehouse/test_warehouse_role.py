"""What the warehouse does about its jobs, message by message, on a clock that the test sets."""

from collections.abc import Iterator
from typing import Any

import pytest
from role_bench import SECOND, Bench, bench
from settlement_orders import POINTS

from bus.contract.catalog import Line, OrderOnly, StockLevel
from bus.contract.every import PRESENCE, Presence
from bus.contract.refusals import WrongState
from bus.contract.sorter import Aborted, PickReply
from bus.contract.warehouse import (
    COUNT,
    FULFIL,
    REASSIGN,
    RECEIVE,
    SHORT_PICK,
    CountGoods,
    Fulfil,
    Receive,
    ShortPick,
)
from nodes.warehouse import troubles
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


def alarms(warehouse: Bench) -> list[tuple[str, str | None]]:
    """Kind and subject of what is wrong."""
    return [(alarm.kind, alarm.subject) for alarm in troubles.alarms(warehouse.connection)]


def test_a_sorter_that_refuses_every_job_is_told_with_its_reason_until_it_takes_one(
    warehouse: Bench,
) -> None:
    warehouse.see(PRESENCE, "sorter-2", Presence(status="offline", boot="b-1", since=""))
    for second in range(7):
        reply = PickReply(job=_job(warehouse), accepted=False, reason="the lid is open")
        told = alarms(warehouse)
        assert bool(told) == (second >= 6), second
        warehouse.answer_only("pick", reply)
        warehouse.answer_only("abort", Aborted(job=_job(warehouse), taken=[]))
        warehouse.wait(warehouse.steady + SECOND)
    assert ("refuses", "sorter-1") in alarms(warehouse)
    (alarm,) = [x for x in troubles.alarms(warehouse.connection) if x.kind == "refuses"]
    assert "the lid is open" in alarm.detail
    unit = warehouse.answer_only("pick", PickReply(job=_job(warehouse), accepted=True))
    assert unit.alarmed
    assert not alarms(warehouse)


def test_what_lay_nowhere_is_told_until_somebody_counts(warehouse: Bench) -> None:
    pick = ShortPick(job=_job(warehouse), assignment=1, sku="SHIRT", location=HERE, found=0)
    assert warehouse.tell(SHORT_PICK, pick, "sorter-1").alarmed
    (alarm,) = troubles.alarms(warehouse.connection)
    assert (alarm.kind, alarm.subject) == ("short-pick", f"SHIRT {HERE}")
    assert alarm.values == {
        "sku": "SHIRT", "pieces": 9, "order": "o-1", "location": HERE, "sorter": "sorter-1",
    }  # fmt: skip
    # the books have none left, so the next order goes without
    later = FULFILLED.model_copy(update={"order": "o-2"})
    warehouse.tell(FULFIL, later, "settlement")
    assert alarms(warehouse) == [("short-pick", f"SHIRT {HERE}"), ("short-pick", "SHIRT")]
    counted = CountGoods(sku="SHIRT", location=HERE, counted=0, reason="looked")
    assert warehouse.tell(COUNT, counted, "tester-1").alarmed
    assert not alarms(warehouse)


def test_goods_of_a_job_that_was_given_to_another_are_told_until_they_are_put_back(
    warehouse: Bench,
) -> None:
    warehouse.tell(REASSIGN, OrderOnly(order="o-1"), "console-1")
    taken = Aborted(job=_job(warehouse), taken=[Line(sku="SHIRT", quantity=2)])
    assert warehouse.answer_only("abort", taken).alarmed
    (alarm,) = troubles.alarms(warehouse.connection)
    parcel = f"{_job(warehouse)}.1"
    assert (alarm.kind, alarm.subject) == ("put-back", parcel)
    assert alarm.values == {
        "goods": "2 x SHIRT", "place": "sorter-1", "order": "o-1", "parcel": parcel,
    }  # fmt: skip
    back = Receive(sku="SHIRT", location=HERE, quantity=2, parcel=parcel)
    assert warehouse.tell(RECEIVE, back, "tester-1").alarmed
    assert not alarms(warehouse)


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
