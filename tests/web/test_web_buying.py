"""A customer without scripts: from the label to the receipt, and what goes wrong on the way."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from shop import MUG, RED, SHIRT, Phone, Shop

from devices.terminal.web.domain import line_of, put
from devices.terminal.web.paying import given_in, payment_of


def test_a_label_becomes_an_order_and_a_reminder(shop: Shop, phone: Phone) -> None:
    page = phone.get(f"/01/{SHIRT}?utm=poster")
    assert page.status_code == 200
    assert "Oxford shirt" in page.text
    assert "59.00 EUR" in page.text
    order = phone.buy(SHIRT, "SHIRT-BLUE", 2)
    reminder = shop.do(shop.page.customers.reminded(order))
    page = phone.get(f"/order/{order}")
    assert "Ready to collect: South" in page.text
    assert reminder.pickup_code in page.text


def test_a_receipt_tells_lines_tax_total_and_where_to_collect(phone: Phone) -> None:
    order = phone.buy(SHIRT, "SHIRT-BLUE", 2)
    page = phone.get(f"/order/{order}/receipt").text
    for said in ("Oxford shirt", "118.00 EUR", "20 %", "98.33 EUR", "19.67 EUR", "South"):
        assert said in page
    assert f"{order}.charge" in page


def test_a_double_tap_is_one_purchase(shop: Shop, phone: Phone) -> None:
    phone.put_into_cart(SHIRT, "SHIRT-BLUE")
    before, left = shop.purchases(), shop.available(SHIRT)
    fields = {
        "form": phone.form,
        **phone.shown,
        "method": "account",
        "account": "C-1001",
    }

    async def twice() -> list[httpx.Response]:
        import asyncio

        async with httpx.AsyncClient(base_url=shop.url, cookies=phone.http.cookies) as http:
            return await asyncio.gather(*(http.post("/buy", data=fields) for _ in range(2)))

    first, second = shop.do(twice())
    assert first.headers["location"] == second.headers["location"]
    shop.until(lambda: shop.available(SHIRT) == left - 1)
    assert shop.purchases() == before + 1


def test_a_second_tap_that_comes_in_the_middle_of_the_first_is_the_same_purchase(
    shop: Shop, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was looked up before the first tap was written down, and is decided after it."""
    phone.put_into_cart(SHIRT, "SHIRT-BLUE")
    before = shop.purchases()
    with monkeypatch.context() as patch:
        patch.setattr(shop.page.customers, "bought", lambda *_: None)
        phone.http.follow_redirects = False
        fields = {"form": phone.form, **phone.shown, "method": "account", "account": "C-1001"}
        taps = [phone.http.post("/buy", data=fields) for _ in range(2)]
    assert [tap.status_code for tap in taps] == [303, 303]
    assert taps[0].headers["location"] == taps[1].headers["location"]
    shop.until(lambda: shop.purchases() == before + 1)


def test_who_changed_the_cart_on_another_page_is_told_that_it_was_the_cart(
    shop: Shop, phone: Phone
) -> None:
    phone.put_into_cart(MUG, "MUG")
    old, before = phone.page, shop.purchases()
    phone.put_into_cart(SHIRT, "SHIRT-BLUE")
    phone.page = old
    page = phone.pay()
    assert page.status_code == 409
    assert "The cart has changed in the meantime" in page.text
    assert "price" not in page.text.partition("<main")[2].partition("</h1>")[2][:200]
    assert "Oxford shirt" in page.text
    assert shop.purchases() == before


def test_what_is_put_in_while_the_cart_is_looked_at_stays_in(shop: Shop, phone: Phone) -> None:
    """Also when the prices on the page that is being made are new ones."""
    phone.put_into_cart(MUG, "MUG")
    session = shop.page.site.cookies._sessions.unsign(phone.http.cookies["storebus_web-1"]).decode()
    customers = shop.page.customers

    async def with_old_prices() -> None:
        await customers.change_cart(
            session, lambda lines: tuple(replace(line, amount=1) for line in lines)
        )

    shop.do(with_old_prices())
    shop.broker.lose("req/web-1/catalog/lookup", 2)
    lost = len(shop.broker.lost)
    with ThreadPoolExecutor(1) as beside:
        looking = beside.submit(phone.http.get, "/cart")
        shop.until(lambda: len(shop.broker.lost) > lost)
        found = shop.do(shop.store.terminals["terminal-1"].scan(SHIRT)).product
        line = line_of(found, found.styles[0], 1)
        shop.do(customers.change_cart(session, lambda lines: put(lines, line)))
        shown = looking.result(30).text
    assert "Oxford shirt" in shown
    assert "12.50 EUR" in shown
    assert {line.sku for line in customers.cart(session).lines} == {"MUG", found.styles[0].sku}


def test_going_back_and_paying_again_shows_the_order_that_was_bought(
    shop: Shop, phone: Phone
) -> None:
    phone.put_into_cart(SHIRT, "SHIRT-BLUE")
    cart = phone.page
    phone.pay()
    bought, before = phone.page.url, shop.purchases()
    phone.page = cart
    phone.pay()
    assert phone.page.url == bought
    assert shop.purchases() == before


def test_more_than_there_are_is_refused_before_it_is_paid(shop: Shop, phone: Phone) -> None:
    shop.buy_all_but("SHIRT-RED", RED, 2)
    page = phone.put_into_cart(RED, "SHIRT-RED", 3)
    assert page.status_code == 409
    assert "Only 2 left." in page.text
    page = phone.put_into_cart(RED, "SHIRT-RED", 0)
    assert page.status_code == 422
    assert "Enter a number from 1 to 999." in page.text


def test_the_last_piece_is_sold_once_and_the_other_customer_is_told(
    shop: Shop, phone: Phone
) -> None:
    shop.buy_all_but("SHIRT-RED", RED, 1)
    with shop.phone().http:
        other = shop.phone()
        for each in (phone, other):
            each.put_into_cart(RED, "SHIRT-RED")
        phone.pay()
        other.pay()
        other.wait_for_the_answer()
        assert other.page.status_code == 409
        assert "somebody was faster" in other.page.text
        assert "Oxford shirt" in other.get("/cart").text
        other.http.close()
    phone.wait_for_the_answer()
    assert "/order/" in str(phone.page.url)


def test_who_closes_the_page_before_the_answer_finds_the_order_later(
    shop: Shop, phone: Phone
) -> None:
    phone.put_into_cart(MUG, "MUG")
    shop.broker.lose("rep/web-1/settlement/purchase", 2)
    phone.http.follow_redirects = False
    answer = phone.pay()
    assert answer.status_code == 303
    phone.http.follow_redirects = True
    shop.restart_page()
    identifier = shop.page.customers.bought(
        shop.page.site.cookies._sessions.unsign(phone.http.cookies["storebus_web-1"]).decode(),
        answer.headers["location"].rpartition("/")[2],
    )
    assert identifier is not None
    shop.do(shop.page.customers.outcome(identifier))
    phone.get("/")
    assert "Your orders" in phone.page.text
    assert "12.50 EUR" in phone.page.text


def test_a_declined_payment_leaves_the_cart_as_it_was(phone: Phone) -> None:
    phone.put_into_cart(SHIRT, "SHIRT-BLUE")
    phone.pay(account="C-1002")
    phone.wait_for_the_answer()
    assert phone.page.status_code == 409
    assert "The payment was declined" in phone.page.text
    assert "Oxford shirt" in phone.get("/cart").text


def test_a_card_number_is_not_even_looked_at(shop: Shop, phone: Phone) -> None:
    phone.put_into_cart(SHIRT, "SHIRT-BLUE")
    before = shop.purchases()
    page = phone.post("/buy", **phone.shown, method="card", card="4111 1111 1111 1111")
    assert page.status_code == 422
    assert "Never enter a card number" in page.text
    assert "4111" not in page.text
    assert shop.purchases() == before


def test_another_browser_does_not_see_the_order(shop: Shop, phone: Phone) -> None:
    order = phone.buy(MUG, "MUG")
    other = shop.phone()
    with other.http:
        pages = ("", "/receipt", "/code.svg")
        for path in (*(f"/order/{order}{page}" for page in pages), f"/live?order={order}"):
            assert other.get(path).status_code == 404


def test_a_card_is_not_offered_where_none_is_taken(shop: Shop, phone: Phone) -> None:
    shop.until(lambda: not shop.page.site.notifier.takes_cards)
    page = phone.put_into_cart(MUG, "MUG")
    assert 'name="card"' not in page.text
    assert 'type="radio" name="method"' not in page.text
    page = phone.post("/buy", **phone.shown, card="tok_approve")
    assert page.status_code == 422
    assert "This store takes no cards." in page.text


@pytest.mark.parametrize(
    ("filled", "said"),
    [
        ({"card": "tok_1"}, ""),
        ({"card": "tok_1", "method": "account"}, ""),
        ({"card": "tok_1", "account": "C-1001", "method": "card"}, ""),
        ({"account": "C-1001", "method": "card"}, ""),
        ({"card": "tok_1", "account": "C-1001", "method": "account"}, "Choose one of them"),
        ({"method": "card"}, "or the payment token of your bank"),
        ({"card": "two words", "method": "account"}, "Enter the payment token of your bank."),
    ],
)
def test_what_was_filled_in_is_how_it_is_paid_or_the_customer_is_asked(
    filled: dict[str, str], said: str
) -> None:
    payment = payment_of(given_in(filled), cards=True)
    if said:
        assert said in str(payment)
    else:
        assert not isinstance(payment, str)
        wanted = "account" if "card" not in filled else "card"
        assert payment.method == wanted
