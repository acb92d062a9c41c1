"""The models of a kiosk, without a screen: the session, cart, orders, scanner, reminders."""

import asyncio

import pytest

from bus.contract.catalog import Product
from bus.contract.errors import InvalidField, NoAnswer
from bus.contract.problem import ProblemData
from bus.contract.refusals import CardNumber, Retired, TooManyTries, UnknownPickupCode
from bus.contract.settlement import OrderState, OrderSummary
from bus.contract.sorter import JobState, JobStep
from bus.contract.terminal import Remind
from bus.contract.values import Money
from devices.terminal.kiosk.cart import KioskCart
from devices.terminal.kiosk.customer_session import CustomerSession, payment_of
from devices.terminal.kiosk.orders import OpenOrders
from devices.terminal.kiosk.refusals import refusal
from devices.terminal.kiosk.reminder_queue import ReminderQueue
from devices.terminal.kiosk.wedge import Wedge


def product(blue: int = 3, red: int = 0) -> Product:
    """A shirt in two colours."""
    styles = [
        {
            "sku": f"SHIRT-{colour.upper()}",
            "gtin": gtin,
            "attributes": {"colour": colour},
            "price": {"amount": 5900, "currency": "EUR"},
            "available": left,
        }
        for colour, gtin, left in (
            ("red", "09506000134369", red),
            ("blue", "09506000134352", blue),
        )
    ]
    return Product.model_validate(
        {
            "id": "shirt",
            "name": "Shirt",
            "description": "",
            "url": "https://s.example/1",
            "styles": styles,
        }
    )


def session(blue: int = 3, red: int = 0) -> CustomerSession:
    """Somebody who looks at it."""
    made = CustomerSession("en")
    made.look(product(blue, red), None)
    return made


def test_a_style_that_is_left_is_chosen_unless_another_was_scanned() -> None:
    assert session().sku == "SHIRT-BLUE"
    scanned = CustomerSession("en")
    scanned.look(product(), "SHIRT-RED")
    assert scanned.sku == "SHIRT-RED"


def test_more_than_are_left_cannot_be_chosen_and_it_says_why() -> None:
    somebody = session(blue=2)
    somebody.change(1)
    assert somebody.note is None
    somebody.change(1)
    assert somebody.quantity == 2
    assert str(somebody.note) == "There are only 2 left of this style."


def test_what_is_in_the_cart_counts_as_taken() -> None:
    somebody = session(blue=2)
    assert somebody.put()
    somebody.change(1)
    assert somebody.quantity == 1
    assert somebody.put()
    assert not somebody.put()
    assert somebody.cart.pieces == 2


def test_a_sold_out_style_does_not_go_into_the_cart() -> None:
    somebody = session()
    somebody.choose("SHIRT-RED")
    assert not somebody.put()
    assert str(somebody.note) == "This style is sold out."


def test_stock_that_changes_is_seen_on_the_product_and_in_the_cart() -> None:
    somebody = session(blue=3)
    somebody.change(1)
    somebody.put()
    assert somebody.cart.trouble is None
    somebody.level({"SHIRT-BLUE": 1, "MUG": 7})
    assert somebody.style is not None
    assert somebody.style.available == 1
    assert str(somebody.cart.trouble) == "Shirt: only 1 left. Take fewer."


def test_a_cart_has_a_total_and_no_less_than_one_of_each() -> None:
    cart = KioskCart()
    assert str(cart.trouble) == "The cart is empty."
    blue = product().styles[1]
    cart.add("Shirt", blue, 2)
    assert cart.total == Money(amount=11_800, currency="EUR")
    for _ in range(5):
        cart.change("SHIRT-BLUE", -1)
    assert cart.pieces == 1
    cart.remove("SHIRT-BLUE")
    assert cart.total is None


def test_two_currencies_are_not_paid_together() -> None:
    cart = KioskCart()
    red, blue = product(red=1).styles
    cart.add("Shirt", blue, 1)
    dollars = red.model_copy(update={"price": red.price.model_copy(update={"currency": "USD"})})
    assert cart.add("Shirt", dollars, 1) is not None
    assert cart.pieces == 1


def test_an_account_or_a_token_is_read_and_a_card_number_never_sent() -> None:
    assert payment_of(" c-1001 ").model_dump() == {"method": "account", "account": "C-1001"}
    assert payment_of("tok_approve").model_dump() == {"method": "card", "token": "tok_approve"}
    with pytest.raises(CardNumber):
        payment_of("4111 1111 1111 1111")
    for wrong in ("", "two words"):
        with pytest.raises(InvalidField):
            payment_of(wrong)


def test_who_has_paid_has_nothing_to_go_back_to() -> None:
    somebody = CustomerSession("en", page="receipt")
    assert somebody.back() == "start"


def summary(order: str, state: OrderState, terminal: str = "terminal-7") -> OrderSummary:
    """An order as settlement tells of it."""
    return OrderSummary(
        order=order,
        state=state,
        terminal=terminal,
        total=Money(amount=1, currency="EUR"),
        pickup_point="north",
        since="2026-11-22T09:10:11.123Z",
    )


def job(order: str, step: JobStep, pick: int = 0) -> JobState:
    """A sorter at work on two picks."""
    return JobState(
        step=step, job="j-1", order=order, pick=pick, picks=2, since="2026-11-22T09:10:11.123Z"
    )


def test_a_bar_grows_with_the_sorters_job_until_the_parcel_can_be_collected() -> None:
    book = OpenOrders("terminal-7")
    book.changed(summary("o-1", "settled"))
    seen = [book.all()[0].percent]
    steps: list[tuple[JobStep, int]] = [
        ("assigned", 0), ("travelling", 0), ("picking", 0), ("picking", 1), ("conveying", 0),
        ("packing", 0), ("done", 0),
    ]  # fmt: skip
    for step, pick in steps:
        book.job("sorter-1", job("o-1", step, pick))
        seen.append(book.all()[0].percent)
    book.changed(summary("o-1", "ready"))
    seen.append(book.all()[0].percent)
    assert seen == sorted(set(seen))
    assert seen[-1] == 100
    assert str(book.all()[0].words) == "ready to collect"
    book.changed(summary("o-1", "collected"))
    assert book.all() == []


def test_orders_of_other_terminals_are_none_of_ours() -> None:
    book = OpenOrders("terminal-7")
    assert not book.changed(summary("o-1", "settled", "terminal-8"))
    book.job("sorter-1", job("o-1", "picking"))
    assert book.all() == []


def test_a_job_that_was_heard_of_first_is_known_when_its_order_is() -> None:
    book = OpenOrders("terminal-7")
    book.job("sorter-1", job("o-1", "packing"))
    book.fill([summary("o-1", "settled")])
    assert book.all()[0].percent == 85


def test_a_sorter_that_is_stopped_has_the_order_wait_for_another() -> None:
    book = OpenOrders("terminal-7")
    book.fill([summary("o-1", "settled")])
    book.job("sorter-1", job("o-1", "packing"))
    book.job("sorter-1", job("o-1", "aborted"))
    assert str(book.all()[0].words) == "paid; waiting for a sorter"


def keys(wedge: Wedge, text: str, pause: float, start: float = 0.0) -> str | None:
    """Press keys at a pace; the code that the last of them ended."""
    code = None
    for place, character in enumerate(text):
        key = "enter" if character == "\n" else character
        code = wedge.key(key, character, start + place * pause)
    return code


def test_fast_keys_that_end_with_enter_are_a_scanners_and_slow_ones_a_persons() -> None:
    label = "https://shop.example/01/09506000134352"
    assert keys(Wedge(0.035), label + "\n", 0.005) == label
    assert keys(Wedge(0.035), label + "\n", 0.1) is None
    assert keys(Wedge(0.035), "48291\n", 0.005) is None  # shorter than any label


@pytest.mark.parametrize(
    "code",
    ["482913", "]Q1482913", "]E09506000134352", "]d20109506000134352\x1d10A1", "]Q3https://a"],
)
def test_a_scanner_that_types_gives_pickup_codes_and_what_symbols_it_names(code: str) -> None:
    assert keys(Wedge(0.035), code + "\n", 0.005) == code


def test_a_scanner_is_told_from_what_somebody_had_typed_before() -> None:
    wedge = Wedge(0.035)
    assert keys(wedge, "shir", 0.2) is None
    assert wedge.is_new(10.0)
    assert keys(wedge, "09506000134352\n", 0.005, start=10.0) == "09506000134352"


def reminder(order: str) -> Remind:
    """A parcel of an order."""
    return Remind(
        order=order, pickup_point="north", pickup_point_name="North", pickup_code="482913"
    )


async def test_a_reminder_counts_as_shown_only_when_it_is_on_the_screen() -> None:
    reminders = ReminderQueue()
    first = asyncio.ensure_future(reminders.show(reminder("o-1")))
    second = asyncio.ensure_future(reminders.show(reminder("o-2")))
    await asyncio.sleep(0)
    assert reminders.current == reminder("o-1")
    assert not first.done()
    reminders.displayed("o-1")
    assert await first
    assert not second.done()
    reminders.acknowledge("o-1")
    assert reminders.current == reminder("o-2")
    reminders.displayed("o-2")
    assert await second


async def test_who_takes_notice_of_a_reminder_has_been_shown_it() -> None:
    reminders = ReminderQueue()
    waiting = asyncio.ensure_future(reminders.show(reminder("o-1")))
    await asyncio.sleep(0)
    assert reminders.acknowledge("o-1")
    assert await waiting


async def test_a_reminder_of_a_parcel_that_was_collected_need_not_be_shown() -> None:
    reminders = ReminderQueue()
    waiting = asyncio.ensure_future(reminders.show(reminder("o-1")))
    await asyncio.sleep(0)
    assert reminders.drop("o-1")
    assert not await waiting


def test_what_is_refused_is_said_in_words_for_customers() -> None:
    wrong = UnknownPickupCode("No.", triesLeft=3).to_data()
    assert str(refusal(wrong)).endswith("Tries left: 3")
    assert "42 s" in str(refusal(TooManyTries("No.", retryAfter=42).to_data()))
    assert "does not answer" in str(refusal(NoAnswer("No.").to_data()))
    assert str(refusal(Retired("No.", product="mug").to_data())) == "This is no longer sold."
    assert "remove it" in str(refusal(Retired("No.", sku="MUG").to_data()))
    other = ProblemData.model_validate(
        {**NoAnswer("Too hot.").to_data().model_dump(), "code": "weather"}
    )
    assert str(refusal(other)) == "The store refused: Too hot."
