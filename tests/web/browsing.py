"""A customer in a real browser: headless Chromium, driven by its own driver."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from needs import find, require
from running_store import PATIENCE
from selenium import webdriver
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

T = TypeVar("T")
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)
_MOMENTARY = (NoSuchElementException, StaleElementReferenceException)
"""While a page loads itself again, or replaces a part of itself."""
PHONE, DESKTOP = (390, 844), (1280, 900)


class Browser:
    """One browser with the cookies of one customer at a time."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def new_customer(self, size: tuple[int, int] = PHONE, scheme: str = "light") -> None:
        """Forget everything; a screen of this size, a light or dark one."""
        self.driver.get("about:blank")
        self._tell("Network.clearBrowserCookies")
        self.scripts(on=True)
        width, height = size
        self._tell(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < DESKTOP[0],
        )  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._tell("Emulation.setEmulatedMedia", features=features)

    def scripts(self, *, on: bool) -> None:
        """Switch JavaScript off and on."""
        self._tell("Emulation.setScriptExecutionDisabled", value=not on)

    def get(self, url: str) -> None:
        """Open a page."""
        self.driver.get(url)

    def click(self, selector: str) -> None:
        """Tap something, as soon as it is there."""
        self._with(selector, WebElement.click)

    def type(self, selector: str, keys: str) -> None:
        """Press these keys in a field, as soon as it is there."""
        self._with(selector, lambda field: field.send_keys(keys))

    def shown(self, selector: str) -> str:
        """The text of something, as soon as it is there."""
        return self._with(selector, lambda found: found.text)

    def attribute(self, selector: str, name: str) -> str | None:
        """An attribute of something, as soon as it is there."""
        return self._with(selector, lambda found: found.get_attribute(name))

    def _with(self, selector: str, act: Callable[[WebElement], T]) -> T:
        """Find something and act on it at once; again when the page replaced it in between."""

        def found_and_done(driver: webdriver.Chrome) -> tuple[T]:
            return (act(driver.find_element(By.CSS_SELECTOR, selector)),)

        wait = WebDriverWait(self.driver, PATIENCE, 0.02, _MOMENTARY)
        return wait.until(found_and_done, f"{selector} never came")[0]

    def until_shows(self, *texts: str, patience: float = PATIENCE) -> str:
        """Wait until the page shows one of these texts, loaded again or not; which it is."""

        def shown(_: webdriver.Chrome) -> str | None:
            body = self.text
            return next((text for text in texts if text in body), None)

        # Of a page that goes away the driver says so in many ways.
        wait = WebDriverWait(self.driver, patience, 0.02, (WebDriverException,))
        found = wait.until(shown, f"{texts} never came")
        assert found is not None
        return found

    def until_drawn(self, image: str) -> None:
        """Wait until a picture of the page is there, and is in sight."""
        script = (
            "const image = document.querySelector(arguments[0]); image?.scrollIntoView();"
            "return Boolean(image?.complete && image.naturalWidth)"
        )
        WebDriverWait(self.driver, PATIENCE, 0.02, (WebDriverException,)).until(
            lambda driver: driver.execute_script(script, image)
        )

    @property
    def text(self) -> str:
        """What the page shows now."""
        return str(self.driver.execute_script("return document.body?.innerText ?? ''"))

    @property
    def path(self) -> str:
        """Where it is."""
        return "/" + self.driver.current_url.split("/", 3)[3]

    def until_at(self, part: str) -> None:
        """Wait until it is at a page."""
        WebDriverWait(self.driver, PATIENCE, 0.02, _MOMENTARY).until(lambda _: part in self.path)

    def picture(self, file: Path) -> bytes:
        """A picture of the page."""
        self.driver.save_screenshot(str(file))
        return file.read_bytes()

    def complaints(self) -> list[str]:
        """What the browser complained of: blocked scripts and styles, errors in ours."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if "409" not in entry["message"]
        ]

    def _tell(self, command: str, **arguments: object) -> None:
        self.driver.execute_cdp_cmd(command, arguments)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless Chromium; skips where there is none."""
    require("chromium")
    chromium = find("chromium") or find("chromium-browser")
    driver = find("chromedriver")
    assert chromium
    assert driver
    with tempfile.TemporaryDirectory(
        prefix="storebus-browser-", ignore_cleanup_errors=True
    ) as home:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for option in (*_OPTIONS, f"--user-data-dir={home}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        chrome = webdriver.Chrome(options, webdriver.ChromeService(driver))
        try:
            yield Browser(chrome)
        finally:
            chrome.quit()
