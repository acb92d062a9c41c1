"""From the label to the collected parcel, over every transport."""

import pytest
from running_store import LABEL, PRICES, PRODUCTS, STOCK, Store

from bus.contract.catalog import LOOKUP, SEARCH, UPSERT, Lookup, Search, Upsert
from bus.contract.errors import Refused
from bus.contract.every import ABOUT, PING
from bus.contract.settlement import ORDER, ORDERS, OrderQuery, Orders
from bus.contract.values import Empty
from bus.contract.warehouse import (
    LOCATE,
    PICKUP_POINTS,
    RECEIVE,
    Bin,
    Locate,
    Receive,
)

STEPS = ("travelling", "picking", "conveying", "packing")


async def test_a_customer_scans_buys_is_reminded_once_and_collects(store: Store) -> None:
    found = await store.terminals["terminal-1"].scan(LABEL)
    assert found.scanned == "SHIRT-BLUE"
    assert {style.sku: style.available for style in found.product.styles} == {
        "SHIRT-BLUE": STOCK["SHIRT-BLUE"],
        "SHIRT-RED": STOCK["SHIRT-RED"],
    }

    receipt = await store.buy({"SHIRT-BLUE": 2}, point="south")
    assert (receipt.state, receipt.pickup_point) == ("settled", "south")
    assert (receipt.total.amount, receipt.total.currency) == (2 * PRICES["SHIRT-BLUE"], "EUR")

    reminder = await store.reminded(receipt.order)
    assert (reminder.pickup_code, reminder.pickup_point_name) == (receipt.pickup_code, "South")
    collected = await store.collect(receipt.pickup_code)
    assert (collected.order, collected.state) == (receipt.order, "collected")

    await store.quiet()
    assert [shown.order for shown in store.reminders] == [receipt.order]
    assert [step.split()[0] for step in store.machine.performed] == list(STEPS)
    view = await store.ask(ORDER, "settlement", OrderQuery(order=receipt.order))
    assert [change.state for change in view.history] == [
        "reserving", "charging", "settled", "ready", "reminded", "collected",
    ]  # fmt: skip


async def test_what_is_sold_leaves_the_stock_the_bin_and_the_account(store: Store) -> None:
    receipt = await store.buy({"SHIRT-BLUE": 3, "MUG": 1})
    await store.reminded(receipt.order)
    await store.quiet()

    paid = 3 * PRICES["SHIRT-BLUE"] + PRICES["MUG"]
    assert receipt.total.amount == paid
    stock = store.rows("catalog", "SELECT sku, on_hand, reserved FROM style ORDER BY sku")
    assert stock == [("MUG", 19, 0), ("SHIRT-BLUE", 47, 0), ("SHIRT-RED", 2, 0)]
    located = await store.ask(LOCATE, "warehouse", Locate(sku="SHIRT-BLUE"))
    assert located.bins == [Bin(location="A-01-1", quantity=47)]
    assert store.balance("customer:C-1001") == 1_000_000 - paid
    assert store.balance("sales:EUR") == paid
    assert store.value("settlement", "SELECT sum(amount) FROM posting") == 0


async def test_an_order_without_a_pickup_point_goes_to_the_default(store: Store) -> None:
    points = await store.ask(PICKUP_POINTS, "warehouse", Empty())
    receipt = await store.buy({"MUG": 1})
    assert receipt.pickup_point == points.default == "north"
    assert (await store.reminded(receipt.order)).pickup_point == "north"


async def test_two_terminals_buy_at_once_and_each_is_reminded_of_its_own(store: Store) -> None:
    first = await store.buy({"MUG": 1}, terminal="terminal-1")
    second = await store.buy({"MUG": 2}, terminal="terminal-2")
    await store.reminded(first.order, "terminal-1")
    await store.reminded(second.order, "terminal-2")
    await store.quiet()
    for terminal, receipt in (("terminal-1", first), ("terminal-2", second)):
        assert store.rows(terminal, "SELECT order_id FROM reminder") == [(receipt.order,)]


async def test_an_order_is_visible_to_its_own_terminal_and_to_no_other(store: Store) -> None:
    receipt = await store.buy({"MUG": 1}, terminal="terminal-1")
    own, other = store.nodes["terminal-1"], store.nodes["terminal-2"]
    query = OrderQuery(order=receipt.order)

    assert (await own.ask(ORDER, "settlement", query)).order == receipt.order
    with pytest.raises(Refused) as refused:
        await other.ask(ORDER, "settlement", query)
    assert refused.value.to_data().code == "unknown-order"

    listed = await own.ask(ORDERS, "settlement", Orders())
    assert [order.order for order in listed.orders] == [receipt.order]
    assert (await other.ask(ORDERS, "settlement", Orders())).orders == []
    everything = await store.ask(ORDERS, "settlement", Orders())
    assert [order.terminal for order in everything.orders] == ["terminal-1"]


async def test_goods_that_are_received_can_be_bought(store: Store) -> None:
    goods = Receive(sku="SHIRT-RED", location="A-02-1", quantity=3)
    level = await store.ask(RECEIVE, "warehouse", goods)
    assert level.quantity == 3
    receipt = await store.buy({"SHIRT-RED": 5})
    await store.reminded(receipt.order)
    assert store.value("warehouse", "SELECT sum(quantity) FROM bin WHERE sku = 'SHIRT-RED'") == 0


async def test_an_upsert_changes_a_price_and_leaves_the_stock(store: Store) -> None:
    changed = {
        "id": "mug",
        "name": "Big mug",
        "url": "https://shop.example/mug",
        "styles": [
            {
                "sku": "MUG",
                "gtin": "00000040170725",
                "attributes": {},
                "price": {"amount": 1300, "currency": "EUR"},
            }
        ],
    }
    reply = await store.ask(UPSERT, "catalog", Upsert.model_validate({"products": [changed]}))
    assert (reply.created, reply.updated) == (0, 1)
    found = await store.ask(LOOKUP, "catalog", Lookup(code="40170725"))
    assert (found.product.name, found.product.styles[0].available) == ("Big mug", STOCK["MUG"])
    assert (await store.buy({"MUG": 1})).total.amount == 1300


async def test_a_partial_upsert_leaves_the_label_the_texts_and_the_order_of_the_styles(
    store: Store,
) -> None:
    before = (await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))).product
    last = before.styles[-1].sku
    update = {
        "id": before.id,
        "styles": [{"sku": last, "price": {"amount": 4321, "currency": "EUR"}}],
    }
    await store.ask(UPSERT, "catalog", Upsert.model_validate({"products": [update]}))
    after = (await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))).product
    assert after.styles[-1].price.amount == 4321
    style = after.styles[-1].model_copy(update={"price": before.styles[-1].price})
    assert after.model_copy(update={"styles": [*after.styles[:-1], style]}) == before


async def test_products_are_found_by_words(store: Store) -> None:
    result = await store.ask(SEARCH, "catalog", Search(text="oxford"))
    assert [product.id for product in result.products] == ["shirt"]
    assert (await store.ask(SEARCH, "catalog", Search(text="trousers"))).products == []


async def test_a_name_is_found_without_what_nobody_sees_or_types(store: Store) -> None:
    name = "Kaffee\u00admaschine \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    record = PRODUCTS.products[0].model_dump() | {"name": name}
    await store.ask(UPSERT, "catalog", Upsert.model_validate({"products": [record]}))
    for typed in (
        "kaffeemaschine", "\u0645\u06cc\u062e\u0648\u0627\u0647\u0645", "\uff2b\uff41ffee", name
    ):  # fmt: skip
        (found,) = (await store.ask(SEARCH, "catalog", Search(text=typed))).products
        assert found.name == name


async def test_all_products_are_found_by_asking_on(store: Store) -> None:
    found: list[str] = []
    while products := (
        await store.ask(
            SEARCH, "catalog", Search(text="", limit=1, after=found[-1] if found else "")
        )
    ).products:
        found += [product.id for product in products]
    assert found == ["mug", "shirt"]


async def test_every_node_answers_ping_and_about(store: Store) -> None:
    for name, node in store.nodes.items():
        pong = await store.ask(PING, name, Empty())
        assert (pong.node, pong.boot) == (name, node.environment.boot)
        about = await store.ask(ABOUT, name, Empty())
        assert (about.node, about.boot) == (name, pong.boot)
        assert about.role == name.partition("-")[0]
        assert {"ping", "about"} <= set(about.operations)
        assert about.counts["answered"] >= 1
