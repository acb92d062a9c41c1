"""The phone page in a real browser: from the label to the reminder, and mishaps on the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import DESKTOP, PHONE, Browser, running_browser
from PIL import Image
from shop import RED, SHIRT, Shop

from devices.terminal.scanner import read_codes

_BLUE = f'form:has(input[name="gtin"][value="{SHIRT}"]) button'
_RED = f'form:has(input[name="gtin"][value="{RED}"]) button'


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of the module."""
    with running_browser() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """The browser of a new customer with a phone."""
    chromium.new_customer()
    chromium.complaints()
    return chromium


def put_into_cart(browser: Browser, shop: Shop, button: str = _BLUE) -> None:
    """From the label to the cart."""
    browser.get(f"{shop.url}/01/{SHIRT}")
    browser.click(button)
    browser.until_at("/cart")


def pay(browser: Browser, taps: int = 1) -> None:
    """Pay what is in the cart."""
    browser.type("#account", "c-1001")
    browser.driver.execute_script(
        "const b = document.querySelector('button.main');"
        "for (let tap = 0; tap < arguments[0]; tap++) b.click();",
        taps,
    )


def test_from_the_label_to_the_reminder(shop: Shop, browser: Browser) -> None:
    shop.do(shop.store.quiet())
    shop.store.machine.stops_at = "conveying"
    put_into_cart(browser, shop)
    pay(browser)
    browser.until_at("/order/")
    assert browser.attribute("#progress progress", "value")
    browser.until_shows("Notify me when it is ready")
    shop.sorter_goes_on()
    browser.until_shows("Ready to collect: North door")
    assert "Notify me" not in browser.text
    assert browser.driver.title.startswith("Ready to collect")
    browser.click(".ready button")
    browser.until_at("/order/")
    browser.click('a[href$="/receipt"]')
    browser.until_shows("Payment reference")
    assert browser.complaints() == []


def test_stock_changes_before_the_customers_eyes(shop: Shop, browser: Browser) -> None:
    left = shop.available(SHIRT)
    browser.get(f"{shop.url}/01/{SHIRT}")
    browser.until_shows(f"{left} in stock")
    shop.stock("SHIRT-BLUE", 9)
    browser.until_shows(f"{left + 9} in stock")


def test_a_double_tap_buys_once(shop: Shop, browser: Browser) -> None:
    put_into_cart(browser, shop)
    before = shop.purchases()
    pay(browser, taps=2)
    browser.until_at("/order/")
    assert shop.purchases() == before + 1


def test_a_reload_in_the_middle_of_a_purchase_buys_once(shop: Shop, browser: Browser) -> None:
    put_into_cart(browser, shop)
    before = shop.purchases()
    shop.broker.lose("req/web-1/settlement/purchase", 1_000_000)
    pay(browser)
    browser.until_at("/purchase/")
    browser.until_shows("You can close or reload this page")
    browser.driver.refresh()
    browser.until_shows("You can close or reload this page")
    shop.broker.lose("req/web-1/settlement/purchase", 0)
    browser.until_at("/order/")
    assert shop.purchases() == before + 1


def test_going_back_after_paying_shows_an_empty_cart(shop: Shop, browser: Browser) -> None:
    put_into_cart(browser, shop)
    pay(browser)
    browser.until_at("/order/")
    browser.get(f"{shop.url}/")
    browser.driver.back()
    browser.driver.back()
    browser.get(f"{shop.url}/cart")
    browser.until_shows("Your cart is empty.")


def test_two_browsers_that_buy_the_last_piece(shop: Shop, browser: Browser) -> None:
    shop.buy_all_but("SHIRT-RED", RED, 1)
    with running_browser() as other:
        other.new_customer(DESKTOP, "dark")
        both = (browser, other)
        for each in both:
            put_into_cart(each, shop, _RED)
            each.type("#account", "C-1001")
        for each in both:
            each.click("button.main")
        ended = {each.until_shows("Your order", "somebody was faster"): each for each in both}
        assert set(ended) == {"Your order", "somebody was faster"}
        loser = ended["somebody was faster"]
        loser.click('a[href="/cart"].button')
        loser.until_shows("Sold out")
        for each in both:
            each.get(f"{shop.url}/01/{RED}")
            each.until_shows("Sold out")


def test_everything_works_without_scripts(shop: Shop, browser: Browser) -> None:
    browser.scripts(on=False)
    put_into_cart(browser, shop)
    browser.type("#account", "C-1001")
    browser.click("button.main")
    browser.until_at("/order/")
    assert "Notify me" not in browser.text
    browser.until_shows("Ready to collect: North door")
    browser.scripts(on=True)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_the_screen_and_can_be_read(
    shop: Shop, browser: Browser, tmp_path: Path, size: tuple[int, int], scheme: str
) -> None:
    browser.new_customer(size, scheme)
    browser.get(f"{shop.url}/01/{SHIRT}")
    _is_readable(browser)
    assert browser.picture(tmp_path / "product.png").startswith(b"\x89PNG")
    browser.click(_BLUE)
    browser.until_at("/cart")
    _is_readable(browser)
    browser.picture(tmp_path / "cart.png")
    pay(browser)
    browser.until_at("/order/")
    browser.until_shows("Ready to collect")
    _is_readable(browser)
    browser.until_drawn("figure img")
    browser.picture(tmp_path / "order.png")
    with Image.open(tmp_path / "order.png") as shown:
        (code,) = read_codes(shown.convert("L"))
    assert code == browser.shown("dd.code")
    browser.click('a[href$="/receipt"]')
    browser.until_at("/receipt")
    _is_readable(browser)
    browser.picture(tmp_path / "receipt.png")


def test_a_keyboard_alone_buys(shop: Shop, browser: Browser) -> None:
    put_into_cart(browser, shop)
    browser.type("#account", "C-1001\n")
    browser.until_at("/order/")


def _is_readable(browser: Browser) -> None:
    """Nothing is wider than the screen, all fields have labels, texts contrast as WCAG AA asks."""
    found = browser.driver.execute_script((Path(__file__).parent / "readable.js").read_text())
    assert found == []
