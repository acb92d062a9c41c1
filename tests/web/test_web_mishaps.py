"""What customers are told when the store is away, is slow, or something broke, and what is kept."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from shop import MUG, SHIRT, Phone, Shop, open_shop

from bus.contract.catalog import REINSTATE, RETIRE, Retire
from devices.terminal.web import products
from devices.terminal.web.guard import SECURITY_HEADERS
from devices.terminal.web.site import Site

_AWAY = "The store does not answer at the moment. Please try again."


@contextmanager
def impatient(shop: Shop) -> Iterator[None]:
    """The page hardly waits for the store."""
    site = shop.page.site
    before, site.settings = site.settings, site.settings.model_copy(update={"patience": 0.05})
    yield
    site.settings = before


def is_protected(phone: Phone) -> bool:
    """Whether the answer has each header that protects the customer, and is kept nowhere."""
    headers = phone.page.headers
    given = {name: headers.get(name) for name in SECURITY_HEADERS}
    return given == SECURITY_HEADERS and headers["cache-control"] == "no-store"


async def cut(shop: Shop) -> None:
    """The page server loses the store."""
    shop.plug.pull()


async def mend(shop: Shop) -> None:
    """It is there again."""
    shop.plug.put_in()


def test_a_retired_article_says_so_and_leaves_the_cart(shop: Shop, phone: Phone) -> None:
    phone.put_into_cart(MUG, "MUG")
    asked = Retire(product="mug", reason="last season's")
    shop.do(shop.store.ask(RETIRE, "catalog", asked))
    page = phone.get(f"/01/{MUG}")
    assert page.status_code == 410
    assert "no longer sold" in page.text
    assert is_protected(phone)
    cart = phone.get("/cart")
    assert cart.status_code == 200
    assert "Mug is no longer sold and was removed." in cart.text
    shop.do(shop.store.ask(REINSTATE, "catalog", asked))
    assert phone.get(f"/01/{MUG}").status_code == 200


@pytest.mark.parametrize("path", [f"/01/{SHIRT}", "/cart", f"/live?gtin={SHIRT}"])
def test_while_the_store_is_away_the_page_says_so_and_when_to_come_back(
    shop: Shop, phone: Phone, path: str
) -> None:
    phone.put_into_cart(MUG, "MUG")
    shop.do(cut(shop))
    with impatient(shop):
        page = phone.get(path)
    assert page.status_code == 503
    assert _AWAY in page.text
    assert page.headers["retry-after"] == "5"
    assert is_protected(phone)
    shop.do(mend(shop))
    shop.until(lambda: shop.page.customers.node.connected)
    assert "Mug" in phone.get("/cart").text


@pytest.mark.parametrize("path", [f"/01/{SHIRT}", "/find?code=9506000134352"])
def test_a_store_that_does_not_answer_in_time_is_another_matter(
    shop: Shop, phone: Phone, path: str
) -> None:
    shop.broker.lose("req/web-1/catalog/lookup", 1_000_000)
    with impatient(shop):
        page = phone.get(path)
    shop.broker.lose("req/web-1/catalog/lookup", 0)
    assert page.status_code == 504
    assert _AWAY in page.text
    assert is_protected(phone)


def test_an_order_is_shown_though_nobody_knows_how_far_it_is(shop: Shop, phone: Phone) -> None:
    order = phone.buy(MUG, "MUG")
    shop.broker.lose("req/web-1/settlement/order", 1_000_000)
    with impatient(shop):
        page = phone.get(f"/order/{order}")
    shop.broker.lose("req/web-1/settlement/order", 0)
    assert page.status_code == 200
    assert "your order is safe" in page.text


def test_a_purchase_that_nobody_answered_is_not_known_and_not_bought_again(tmp_path: Path) -> None:
    with open_shop(tmp_path, patience=0.3) as shop:
        phone = shop.phone()
        with phone.http:
            phone.put_into_cart(MUG, "MUG")
            shop.broker.lose("req/web-1/settlement/purchase", 1_000_000)
            phone.pay()
            page = phone.wait_for_the_answer()
            assert page.status_code == 504
            assert "Please ask the staff before you buy again" in page.text
            assert is_protected(phone)
            assert "Your cart is empty" in phone.get("/cart").text


def test_a_purchase_that_is_answered_late_is_shown_as_soon_as_it_is_known(tmp_path: Path) -> None:
    with open_shop(tmp_path, patience=0.3) as shop:
        phone = shop.phone()
        with phone.http:
            phone.put_into_cart(MUG, "MUG")
            shop.broker.lose("rep/web-1/settlement/purchase", 1_000_000)
            phone.pay()
            page = phone.wait_for_the_answer()
            asked = str(page.url)
            assert (page.status_code, "goes on asking" in page.text) == (504, True)
            token = asked.rpartition("/")[2]
            with phone.http.stream("GET", f"/live?purchase={token}&shown=unknown") as live:
                shop.broker.lose("rep/web-1/settlement/purchase", 0)
                assert any(f"/purchase/{token}" in line for line in live.iter_lines())
            assert "/order/" in str(phone.get(asked).url)


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Something went wrong here"), ("zh-TW", "系統出了問題")]
)
def test_what_broke_is_told_and_tells_nothing_else(
    phone: Phone, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(products, "_scanned", broken)
    page = phone.get(f"/01/{SHIRT}", **{"accept-language": language})
    assert page.status_code == 500
    assert said in page.text
    assert "secret" not in page.text
    assert is_protected(phone)


def test_a_database_that_cannot_be_read_is_told_as_well(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Site, "banner", broken)
    for path in ("/", "/nothing-here"):
        assert phone.get(path).status_code == 500
        assert is_protected(phone)


def test_the_page_before_all_pages_may_break_too(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("devices.terminal.web.guard.address_of", broken)
    assert phone.get("/").status_code == 500
    assert is_protected(phone)


def test_what_is_no_http_is_refused_and_the_page_goes_on(shop: Shop, phone: Phone) -> None:
    port = int(shop.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(b"BREW /pot HTCPCP/1.0\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 400 ")
    assert phone.get("/").status_code == 200


def test_who_was_away_for_too_long_is_forgotten_and_the_order_is_not(
    shop: Shop, phone: Phone
) -> None:
    order = phone.buy(MUG, "MUG")
    phone.put_into_cart(MUG, "MUG")
    customers = shop.page.customers
    shop.do(customers.tidy())
    assert "Mug" in phone.get("/cart").text
    assert phone.get(f"/order/{order}").status_code == 200
    kept, customers._keep = customers._keep, -1
    shop.do(customers.tidy())
    customers._keep = kept
    assert "Your cart is empty" in phone.get("/cart").text
    assert phone.get(f"/order/{order}").status_code == 404
    assert order in {each.receipt.order for each in customers.purchases() if each.receipt}


def test_who_has_not_heard_yet_what_was_bought_is_not_forgotten(shop: Shop, phone: Phone) -> None:
    phone.put_into_cart(MUG, "MUG")
    shop.broker.lose("rep/web-1/settlement/purchase", 1_000_000)
    phone.pay()
    customers = shop.page.customers
    kept, customers._keep = customers._keep, -1
    shop.do(customers.tidy())
    customers._keep = kept
    shop.broker.lose("rep/web-1/settlement/purchase", 0)
    phone.wait_for_the_answer()
    assert "/order/" in str(phone.page.url)


def test_a_browser_is_known_for_as_long_as_it_comes_back(phone: Phone) -> None:
    kept = f"Max-Age={30 * 86_400}"
    assert kept in phone.get("/").headers["set-cookie"]
    assert "set-cookie" not in phone.get("/").headers
    phone.http.follow_redirects = False
    assert kept in phone.post("/language", language="en").headers["set-cookie"]
