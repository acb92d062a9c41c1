"""What the store says no to while selling, and that a no costs nobody anything."""

from typing import Any

import pytest
from bad_messages import message, purchase
from raw_client import RawClient
from running_store import PRODUCTS, STOCK, Store

from bus.contract.catalog import UPSERT, Line, Upsert
from bus.contract.errors import Problem, Refused, TooLarge
from bus.contract.every import PING
from bus.contract.problem import ProblemData
from bus.contract.settlement import (
    COLLECT,
    ORDER,
    AccountPayment,
    Collect,
    OrderQuery,
    Purchase,
)
from bus.contract.values import MAX_PAYLOAD, Empty, Money
from bus.contract.warehouse import RECEIVE, Receive


async def refusal(asked: Any) -> ProblemData:
    with pytest.raises(Problem) as refused:
        await asked
    assert isinstance(refused.value, Refused)
    return refused.value.to_data()


async def refused_purchase(store: Store, **changes: Any) -> ProblemData:
    """The problem that terminal-1 is shown; the purchase is good but for the changes."""
    terminal = store.terminals["terminal-1"]
    asked = {
        "lines": [Line(sku="MUG", quantity=2)],
        "payment": AccountPayment(method="account", account="C-1001"),
        "expected_total": Money(amount=2500, currency="EUR"),
        **changes,
    }
    bought = await terminal.outcome(await terminal.begin(Purchase(**asked)))
    assert bought.state == "refused"
    assert bought.problem is not None
    return bought.problem


async def test_sold_out_says_what_is_left(store: Store) -> None:
    before = store.snapshot(refused=False)
    problem = await refusal(store.buy({"SHIRT-RED": 3}))
    assert (problem.status, problem.code) == (409, "sold-out")
    assert problem.model_extra
    assert problem.model_extra["available"] == {"SHIRT-RED": STOCK["SHIRT-RED"]}
    await store.quiet()
    assert without_purchases(store.snapshot(refused=False)) == before


async def test_of_two_lines_all_are_reserved_or_none(store: Store) -> None:
    before = store.snapshot(refused=False)
    problem = await refusal(store.buy({"SHIRT-BLUE": 1, "SHIRT-RED": 3}))
    assert problem.code == "sold-out"
    await store.quiet()
    assert without_purchases(store.snapshot(refused=False)) == before
    await store.buy({"SHIRT-BLUE": STOCK["SHIRT-BLUE"]})


async def test_a_changed_price_is_shown_and_nothing_stays_reserved(store: Store) -> None:
    before = store.snapshot(refused=False)
    expected = Money(amount=2499, currency="EUR")
    problem = await refused_purchase(store, expected_total=expected)
    assert (problem.status, problem.code) == (409, "price-changed")
    assert problem.model_extra
    assert problem.model_extra["total"] == {"amount": 2500, "currency": "EUR"}
    await store.quiet()
    assert without_purchases(store.snapshot(refused=False)) == before


@pytest.mark.parametrize("account", ["C-1002", "C-9999"], ids=["poor", "unknown"])
async def test_an_account_that_cannot_pay_is_declined_and_the_goods_are_free_again(
    store: Store, account: str
) -> None:
    before = store.snapshot(refused=False)
    payment = AccountPayment(method="account", account=account)
    problem = await refused_purchase(store, payment=payment)
    assert (problem.status, problem.code) == (402, "payment-declined")
    await store.quiet()
    assert without_purchases(store.snapshot(refused=False)) == before
    await store.buy({"MUG": STOCK["MUG"]})


async def test_another_currency_than_the_stores_is_a_changed_price(store: Store) -> None:
    expected = Money(amount=2500, currency="USD")
    problem = await refused_purchase(store, expected_total=expected)
    assert (problem.status, problem.code) == (409, "price-changed")


async def test_an_unknown_pickup_point_is_answered_with_those_there_are(store: Store) -> None:
    problem = await refused_purchase(store, pickup_point="roof")
    assert (problem.status, problem.code) == (404, "unknown-pickup-point")
    assert problem.model_extra
    assert problem.model_extra["points"] == ["north", "south"]


@pytest.mark.usefixtures("store")
async def test_a_style_in_two_lines_is_refused(raw: RawClient) -> None:
    line = {"sku": "MUG", "quantity": 1}
    answer = await raw.request(
        "settlement", "purchase", message("twice", purchase(lines=[line, line]))
    )
    assert (answer.data["status"], answer.data["field"]) == (422, "lines")


async def test_a_store_without_an_acquirer_takes_no_cards(store: Store) -> None:
    asked = Purchase.model_validate(
        {
            "lines": [{"sku": "MUG", "quantity": 2}],
            "payment": {"method": "card", "token": "tok_approve"},
            "expected_total": {"amount": 2500, "currency": "EUR"},
        }
    )
    problem = await refused_purchase(store, payment=asked.payment)
    assert (problem.status, problem.code) == (422, "invalid-field")


async def test_a_fifth_wrong_pickup_code_locks_who_sent_it_and_nobody_else(store: Store) -> None:
    receipt = await store.buy({"MUG": 1})
    await store.reminded(receipt.order)
    wrong = "000000" if receipt.pickup_code != "000000" else "111111"
    left = []
    for _ in range(5):
        problem = await refusal(store.collect(wrong))
        assert problem.model_extra
        left.append(problem.model_extra["triesLeft"])
    assert left == [4, 3, 2, 1, 0]
    await store.stop("settlement")
    await store.start("settlement")
    problem = await refusal(store.collect(receipt.pickup_code))
    assert (problem.status, problem.code, problem.retryable) == (429, "too-many-tries", True)
    assert problem.model_extra
    assert 0 < problem.model_extra["retryAfter"] <= 60
    right = Collect(code=receipt.pickup_code)
    await store.ask_as("console-2", COLLECT, "settlement", right)


async def test_codes_are_not_found_by_asking_for_orders_either(store: Store) -> None:
    receipt = await store.buy({"MUG": 1})
    await store.reminded(receipt.order)
    right = OrderQuery(code=receipt.pickup_code)
    codes = (f"{number:06}" for number in range(10))
    wrong = [code for code in codes if code != receipt.pickup_code]
    left = []
    for code in (wrong[0], wrong[0], *wrong[1:5]):
        problem = await refusal(
            store.ask_as("tester-1", ORDER, "settlement", OrderQuery(code=code))
        )
        assert problem.model_extra
        left.append(problem.model_extra["triesLeft"])
        if left[-1]:  # to know a right one does not help
            await store.ask_as("tester-1", ORDER, "settlement", right)
    assert left == [4, 4, 3, 2, 1, 0]
    problem = await refusal(store.ask_as("tester-1", ORDER, "settlement", right))
    assert (problem.status, problem.code) == (429, "too-many-tries")
    assert problem.model_extra
    assert 0 < problem.model_extra["retryAfter"] <= 60
    shown = await store.ask_as("tester-1", ORDER, "settlement", OrderQuery(order=receipt.order))
    assert shown.order == receipt.order
    shown = await store.ask_as("terminal-9", ORDER, "settlement", right)
    assert shown.order == receipt.order


async def test_codes_tried_by_asking_and_by_collecting_are_counted_together(store: Store) -> None:
    receipt = await store.buy({"MUG": 1})
    await store.reminded(receipt.order)
    codes = (f"{number:06}" for number in range(10))
    wrong = [code for code in codes if code != receipt.pickup_code]
    for code in wrong[:3]:
        await refusal(store.ask_as("console-3", ORDER, "settlement", OrderQuery(code=code)))
    for code in wrong[3:5]:
        await refusal(store.ask_as("console-3", COLLECT, "settlement", Collect(code=code)))
    right = Collect(code=receipt.pickup_code)
    problem = await refusal(store.ask_as("console-3", COLLECT, "settlement", right))
    assert problem.code == "too-many-tries"
    await store.collect(receipt.pickup_code)


async def test_a_parcel_is_collected_once_and_only_under_its_code(store: Store) -> None:
    receipt = await store.buy({"MUG": 1})
    await store.reminded(receipt.order)
    wrong = "000000" if receipt.pickup_code != "000000" else "111111"
    problem = await refusal(store.collect(wrong))
    assert (problem.status, problem.code) == (404, "unknown-pickup-code")
    await store.collect(receipt.pickup_code)
    problem = await refusal(store.collect(receipt.pickup_code))
    assert problem.code == "unknown-pickup-code"


async def test_a_parcel_that_is_not_there_yet_cannot_be_collected(store: Store) -> None:
    store.machine.free.clear()
    receipt = await store.buy({"MUG": 1})
    problem = await refusal(store.collect(receipt.pickup_code))
    assert (problem.status, problem.code) == (409, "wrong-state")
    store.machine.free.set()
    await store.reminded(receipt.order)


@pytest.mark.parametrize(
    ("goods", "code"),
    [
        (Receive(sku="HAT", location="A-01-1", quantity=1), "unknown-sku"),
        (Receive(sku="MUG", location="Z-99-9", quantity=1), "unknown-location"),
    ],
)
async def test_goods_of_an_unknown_kind_or_place_are_not_received(
    store: Store, goods: Receive, code: str
) -> None:
    problem = await refusal(store.ask(RECEIVE, "warehouse", goods))
    assert (problem.status, problem.code) == (404, code)
    assert store.value("warehouse", "SELECT sum(quantity) FROM bin") == sum(STOCK.values())
    assert store.value("catalog", "SELECT sum(on_hand) FROM style") == sum(STOCK.values())


def without_purchases(snapshot: dict[str, Any]) -> dict[str, Any]:
    """A snapshot but for what the terminal keeps of its own refused purchases."""
    assert [row[1] for row in snapshot["terminal-1.purchase"]] == ["refused"]
    return {**snapshot, "terminal-1.purchase": []}


async def test_a_question_that_no_message_can_hold_is_refused_where_it_is_asked(
    store: Store,
) -> None:
    """It would only be asked again and again until its deadline."""
    shirt = PRODUCTS.products[0].model_copy(update={"description": "x" * 2_000})
    with pytest.raises(TooLarge) as caught:
        await store.ask(UPSERT, "catalog", Upsert(products=[shirt] * 40))
    assert caught.value.more == {"limit": MAX_PAYLOAD}
    assert (await store.ask(PING, "catalog", Empty())).node == "catalog"
