"""The page where a parcel is collected by its pickup code."""

from collections.abc import Iterable

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input

from devices.terminal.kiosk.keypad import Keypad
from devices.terminal.kiosk.pages.base import KioskPage


class CollectPage(KioskPage):
    """Type six digits, with keys or on the screen."""

    FIRST = "#pickup-code"

    def title(self) -> str:
        """The title."""
        return self.say("Type your pickup code: six digits")

    def body(self) -> Iterable[Widget]:
        """The field and on-screen digits."""
        yield Input(placeholder="······", id="pickup-code", max_length=6, restrict="[0-9]*")
        yield Horizontal(Keypad("#pickup-code", "OK", self.press_next), id="pad")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Back, or collect."""
        yield "back", self.say("Back")
        yield "next", self.say("Collect")

    def draw(self) -> None:
        """Disable the button while no code may be tried."""
        lock = self.controller.lock
        if lock is not None:
            self.session.note = lock
        self.query_one("#next", Button).disabled = lock is not None or self.session.is_busy

    def press_next(self) -> None:
        """Try the code, and clear the field."""
        field = self.query_one("#pickup-code", Input)
        code, field.value = field.value, ""
        self.serve(self.controller.collect(code))
