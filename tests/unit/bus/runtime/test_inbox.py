"""A command is carried out once, and answered as often as it comes: whoever asks gets his reply."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from role_bench import SECOND, Bench, bench
from settlement_orders import POINTS

from bus.contract.catalog import StockLevel
from bus.contract.errors import Busy
from bus.contract.warehouse import RECEIVE, Receive
from bus.runtime.batch_runner import forget_before
from bus.runtime.settings import RuntimeSettings
from bus.runtime.unit_of_work import UnitOfWork
from nodes.warehouse.role import Warehouse

GOODS = Receive(sku="SHIRT", location="A-01-1", quantity=9)
NOWHERE = Receive(sku="SHIRT", location="Z-99-9", quantity=9)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def warehouse() -> Iterator[Bench]:
    with bench(Warehouse(POINTS, ["A-01-1"]).role, "warehouse") as found:
        yield found


def tell(warehouse: Bench, goods: Receive, correlation: bytes = b"c-1", **more: Any) -> UnitOfWork:
    """Goods come in, always under the same id."""
    return warehouse.tell(
        RECEIVE, goods, "tester-1", "m-1", correlation=correlation, trace=TRACE, **more
    )


def envelope(unit: UnitOfWork) -> dict[str, Any]:
    """The one answer that a turn gives."""
    (answer,) = unit.replies
    assert (answer.operation, answer.caller) == (RECEIVE, "tester-1")
    found: dict[str, Any] = json.loads(answer.payload)
    return found


def belongs(said: dict[str, Any]) -> None:
    """An answer names what it answers, and its trace."""
    assert (said["correlationid"], said["causationid"]) == ("m-1", "m-1")
    assert said["source"] == "/main/warehouse"
    assert said["traceparent"].split("-")[1] == TRACE.split("-")[1]
    assert said["traceparent"] != TRACE


def rows(warehouse: Bench) -> int:
    """How many commands are remembered."""
    return int(warehouse.value("SELECT count(*) FROM inbox"))


def test_a_final_refusal_is_remembered_and_repeated_byte_for_byte(warehouse: Bench) -> None:
    first = tell(warehouse, NOWHERE)
    said = envelope(first)
    belongs(said)
    assert (said["type"], said["data"]["code"]) == (
        "storebus.warehouse.receive.problem",
        "unknown-location",
    )
    assert (first.refused, first.replies[0].correlation) == ("unknown-location", b"c-1")
    again = tell(warehouse, NOWHERE)
    assert again.replies == first.replies
    assert rows(warehouse) == 1


def test_another_body_under_the_same_id_is_refused_and_leaves_what_was(warehouse: Bench) -> None:
    tell(warehouse, NOWHERE)
    other = tell(warehouse, GOODS, b"c-2")
    said = envelope(other)
    belongs(said)
    assert (said["type"], said["data"]["code"]) == (
        "storebus.warehouse.receive.problem",
        "id-reused",
    )
    assert (other.refused, other.replies[0].correlation) == ("id-reused", b"c-2")
    assert warehouse.waiting("restock") == []


def test_what_came_too_late_is_forgotten_and_comes_in_time_under_the_same_id(
    warehouse: Bench,
) -> None:
    late = tell(warehouse, GOODS, deadline=warehouse.steady - SECOND)
    said = envelope(late)
    belongs(said)
    assert (said["data"]["code"], late.replies[0].correlation) == ("expired", b"c-1")
    assert rows(warehouse) == 0
    tell(warehouse, GOODS)
    assert len(warehouse.waiting("restock")) == 1


def test_a_command_that_is_answered_later_is_not_begun_again_meanwhile(warehouse: Bench) -> None:
    assert tell(warehouse, GOODS).replies == []
    assert tell(warehouse, GOODS).replies == []
    (restock,) = warehouse.waiting("restock")
    sent = json.loads(restock.payload)
    assert (sent["causationid"], sent["source"]) == ("m-1", "/main/warehouse")
    assert sent["traceparent"].split("-")[1] == TRACE.split("-")[1]
    assert (restock.target, restock.due_at, restock.deadline) == ("catalog", warehouse.steady, None)


def test_an_operation_that_a_role_does_not_play_is_unknown() -> None:
    role = Warehouse(POINTS).role
    role.commands = {}
    with bench(role, "warehouse") as other:
        unit = other.tell(RECEIVE, GOODS, "tester-1")
        assert unit.refused == "unknown-operation"
        assert "warehouse cannot receive yet" in envelope(unit)["data"]["detail"]


def test_a_refusal_for_the_moment_leaves_the_command_to_be_given_again(warehouse: Bench) -> None:
    tell(warehouse, GOODS)
    (restock,) = warehouse.waiting("restock")
    later = warehouse.answer(restock, Busy("Too many commands are waiting.", retryAfter=1))
    assert (later.postponed, later.removed, later.replies) == ([restock.id], [], [])
    assert warehouse.waiting("restock") == [restock]
    done = warehouse.answer(restock, StockLevel(sku="SHIRT", on_hand=9, reserved=0, available=9))
    assert (done.postponed, done.removed) == ([], [restock.id])
    assert envelope(done)["data"]["quantity"] == 9
    assert warehouse.waiting("restock") == []


def test_answers_are_forgotten_only_when_a_start_has_lasted_as_long_as_ten_repetitions() -> None:
    limits = RuntimeSettings(retry_limit=30, keep_answers=60)
    assert forget_before(305 * SECOND - 1, 5 * SECOND, limits) is None
    assert forget_before(305 * SECOND, 5 * SECOND, limits) == 245 * SECOND
