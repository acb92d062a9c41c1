"""Pay with an account or a card's token."""

from collections.abc import Iterable

from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Label

from devices.terminal.kiosk.keypad import Keypad
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.tap import Tap
from devices.terminal.kiosk.words import money, point_name


class PayPage(KioskPage):
    """The last step; pressing twice pays once."""

    FIRST = "#method"
    IS_KEPT = False

    def title(self) -> str:
        """How much, and where it will be."""
        total = self.guest.cart.total
        point = self.guest.point
        return self.say(
            "Pay {price}; collect at {point}",
            price=money(total) if total else "",
            point=point_name(point, self.attendant.points) if point else "?",
        )

    def body(self) -> Iterable[Widget]:
        """The field, digits to tap, and sample methods."""
        yield Input(placeholder=self.say("account, such as C-1001, or card token"), id="method")
        samples = [
            Tap(each, name=each, classes="sample", id=f"sample-{place}")
            for place, each in enumerate(self.settings.samples)
        ]
        with_heading = [Label(self.say("To try it out:")), *samples] if samples else []
        keypad = Keypad("#method", "C-", self._account)
        yield Horizontal(keypad, Vertical(*with_heading, id="samples"), id="pad")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Back or pay."""
        yield "back", self.say("Back")
        yield "next", self.say("Pay now")

    def draw(self) -> None:
        """While it is paid, nothing else can be done."""
        for name in ("back", "next"):
            self.query_one(f"#{name}", Button).disabled = self.guest.is_busy

    def pressed(self, button: Button) -> None:
        """A sample fills the field."""
        if not button.has_class("sample"):
            super().pressed(button)
            return
        self.query_one("#method", Input).value = button.name or ""
        self.query_one("#next", Button).focus()

    def _account(self) -> None:
        """Begin an account's number."""
        self.query_one("#method", Input).value = "C-"
        self.query_one("#method", Input).cursor_position = 2

    def press_next(self) -> None:
        """Pay."""
        self.serve(self.attendant.pay(self.query_one("#method", Input).value))
