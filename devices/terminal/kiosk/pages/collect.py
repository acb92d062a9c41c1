"""Collect a parcel by its pickup code."""

from collections.abc import Iterable

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input

from devices.terminal.kiosk.keypad import Keypad
from devices.terminal.kiosk.pages.base import KioskPage


class CollectPage(KioskPage):
    """Six digits, by keys or by touch."""

    FIRST = "#pickup-code"

    def title(self) -> str:
        """What to do."""
        return self.say("Type your pickup code: six digits")

    def body(self) -> Iterable[Widget]:
        """The field and digits to tap."""
        yield Input(placeholder="······", id="pickup-code", max_length=6, restrict="[0-9]*")
        yield Horizontal(Keypad("#pickup-code", "OK", self.press_next), id="pad")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Back or collect."""
        yield "back", self.say("Back")
        yield "next", self.say("Collect")

    def draw(self) -> None:
        """While too many codes were wrong, none can be tried."""
        lock = self.attendant.lock
        if lock is not None:
            self.guest.note = lock
        self.query_one("#next", Button).disabled = lock is not None or self.guest.is_busy

    def press_next(self) -> None:
        """Try the code, and do not leave it on the screen."""
        field = self.query_one("#pickup-code", Input)
        code, field.value = field.value, ""
        self.serve(self.attendant.collect(code))
