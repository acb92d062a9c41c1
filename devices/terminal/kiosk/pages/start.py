"""The start page: search, language, and the way to cart, orders and collection."""

from collections.abc import Iterable

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input, Label

from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.keypad import Keyboard
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.tap import Tap
from devices.terminal.kiosk.words import product_line

LANGUAGES = {"en": "English", "zh_Hant": "繁體中文", "zh_Hans": "简体中文"}
"""The languages, each named in itself."""


class StartPage(KioskPage):
    """The page that every session begins with."""

    FIRST = "#code"

    def title(self) -> str:
        """The title."""
        return self.say("Welcome. Scan a label, or type what you are looking for.")

    def body(self) -> Iterable[Widget]:
        """Languages, search field, results."""
        languages = [
            Tap(
                f"● {name}" if code == self.session.language else name,
                id=code, classes="language",
            )
            for code, name in LANGUAGES.items()
        ]  # fmt: skip
        yield Horizontal(*languages, id="languages")
        field = Input(placeholder=self.say("number on the label, or words"), id="code")
        letters = Tap("ABC", id="letters")
        yield Horizontal(field, letters, Tap(self.say("Find"), id="find"), id="search")
        yield Keyboard("#code", "⏎", self.press_next)
        yield Label("", id="hint")
        yield Choices("found")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """All products, cart, orders, collect."""
        yield "all", self.say("All products")
        yield "cart", self.say("Cart")
        yield "orders", self.say("Orders")
        yield "collect", self.say("Collect")

    def draw(self) -> None:
        """Show the results, and the counts on the buttons."""
        rows = [
            (each.id, product_line(each, self.say, self.columns)) for each in self.session.found
        ]
        found = self.query_one("#found", Choices)
        found.show(self.airy(rows))
        found.display = bool(rows) and not self.has_letters
        self.query_one("#languages").display = not self.has_letters
        hint = self.query_one("#hint", Label)
        hint.display = not rows and not self.has_letters
        hint.update(
            "\n┌───────────────┐\n│ ▌▐█ ▌▌█▐ ▐▌█▐ │\n│ ▌▐█ ▌▌█▐ ▐▌█▐ │\n└───────────────┘\n"
            + self.say("Hold a label to the scanner.")
        )
        pieces, waiting = self.session.cart.pieces, len(self.controller.orders.all())
        self.query_one("#cart", Button).label = self.say("Cart") + (f" ({pieces})" * bool(pieces))
        self.query_one("#orders", Button).label = self.say("Orders") + (
            f" ({waiting})" * bool(waiting)
        )

    def picked(self, name: str) -> None:
        """Show a product."""
        product = next((each for each in self.session.found if each.id == name), None)
        if product is not None:
            self.session.look(product, None)
            self.redraw()

    def press_next(self) -> None:
        """Search for what was typed."""
        self.show_letters(False)
        self.serve(self.controller.find(self.query_one("#code", Input).value))

    def press_find(self) -> None:
        """Search, by touch."""
        self.press_next()

    def press_all(self) -> None:
        """Show all products."""
        self.show_letters(False)
        self.serve(self.controller.find(""))

    def press_orders(self) -> None:
        """Go to the open orders."""
        self.post_message(self.Go("orders"))

    def press_collect(self) -> None:
        """Go to the page where parcels are collected."""
        self.post_message(self.Go("collect"))

    def speak(self, language: str) -> None:
        """Switch the language."""
        self.session.language = language
        self.redraw()

    def press_en(self) -> None:
        """English."""
        self.speak("en")

    def press_zh_Hant(self) -> None:  # noqa: N802 - named as the language
        """Traditional Chinese."""
        self.speak("zh_Hant")

    def press_zh_Hans(self) -> None:  # noqa: N802 - named as the language
        """Simplified Chinese."""
        self.speak("zh_Hans")
