# ruff: noqa: F401, F811, RUF001 - fixtures of another module; Chinese
"""Hasty fingers, fingers without a keyboard, and what one customer leaves to the next."""

from dataclasses import replace

import pytest
from kiosk_fixtures import BY_HAND, Visit, visit
from running_store import PATIENCE, PRODUCTS
from test_kiosk import (
    Shop,
    _the_sorter_goes_on,
    name,
    shop,
    to_the_payment,
    to_the_reminder,
)
from test_kiosk_snapshots import controller, products, settled

from bus.contract.catalog import UPSERT, Upsert
from bus.text.sentence import Sentence
from devices.terminal.kiosk.app import Kiosk
from devices.terminal.kiosk.customer_session import Page
from devices.terminal.kiosk.pages.stack import PAGES
from devices.terminal.kiosk.presses import Presses
from devices.terminal.kiosk.settings import KioskSettings
from devices.terminal.kiosk.words import call_number

pytestmark = pytest.mark.asyncio(loop_scope="module")
ANOTHER_PRICE = 1300


def hasty(session: Visit) -> None:
    """From now on all presses come within the time of a double tap, however slow this machine."""
    session.kiosk.presses = Presses(PATIENCE)


def patient(session: Visit) -> None:
    """From now on they look first."""
    session.kiosk.presses = Presses(0.0)


def place(session: Visit, what: str) -> tuple[int, int]:
    """Where a button is."""
    region = session.kiosk.page.query_one(what).region
    return region.x + region.width // 2, region.y + region.height // 2


async def code_of(session: Visit) -> str:
    """The pickup code of what was just paid."""
    await session.sees("Paid. Thank you.")
    receipt = session.kiosk.session.receipt
    assert receipt is not None
    return receipt.pickup_code


async def bought(session: Visit) -> str:
    """A mug is paid for; its pickup code."""
    await to_the_payment(session)
    await session.type("C-1001")
    return await code_of(session)


async def test_a_double_tap_on_pay_now_leaves_the_code_on_the_screen_and_under_orders(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    store.machine.free.clear()
    async with visit(store, broker, name) as session:
        await to_the_payment(session)
        await session.tap("#sample-0")
        hasty(session)
        pay = place(session, "#next")
        await session.pilot.click(offset=pay)
        code = await code_of(session)
        for _ in range(3):
            await session.pilot.click(offset=pay)
        await session.press("enter", "enter", "escape")
        await session.sees("Paid. Thank you.", code)
        patient(session)
        await session.tap("#orders")
        await session.sees("Open orders", f"code {code}")
        await session.press("escape")
        await session.sees("Paid. Thank you.", code)
        await session.tap("#next")
        await session.sees("Welcome")
        await session.tap("#orders")
        await session.sees("Open orders")
        assert code not in session.text


async def test_a_double_tap_on_add_takes_nothing_out_and_one_on_remove_takes_one_out(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await session.type("SHIRT-BLUE")
        await session.sees("Add 1")
        await session.press("enter", "enter")
        await session.sees("Your cart")
        await session.press("escape")
        await session.type("mug")
        await session.sees("Add 1")
        hasty(session)
        add = place(session, "#next")
        await session.pilot.click(offset=add)
        await session.sees("Your cart")
        await session.pilot.click(offset=add)
        assert session.kiosk.session.page == "cart"
        assert session.kiosk.session.cart.pieces == 2
        hasty(session)
        remove = place(session, "#remove")
        await session.pilot.click(offset=remove)
        await session.pilot.click(offset=remove)
        await session.until(lambda: session.kiosk.session.cart.pieces == 1, "one is taken out")
        await session.pilot.click(offset=remove)
        assert session.kiosk.session.cart.pieces == 1


@pytest.mark.parametrize(
    ("before", "pressed", "after", "contrary"),
    [
        ("product", "#next", "cart", "#remove"),
        ("product", "#next", "cart", "#fewer"),
        ("product", "#more", "cart", "#fewer"),
        ("product", "#cart", "cart", "#remove"),
        ("start", "#cart", "cart", "#remove"),
        ("pay", "#next", "receipt", "#next"),
    ],
)
@pytest.mark.parametrize("size", [(80, 24), (110, 32), (160, 50)])
async def test_what_is_contrary_to_a_button_is_not_where_it_was(
    before: Page, pressed: str, after: Page, contrary: str, size: tuple[int, int]
) -> None:
    regions = []
    for page, what in ((before, pressed), (after, contrary)):
        kiosk = Kiosk(controller(page, "en"), clock=lambda: 0.0, live=False)
        async with kiosk.run_test(size=size) as pilot:
            await settled(pilot)
            regions.append(kiosk.page.query_one(what).region)
    assert not regions[0].overlaps(regions[1])


async def test_a_reminder_that_comes_up_under_the_finger_is_not_taken_for_seen(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    store.machine.free.clear()
    async with visit(store, broker, name) as session:
        await bought(session)
        hasty(session)
        store.machine.free.set()
        await session.sees("Your parcel is ready")
        await session.press("enter", "escape")
        await session.tap("#seen")
        await session.sees("Your parcel is ready")
        patient(session)
        await session.tap("#seen")
        await session.sees("Paid. Thank you.")


async def test_who_comes_next_sees_the_number_of_the_order_and_not_its_code(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    store.machine.free.clear()
    async with visit(store, broker, name) as session:
        code = await bought(session)
        number = call_number(session.kiosk.session.receipt.order)
        await session.sees(f"Your number is {number}.")
        await session.tap("#next")
        await session.sees("Welcome")
        await session.type("shirt")
        await session.sees("Oxford shirt")
        store.machine.free.set()
        await session.sees("A parcel is ready", f"Number {number}", "North door")
        assert code not in session.text
        await session.press("enter")  # whoever is in the middle of something goes on
        await session.sees("Oxford shirt")
        session.kiosk.controller.leave()
        await session.sees("A parcel is ready", f"Number {number}")
        await session.tap("#seen")
        await session.sees("Orders (1)")
        await session.tap("#orders")
        await session.sees("ready to collect")
        assert code not in session.text
        await store.collect(code)


async def test_a_reminder_loses_its_code_when_its_customer_has_walked_away(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    now = [0.0]
    async with visit(store, broker, name, BY_HAND, lambda: now[0]) as session:
        await to_the_reminder(session)
        reminder = session.kiosk.controller.reminders.current
        assert reminder is not None
        await session.sees(reminder.pickup_code)
        now[0] = 61.0
        await session.sees("A parcel is ready", f"Number {call_number(reminder.order)}")
        assert reminder.pickup_code not in session.text
        await session.tap("#other")
        await session.sees("Welcome")
        now[0] += 61.0
        await session.sees("A parcel is ready")
        await store.collect(reminder.pickup_code)


async def test_who_has_a_code_is_forgotten_also_on_the_first_page(shop: Shop, name: str) -> None:
    store, broker = shop
    store.machine.free.clear()
    now = [0.0]
    async with visit(store, broker, name, BY_HAND, lambda: now[0]) as session:
        code = await bought(session)
        session.kiosk.session.page = "start"
        session.kiosk.changed()
        await session.sees("Welcome")
        now[0] = 61.0
        await session.until(lambda: session.kiosk.session.is_nobody, "nobody")
        await session.tap("#orders")
        await session.sees("Open orders")
        assert code not in session.text


@pytest.mark.parametrize("size", [(80, 24), (40, 24), (110, 32), (133, 20)])
async def test_each_product_of_a_long_list_takes_one_line(size: tuple[int, int]) -> None:
    made = controller("start", "en")
    mug = products()[1]
    made.session.found = [
        mug.model_copy(update={"id": f"mug-{number}", "name": f"Mug {number} " + "long " * number})
        for number in range(40)
    ]
    kiosk = Kiosk(made, clock=lambda: 0.0, live=False)
    async with kiosk.run_test(size=size) as pilot:
        await settled(pilot)
        assert kiosk.page.query_one("#found").virtual_size.height == len(made.session.found)
        await pilot.resize_terminal(size[0] - 5, size[1])
        await settled(pilot)
        assert kiosk.page.query_one("#found").virtual_size.height == len(made.session.found)


async def test_letters_are_typed_by_touch_for_the_search_and_to_pay(shop: Shop, name: str) -> None:
    store, broker = shop
    store.machine.free.clear()

    async def touch(session: Visit, text: str) -> None:
        for key in text:
            keys = session.kiosk.page.query("Keyboard Tap")
            await session.pilot.click(next(each for each in keys if each.name == key))

    async with visit(store, broker, name) as session:
        await session.tap("#letters")
        await session.sees("q", "⇧")
        await touch(session, "mug⏎")
        await session.sees("● mug", "Add 1")
        await session.tap("#next")
        await session.sees("Your cart")
        await session.tap("#next")
        await session.sees("Where do you want")
        await session.tap("#next")
        await session.sees("Pay 12.50 EUR")
        await session.tap("#letters")
        await touch(session, "⇧c⇧-1001")
        await session.sees("C-1001")
        await session.tap("#next")
        await session.sees("Paid. Thank you.")


async def test_a_quantity_that_is_typed_is_bought_or_asked_about(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await session.scan("]E440170725")
        await session.sees("Add 1")
        await session.press("1", "2")
        await session.sees("Add 12")
        await session.press("backspace", "backspace", "3")
        await session.sees("Add 3")
        await session.press("enter", "enter")
        await session.sees("Your cart", "3 × Mug")
        await session.press("2")
        await session.sees("2 × Mug", "Total 25.00 EUR")
        await session.press("9", "9", "9")
        await session.sees("2999 × Mug", "left of this style.")
        await session.tap("#next")
        await session.sees("left. Take fewer.", "Your cart")
        await session.scan("]E440170725")  # its digits are no quantity
        await session.sees("Add 1")
        assert session.kiosk.session.cart.quantity("MUG") == 2999
        await session.press("5")
        await session.scan("]E440170725")
        await session.sees("Add 1")


async def test_a_price_that_changed_is_asked_about_before_it_is_paid(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await to_the_payment(session)
        await reprice(shop, ANOTHER_PRICE)
        try:
            await session.type("C-1001")
            await session.sees("Your cart", "The price of Mug has changed", "13.00 EUR")
            await session.tap("#next")
            await session.sees("Where do you want")
            await session.tap("#next")
            await session.sees("Pay 13.00 EUR")
            await reprice(shop, 1250)
            await session.kiosk.controller._renew()  # as when it is connected again
            await session.type("C-1001")
            await session.sees("A price has changed: it is 12.50 EUR now.", "Pay 12.50 EUR")
        finally:
            await reprice(shop, 1250)


async def reprice(shop: Shop, amount: int) -> None:
    """Mugs cost so much now."""
    products = PRODUCTS.model_dump()
    (mug,) = [each for each in products["products"] if each["id"] == "mug"]
    mug["styles"][0]["price"]["amount"] = amount
    await shop[0].ask(UPSERT, "catalog", Upsert.model_validate(products))


async def test_where_no_cards_are_taken_none_is_offered(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await session.until(lambda: not session.kiosk.controller.takes_cards, "what is taken")
        await to_the_payment(session)
        await session.sees("account, such as C-1001", "C-1010")
        assert "tok_" not in session.text
        assert "card" not in session.text
        await session.type("tok_approve")
        await session.sees("No cards are taken here.")


@pytest.mark.parametrize("width", range(40, 60))
async def test_no_line_of_chinese_begins_with_closing_punctuation(width: int) -> None:
    made = controller("product", "zh_Hans")
    product = made.session.product
    assert product is not None
    text = "纯棉衬衫（蓝色），可机洗；请勿漂白。" * 4
    made.session.product = product.model_copy(update={"description": text, "name": text[:30]})
    kiosk = Kiosk(made, clock=lambda: 0.0, live=False)
    async with kiosk.run_test(size=(width, 24)) as pilot:
        await settled(pilot)
        lines = [
            "".join(segment.text for segment in strip).strip()
            for strip in kiosk.screen._compositor.render_strips()
        ]
    assert "纯棉" in "".join(lines)
    assert not [line for line in lines if line[:1] in tuple("），；。")]
    assert not [line for line in lines if line.endswith("（")]


@pytest.mark.parametrize("page", list(PAGES))
@pytest.mark.parametrize("name", ["Bolt [/M8] zinc", "Cable [usb-c]", "[bold]Mug[/]", "[@click=x]"])
async def test_brackets_in_a_name_are_part_of_it(page: Page, name: str) -> None:
    made = controller(page, "en")
    shirt = products()[0].model_copy(update={"name": name, "description": name})
    made.session.found = [shirt, shirt.model_copy(update={"id": "other"})]
    if made.session.product is not None:
        made.session.product = shirt
    for sku, item in made.session.cart.items.items():
        made.session.cart.items[sku] = replace(item, product=name)
    for sku, item in made.session.bought.items():
        made.session.bought[sku] = replace(item, product=name)
    made.session.note = Sentence("{name} has sold out. Remove it.", name=name)
    samples = KioskSettings(samples=("C-1001", name))
    kiosk = Kiosk(made, samples, clock=lambda: 0.0, live=False)
    async with kiosk.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        told = Visit(kiosk, pilot, None)  # type: ignore[arg-type]
        at_least = {"start": 3, "product": 3, "cart": 3, "receipt": 2, "pay": 2}.get(page, 1)
        assert told.text.count(name) >= at_least, told.text
