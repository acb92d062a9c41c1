"""What the page says over HTTP: statuses, headers, machines' answers, and what it refuses."""

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from shop import GENEROUS, MUG, SHIRT, Phone, Shop, open_shop

from bus.contract.catalog import UPSERT, Upsert


@pytest.mark.parametrize(
    "path",
    [
        f"/01/{SHIRT}",
        f"/01/{SHIRT}/10/LOT1",
        f"/01/{SHIRT}/22/2A/10/LOT1/21/7?17=271231",
        f"/01/{SHIRT}?utm_source=poster",
    ],
)
def test_a_label_with_what_it_may_carry_is_the_products_page(phone: Phone, path: str) -> None:
    page = phone.get(path)
    assert page.status_code == 200
    assert "Oxford shirt" in page.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/01/09506000134353", 400),  # the check digit
        ("/01/9506000134352", 400),  # 13 digits
        (f"/01/{SHIRT}/10", 400),
        (f"/01/{SHIRT}/21/7/10/LOT1", 400),  # the order of keys
        ("/01/", 400),
        ("/01/abc", 400),
        ("/01/04006381333931", 404),
        ("/no/such/page", 404),
        ("/order/o-1", 404),
        ("/purchase/x", 404),
        ("/static/../app.py", 404),
        ("/find?code=12345", 404),
        (f"/01/{SHIRT}?linkType=gs1:recipeInfo", 404),
        (f"/01/{SHIRT}?q={'x' * 5000}", 414),
    ],
)
def test_what_is_wrong_or_unknown_is_never_a_page_that_looks_right(
    phone: Phone, path: str, status: int
) -> None:
    assert phone.get(path).status_code == status


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("4006381333931", "This store does not sell this article."),
        ("9506000134353", "Please check its digits."),
        ("482913", "Six digits are a pickup code"),
        ("WIFI:T:WPA;S:guests;;", "connects a phone to a Wi-Fi network"),
        ("hello", "Scan the one on the sample."),
    ],
)
def test_what_is_no_label_of_this_shop_is_told_for_what_it_is(
    phone: Phone, code: str, said: str
) -> None:
    page = phone.get("/find?" + urlencode({"code": code}))
    assert page.status_code == 404
    assert said in unescape(page.text)


def test_a_typed_number_leads_to_the_page(phone: Phone) -> None:
    page = phone.get("/find?code=9506000134352")
    assert str(page.url).endswith(f"/01/{SHIRT}")


def test_machines_read_the_product_in_the_page(phone: Phone) -> None:
    page = phone.get(f"/01/{SHIRT}").text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert found
    product = json.loads(found[1])
    offer = product["hasVariant"][0]["offers"]
    assert product["@type"] == "ProductGroup"
    assert (offer["price"], offer["priceCurrency"]) == ("59.00", "EUR")
    assert offer["availability"] == "https://schema.org/InStock"
    page = phone.get(f"/01/{MUG}").text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert found
    assert json.loads(found[1])["@type"] == "Product"


@pytest.mark.parametrize("path", ["/", f"/01/{SHIRT}", "/nothing", "/static/page.js"])
def test_every_answer_has_the_headers_that_protect_the_customer(phone: Phone, path: str) -> None:
    headers = phone.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "server" not in headers


def test_no_page_has_an_inline_script_or_style(phone: Phone) -> None:
    phone.put_into_cart(SHIRT, "SHIRT-BLUE")
    for path in ("/", f"/01/{SHIRT}", "/cart", "/collect"):
        page = phone.get(path).text
        scripts = re.findall(r"<script(?![^>]*ld\+json)([^>]*)>(.*?)</script>", page)
        assert scripts == [(' src="/static/page.js" defer', "")]
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(phone: Phone) -> None:
    cookie = phone.get("/").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # over plain HTTP it would not come back


def test_a_form_of_another_site_or_browser_does_nothing(shop: Shop, phone: Phone) -> None:
    fields = {"gtin": SHIRT, "sku": "SHIRT-BLUE", "quantity": "1"}
    phone.get(f"/01/{SHIRT}")
    form = phone.form
    assert phone.http.post("/cart", data=fields).status_code == 403
    assert phone.http.post("/cart", data={**fields, "form": "x"}).status_code == 403
    crossed = phone.http.post(
        "/cart", data={**fields, "form": form}, headers={"sec-fetch-site": "cross-site"}
    )
    assert crossed.status_code == 403
    with shop.phone().http as other:
        other.get("/")
        assert other.post("/cart", data={**fields, "form": form}).status_code == 403
    assert "Your cart is empty" in phone.get("/cart").text
    assert phone.http.post("/cart", data={**fields, "form": form}).status_code == 200


def test_a_cookie_that_was_tampered_with_is_a_new_customers(phone: Phone) -> None:
    phone.put_into_cart(SHIRT, "SHIRT-BLUE")
    value = phone.http.cookies["storebus_web-1"]
    phone.http.cookies.clear()
    other = "y" if value.startswith("x") else "x"
    answer = phone.get("/cart", cookie=f"storebus_web-1={other + value[1:]}")
    assert "Your cart is empty" in answer.text
    assert "set-cookie" in answer.headers


def test_a_cart_outlives_the_page_server(shop: Shop, phone: Phone) -> None:
    phone.put_into_cart(SHIRT, "SHIRT-BLUE")
    shop.restart_page()
    assert "Oxford shirt" in phone.get("/cart").text


def test_a_form_that_is_too_large_is_not_read(phone: Phone) -> None:
    phone.get("/collect")
    assert phone.post("/collect", code="1" * 20_000).status_code == 413


def test_hostile_texts_are_shown_as_texts(phone: Phone) -> None:
    phone.put_into_cart(SHIRT, "SHIRT-BLUE")
    page = phone.post(
        "/buy", **phone.shown, method="account", account='"><script>alert(1)</script>'
    )
    assert page.status_code == 422
    assert "<script>alert" not in page.text


def test_a_client_in_a_hurry_is_told_to_wait(tmp_path: Path) -> None:
    slow = GENEROUS.model_copy(update={"rate": 0.001, "burst": 3})
    with open_shop(tmp_path, slow) as shop:
        phone = shop.phone()
        with phone.http:
            assert [phone.get("/").status_code for _ in range(4)] == [200, 200, 200, 429]
            assert int(phone.page.headers["retry-after"]) > 0
            page = phone.get("/", **{"accept-language": "zh-CN"})
            assert page.status_code == 429
            assert page.text.startswith("一次打开的网页太多")


@pytest.mark.parametrize(
    ("accepts", "tag", "said"),
    [
        ("en-GB,en;q=0.9", "en", "Scan a label"),
        ("zh-TW,zh;q=0.9,en;q=0.5", "zh-Hant", "掃描"),
        ("zh-HK", "zh-Hant", "掃描"),
        ("de,zh-CN;q=0.8", "zh-Hans", "扫描"),
        ("zh", "zh-Hans", "扫描"),
        ("zh-TW;q=0.1,en;q=0.9", "en", "Scan a label"),
        ("de;q=x,,;;*", "en", "Scan a label"),
    ],
)
def test_the_page_speaks_what_the_browser_asks_for(
    phone: Phone, accepts: str, tag: str, said: str
) -> None:
    page = phone.get("/", **{"accept-language": accepts}).text
    assert f'<html lang="{tag}">' in page
    assert said in page


def test_the_language_that_was_chosen_stays_and_so_does_the_page(phone: Phone) -> None:
    phone.get(f"/01/{SHIRT}")
    page = phone.http.post(
        "/language",
        data={"form": phone.form, "language": "zh_Hant"},
        headers={"referer": str(phone.page.url)},
    )
    assert str(page.url).endswith(f"/01/{SHIRT}")
    assert "加入購物車" in page.text
    assert '<html lang="zh-Hant">' in phone.get("/cart").text


def test_the_switch_of_languages_leads_to_no_other_site(phone: Phone) -> None:
    phone.get("/")
    phone.http.follow_redirects = False
    for before in ("https://evil.example/", f"{phone.http.base_url}/evil.example", "", "//x"):
        answer = phone.http.post(
            "/language",
            data={"form": phone.form, "language": "en"},
            headers={"referer": before},
        )
        location = answer.headers["location"]
        assert location.startswith("/")
        assert not location.startswith("//")


@pytest.mark.parametrize("url", ["/p/plain-url", "/shop/%E8%A1%A3?id=7&x=1", "/p/deep/er"])
def test_whatever_url_the_catalog_has_registered_is_the_products_page(
    shop: Shop, phone: Phone, url: str
) -> None:
    found = shop.do(shop.store.terminals["terminal-1"].scan(SHIRT)).product.model_dump()
    product = {**found, "url": f"https://shop.example{url}"}
    shop.do(shop.store.ask(UPSERT, "catalog", Upsert.model_validate({"products": [product]})))
    try:
        page = phone.get(url)
        assert page.status_code == 200
        assert "Oxford shirt" in page.text
        assert f'/01/{SHIRT}>; rel="canonical"' in page.headers["link"]
        assert phone.get("/p/nobodys").status_code == 404
    finally:
        shop.do(shop.store.ask(UPSERT, "catalog", Upsert.model_validate({"products": [found]})))


@pytest.mark.parametrize(("path", "fields"), [("/cart", {"quantity": "1"}), ("/buy", {})])
def test_a_browser_that_keeps_no_cookies_is_told_so(
    phone: Phone, path: str, fields: dict[str, str]
) -> None:
    phone.get(f"/01/{SHIRT}")
    form = phone.form
    phone.http.cookies.clear()
    page = phone.http.post(path, data={"form": form, "gtin": SHIRT, "sku": "SHIRT-BLUE", **fields})
    assert page.status_code == 403
    assert "did not keep this shop's cookie" in unescape(page.text)
    assert "empty" not in page.text
