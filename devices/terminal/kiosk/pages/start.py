"""The first page: scan, or type; the language; orders under way; collect a parcel."""

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
"""Each in its own language, so that everybody finds theirs."""


class StartPage(KioskPage):
    """Where everybody begins."""

    FIRST = "#code"

    def title(self) -> str:
        """What to do."""
        return self.say("Welcome. Scan a label, or type what you look for.")

    def body(self) -> Iterable[Widget]:
        """Languages, the field, what was found."""
        languages = [
            Tap(
                f"● {name}" if code == self.guest.language else name,
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
        """Where to from here."""
        yield "all", self.say("All products")
        yield "cart", self.say("Cart")
        yield "orders", self.say("Orders")
        yield "collect", self.say("Collect")

    def draw(self) -> None:
        """What was found, and how full the cart is."""
        rows = [(each.id, product_line(each, self.say, self.columns)) for each in self.guest.found]
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
        pieces, waiting = self.guest.cart.pieces, len(self.attendant.orders.all())
        self.query_one("#cart", Button).label = self.say("Cart") + (f" ({pieces})" * bool(pieces))
        self.query_one("#orders", Button).label = self.say("Orders") + (
            f" ({waiting})" * bool(waiting)
        )

    def picked(self, name: str) -> None:
        """A product."""
        product = next((each for each in self.guest.found if each.id == name), None)
        if product is not None:
            self.guest.look(product, None)
            self.redraw()

    def press_next(self) -> None:
        """Find what was typed."""
        self.show_letters(False)
        self.serve(self.attendant.find(self.query_one("#code", Input).value))

    def press_find(self) -> None:
        """The same by touch."""
        self.press_next()

    def press_all(self) -> None:
        """Everything that is sold."""
        self.show_letters(False)
        self.serve(self.attendant.find(""))

    def press_orders(self) -> None:
        """The orders under way."""
        self.post_message(self.Go("orders"))

    def press_collect(self) -> None:
        """Collect a parcel."""
        self.post_message(self.Go("collect"))

    def speak(self, language: str) -> None:
        """Another language from now on."""
        self.guest.language = language
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
