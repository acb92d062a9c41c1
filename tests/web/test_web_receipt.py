"""The sales receipt on screen, as text and as a PDF: the same lines, sums and codes."""

import io
import re
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader
from shop import MUG, SHIRT, Phone, Shop

from bus.contract.catalog import UPSERT, Upsert
from devices.terminal.sales_receipt import SalesReceipt, as_pdf, as_text

LONG = SalesReceipt(
    ("商店 Żółw", "街 1"), "銷售收據", "訂單 o-1", "2026-11-29 10:05 +00:00",
    tuple((f"Nr {number}, 藍色 & <b>", "2 × 1.00 EUR", "2.00 EUR") for number in range(50)),
    ("合計", "100.00 EUR"), (), (("取貨點", "北門"),), "zh_Hant",
)  # fmt: skip


def pdf_text(pdf: bytes) -> str:
    """What a reader shows of it."""
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_the_text_has_every_line_the_tax_and_the_code(shop: Shop, phone: Phone) -> None:
    phone.put_into_cart(MUG, "MUG", 2)
    order = phone.buy(SHIRT, "SHIRT-BLUE", 2)
    code = shop.do(shop.page.customers.reminded(order)).pickup_code
    answer = phone.get(f"/order/{order}/receipt.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    text = answer.text
    for left, right in (
        ("  2 × 12.50 EUR", "25.00 EUR"),
        ("  2 × 59.00 EUR", "118.00 EUR"),
        ("Total", "143.00 EUR"),
        ("Payment reference", f"{order}.charge"),
        ("Pickup point", "South"),
        ("Your pickup code", code),
    ):
        assert re.search(rf"^{re.escape(left)} +{re.escape(right)}$", text, re.MULTILINE), text
    assert "Mug, mug" in text
    assert re.search(r"^ +Tax rate +Net +Tax +Gross$", text, re.MULTILINE), text
    assert re.search(r"^ +20 % +98.33 EUR +19.67 EUR +118.00 EUR$", text, re.MULTILINE), text


def test_a_receipt_says_when_and_by_whom_it_was_sold(phone: Phone) -> None:
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    order = phone.buy(SHIRT, "SHIRT-BLUE")
    page, text = phone.get(f"/order/{order}/receipt").text, phone.get(f"/order/{order}/receipt.txt")
    pdf = pdf_text(phone.get(f"/order/{order}/receipt.pdf").content)
    for shown in (page, text.text, pdf):
        assert "1 Old Street, 1010 Vienna" in shown
        assert "Tax number: ATU 12345678" in shown
        when = re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d [+-]\d\d:\d\d", shown)
        assert when, shown
        assert before <= datetime.fromisoformat(when[0]) <= datetime.now(UTC)
    assert '<th scope="col" class="right">Gross</th>' in page


def test_the_pdf_is_one_and_is_the_browsers_own(shop: Shop, phone: Phone) -> None:
    order = phone.buy(SHIRT, "SHIRT-BLUE")
    code = shop.do(shop.page.customers.reminded(order)).pickup_code
    answer = phone.get(f"/order/{order}/receipt.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="receipt.pdf"'
    text = pdf_text(answer.content)
    for said in (
        ("The Shop", "Sales receipt", order, "Oxford shirt, shirt-blue", "1 × 59.00 EUR"),
        ("49.17 EUR", "9.83 EUR", f"{order}.charge", "South", code),
    ):
        assert all(each in text for each in said), text
    with shop.phone().http as other:
        assert other.get(f"/order/{order}/receipt.pdf").status_code == 404


def test_a_receipt_with_letters_that_the_pdf_would_lack_is_a_text(shop: Shop, phone: Phone) -> None:
    style = {"sku": "TEA", "gtin": "09520000000011", "attributes": {}}
    tea = {"id": "tea", "name": "चाय", "url": f"https://shop.example/01/{style['gtin']}"}
    price = {"price": {"amount": 900, "currency": "EUR"}}
    sold = Upsert.model_validate({"products": [tea | {"styles": [style | price]}]})
    shop.do(shop.store.ask(UPSERT, "catalog", sold))
    shop.stock("TEA", 1)
    order = phone.buy(str(style["gtin"]), "TEA")
    page = phone.get(f"/order/{order}/receipt").text
    assert "चाय" in page
    assert "receipt.txt" in page
    assert "receipt.pdf" not in page
    answer = phone.get(f"/order/{order}/receipt.pdf")
    assert answer.headers["content-disposition"] == 'attachment; filename="receipt.txt"'
    assert "चाय" in answer.text


def fonts_of(pdf: bytes) -> dict[str, bool]:
    """The fonts that it names, and whether it brings each along."""
    found = {}
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].get_object().values():
            described = font.get_object().get("/FontDescriptor", {})
            found[font.get_object()["/BaseFont"]] = "/FontFile2" in described
    return found


def test_a_long_receipt_in_chinese_takes_several_pages() -> None:
    pdf = as_pdf(LONG)
    assert len(PdfReader(io.BytesIO(pdf)).pages) > 1
    text = pdf_text(pdf)
    for said in ("商店 Żółw", "銷售收據", "Nr 49, 藍色 & <b>", "合計", "取貨點", "北門"):
        assert said in text


def test_a_pdf_brings_the_letters_that_it_shows_and_no_others() -> None:
    pdf = as_pdf(LONG)
    fonts = fonts_of(pdf)
    assert set(fonts.values()) == {True}
    assert all(re.match(r"/[A-Z]{6}\+WenQuanYi", name) for name in fonts)  # of a part of it
    assert len(pdf) < 60_000


def test_columns_stand_right_also_in_chinese() -> None:
    lines = as_text(LONG).splitlines()
    assert "合計                                  100.00 EUR" in lines


@pytest.mark.parametrize("path", ["receipt", "receipt.txt"])
def test_a_receipt_speaks_the_customers_language(phone: Phone, path: str) -> None:
    order = phone.buy(MUG, "MUG")
    page = phone.get(f"/order/{order}/{path}", **{"accept-language": "zh-TW"}).text
    assert "銷售收據" in page
    assert "您的取貨碼" in page
