"""Customers at a kiosk of a real store: by keys, by touch, by scanner, and what they do wrong."""

import asyncio
import io
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from kiosk_stage import BY_HAND, Visit, visit
from PIL import Image
from running_store import FAST, LABEL, FaultyBroker, Store, eventually, running_store

from bus.contract.settlement import ORDERS, Orders
from bus.contract.warehouse import RECEIVE, Receive
from bus.runtime.deployment import Deployment
from devices.terminal.kiosk.attendant import Attendant
from devices.terminal.kiosk.pages.stack import PAGES
from devices.terminal.kiosk.refusals import UNKNOWN
from devices.terminal.scanner import read_codes
from labels.label import draw_png
from store.shop.labelling import collection_label

pytestmark = pytest.mark.asyncio(loop_scope="module")
_numbers = itertools.count(11)
Shop = tuple[Store, FaultyBroker]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Shop]:
    """One store for all of them."""
    broker, data = FaultyBroker(), tmp_path_factory.mktemp("shop")
    async with running_store(broker, data, settings=FAST) as store:
        yield store, broker


@pytest.fixture
def name() -> str:
    """A kiosk that no other test has."""
    return f"terminal-{next(_numbers)}"


@pytest.fixture(autouse=True)
def _the_sorter_goes_on(shop: Shop) -> Iterator[None]:
    yield
    shop[0].machine.go_on()


async def to_the_payment(guest: Visit) -> None:
    """A mug, up to where it is paid."""
    await guest.type("mug")
    await guest.sees("Add 1")
    await guest.press("enter", "enter")
    await guest.sees("Your cart")
    await guest.press("enter")
    await guest.sees("Where do you want")
    await guest.press("enter")
    await guest.sees("Pay 12.50 EUR")


async def to_the_reminder(guest: Visit) -> None:
    """A mug, up to where it can be collected."""
    await to_the_payment(guest)
    await guest.type("C-1001")
    await guest.sees("Your parcel is ready")


async def test_a_customer_buys_and_collects_with_keys_only(shop: Shop, name: str) -> None:
    store, broker = shop
    store.machine.stops_at = "picking"
    async with visit(store, broker, name) as guest:
        await guest.sees("Scan a label", "繁體中文")
        await guest.type("SHIRT-BLUE")
        await guest.sees("Oxford shirt", "left", "Add 1")
        await guest.press("enter", "enter")
        await guest.sees("Your cart", "59.00 EUR")
        await guest.press("escape")
        await guest.type("mug")
        await guest.sees("Mug", "Add 1")
        await guest.press("enter", "enter")
        await guest.sees("Total 71.50 EUR")
        await guest.press("enter")
        await guest.sees("● North door")
        await guest.press("down")
        await guest.sees("● South")
        await guest.press("enter")
        await guest.sees("Pay 71.50 EUR", "South")
        await guest.type("C-1001")
        await guest.sees("Paid. Thank you.", "71.50 EUR")
        receipt = guest.kiosk.guest.receipt
        assert receipt is not None
        assert receipt.pickup_point == "south"
        await guest.sees(receipt.pickup_code, receipt.order)
        await guest.press("right", "enter")
        await guest.sees("Orders under way", receipt.order, "the goods are taken from the shelf")
        assert f"code {receipt.pickup_code}" in guest.text
        store.machine.free.set()
        await guest.sees("Your parcel is ready", "South", receipt.pickup_code)
        await guest.press("enter")
        await guest.sees("ready to collect", "100 %")
        await guest.press("tab", "tab", "enter")
        await guest.sees("Type your pickup code")
        await guest.type(receipt.pickup_code)
        await guest.sees("Take your parcel")


async def test_a_customer_buys_and_collects_by_touch_only(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await guest.tap("#zh_Hant")
        await guest.sees("歡迎光臨")
        await guest.tap("#zh_Hans")
        await guest.sees("欢迎光临")
        await guest.tap("#en")
        await guest.sees("Welcome")
        await guest.tap("#all")
        await guest.sees("Mug", "Oxford shirt")
        await guest.pilot.click("#found", offset=(6, 2))
        await guest.sees("● mug", "Add 1")
        await guest.tap("#more")
        await guest.sees("Add 2")
        await guest.tap("#next")
        await guest.sees("Total 25.00 EUR")
        await guest.tap("#next")
        await guest.sees("North door")
        await guest.tap("#next")
        await guest.sees("To try it out")
        await guest.tap("#sample-0")
        store.machine.free.clear()
        await guest.tap("#next")
        await guest.sees("Paid. Thank you.")
        store.machine.free.set()
        code = guest.kiosk.guest.receipt.pickup_code
        await guest.sees("Your parcel is ready")
        await guest.tap("#seen")
        await guest.sees("Paid. Thank you.")
        await guest.tap("#next")
        await guest.sees("Welcome")
        await guest.tap("#collect")
        await guest.sees("Type your pickup code")
        for digit in code:
            keys = guest.kiosk.query("Keypad Tap")
            await guest.pilot.click(next(key for key in keys if key.name == digit))
        await guest.tap("#next")
        await guest.sees("Take your parcel")


async def test_a_scanner_goes_to_the_product_and_leaves_a_field_as_it_was(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await guest.tap("#collect")
        await guest.press("4", "8")
        await guest.scan(LABEL)
        await guest.sees("Oxford shirt", "● shirt-blue")
        await guest.press("escape")
        await guest.scan("https://other.example/qr")
        await guest.sees("This label is not of this shop")
        await guest.scan("WIFI:T:WPA;S:guests;P:secret;;")
        await guest.sees("joins a phone to a Wi-Fi network")
        await guest.scan("BEGIN:VCARD;N:Ann;;")
        await guest.sees("Scan the one on the sample.")
        await guest.scan("9506000134353")
        await guest.sees("Please check its digits.")
        await guest.type("482913")
        await guest.sees("Six digits are a pickup code")
        await guest.scan("https://shop.example/01/09506000134353")
        await guest.sees("damaged or misprinted")


async def test_a_scanner_that_names_the_symbol_is_understood(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        for scanned in ("]E09506000134352", "]d2010950600013435210A7", f"]Q3{LABEL}"):
            await guest.scan(scanned)
            await guest.sees("Oxford shirt", "● shirt-blue")
            await guest.scan("]E440170725")  # also where no field takes the keys
            await guest.sees("● mug")


async def test_the_collection_code_that_labels_prints_is_scanned_wherever_the_kiosk_is(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await to_the_reminder(guest)
        receipt = guest.kiosk.guest.receipt
        assert receipt is not None
        (label,) = collection_label(receipt.pickup_code, receipt.order).values()
        with Image.open(io.BytesIO(draw_png(label))) as drawn:
            (code,) = read_codes(drawn)
        await guest.scan(code)
        await guest.sees("Thank you. Take your parcel, please.")
        await guest.sees_no("Your parcel is ready")
        await guest.press("escape")
        await guest.sees("Welcome")
        await guest.scan("]Q1000000")
        await guest.sees("No parcel waits under this code. Tries left: 4")


async def test_a_page_that_comes_again_has_nothing_of_who_saw_it_before(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await guest.type("shirt")
        await guest.sees("Oxford shirt", "● shirt-blue")
        await guest.press("down")
        await guest.sees("● shirt-red")
        await guest.press("escape")
        await guest.scan("]E440170725")
        await guest.sees("Mug", "● mug")
        await guest.sees_no("shirt")
        await guest.press("enter", "enter")
        await guest.sees("Your cart", "Total 12.50 EUR")
        await guest.press("escape")
        await guest.press("m", "u")
        guest.kiosk.attendant.leave()
        await guest.sees_no("mu")
        assert not guest.kiosk.page.query_one("#code").value
        await guest.tap("#cart")
        await guest.sees("Your cart", "It is empty.")
        await guest.press("escape")
        await guest.tap("#zh_Hant")
        await guest.sees("歡迎光臨")
        await guest.tap("#cart")
        await guest.sees("您的購物車")
        await guest.press("escape")
        await guest.scan(LABEL)
        await guest.sees("● shirt-blue")
        assert len(guest.kiosk.query("KioskPage")) <= len(PAGES)


async def test_stock_changes_while_the_customer_looks(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await guest.scan(LABEL)
        await guest.sees("shirt-red", "2 left")
        await store.ask(
            RECEIVE, "warehouse", Receive(sku="SHIRT-RED", location="A-01-1", quantity=1)
        )
        await guest.sees("3 left")
        await guest.press("down")
        await guest.sees("● shirt-red")
        await guest.tap("#more")
        await guest.tap("#more")
        await guest.sees("Add 3")
        await guest.tap("#more")
        await guest.sees("There are only 3 left of this style.", "Add 3")
        await guest.tap("#next")
        await guest.sees("Your cart")
        await store.buy({"SHIRT-RED": 2})
        await guest.sees("▲ 1 left")
        await guest.tap("#next")
        await guest.sees("Oxford shirt: only 1 left. Take fewer.")


async def test_paying_twice_by_a_double_tap_buys_once(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await to_the_payment(guest)
        store.machine.free.clear()
        pay = guest.kiosk.attendant.pay
        await asyncio.gather(pay("C-1001"), pay("C-1001"))
        await guest.sees("Paid. Thank you.")
        found = await store.ask_as(name, ORDERS, "settlement", Orders())
        assert len(found.orders) == 1
        store.machine.free.set()
        await guest.sees("Your parcel is ready")
        await guest.press("enter", "escape")  # back after paying
        await guest.sees("Welcome")
        assert not guest.kiosk.guest.cart.items


async def test_a_payment_that_is_refused_says_why_and_keeps_the_cart(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await to_the_payment(guest)
        for method, words in (
            ("C-1002", "The payment was declined"),
            ("4111111111111111", "That looks like a card number."),
            ("two words", "neither an account"),
        ):
            guest.kiosk.query_one("#method").value = ""
            await guest.type(method)
            await guest.sees(words)
        assert guest.kiosk.guest.cart.pieces == 1
        await guest.tap("#sample-1")
        await guest.press("enter")
        await guest.until(lambda: not guest.kiosk.guest.is_busy, "an answer")
        await guest.until(lambda: guest.kiosk.focused, "something that Enter is for")


async def test_a_fifth_wrong_pickup_code_locks_collecting_also_after_a_restart(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await guest.tap("#collect")
        for left in (4, 3, 2, 1, 0):
            await guest.type("000000")
            await guest.sees(f"Tries left: {left}")
        await guest.type("000000")
        await guest.sees("Too many wrong codes. Try again in")
        assert guest.kiosk.query_one("#next").disabled
    async with visit(store, broker, name) as guest:
        await guest.tap("#collect")
        await guest.type("000000")
        await guest.sees("Too many wrong codes. Try again in")


async def test_without_a_broker_it_says_so_keeps_the_cart_and_goes_on_by_itself(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await to_the_payment(guest)
        store.machine.free.clear()
        guest.plug.pull()
        await guest.sees("✖ No connection to the store.")
        await guest.type("C-1001")
        await guest.sees("Paying ... please wait.")
        assert guest.kiosk.guest.cart.pieces == 1
        guest.plug.put_in()
        await guest.sees("Paid. Thank you.")
        await guest.sees_no("No connection")


async def test_a_reminder_comes_again_after_a_restart_until_somebody_takes_notice(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await to_the_reminder(guest)
    async with visit(store, broker, name) as guest:
        await guest.sees("A parcel is ready")
        reminder = guest.kiosk.attendant.reminding.current
        assert reminder is not None
        await guest.press("enter")
        await guest.sees("Welcome")
    async with visit(store, broker, name) as guest:
        await guest.sees("Orders (1)")
        assert guest.kiosk.attendant.reminding.current is None
        await store.collect(reminder.pickup_code)
        await guest.sees_no("Orders (1)")


async def test_a_reminder_goes_when_the_parcel_is_collected_elsewhere(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as guest:
        await to_the_reminder(guest)
        reminder = guest.kiosk.attendant.reminding.current
        assert reminder is not None
        await store.collect(reminder.pickup_code)
        await guest.sees_no("Your parcel is ready")


async def test_who_walks_away_is_forgotten_with_cart_receipt_and_what_was_typed(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    now = [0.0]
    async with visit(store, broker, name, BY_HAND, lambda: now[0]) as guest:
        await guest.tap("#zh_Hans")
        await guest.sees("欢迎光临")
        await guest.press("m", "u", "g")
        now[0] = 55.0
        await guest.sees("5 秒后返回首页")
        now[0] = 61.0
        await guest.sees("Welcome")
        await guest.until(lambda: not guest.kiosk.query_one("#code").value, "an empty field")
        await to_the_reminder(guest)
        await guest.press("enter")
        await guest.sees("Paid. Thank you.")
        now[0] += 61.0
        await guest.sees("Welcome")
        assert guest.kiosk.guest.is_nobody


async def test_a_kiosk_waits_for_a_broker_that_is_not_there_yet(
    tmp_path: Path, shop: Shop, name: str
) -> None:
    from plug import Plug

    from bus.runtime.deployment import Deployment
    from devices.terminal.kiosk.app import Kiosk
    from devices.terminal.kiosk.attendant import Attendant

    store, broker = shop
    plug = Plug(broker)
    plug.pull()
    kiosk = Kiosk(Attendant(name, Deployment(plug, store.site, tmp_path, FAST)), BY_HAND)
    async with kiosk.run_test(size=(80, 24)) as pilot:
        guest = Visit(kiosk, pilot, plug)
        await guest.sees("✖ No connection to the store.")
        plug.put_in()
        await guest.sees_no("No connection")


@pytest.mark.parametrize("stays", [True, False], ids=["stays", "leaves"])
async def test_who_still_stands_there_sees_the_receipt_that_came_too_late(
    shop: Shop, name: str, stays: bool
) -> None:
    store, broker = shop
    deployment = Deployment(broker, store.site, store.deployment.data, store.deployment.settings)
    kiosk = Attendant(name, deployment, patience=0.3)
    running = asyncio.create_task(kiosk.run())
    guest = kiosk.guest

    await eventually(lambda: kiosk.connected and kiosk.points, "a connection")
    await kiosk.scan(LABEL)
    guest.put()
    guest.quoted = guest.cart.total
    broker.lose(f"rep/{name}/settlement/purchase", 1_000_000)
    await kiosk.pay("C-1001")
    assert guest.note == UNKNOWN
    assert guest.cart.items
    if not stays:
        kiosk.leave()
    broker.lose(f"rep/{name}/settlement/purchase", 0)
    terminal = kiosk._terminal
    assert terminal is not None
    await eventually(lambda: not kiosk._unknown, "what it has come to")
    assert terminal.purchases()[-1].state == "settled"
    assert (guest.page == "receipt", not guest.cart.items) == (stays, stays)
    assert kiosk.guest.receipt == (terminal.purchases()[-1].receipt if stays else None)
    running.cancel()
    await asyncio.wait({running})
