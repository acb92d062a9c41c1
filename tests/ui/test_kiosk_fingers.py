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
from test_kiosk_snapshots import attendant, products, settled

from bus.contract.catalog import UPSERT, Upsert
from bus.text.sentence import Sentence
from devices.terminal.kiosk.app import Kiosk
from devices.terminal.kiosk.guest import Page
from devices.terminal.kiosk.pages.stack import PAGES
from devices.terminal.kiosk.presses import Presses
from devices.terminal.kiosk.settings import KioskSettings
from devices.terminal.kiosk.words import call_number

pytestmark = pytest.mark.asyncio(loop_scope="module")
ANOTHER_PRICE = 1300


def hasty(guest: Visit) -> None:
    """From now on all presses come within the time of a double tap, however slow this machine."""
    guest.kiosk.presses = Presses(PATIENCE)


def patient(guest: Visit) -> None:
    """From now on they look first."""
    guest.kiosk.presses = Presses(0.0)


def place(guest: Visit, what: str) -> tuple[int, int]:
    """Where a button is."""
    region = guest.kiosk.page.query_one(what).region
    return region.x + region.width // 2, region.y + region.height // 2


async def code_of(guest: Visit) -> str:
    """The pickup code of what was just paid."""
    await guest.sees("Paid. Thank you.")
    receipt = guest.kiosk.guest.receipt
    assert receipt is not None
    return receipt.pickup_code


async def bought(guest: Visit) -> str:
    """A mug is paid for; its pickup code."""
    await to_the_payment(guest)
    await guest.type("C-1001")
    return await code_of(guest)


async def test_a_double_tap_on_pay_now_leaves_the_code_on_the_screen_and_under_orders(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    store.machine.free.clear()
    async with visit(store, broker, name) as guest:
        await to_the_payment(guest)
        await guest.tap("#sample-0")
        hasty(guest)
        pay = place(guest, "#next")
        await guest.pilot.click(offset=pay)
        code = await code_of(guest)
        for _ in range(3):
            await guest.pilot.click(offset=pay)
        await guest.press("enter", "enter", "escape")
        await guest.sees("Paid. Thank you.", code)
        patient(guest)
        await guest.tap("#orders")
        await guest.sees("Orders under way", f"code {code}")
        await guest.press("escape")
        await guest.sees("Paid. Thank you.", code)
        await guest.tap("#next")
        await guest.sees("Welcome")
        await guest.tap("#orders")
        await guest.sees("Orders under way")
        assert code not in guest.text


async def test_a_double_tap_on_add_takes_nothing_out_and_one_on_remove_takes_one_out(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await guest.type("SHIRT-BLUE")
        await guest.sees("Add 1")
        await guest.press("enter", "enter")
        await guest.sees("Your cart")
        await guest.press("escape")
        await guest.type("mug")
        await guest.sees("Add 1")
        hasty(guest)
        add = place(guest, "#next")
        await guest.pilot.click(offset=add)
        await guest.sees("Your cart")
        await guest.pilot.click(offset=add)
        assert guest.kiosk.guest.page == "cart"
        assert guest.kiosk.guest.cart.pieces == 2
        hasty(guest)
        remove = place(guest, "#remove")
        await guest.pilot.click(offset=remove)
        await guest.pilot.click(offset=remove)
        await guest.until(lambda: guest.kiosk.guest.cart.pieces == 1, "one is taken out")
        await guest.pilot.click(offset=remove)
        assert guest.kiosk.guest.cart.pieces == 1


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
        kiosk = Kiosk(attendant(page, "en"), clock=lambda: 0.0, live=False)
        async with kiosk.run_test(size=size) as pilot:
            await settled(pilot)
            regions.append(kiosk.page.query_one(what).region)
    assert not regions[0].overlaps(regions[1])


async def test_a_reminder_that_comes_up_under_the_finger_is_not_taken_for_seen(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    store.machine.free.clear()
    async with visit(store, broker, name) as guest:
        await bought(guest)
        hasty(guest)
        store.machine.free.set()
        await guest.sees("Your parcel is ready")
        await guest.press("enter", "escape")
        await guest.tap("#seen")
        await guest.sees("Your parcel is ready")
        patient(guest)
        await guest.tap("#seen")
        await guest.sees("Paid. Thank you.")


async def test_who_comes_next_sees_the_number_of_the_order_and_not_its_code(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    store.machine.free.clear()
    async with visit(store, broker, name) as guest:
        code = await bought(guest)
        number = call_number(guest.kiosk.guest.receipt.order)
        await guest.sees(f"Your number is {number}.")
        await guest.tap("#next")
        await guest.sees("Welcome")
        await guest.type("shirt")
        await guest.sees("Oxford shirt")
        store.machine.free.set()
        await guest.sees("A parcel is ready", f"Number {number}", "North door")
        assert code not in guest.text
        await guest.press("enter")  # whoever is in the middle of something goes on
        await guest.sees("Oxford shirt")
        guest.kiosk.attendant.leave()
        await guest.sees("A parcel is ready", f"Number {number}")
        await guest.tap("#seen")
        await guest.sees("Orders (1)")
        await guest.tap("#orders")
        await guest.sees("ready to collect")
        assert code not in guest.text
        await store.collect(code)


async def test_a_reminder_loses_its_code_when_its_customer_has_walked_away(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    now = [0.0]
    async with visit(store, broker, name, BY_HAND, lambda: now[0]) as guest:
        await to_the_reminder(guest)
        reminder = guest.kiosk.attendant.reminding.current
        assert reminder is not None
        await guest.sees(reminder.pickup_code)
        now[0] = 61.0
        await guest.sees("A parcel is ready", f"Number {call_number(reminder.order)}")
        assert reminder.pickup_code not in guest.text
        await guest.tap("#other")
        await guest.sees("Welcome")
        now[0] += 61.0
        await guest.sees("A parcel is ready")
        await store.collect(reminder.pickup_code)


async def test_who_has_a_code_is_forgotten_also_on_the_first_page(shop: Shop, name: str) -> None:
    store, broker = shop
    store.machine.free.clear()
    now = [0.0]
    async with visit(store, broker, name, BY_HAND, lambda: now[0]) as guest:
        code = await bought(guest)
        guest.kiosk.guest.page = "start"
        guest.kiosk.changed()
        await guest.sees("Welcome")
        now[0] = 61.0
        await guest.until(lambda: guest.kiosk.guest.is_nobody, "nobody")
        await guest.tap("#orders")
        await guest.sees("Orders under way")
        assert code not in guest.text


@pytest.mark.parametrize("size", [(80, 24), (40, 24), (110, 32), (133, 20)])
async def test_each_product_of_a_long_list_takes_one_line(size: tuple[int, int]) -> None:
    made = attendant("start", "en")
    mug = products()[1]
    made.guest.found = [
        mug.model_copy(update={"id": f"mug-{number}", "name": f"Mug {number} " + "long " * number})
        for number in range(40)
    ]
    kiosk = Kiosk(made, clock=lambda: 0.0, live=False)
    async with kiosk.run_test(size=size) as pilot:
        await settled(pilot)
        assert kiosk.page.query_one("#found").virtual_size.height == len(made.guest.found)
        await pilot.resize_terminal(size[0] - 5, size[1])
        await settled(pilot)
        assert kiosk.page.query_one("#found").virtual_size.height == len(made.guest.found)


async def test_letters_are_typed_by_touch_for_the_search_and_to_pay(shop: Shop, name: str) -> None:
    store, broker = shop
    store.machine.free.clear()

    async def touch(guest: Visit, text: str) -> None:
        for key in text:
            keys = guest.kiosk.page.query("Keyboard Tap")
            await guest.pilot.click(next(each for each in keys if each.name == key))

    async with visit(store, broker, name) as guest:
        await guest.tap("#letters")
        await guest.sees("q", "⇧")
        await touch(guest, "mug⏎")
        await guest.sees("● mug", "Add 1")
        await guest.tap("#next")
        await guest.sees("Your cart")
        await guest.tap("#next")
        await guest.sees("Where do you want")
        await guest.tap("#next")
        await guest.sees("Pay 12.50 EUR")
        await guest.tap("#letters")
        await touch(guest, "⇧c⇧-1001")
        await guest.sees("C-1001")
        await guest.tap("#next")
        await guest.sees("Paid. Thank you.")


async def test_a_quantity_that_is_typed_is_bought_or_asked_about(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await guest.scan("]E440170725")
        await guest.sees("Add 1")
        await guest.press("1", "2")
        await guest.sees("Add 12")
        await guest.press("backspace", "backspace", "3")
        await guest.sees("Add 3")
        await guest.press("enter", "enter")
        await guest.sees("Your cart", "3 × Mug")
        await guest.press("2")
        await guest.sees("2 × Mug", "Total 25.00 EUR")
        await guest.press("9", "9", "9")
        await guest.sees("2999 × Mug", "left of this style.")
        await guest.tap("#next")
        await guest.sees("left. Take fewer.", "Your cart")
        await guest.scan("]E440170725")  # its digits are no quantity
        await guest.sees("Add 1")
        assert guest.kiosk.guest.cart.quantity("MUG") == 2999
        await guest.press("5")
        await guest.scan("]E440170725")
        await guest.sees("Add 1")


async def test_a_price_that_changed_is_asked_about_before_it_is_paid(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await to_the_payment(guest)
        await reprice(shop, ANOTHER_PRICE)
        try:
            await guest.type("C-1001")
            await guest.sees("Your cart", "Mug has another price now", "13.00 EUR")
            await guest.tap("#next")
            await guest.sees("Where do you want")
            await guest.tap("#next")
            await guest.sees("Pay 13.00 EUR")
            await reprice(shop, 1250)
            await guest.kiosk.attendant._renew()  # as when it is connected again
            await guest.type("C-1001")
            await guest.sees("A price has changed: it is 12.50 EUR now.", "Pay 12.50 EUR")
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
    async with visit(store, broker, name) as guest:
        await guest.until(lambda: not guest.kiosk.attendant.takes_cards, "what is taken")
        await to_the_payment(guest)
        await guest.sees("account, such as C-1001", "C-1010")
        assert "tok_" not in guest.text
        assert "card" not in guest.text
        await guest.type("tok_approve")
        await guest.sees("No cards are taken here.")


@pytest.mark.parametrize("width", range(40, 60))
async def test_no_line_of_chinese_begins_with_closing_punctuation(width: int) -> None:
    made = attendant("product", "zh_Hans")
    product = made.guest.product
    assert product is not None
    text = "纯棉衬衫（蓝色），可机洗；请勿漂白。" * 4
    made.guest.product = product.model_copy(update={"description": text, "name": text[:30]})
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
    made = attendant(page, "en")
    shirt = products()[0].model_copy(update={"name": name, "description": name})
    made.guest.found = [shirt, shirt.model_copy(update={"id": "other"})]
    if made.guest.product is not None:
        made.guest.product = shirt
    for sku, item in made.guest.cart.items.items():
        made.guest.cart.items[sku] = replace(item, product=name)
    for sku, item in made.guest.bought.items():
        made.guest.bought[sku] = replace(item, product=name)
    made.guest.note = Sentence("{name}: sold out by now. Remove it.", name=name)
    samples = KioskSettings(samples=("C-1001", name))
    kiosk = Kiosk(made, samples, clock=lambda: 0.0, live=False)
    async with kiosk.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        told = Visit(kiosk, pilot, None)  # type: ignore[arg-type]
        at_least = {"start": 3, "product": 3, "cart": 3, "receipt": 2, "pay": 2}.get(page, 1)
        assert told.text.count(name) >= at_least, told.text
