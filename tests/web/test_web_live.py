"""An open page is kept up to date by server-sent events."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from running_store import PATIENCE
from shop import GENEROUS, MUG, SHIRT, Phone, Shop, open_shop


@contextmanager
def listening(phone: Phone, query: str) -> Iterator["Stream"]:
    """The stream of an open page."""
    with phone.http.stream("GET", f"/live{query}") as answer:
        yield Stream(answer)


class Stream:
    """Reads events."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def until_it_goes(self) -> str:
        """Where the page is sent."""
        return next(str(data) for event, data in self._events() if event == "go")

    def until(self, part: str, text: str = "") -> str:
        """The next content of a part that has this text."""
        return self.until_all({part: text})[part]

    def until_all(self, wanted: dict[str, str]) -> dict[str, str]:
        """The next content of each part that has its text, in whichever order they come."""
        found: dict[str, str] = {}
        for event, data in self._events():
            if event != "part" or data["id"] not in wanted:
                continue
            if wanted[data["id"]] in data["html"]:
                found[data["id"]] = data["html"]
                if found.keys() == wanted.keys():
                    return found
        raise AssertionError(f"the stream ended before {wanted}")

    def _events(self) -> Iterator[tuple[str, Any]]:
        event, deadline = "", time.monotonic() + PATIENCE
        for line in self._lines:
            assert time.monotonic() < deadline, "it never came"
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield event, json.loads(line.removeprefix("data: "))


def test_stock_changes_while_a_customer_looks(shop: Shop, phone: Phone) -> None:
    left = shop.available(MUG)
    with listening(phone, f"?gtin={MUG}") as stream:
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        stream.until(f"stock-{MUG}", f"{left} in stock")
        shop.stock("MUG", 7)
        stream.until(f"stock-{MUG}", f"{left + 7} in stock")


def test_a_purchase_sends_its_waiting_page_to_the_order(phone: Phone) -> None:
    phone.put_into_cart(MUG, "MUG")
    phone.http.follow_redirects = False
    token = phone.pay().headers["location"].rpartition("/")[2]
    with listening(phone, f"?purchase={token}") as stream:
        assert stream.until_it_goes() == f"/purchase/{token}"
    assert "/order/" in phone.get(f"/purchase/{token}").headers["location"]


def test_an_order_shows_the_sorter_at_work_and_then_the_reminder(shop: Shop, phone: Phone) -> None:
    shop.do(shop.store.quiet())  # else an earlier order is the one that stops there
    shop.store.machine.stops_at = "packing"
    order = phone.buy(SHIRT, "SHIRT-BLUE")
    with listening(phone, f"?order={order}") as stream:
        stream.until("progress", 'value="90"')
        shop.sorter_goes_on()
        told = stream.until_all({"banner": order, "progress": 'value="100"'})
        assert "Ready to collect: South" in told["banner"]
    page = phone.get("/")
    assert order in page.text
    phone.post(f"/order/{order}/noted")
    assert "Ready to collect" not in phone.get("/").text


def test_a_cart_filled_in_another_tab_is_counted_here(phone: Phone) -> None:
    phone.get("/")
    with listening(phone, "") as stream:
        phone.put_into_cart(MUG, "MUG", 3)
        stream.until("pieces", "3")


def test_only_so_many_pages_of_a_client_are_kept_up_to_date(tmp_path: Path) -> None:
    one = GENEROUS.model_copy(update={"streams_per_client": 1})
    with open_shop(tmp_path, one) as shop:
        phone = shop.phone()
        with phone.http:
            phone.get("/")
            with listening(phone, "") as stream:
                stream.until("banner")
                assert phone.get("/live").status_code == 503
            shop.until(lambda: not shop.page.site.customers.notifier._subscriptions)
            with listening(phone, "") as stream:
                stream.until("banner")
