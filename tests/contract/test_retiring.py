"""What is out of the range is not offered, found or sold; orders that hold it go on."""

from typing import Any

import pytest
from running_store import LABEL, PRODUCTS, STOCK, Store, eventually
from test_short_pick import HERE

from audit import findings
from bus.contract.catalog import (
    LOOKUP,
    REGISTERED,
    REINSTATE,
    RETIRE,
    RETIRED,
    SEARCH,
    UPSERT,
    Found,
    Lookup,
    RegisteredQuery,
    Retire,
    RetiredQuery,
    RetireReply,
    Search,
    Upsert,
)
from bus.contract.errors import Problem, Refused
from bus.contract.settlement import PURCHASE
from bus.contract.warehouse import COUNT, CountGoods

RED = "09506000134369"


async def retire(store: Store, *, back: bool = False, **what: str) -> RetireReply:
    """Take something out of the range, or back into it."""
    asked = Retire(reason="last season's", **what)
    operation = REINSTATE if back else RETIRE
    reply: RetireReply = await store.ask_as("tester-ann", operation, "catalog", asked)
    return reply


async def found(store: Store, text: str) -> list[str]:
    """The SKUs that a search shows."""
    result = await store.ask(SEARCH, "catalog", Search(text=text))
    return [style.sku for product in result.products for style in product.styles]


async def scanned(store: Store, code: str) -> Found:
    """What a label leads to."""
    reply: Found = await store.ask(LOOKUP, "catalog", Lookup(code=code))
    return reply


async def refusal(store: Store, code: str) -> dict[str, Any]:
    """How a label is refused."""
    with pytest.raises(Refused) as refused:
        await scanned(store, code)
    return refused.value.to_data().model_dump()


async def test_a_retired_product_is_not_found_and_its_labels_say_so(store: Store) -> None:
    reply = await retire(store, product="shirt")
    assert [style.sku for style in reply.styles] == ["SHIRT-BLUE", "SHIRT-RED"]
    assert await found(store, "shirt") == []
    assert await found(store, "") == ["MUG"]
    for code in (LABEL, "09506000134352", RED, f"https://elsewhere.example/01/{RED}"):
        problem = await refusal(store, code)
        assert (problem["code"], problem["status"]) == ("retired", 410)
        assert problem["detail"] == "Oxford shirt is no longer sold."


async def test_a_retired_style_is_gone_from_its_product_whose_label_goes_on(store: Store) -> None:
    await retire(store, sku="SHIRT-RED")
    assert await found(store, "shirt") == ["SHIRT-BLUE"]
    by_label, by_number = await scanned(store, LABEL), await scanned(store, RED)
    assert (by_label.scanned, by_label.retired) == ("SHIRT-BLUE", None)
    assert (by_number.scanned, by_number.retired) == (None, "SHIRT-RED")
    assert [style.sku for style in by_number.product.styles] == ["SHIRT-BLUE"]


async def test_what_was_on_the_screen_before_cannot_be_bought_any_more(store: Store) -> None:
    styles = await store.terminals["terminal-1"].styles(["MUG"])
    await retire(store, sku="MUG")
    with pytest.raises(Refused) as refused:
        await store.ask_as("terminal-9", PURCHASE, "settlement", store.purchase({"MUG": 1}, styles))
    data = refused.value.to_data()
    assert (data.code, data.detail) == ("retired", "MUG is no longer sold.")


async def test_an_order_that_holds_a_retired_style_is_brought(store: Store) -> None:
    store.machine.stops_at = "picking"
    receipt = await store.buy({"MUG": 2})
    await eventually(lambda: not store.machine.free.is_set(), "picking")
    await retire(store, product="mug")
    store.machine.go_on()
    await store.reminded(receipt.order)
    await store.collect(receipt.pickup_code)
    await store.stop()
    assert findings([store.deployment.data]) == []


async def test_the_stock_of_a_retired_style_can_be_counted(store: Store) -> None:
    await retire(store, sku="MUG")
    counted = await store.ask(
        COUNT, "warehouse", CountGoods(sku="MUG", counted=4, reason="for the outlet")
    )
    assert (counted.location, counted.level.on_hand) == (HERE, 4)
    assert await found(store, "mug") == []
    await retire(store, back=True, sku="MUG")
    (mug,) = (await store.ask(SEARCH, "catalog", Search(text="mug"))).products
    assert mug.styles[0].available == 4


async def test_what_is_taken_back_is_sold_as_before(store: Store) -> None:
    before = await scanned(store, LABEL)
    await retire(store, product="shirt")
    reply = await retire(store, back=True, product="shirt")
    assert len(reply.styles) == 2
    assert await scanned(store, LABEL) == before
    receipt = await store.buy({"SHIRT-RED": 1})
    assert receipt.state == "settled"


async def test_who_retired_what_and_why_is_listed_until_it_is_taken_back(store: Store) -> None:
    await retire(store, sku="SHIRT-RED")
    assert (await retire(store, sku="SHIRT-RED")).styles == []  # it is so already
    (one,) = (await store.ask(RETIRED, "catalog", RetiredQuery())).styles
    assert (one.sku, one.product, one.by) == ("SHIRT-RED", "shirt", "tester-ann")
    assert (one.reason, one.on_hand) == ("last season's", STOCK["SHIRT-RED"])
    await retire(store, back=True, sku="SHIRT-RED")
    assert (await store.ask(RETIRED, "catalog", RetiredQuery())).styles == []
    ways = store.rows("catalog", "SELECT sku, retired, caller FROM retirement ORDER BY id")
    assert ways == [("SHIRT-RED", 1, "tester-ann"), ("SHIRT-RED", 0, "tester-ann")]


async def test_a_product_that_is_imported_again_stays_retired_and_the_answer_says_so(
    store: Store,
) -> None:
    await retire(store, sku="SHIRT-RED")
    reply = await store.ask(UPSERT, "catalog", PRODUCTS)
    assert reply.retired == ["SHIRT-RED"]
    assert await found(store, "shirt") == ["SHIRT-BLUE"]


async def test_all_that_is_registered_is_told_with_what_is_retired(store: Store) -> None:
    await retire(store, product="mug")
    await retire(store, sku="SHIRT-RED")
    for after, expected in (
        (None, {"mug": ["MUG"], "shirt": ["SHIRT-RED"]}),
        ("mug", {"shirt": ["SHIRT-RED"]}),
        ("shirt", {}),
    ):
        reply = await store.ask(REGISTERED, "catalog", RegisteredQuery(after=after))
        assert {each.id: each.retired for each in reply.products} == expected
    (first,) = (await store.ask(REGISTERED, "catalog", RegisteredQuery(limit=1))).products
    assert (first.id, first.styles[0].gtin) == ("mug", "00000040170725")


async def test_a_retired_product_is_changed_as_any_other(store: Store) -> None:
    await retire(store, product="mug")
    style = {"sku": "MUG", "price": {"amount": 990, "currency": "EUR"}}
    update = Upsert.model_validate({"products": [{"id": "mug", "name": "Cup", "styles": [style]}]})
    assert (await store.ask(UPSERT, "catalog", update)).retired == ["MUG"]
    await retire(store, back=True, product="mug")
    mug = (await scanned(store, "40170725")).product
    assert (mug.name, mug.styles[0].price.amount, mug.styles[0].available) == ("Cup", 990, 20)


async def test_a_range_outlives_a_restart(store: Store) -> None:
    await retire(store, product="shirt")
    await store.stop("catalog")
    await store.start("catalog")
    assert (await refusal(store, LABEL))["code"] == "retired"


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"sku": "HAT"}, "unknown-sku"),
        ({"product": "hat"}, "unknown-product"),
        ({}, "invalid-field"),
        ({"sku": "MUG", "product": "mug"}, "invalid-field"),
    ],
)
async def test_what_there_is_not_cannot_be_retired(
    store: Store, what: dict[str, str], code: str
) -> None:
    with pytest.raises(Problem) as refused:
        await retire(store, **what)
    assert refused.value.to_data().code == code
