"""A store with its phone page in a thread of its own, so that tests can be a browser beside it."""

import asyncio
import re
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any, TypeVar

import httpx
from plug import Plug
from running_store import FAST, PATIENCE, FaultyBroker, Store, running_store

from bus.contract.catalog import UPSERT, Upsert
from bus.contract.warehouse import RECEIVE, Receive
from devices.terminal.web.server import RunningPage, running_page
from devices.terminal.web.settings import WebSettings

T = TypeVar("T")
SHIRT, RED, MUG = "09506000134352", "09506000134369", "00000040170725"
"""The GTINs of what the store sells."""
GENEROUS = WebSettings(port=0, rate=10_000, burst=10_000, streams_per_client=1000)


class Shop:
    """The store, its page, and how to make it do something from another thread."""

    def __init__(
        self, data: Path, settings: WebSettings = GENEROUS, patience: float = 60.0
    ) -> None:
        self._patience = patience
        self.broker = FaultyBroker()
        self.plug = Plug(self.broker)
        """The page server's."""
        self._data = data
        self._settings = settings
        self._opened: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="shop")
        self._loop: asyncio.AbstractEventLoop
        self._closing: asyncio.Event
        self._page: AsyncExitStack
        self.store: Store
        self.page: RunningPage

    async def _serve(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with running_store(self.broker, self._data, settings=FAST) as self.store:
                await self._with_taxes()
                await self._open_page()
                self._opened.set_result(None)
                await self._closing.wait()
                await self._page.aclose()
        except BaseException as error:
            if not self._opened.done():
                self._opened.set_exception(error)
            raise

    async def _with_taxes(self) -> None:
        products = (await self.store.terminals["terminal-1"].scan(SHIRT)).product.model_dump()
        for style in products["styles"]:
            style["tax_rate"] = 2000
        await self.store.ask(UPSERT, "catalog", Upsert.model_validate({"products": [products]}))

    async def _open_page(self) -> None:
        self._page = AsyncExitStack()
        place = replace(self.store.deployment, connector=self.plug)
        serving = running_page(
            place, self._settings, "The Shop", "shop.example", patience=self._patience
        )
        self.page = await self._page.enter_async_context(serving)

    def open(self) -> None:
        """Open; returns when customers can come."""
        self._thread.start()
        self._opened.result(60)

    def close(self) -> None:
        """Close; what went wrong comes out here."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(60)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the store's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def restart_page(self) -> None:
        """The page server ends and starts again, on the same port."""
        port = int(self.page.url.rpartition(":")[2])
        self._settings = self._settings.model_copy(update={"port": port})

        async def again() -> None:
            await self._page.aclose()
            await self._open_page()

        self.do(again())

    @property
    def url(self) -> str:
        """Where the page is."""
        return self.page.url

    def stock(self, sku: str, quantity: int) -> None:
        """Bring goods in."""
        goods = Receive(sku=sku, location="A-01-1", quantity=quantity)
        self.do(self.store.ask(RECEIVE, "warehouse", goods))

    def available(self, gtin: str) -> int:
        """How many are left to be sold."""
        found = self.do(self.store.terminals["terminal-1"].scan(gtin))
        return next(each.available for each in found.product.styles if each.gtin == gtin)

    def buy_all_but(self, sku: str, gtin: str, left: int) -> None:
        """Others buy, or goods come in, until so many are left."""
        now = self.available(gtin)
        if now < left:
            self.stock(sku, left - now)
            self.until(lambda: self.available(gtin) == left)
        elif now > left:
            self.do(self.store.buy({sku: now - left}))

    def sorter_goes_on(self) -> None:
        """Where a sorter stopped or was to stop, it stops no longer."""

        async def go_on() -> None:
            self.store.machine.go_on()

        self.do(go_on())

    def until(self, condition: Any) -> None:
        """Wait until something in the store is so."""

        async def wait() -> None:
            async with asyncio.timeout(PATIENCE):
                while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - many things
                    await asyncio.sleep(0.005)

        self.do(wait())

    def purchases(self) -> int:
        """How many purchases were sent to settlement."""
        sent = self.broker.sent("settlement/purchase")
        return len({message.payload for message in sent if "/req/" in message.topic})

    def phone(self, **headers: str) -> "Phone":
        """A customer's browser without scripts."""
        return Phone(self.url, headers)


@contextmanager
def open_shop(
    data: Path, settings: WebSettings = GENEROUS, patience: float = 60.0
) -> Iterator[Shop]:
    """A shop that is open inside the context; purchases are waited for so many seconds."""
    shop = Shop(data, settings, patience)
    shop.open()
    try:
        yield shop
    finally:
        shop.close()


class Phone:
    """A browser without scripts: gets pages, fills in their forms."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.http = httpx.Client(base_url=url, headers=headers, follow_redirects=True, timeout=30)
        self.page: httpx.Response

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        self.page = self.http.get(path, headers=headers)
        return self.page

    @property
    def form(self) -> str:
        """The token that this page's forms carry."""
        found = re.search(r'name="form" value="([^"]+)"', self.page.text)
        assert found, self.page.text
        return found[1]

    def field(self, name: str) -> str:
        """What a hidden field of the page holds."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page.text)
        assert found, self.page.text
        return unescape(found[1])

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the page that is open."""
        self.page = self.http.post(path, data={"form": self.form, **fields})
        return self.page

    def put_into_cart(self, gtin: str, sku: str, quantity: int = 1) -> httpx.Response:
        """Scan a label and put a style into the cart."""
        self.get(f"/01/{gtin}")
        return self.post("/cart", gtin=gtin, sku=sku, quantity=str(quantity))

    def pay(self, account: str = "C-1001") -> httpx.Response:
        """Pay what lies in the cart, on its page."""
        return self.post("/buy", **self.shown, method="account", account=account, pickup="south")

    @property
    def shown(self) -> dict[str, str]:
        """What the open page of the cart says that is bought."""
        return {name: self.field(name) for name in ("cart", "goods", "total")}

    def wait_for_the_answer(self) -> httpx.Response:
        """Load the page of a purchase again, as it does by itself, until it is known."""
        deadline = time.monotonic() + PATIENCE
        while "under way" in self.page.text:
            assert time.monotonic() < deadline, "the purchase was never answered"
            self.get(str(self.page.url))
        return self.page

    def buy(self, gtin: str, sku: str, quantity: int = 1) -> str:
        """Buy; returns the order."""
        self.put_into_cart(gtin, sku, quantity)
        self.pay()
        self.wait_for_the_answer()
        assert "/order/" in str(self.page.url), self.page.text
        return str(self.page.url).rpartition("/")[2]
