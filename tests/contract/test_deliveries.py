"""What a delivery brought counts once, however often and under which ids it is sent."""

import pytest
from running_store import Store

from bus.contract.delivery import Delivered, Delivery
from bus.contract.errors import Refused
from bus.contract.settlement import DELIVERED as PAID_BEFORE
from bus.contract.settlement import DEPOSIT, Deposit
from bus.contract.values import Money
from bus.contract.warehouse import DELIVERED, RECEIVE, Receive

MONDAY = Delivery(name="monday.csv", content="c0ffee")
TUESDAY = Delivery(name="tuesday.csv", content="c0ffee")
MONDAY_MENDED = Delivery(name="monday.csv", content="decade")


def _goods(delivery: Delivery | None, quantity: int = 10, sku: str = "MUG") -> Receive:
    return Receive(sku=sku, location="A-01-1", quantity=quantity, delivery=delivery)


async def test_goods_of_one_delivery_count_once_and_of_another_again(store: Store) -> None:
    first = await store.ask(RECEIVE, "warehouse", _goods(MONDAY))
    again = await store.ask(RECEIVE, "warehouse", _goods(MONDAY))
    assert (first.already, again.quantity) == (None, first.quantity)
    assert again.already is not None
    for delivery in (TUESDAY, MONDAY_MENDED, None, None):
        level = await store.ask(RECEIVE, "warehouse", _goods(delivery))
        assert level.already is None
    assert level.quantity == first.quantity + 40
    await store.quiet()
    received = store.value("catalog", "SELECT received FROM style WHERE sku = 'MUG'")
    assert received == store.value(
        "warehouse", "SELECT sum(change) FROM adjustment WHERE sku = 'MUG'"
    )


async def test_a_name_alone_means_any_delivery_of_that_name(store: Store) -> None:
    first = await store.ask(RECEIVE, "warehouse", _goods(MONDAY))
    named = Delivery(name="monday.csv")
    again = await store.ask(RECEIVE, "warehouse", _goods(named))
    assert (again.quantity, again.already is None) == (first.quantity, False)
    with pytest.raises(Refused, match=r"monday\.csv brought 10 of MUG A-01-1 at .*, not 12"):
        await store.ask(RECEIVE, "warehouse", _goods(named, 12))
    asked = Delivered(name="monday.csv", items=["MUG A-01-1", "MUG A-01-2"])
    (before,) = (await store.ask(DELIVERED, "warehouse", asked)).before
    assert (before.item, before.amount, before.content) == ("MUG A-01-1", 10, "c0ffee")
    assert before.at == again.already


async def test_goods_that_were_refused_come_in_when_they_are_sent_again(store: Store) -> None:
    goods = _goods(MONDAY, sku="NEW")
    with pytest.raises(Refused, match="There is no style NEW"):
        await store.ask(RECEIVE, "warehouse", goods)
    asked = Delivered(name="monday.csv", items=["NEW A-01-1"])
    assert (await store.ask(DELIVERED, "warehouse", asked)).before == []
    with pytest.raises(Refused, match="There is no style NEW"):
        await store.ask(RECEIVE, "warehouse", goods)


async def test_money_of_one_delivery_is_paid_in_once(store: Store) -> None:
    before = store.balance("customer:C-1002")
    deposit = Deposit(
        account="C-1002", name="Ann", amount=Money(amount=100, currency="EUR"), delivery=MONDAY
    )
    first = await store.ask(DEPOSIT, "settlement", deposit)
    again = await store.ask(DEPOSIT, "settlement", deposit)
    assert (first.balance, again.balance) == (before + 100, before + 100)
    asked = Delivered(name="monday.csv", content="c0ffee", items=["C-1002", "C-1001"])
    (paid,) = (await store.ask(PAID_BEFORE, "settlement", asked)).before
    assert (first.already, again.already, paid.amount) == (None, paid.at, 100)
    other = deposit.model_copy(update={"delivery": TUESDAY})
    assert (await store.ask(DEPOSIT, "settlement", other)).balance == before + 200
