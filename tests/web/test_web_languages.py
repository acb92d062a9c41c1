"""Which language a text is in is said where it is not the page's; its lines break accordingly."""
# ruff: noqa: RUF001 - Chinese has brackets and stops of its own

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Browser, running_browser
from shop import SHIRT, Phone, Shop

import devices.terminal.web as package
from bus.contract.catalog import UPSERT, Upsert
from devices.terminal.web.languages import language_of_text


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Oxford shirt", "und-Latn"),
        ("牛津衬衫（蓝色）", "zh"),
        ("オックスフォードシャツ 青", "ja"),
        ("옥스퍼드 셔츠", "ko"),
        ("חולצה", "he"),
        ("12 × 3", ""),
    ],
)
def test_the_letters_of_a_text_say_its_language(text: str, language: str) -> None:
    assert language_of_text(text) == language


def test_a_foreign_name_has_its_language_and_the_pages_own_has_none(
    shop: Shop, phone: Phone
) -> None:
    found = shop.do(shop.store.terminals["terminal-1"].scan(SHIRT)).product.model_dump()
    product = {**found, "name": "옥스퍼드 셔츠"}
    shop.do(shop.store.ask(UPSERT, "catalog", Upsert.model_validate({"products": [product]})))
    try:
        assert '<h1 lang="ko">옥스퍼드 셔츠</h1>' in phone.get(f"/01/{SHIRT}").text
    finally:
        shop.do(shop.store.ask(UPSERT, "catalog", Upsert.model_validate({"products": [found]})))
    assert "<h1>Oxford shirt</h1>" in phone.get(f"/01/{SHIRT}").text
    chinese = phone.get(f"/01/{SHIRT}", **{"accept-language": "zh-TW"}).text
    assert '<html lang="zh-Hant">' in chinese
    assert '<h1 lang="und-Latn">Oxford shirt</h1>' in chinese


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A customer's."""
    with running_browser() as opened:
        opened.new_customer()
        yield opened


_FIRST_OF_LINES = """
const [text, style, width] = arguments;
const sheet = document.createElement("style");
sheet.textContent = style;
document.head.append(sheet);
document.documentElement.lang = "zh-Hans";
const box = document.createElement("p");
box.style.width = width;
box.textContent = text;
document.body.append(box);
const range = document.createRange();
let first = "", line = null;
for (let at = 0; at < text.length; at++) {
  range.setStart(box.firstChild, at);
  range.setEnd(box.firstChild, at + 1);
  const top = range.getBoundingClientRect().top;
  if (top !== line) first += text[at];
  line = top;
}
const narrow = Math.ceil(box.getBoundingClientRect().width);
box.remove();
return [first, narrow];
"""


def test_no_chinese_line_begins_with_what_ends_something(browser: Browser) -> None:
    style = (Path(package.__file__).parent / "static" / "style.css").read_text(encoding="utf-8")
    browser.get("data:text/html;charset=utf-8,<!doctype html><body>")
    text = "订单编号（蓝色衬衫，小号）、两件；付款（账户）。《牛津》！！" * 3
    # The narrowest that a column is squeezed to, which depends on the font, and any wider one.
    _, narrow = browser.driver.execute_script(_FIRST_OF_LINES, text, style, "min-content")
    for width in ("min-content", *(f"{each}px" for each in range(narrow, 200, 4))):
        begun, _ = browser.driver.execute_script(_FIRST_OF_LINES, text, style, width)
        assert not set(begun) & set("）、；，。》！"), (width, begun)
