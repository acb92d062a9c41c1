"""Customers at a kiosk of a real store: by keys, by touch, by scanner, and what they do wrong."""

import asyncio
import io
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from kiosk_fixtures import BY_HAND, Visit, visit
from PIL import Image
from running_store import FAST, LABEL, FaultyBroker, Store, eventually, running_store

from bus.contract.settlement import ORDERS, Orders
from bus.contract.warehouse import RECEIVE, Receive
from bus.runtime.deployment import Deployment
from devices.terminal.kiosk.controller import KioskController
from devices.terminal.kiosk.pages.stack import PAGES
from devices.terminal.kiosk.refusals import UNKNOWN
from devices.terminal.scanner import read_codes
from labels.label import draw_png
from store.shop.label_content import collection_label

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


async def to_the_payment(session: Visit) -> None:
    """A mug, up to where it is paid."""
    await session.type("mug")
    await session.sees("Add 1")
    await session.press("enter", "enter")
    await session.sees("Your cart")
    await session.press("enter")
    await session.sees("Where do you want")
    await session.press("enter")
    await session.sees("Pay 12.50 EUR")


async def to_the_reminder(session: Visit) -> None:
    """A mug, up to where it can be collected."""
    await to_the_payment(session)
    await session.type("C-1001")
    await session.sees("Your parcel is ready")


async def test_a_customer_buys_and_collects_with_keys_only(shop: Shop, name: str) -> None:
    store, broker = shop
    store.machine.stops_at = "picking"
    async with visit(store, broker, name) as session:
        await session.sees("Scan a label", "繁體中文")
        await session.type("SHIRT-BLUE")
        await session.sees("Oxford shirt", "left", "Add 1")
        await session.press("enter", "enter")
        await session.sees("Your cart", "59.00 EUR")
        await session.press("escape")
        await session.type("mug")
        await session.sees("Mug", "Add 1")
        await session.press("enter", "enter")
        await session.sees("Total 71.50 EUR")
        await session.press("enter")
        await session.sees("● North door")
        await session.press("down")
        await session.sees("● South")
        await session.press("enter")
        await session.sees("Pay 71.50 EUR", "South")
        await session.type("C-1001")
        await session.sees("Paid. Thank you.", "71.50 EUR")
        receipt = session.kiosk.session.receipt
        assert receipt is not None
        assert receipt.pickup_point == "south"
        await session.sees(receipt.pickup_code, receipt.order)
        await session.press("right", "enter")
        await session.sees("Open orders", receipt.order, "the goods are taken from the shelf")
        assert f"code {receipt.pickup_code}" in session.text
        store.machine.free.set()
        await session.sees("Your parcel is ready", "South", receipt.pickup_code)
        await session.press("enter")
        await session.sees("ready to collect", "100 %")
        await session.press("tab", "tab", "enter")
        await session.sees("Type your pickup code")
        await session.type(receipt.pickup_code)
        await session.sees("Take your parcel")


async def test_a_customer_buys_and_collects_by_touch_only(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await session.tap("#zh_Hant")
        await session.sees("歡迎光臨")
        await session.tap("#zh_Hans")
        await session.sees("欢迎光临")
        await session.tap("#en")
        await session.sees("Welcome")
        await session.tap("#all")
        await session.sees("Mug", "Oxford shirt")
        await session.pilot.click("#found", offset=(6, 2))
        await session.sees("● mug", "Add 1")
        await session.tap("#more")
        await session.sees("Add 2")
        await session.tap("#next")
        await session.sees("Total 25.00 EUR")
        await session.tap("#next")
        await session.sees("North door")
        await session.tap("#next")
        await session.sees("To try it out")
        await session.tap("#sample-0")
        store.machine.free.clear()
        await session.tap("#next")
        await session.sees("Paid. Thank you.")
        store.machine.free.set()
        code = session.kiosk.session.receipt.pickup_code
        await session.sees("Your parcel is ready")
        await session.tap("#seen")
        await session.sees("Paid. Thank you.")
        await session.tap("#next")
        await session.sees("Welcome")
        await session.tap("#collect")
        await session.sees("Type your pickup code")
        for digit in code:
            keys = session.kiosk.query("Keypad Tap")
            await session.pilot.click(next(key for key in keys if key.name == digit))
        await session.tap("#next")
        await session.sees("Take your parcel")


async def test_a_scanner_goes_to_the_product_and_leaves_a_field_as_it_was(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await session.tap("#collect")
        await session.press("4", "8")
        await session.scan(LABEL)
        await session.sees("Oxford shirt", "● shirt-blue")
        await session.press("escape")
        await session.scan("https://other.example/qr")
        await session.sees("This label is from another shop")
        await session.scan("WIFI:T:WPA;S:guests;P:secret;;")
        await session.sees("connects a phone to a Wi-Fi network")
        await session.scan("BEGIN:VCARD;N:Ann;;")
        await session.sees("Scan the one on the sample.")
        await session.scan("9506000134353")
        await session.sees("Please check its digits.")
        await session.type("482913")
        await session.sees("Six digits are a pickup code")
        await session.scan("https://shop.example/01/09506000134353")
        await session.sees("damaged or misprinted")


async def test_a_scanner_that_names_the_symbol_is_understood(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        for scanned in ("]E09506000134352", "]d2010950600013435210A7", f"]Q3{LABEL}"):
            await session.scan(scanned)
            await session.sees("Oxford shirt", "● shirt-blue")
            await session.scan("]E440170725")  # also where no field takes the keys
            await session.sees("● mug")


async def test_the_collection_code_that_labels_prints_is_scanned_wherever_the_kiosk_is(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await to_the_reminder(session)
        receipt = session.kiosk.session.receipt
        assert receipt is not None
        (label,) = collection_label(receipt.pickup_code, receipt.order).values()
        with Image.open(io.BytesIO(draw_png(label))) as drawn:
            (code,) = read_codes(drawn)
        await session.scan(code)
        await session.sees("Thank you. Take your parcel, please.")
        await session.sees_no("Your parcel is ready")
        await session.press("escape")
        await session.sees("Welcome")
        await session.scan("]Q1000000")
        await session.sees("There is no parcel for this code. Tries left: 4")


async def test_a_page_that_comes_again_has_nothing_of_who_saw_it_before(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await session.type("shirt")
        await session.sees("Oxford shirt", "● shirt-blue")
        await session.press("down")
        await session.sees("● shirt-red")
        await session.press("escape")
        await session.scan("]E440170725")
        await session.sees("Mug", "● mug")
        await session.sees_no("shirt")
        await session.press("enter", "enter")
        await session.sees("Your cart", "Total 12.50 EUR")
        await session.press("escape")
        await session.press("m", "u")
        session.kiosk.controller.leave()
        await session.sees_no("mu")
        assert not session.kiosk.page.query_one("#code").value
        await session.tap("#cart")
        await session.sees("Your cart", "It is empty.")
        await session.press("escape")
        await session.tap("#zh_Hant")
        await session.sees("歡迎光臨")
        await session.tap("#cart")
        await session.sees("您的購物車")
        await session.press("escape")
        await session.scan(LABEL)
        await session.sees("● shirt-blue")
        assert len(session.kiosk.query("KioskPage")) <= len(PAGES)


async def test_stock_changes_while_the_customer_looks(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await session.scan(LABEL)
        await session.sees("shirt-red", "2 left")
        await store.ask(
            RECEIVE, "warehouse", Receive(sku="SHIRT-RED", location="A-01-1", quantity=1)
        )
        await session.sees("3 left")
        await session.press("down")
        await session.sees("● shirt-red")
        await session.tap("#more")
        await session.tap("#more")
        await session.sees("Add 3")
        await session.tap("#more")
        await session.sees("There are only 3 left of this style.", "Add 3")
        await session.tap("#next")
        await session.sees("Your cart")
        await store.buy({"SHIRT-RED": 2})
        await session.sees("▲ 1 left")
        await session.tap("#next")
        await session.sees("Oxford shirt: only 1 left. Take fewer.")


async def test_paying_twice_by_a_double_tap_buys_once(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await to_the_payment(session)
        store.machine.free.clear()
        pay = session.kiosk.controller.pay
        await asyncio.gather(pay("C-1001"), pay("C-1001"))
        await session.sees("Paid. Thank you.")
        found = await store.ask_as(name, ORDERS, "settlement", Orders())
        assert len(found.orders) == 1
        store.machine.free.set()
        await session.sees("Your parcel is ready")
        await session.press("enter", "escape")  # back after paying
        await session.sees("Welcome")
        assert not session.kiosk.session.cart.items


async def test_a_payment_that_is_refused_says_why_and_keeps_the_cart(shop: Shop, name: str) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await to_the_payment(session)
        for method, words in (
            ("C-1002", "The payment was declined"),
            ("4111111111111111", "That looks like a card number."),
            ("two words", "neither an account"),
        ):
            session.kiosk.query_one("#method").value = ""
            await session.type(method)
            await session.sees(words)
        assert session.kiosk.session.cart.pieces == 1
        await session.tap("#sample-1")
        await session.press("enter")
        await session.until(lambda: not session.kiosk.session.is_busy, "an answer")
        await session.until(lambda: session.kiosk.focused, "something that Enter is for")


async def test_a_fifth_wrong_pickup_code_locks_collecting_also_after_a_restart(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await session.tap("#collect")
        for left in (4, 3, 2, 1, 0):
            await session.type("000000")
            await session.sees(f"Tries left: {left}")
        await session.type("000000")
        await session.sees("Too many wrong codes. Try again in")
        assert session.kiosk.query_one("#next").disabled
    async with visit(store, broker, name) as session:
        await session.tap("#collect")
        await session.type("000000")
        await session.sees("Too many wrong codes. Try again in")


async def test_without_a_broker_it_says_so_keeps_the_cart_and_goes_on_by_itself(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await to_the_payment(session)
        store.machine.free.clear()
        session.plug.pull()
        await session.sees("✖ No connection to the store.")
        await session.type("C-1001")
        await session.sees("Paying ... please wait.")
        assert session.kiosk.session.cart.pieces == 1
        session.plug.put_in()
        await session.sees("Paid. Thank you.")
        await session.sees_no("No connection")


async def test_a_reminder_comes_again_after_a_restart_until_somebody_takes_notice(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await to_the_reminder(session)
    async with visit(store, broker, name) as session:
        await session.sees("A parcel is ready")
        reminder = session.kiosk.controller.reminders.current
        assert reminder is not None
        await session.press("enter")
        await session.sees("Welcome")
    async with visit(store, broker, name) as session:
        await session.sees("Orders (1)")
        assert session.kiosk.controller.reminders.current is None
        await store.collect(reminder.pickup_code)
        await session.sees_no("Orders (1)")


async def test_a_reminder_goes_when_the_parcel_is_collected_elsewhere(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    async with visit(store, broker, name) as session:
        await to_the_reminder(session)
        reminder = session.kiosk.controller.reminders.current
        assert reminder is not None
        await store.collect(reminder.pickup_code)
        await session.sees_no("Your parcel is ready")


async def test_who_walks_away_is_forgotten_with_cart_receipt_and_what_was_typed(
    shop: Shop, name: str
) -> None:
    store, broker = shop
    now = [0.0]
    async with visit(store, broker, name, BY_HAND, lambda: now[0]) as session:
        await session.tap("#zh_Hans")
        await session.sees("欢迎光临")
        await session.press("m", "u", "g")
        now[0] = 55.0
        await session.sees("5 秒后返回首页")
        now[0] = 61.0
        await session.sees("Welcome")
        await session.until(lambda: not session.kiosk.query_one("#code").value, "an empty field")
        await to_the_reminder(session)
        await session.press("enter")
        await session.sees("Paid. Thank you.")
        now[0] += 61.0
        await session.sees("Welcome")
        assert session.kiosk.session.is_nobody


async def test_a_kiosk_waits_for_a_broker_that_is_not_there_yet(
    tmp_path: Path, shop: Shop, name: str
) -> None:
    from plug import Plug

    from bus.runtime.deployment import Deployment
    from devices.terminal.kiosk.app import Kiosk
    from devices.terminal.kiosk.controller import KioskController

    store, broker = shop
    plug = Plug(broker)
    plug.pull()
    kiosk = Kiosk(KioskController(name, Deployment(plug, store.site, tmp_path, FAST)), BY_HAND)
    async with kiosk.run_test(size=(80, 24)) as pilot:
        session = Visit(kiosk, pilot, plug)
        await session.sees("✖ No connection to the store.")
        plug.put_in()
        await session.sees_no("No connection")


@pytest.mark.parametrize("stays", [True, False], ids=["stays", "leaves"])
async def test_who_still_stands_there_sees_the_receipt_that_came_too_late(
    shop: Shop, name: str, stays: bool
) -> None:
    store, broker = shop
    deployment = Deployment(broker, store.site, store.deployment.data, store.deployment.settings)
    kiosk = KioskController(name, deployment, patience=0.3)
    running = asyncio.create_task(kiosk.run())
    session = kiosk.session

    await eventually(lambda: kiosk.connected and kiosk.points, "a connection")
    await kiosk.scan(LABEL)
    session.put()
    session.quoted = session.cart.total
    broker.lose(f"rep/{name}/settlement/purchase", 1_000_000)
    await kiosk.pay("C-1001")
    assert session.note == UNKNOWN
    assert session.cart.items
    if not stays:
        kiosk.leave()
    broker.lose(f"rep/{name}/settlement/purchase", 0)
    terminal = kiosk._store._terminal
    assert terminal is not None
    await eventually(lambda: not kiosk._unknown, "what it has come to")
    assert terminal.purchases()[-1].state == "settled"
    assert (session.page == "receipt", not session.cart.items) == (stays, stays)
    assert kiosk.session.receipt == (terminal.purchases()[-1].receipt if stays else None)
    running.cancel()
    await asyncio.wait({running})
