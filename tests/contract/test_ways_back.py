"""Orders that go wrong end with goods back in stock and money back, exactly once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running_store import BALANCES, FAST, STOCK, FaultyBroker, Store, eventually, running_store

from audit import findings
from bus.contract.catalog import OrderOnly
from bus.contract.errors import Problem, Refused
from bus.contract.settlement import CANCEL, ORDER, OrderQuery, OrderView
from bus.contract.values import Empty
from bus.contract.warehouse import RECEIVE, RETURNS, Receive, Return
from nodes.settlement.settings import SettlementSettings
from nodes.warehouse.settings import WarehouseSettings

SOON = WarehouseSettings(lost_sorter=0.2, slow_job=30, fault_pause=30)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with running_store(
        FaultyBroker(), tmp_path, settings=FAST, sorters=1, terminals=2, warehouse=SOON
    ) as store:
        yield store


async def cancel(store: Store, order: str, name: str = "console-1") -> str:
    """Cancel an order; the state it is in then."""
    reply = await store.ask_as(name, CANCEL, "settlement", OrderOnly(order=order))
    return str(reply.state)


async def view(store: Store, order: str) -> OrderView:
    """The order as settlement shows it."""
    shown: OrderView = await store.ask(ORDER, "settlement", OrderQuery(order=order))
    return shown


async def in_state(store: Store, order: str, state: str) -> OrderView:
    """Wait until the order is in a state."""
    await eventually(
        lambda: store.value("settlement", "SELECT state FROM orders WHERE id = ?", order) == state,
        f"{order} {state}",
    )
    return await view(store, order)


async def to_put_back(store: Store) -> None:
    """Wait until there are goods to put back."""
    await eventually(lambda: store.rows("warehouse", "SELECT * FROM goods_return"), "a return")


async def put_everything_back(store: Store) -> list[Return]:
    """A person puts all goods that are to be put back on a shelf."""
    listed = (await store.ask(RETURNS, "warehouse", Empty())).returns
    for goods in listed:
        for line in goods.lines:
            await store.ask(
                RECEIVE,
                "warehouse",
                Receive(
                    sku=line.sku, location="A-02-1", quantity=line.quantity, parcel=goods.parcel
                ),
            )
    return list(listed)


async def as_if_nothing_had_happened(store: Store) -> None:
    """All goods are for sale, in their bins, and all money is back."""
    await store.quiet()
    for sku, quantity in STOCK.items():
        level = store.rows("catalog", "SELECT on_hand, reserved FROM style WHERE sku = ?", sku)
        assert level == [(quantity, 0)]
        bins = "SELECT sum(quantity) FROM bin WHERE sku = ?"
        assert store.value("warehouse", bins, sku) == quantity
    for account, cents in BALANCES.items():
        assert store.balance(f"customer:{account}") == cents
    assert findings([store.deployment.data]) == []


async def test_an_order_cancelled_before_it_is_paid_is_never_paid(store: Store) -> None:
    await store.stop("catalog")
    terminal = store.terminals["terminal-1"]
    await store.start("catalog")
    styles = await terminal.styles(["MUG"])
    await store.stop("catalog")
    sent = await terminal.begin(store.purchase({"MUG": 1}, styles))
    await eventually(lambda: store.rows("settlement", "SELECT id FROM orders"), "an order")
    order = store.value("settlement", "SELECT id FROM orders")

    assert await cancel(store, order, "terminal-1") == "cancelling"
    bought = await terminal.outcome(sent)
    assert bought.problem is not None
    assert (bought.problem.status, bought.problem.code) == (409, "cancelled")
    assert (await view(store, order)).waits_for == "the goods to be for sale again"

    await store.start("catalog")
    await in_state(store, order, "cancelled")
    await as_if_nothing_had_happened(store)


async def test_an_order_cancelled_before_it_is_fetched_goes_back_at_once(store: Store) -> None:
    await store.stop("sorter-1")
    receipt = await store.buy({"MUG": 2, "SHIRT-RED": 1})
    await store.quiet()
    await cancel(store, receipt.order)
    shown = await in_state(store, receipt.order, "cancelled")
    assert shown.refunded == receipt.total.amount
    assert [change.state for change in shown.history][-2:] == ["cancelling", "cancelled"]
    await as_if_nothing_had_happened(store)


@pytest.mark.parametrize(
    ("step", "taken"),
    [
        ("travelling", False),
        ("picking", True),
        ("conveying", True),
        ("packing", True),
    ],
)
async def test_an_order_cancelled_while_it_is_conveyed_is_put_back_by_hand(
    store: Store, step: str, taken: bool
) -> None:
    store.machine.stops_at = step
    receipt = await store.buy({"MUG": 2})
    await eventually(lambda: not store.machine.free.is_set(), step)
    await cancel(store, receipt.order)
    await eventually(
        lambda: store.value("sorter-1", "SELECT step FROM job") == "aborted", "the abort"
    )
    store.machine.free.set()
    if taken:
        await to_put_back(store)
        shown = await view(store, receipt.order)
        assert shown.state == "cancelling"
        assert shown.waits_for == "the goods to be put back on their shelves"
        assert shown.refunded == receipt.total.amount
    assert bool(await put_everything_back(store)) == taken
    await in_state(store, receipt.order, "cancelled")
    await as_if_nothing_had_happened(store)


async def test_an_order_cancelled_when_its_parcel_is_packed_goes_back_line_by_line(
    store: Store,
) -> None:
    receipt = await store.buy({"MUG": 2, "SHIRT-RED": 1})
    await store.reminded(receipt.order)
    await store.quiet()
    parcel = (await view(store, receipt.order)).parcel
    assert await cancel(store, receipt.order, "terminal-1") == "cancelling"
    await to_put_back(store)
    for sku, quantity, name, code in (
        ("MUG", 3, parcel, "wrong-state"),
        ("SHIRT-BLUE", 1, parcel, "wrong-state"),
        ("MUG", 1, "p-0", "unknown-parcel"),
    ):
        goods = Receive(sku=sku, location="A-02-1", quantity=quantity, parcel=name)
        with pytest.raises(Problem) as refused:
            await store.ask(RECEIVE, "warehouse", goods)
        assert refused.value.to_data().code == code
    (goods,) = await put_everything_back(store)
    assert (goods.parcel, goods.order) == (parcel, receipt.order)
    await in_state(store, receipt.order, "cancelled")
    await as_if_nothing_had_happened(store)


async def test_cancelling_again_changes_nothing_and_what_is_collected_stays(store: Store) -> None:
    first, second = await store.buy({"MUG": 1}), await store.buy({"MUG": 1})
    for receipt in (first, second):
        await store.reminded(receipt.order)
    await store.collect(first.pickup_code)
    with pytest.raises(Refused) as refused:
        await cancel(store, first.order)
    assert refused.value.to_data().code == "wrong-state"
    with pytest.raises(Refused) as refused:
        await cancel(store, second.order, "terminal-2")
    assert refused.value.to_data().code == "unknown-order"
    for _ in range(2):
        await cancel(store, second.order, "terminal-1")
    await to_put_back(store)
    await put_everything_back(store)
    await in_state(store, second.order, "cancelled")
    assert await cancel(store, second.order) == "cancelled"
    await store.quiet()
    assert store.balance("customer:C-1001") == BALANCES["C-1001"] - first.total.amount
    assert findings([store.deployment.data]) == []


async def test_a_cancelled_order_survives_lost_and_repeated_messages(
    store: Store,
) -> None:
    broker = store.deployment.connector
    assert isinstance(broker, FaultyBroker)
    for hop in ("settlement/warehouse/withdraw", "settlement/catalog/release"):
        broker.repeat(f"req/{hop}")
        broker.lose(f"rep/{hop}", 2)
    receipt = await store.buy({"MUG": 2})
    await store.reminded(receipt.order)
    await store.quiet()
    await cancel(store, receipt.order)
    await to_put_back(store)
    await put_everything_back(store)
    await in_state(store, receipt.order, "cancelled")
    await as_if_nothing_had_happened(store)


async def test_a_parcel_that_nobody_collects_is_reminded_of_and_expires(tmp_path: Path) -> None:
    patience = SettlementSettings(remind_again=0.3, expire_after=0.8)
    async with running_store(FaultyBroker(), tmp_path, settings=FAST, settlement=patience) as store:
        receipt = await store.buy({"MUG": 1})
        shown = await in_state(store, receipt.order, "expiring")
        assert shown.history[-1].reason == "nobody collected it"
        await to_put_back(store)
        assert {reminder.order for reminder in store.reminders} == {receipt.order}
        assert len(store.reminders) > 1
        await put_everything_back(store)
        shown = await in_state(store, receipt.order, "expired")
        assert shown.refunded == receipt.total.amount
        with pytest.raises(Refused):
            await store.collect(receipt.pickup_code)
        await as_if_nothing_had_happened(store)


async def test_an_order_is_shown_at_another_terminal_by_its_pickup_code(store: Store) -> None:
    receipt = await store.buy({"MUG": 1})
    await store.reminded(receipt.order)
    by_code = OrderQuery(code=receipt.pickup_code)
    shown = await store.ask_as("terminal-9", ORDER, "settlement", by_code)
    assert shown.order == receipt.order
    for query, code in (
        (OrderQuery(order=receipt.order), "unknown-order"),
        (
            OrderQuery(code="000000" if receipt.pickup_code != "000000" else "111111"),
            "unknown-pickup-code",
        ),
        (OrderQuery(), "invalid-field"),
    ):
        with pytest.raises(Refused) as refused:
            await store.ask_as("terminal-9", ORDER, "settlement", query)
        assert refused.value.to_data().code == code
