"""What settlement does about an order, message by message, on a clock that the test sets."""

from collections.abc import Iterator

import pytest
from role_bench import DAY, HOUR, SECOND, Bench, bench, reply
from settlement_orders import POINTS, priced

from bus.contract.catalog import Line, OrderOnly, Reserved
from bus.contract.refusals import WrongState
from bus.contract.settlement import (
    CANCEL,
    COLLECT,
    FAILED,
    PURCHASE,
    READY,
    RESOLVE,
    AccountPayment,
    CardPayment,
    Collect,
    Failed,
    How,
    Purchase,
    Ready,
    Resolve,
)
from bus.contract.terminal import Shown
from bus.contract.values import Money
from bus.contract.warehouse import PICKUP_POINTS_STATE
from nodes.settlement import ledger, refusals, store, unresolved
from nodes.settlement.acquirer.outcomes import Captured, Declined, Refunded
from nodes.settlement.card_calls import RefundCard
from nodes.settlement.refusals import UnresolvedStep
from nodes.settlement.role import Settlement
from nodes.settlement.settings import SettlementSettings

SHIRT, TOTAL = 5_900, 11_800
PATIENCE = SettlementSettings(remind_again=DAY / 1000, expire_after=3 * DAY / 1000)


class _Acquirer:
    """It is only asked by the node, which is not there."""


@pytest.fixture
def settlement() -> Iterator[Bench]:
    with bench(Settlement(_Acquirer(), PATIENCE).role, "settlement") as found:  # type: ignore[arg-type]
        found.see(PICKUP_POINTS_STATE, "warehouse", POINTS)
        yield found


def state(settlement: Bench) -> str:
    """Of the only order."""
    return str(settlement.value("SELECT state FROM orders"))


def paid_by_card(settlement: Bench) -> str:
    """Two shirts are bought; the order's id."""
    purchase = Purchase(
        lines=[Line(sku="SHIRT", quantity=2)],
        pickup_point=None,
        payment=CardPayment(method="card", token="tok_1"),
        expected_total=Money(amount=TOTAL, currency="EUR"),
    )
    settlement.tell(PURCHASE, purchase, "terminal-1")
    order = str(settlement.value("SELECT id FROM orders"))
    settlement.answer_only("reserve", Reserved(order=order, lines=[priced("SHIRT", 2, SHIRT)]))
    settlement.done("acquirer", Captured("acq-1"))
    assert state(settlement) == "settled"
    return order


def ready(settlement: Bench) -> str:
    """An order whose parcel lies at its pickup point."""
    order = paid_by_card(settlement)
    settlement.tell(READY, Ready(order=order, parcel="p-1", pickup_point="north"), "warehouse")
    assert state(settlement) == "ready"
    return order


def refunds(settlement: Bench) -> list[int]:
    """What the provider is being asked to give back."""
    calls = [RefundCard.model_validate_json(row.payload) for row in settlement.waiting("refund")]
    return [call.total.amount for call in calls]


def test_who_cancels_while_a_part_is_being_paid_back_gets_the_rest_and_no_more(
    settlement: Bench,
) -> None:
    order = paid_by_card(settlement)
    gone = Failed(order=order, reason="lost", lines=[Line(sku="SHIRT", quantity=1)])
    settlement.tell(FAILED, gone, "warehouse")
    assert refunds(settlement) == [SHIRT]
    settlement.tell(CANCEL, OrderOnly(order=order), "console-1")
    assert refunds(settlement) == [SHIRT, TOTAL - SHIRT]
    names = [each.id for each in settlement.waiting("refund")]
    assert len(set(names)) == 2


def test_money_that_went_back_is_posted_once_for_each_part(settlement: Bench) -> None:
    order = paid_by_card(settlement)
    gone = Failed(order=order, reason="lost", lines=[Line(sku="SHIRT", quantity=1)])
    settlement.tell(FAILED, gone, "warehouse")
    settlement.done("refund", Refunded("r-1"))
    settlement.tell(CANCEL, OrderOnly(order=order), "console-1")
    settlement.done("refund", Refunded("r-2"))
    sales = ledger.balance(settlement.connection, ledger.own(ledger.SALES, "EUR"))
    assert sales == (0, "EUR")
    assert settlement.value("SELECT refunded FROM orders") == TOTAL


def test_a_parcel_waits_as_long_as_was_promised_to_the_millisecond(settlement: Bench) -> None:
    ready(settlement)
    promised = settlement.steady + 3 * DAY
    settlement.wait(promised - 1)
    assert state(settlement) == "ready"
    settlement.wait(promised)
    assert state(settlement) == "expiring"
    assert settlement.asked("withdraw") == settlement.asked("withdraw")[:1] != []
    assert refunds(settlement) == [TOTAL]


def test_a_customer_who_has_not_been_reminded_is_not_reminded_again(settlement: Bench) -> None:
    ready(settlement)
    (first,) = settlement.waiting("remind")
    settlement.wait(settlement.steady + DAY + HOUR)
    assert settlement.waiting("remind") == [first]


def test_a_customer_who_was_reminded_is_reminded_each_day_until_it_is_collected(
    settlement: Bench,
) -> None:
    order = ready(settlement)
    settlement.answer_only("remind", Shown(shown=True))
    assert state(settlement) == "reminded"
    settlement.wait(settlement.steady + DAY - 1)
    assert settlement.waiting("remind") == []
    settlement.wait(settlement.steady + 1)
    assert [each["order"] for each in settlement.asked("remind")] == [order]
    settlement.answer_only("remind", Shown(shown=True))
    code = str(settlement.value("SELECT pickup_code FROM orders"))
    collected = reply(settlement.tell(COLLECT, Collect(code=code), "terminal-1"))
    assert collected == {"order": order, "state": "collected"}
    settlement.wait(settlement.steady + 9 * DAY)
    assert settlement.waiting("remind") == []
    assert state(settlement) == "collected"


def test_a_reminder_that_was_not_shown_leaves_the_order_ready(settlement: Bench) -> None:
    ready(settlement)
    settlement.answer_only("remind", Shown(shown=False))
    assert state(settlement) == "ready"


def test_a_purchase_that_comes_at_its_deadline_is_not_begun_and_a_millisecond_before_it_is(
    settlement: Bench,
) -> None:
    purchase = Purchase(
        lines=[Line(sku="SHIRT", quantity=1)],
        pickup_point=None,
        payment=AccountPayment(method="account", account="C-1001"),
        expected_total=Money(amount=SHIRT, currency="EUR"),
    )
    for late in (0, 1, SECOND // 2, SECOND):
        deadline = settlement.steady - late
        unit = settlement.tell(PURCHASE, purchase, "terminal-1", "m-1", deadline=deadline)
        assert (unit.refused, reply(unit)["status"]) == ("expired", 410)
        assert settlement.asked("reserve") == []
    unit = settlement.tell(PURCHASE, purchase, "terminal-1", "m-1", deadline=settlement.steady + 1)
    assert unit.refused is None
    assert len(settlement.asked("reserve")) == 1


def test_a_reminder_that_is_due_a_moment_before_the_parcel_expires_is_still_given() -> None:
    late = SettlementSettings(remind_again=DAY / SECOND, expire_after=(DAY + 1) / SECOND)
    with bench(Settlement(_Acquirer(), late).role, "settlement") as settlement:  # type: ignore[arg-type]
        settlement.see(PICKUP_POINTS_STATE, "warehouse", POINTS)
        ready(settlement)
        settlement.answer_only("remind", Shown(shown=True))
        settlement.wait(settlement.steady + DAY)
        assert len(settlement.waiting("remind")) == 1
        assert state(settlement) == "reminded"
        settlement.wait(settlement.steady + 1)
        assert state(settlement) == "expiring"
        assert settlement.waiting("remind") == []


def alarms(settlement: Bench) -> list[tuple[str, str | None]]:
    """Kind and order of what is wrong."""
    return [(alarm.kind, alarm.order) for alarm in unresolved.alarms(settlement.connection)]


@pytest.mark.parametrize("how", ["retry", "by-hand"])
def test_a_step_back_that_was_refused_waits_for_a_person_who_ends_it(
    settlement: Bench, how: How
) -> None:
    order = paid_by_card(settlement)
    settlement.tell(CANCEL, OrderOnly(order=order), "terminal-1")
    settlement.done("refund", Refunded("ref-1"))
    lost = WrongState("The warehouse has lost its books.")
    assert settlement.answer_only("withdraw", lost).alarmed
    assert (state(settlement), alarms(settlement)) == ("cancelling", [("step-refused", order)])
    assert not settlement.waiting("withdraw")
    waits = store.view(settlement.connection, order).waits_for
    assert waits is not None
    assert f"storebus resolve {order}" in waits
    (waiting,) = refusals.open_ones(settlement.connection, UnresolvedStep, 9)
    assert (waiting.view().callee, waiting.view().operation) == ("warehouse", "withdraw")
    asked = Resolve(order=order, how=how, reason="looked after it")
    done = reply(settlement.tell(RESOLVE, asked, "console-1"))
    assert done["refunds"] == [f"{order}.withdraw"]
    assert not alarms(settlement)
    if how == "retry":
        settlement.answer_only("withdraw", OrderOnly(order=order))
    settlement.answer_only("release", OrderOnly(order=order))
    assert state(settlement) == "cancelled"
    (resolved,) = store.view(settlement.connection, order).resolved
    assert (resolved.refund, resolved.how, resolved.by) == (f"{order}.withdraw", how, "console-1")
    again = settlement.tell(RESOLVE, asked, "console-1")
    assert again.refused == "wrong-state"


def test_a_provider_that_refuses_to_charge_is_told_until_it_charges_again(
    settlement: Bench,
) -> None:
    purchase = Purchase(
        lines=[Line(sku="SHIRT", quantity=2)],
        payment=CardPayment(method="card", token="tok_1"),
        expected_total=Money(amount=TOTAL, currency="EUR"),
    )
    outcomes = (Declined("no currency", refused=True), Declined("card declined"), Captured("acq-1"))
    found = []
    for outcome in outcomes:
        settlement.tell(PURCHASE, purchase, "terminal-1")
        (reserve,) = settlement.waiting("reserve")
        (asked,) = settlement.asked("reserve")
        held = Reserved(order=asked["order"], lines=[priced("SHIRT", 2, SHIRT)])
        settlement.answer(reserve, held)
        settlement.done("acquirer", outcome)
        found.append([alarm.values.get("reason") for alarm in unresolved.alarms(
            settlement.connection)])  # fmt: skip
    assert found == [["no currency"], ["no currency"], []]
