"""A connection that dies without a word: the page notices, and is up to date again."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from browsing import Browser, running_browser
from selenium.common.exceptions import TimeoutException
from shop import GENEROUS, MUG, Shop, open_shop

EAGER = GENEROUS.model_copy(update={"heartbeat": 0.3})


class Relay:
    """Between browser and page; it can let what is open now lead nowhere, with no word to either.

    What is opened afterwards goes through.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._dead: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Nothing comes through on what is open now."""
        self._dead.update(self._open)

    def close(self) -> None:
        """End it."""
        self._listener.close()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                browser, _ = self._listener.accept()
                page = socket.create_connection(self._target)
                self._open += [browser, page]
                for ends in ((browser, page), (page, browser)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                if source not in self._dead:
                    sink.sendall(piece)
            if source not in self._dead:
                sink.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One whose pages expect a word every 0.3 s."""
    with open_shop(tmp_path_factory.mktemp("shop"), EAGER) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A customer's."""
    with running_browser() as opened:
        opened.new_customer()
        yield opened


@contextmanager
def relayed(shop: Shop) -> Iterator[Relay]:
    """A relay before the page."""
    between = Relay(("127.0.0.1", int(shop.url.rpartition(":")[2])))
    try:
        yield between
    finally:
        between.close()


def test_a_page_whose_connection_is_silent_connects_anew(shop: Shop, browser: Browser) -> None:
    with relayed(shop) as relay:
        browser.get(f"{relay.url}/01/{MUG}")
        left = shop.available(MUG)
        shop.stock("MUG", 1)
        browser.until_shows(f"{left + 1} in stock")  # it listens
        relay.fall_silent()
        shop.stock("MUG", 1)
        browser.until_shows(f"{left + 2} in stock")


def test_a_page_that_is_looked_at_again_asks_at_once_what_it_missed(
    browser: Browser, tmp_path: Path
) -> None:
    """It would notice by itself, too, but not before 45 s have passed."""
    with open_shop(tmp_path, GENEROUS) as shop, relayed(shop) as relay:
        browser.get(f"{relay.url}/01/{MUG}")
        left = shop.available(MUG)
        shop.stock("MUG", 1)
        browser.until_shows(f"{left + 1} in stock")
        relay.fall_silent()
        shop.stock("MUG", 1)
        shop.until(lambda: shop.available(MUG) == left + 2)
        assert f"{left + 2} in stock" not in browser.text

        def looked_at_again() -> bool:
            """Each time it may take another of the connections that it kept, and all are dead."""
            browser.driver.execute_script("document.dispatchEvent(new Event('visibilitychange'));")
            with suppress(TimeoutException):
                browser.until_shows(f"{left + 2} in stock", patience=2.0)
            return f"{left + 2} in stock" in browser.text

        assert any(looked_at_again() for _ in range(6))
