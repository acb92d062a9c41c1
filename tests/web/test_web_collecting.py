"""At the pickup point: the sign's page, collecting by code, and asking by it where the order is."""

import time
from pathlib import Path

import pytest
from shop import MUG, Phone, Shop, open_shop

from cli.main import main
from devices.terminal.scanner import read_image
from devices.terminal.web import domain


def ready(shop: Shop, phone: Phone) -> str:
    """Buy something that is brought to the south; its pickup code, once it is there."""
    order = phone.buy(MUG, "MUG")
    return shop.do(shop.page.customers.reminded(order)).pickup_code


def another(code: str) -> str:
    """A code that is nobody's."""
    return "000000" if code != "000000" else "000001"


def test_the_sign_of_a_pickup_point_leads_to_its_page(phone: Phone) -> None:
    page = phone.get("/pickup/south")
    assert page.status_code == 200
    assert "<h1>South</h1>" in page.text
    assert "type your pickup code, then take your parcel" in page.text
    assert "取貨碼" in phone.get("/pickup/south", **{"accept-language": "zh-TW"}).text


@pytest.mark.parametrize("point", ["east", "South", "%00", "x" * 400])
def test_a_sign_of_no_pickup_point_leads_nowhere(phone: Phone, point: str) -> None:
    assert phone.get(f"/pickup/{point}").status_code == 404


def test_who_stands_at_the_point_asks_and_collects(shop: Shop, phone: Phone) -> None:
    code = ready(shop, phone)
    with shop.phone().http:
        somebody = shop.phone()
        somebody.get("/pickup/south")
        page = somebody.post("/pickup/south", code=code, do="ask")
        assert page.status_code == 200
        assert "Your goods are ready." in page.text
        assert "Collect it here: South" in page.text
        assert "has been handed over" in somebody.post("/pickup/south", code=code).text
        somebody.http.close()


def test_who_stands_at_the_wrong_point_is_told_the_right_one(shop: Shop, phone: Phone) -> None:
    code = ready(shop, phone)
    phone.get("/pickup/north")
    page = phone.post("/pickup/north", code=code, do="collect")
    assert page.status_code == 409
    assert "This order goes to another pickup point: South." in page.text
    assert "has been handed over" in phone.post("/pickup/south", code=code, do="collect").text


def test_codes_that_are_only_asked_for_count_as_guesses(shop: Shop, phone: Phone) -> None:
    code = ready(shop, phone)
    phone.get("/pickup/north")
    for _ in range(4):
        assert phone.post("/pickup/north", code=another(code), do="ask").status_code == 422
    assert phone.post("/pickup/north", code=another(code), do="ask").status_code == 429
    assert phone.post("/collect", code=code).status_code == 429


def test_the_collection_code_of_an_order_bought_by_phone_is_printed(
    shop: Shop, phone: Phone, tmp_path: Path
) -> None:
    order = phone.buy(MUG, "MUG")
    with pytest.raises(SystemExit) as ended:
        main(["labels", "--code", order, "--data", str(shop._data), "--out", str(tmp_path)])
    assert not ended.value.code
    (code,) = read_image(tmp_path / f"collect-{order}.png")
    assert code == shop.do(shop.page.customers.reminded(order)).pickup_code


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345x", "一二三四五六", "١٢٣٤٥٦"])
def test_what_is_no_pickup_code_is_told_and_is_no_guess(phone: Phone, code: str) -> None:
    phone.get("/collect")
    for _ in range(6):
        page = phone.post("/collect", code=code)
        assert page.status_code == 422
        assert "A pickup code has six digits." in page.text


def test_five_wrong_pickup_codes_lock_the_browser_and_say_for_how_long(
    shop: Shop, phone: Phone
) -> None:
    code = ready(shop, phone)
    wrong = another(code)
    phone.get("/collect")
    for _ in range(4):
        assert phone.post("/collect", code=wrong).status_code == 422
    page = phone.post("/collect", code=wrong)
    assert page.status_code == 429
    assert "Too many wrong codes. You can try again in 60 seconds" in page.text
    assert phone.post("/collect", code=code).status_code == 429
    shop.restart_page()
    assert phone.post("/collect", code=code).status_code == 429
    other = shop.phone()
    with other.http:
        other.get("/collect")
        assert "has been handed over" in other.post("/collect", code=code).text


def test_wrong_codes_of_one_phone_lock_nobody_else_at_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is answered slowly instead, save whoever bought the order with this browser."""
    monkeypatch.setattr(domain, "FREE_AT_ADDRESS", 5)
    monkeypatch.setattr(domain, "SLOWEST", 0.5)
    with open_shop(tmp_path) as shop:
        buyer = shop.phone()
        code = ready(shop, buyer)
        guesser = shop.phone()
        guesser.get("/collect")
        for _ in range(5):
            page = guesser.post("/collect", code=another(code))
        assert page.status_code == 429
        friend = shop.phone()
        friend.get("/collect")
        began = time.monotonic()
        assert "Order" in friend.post("/collect", code=code, do="ask").text
        assert time.monotonic() - began >= 0.5
        assert friend.page.status_code == 200
        buyer.get("/collect")
        monkeypatch.setattr(domain, "SLOWEST", 3600.0)
        monkeypatch.setattr(domain, "FREE_AT_ADDRESS", -11)
        assert "has been handed over" in buyer.post("/collect", code=code).text
        for each in (buyer, guesser, friend):
            each.http.close()
