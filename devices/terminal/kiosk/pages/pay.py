"""The page where the cart is paid with an account or a card token."""

from collections.abc import Iterable

from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input, Label

from bus.text.safe import visible
from commerce.price import money_text
from devices.terminal.kiosk.customer_session import is_account
from devices.terminal.kiosk.keypad import Keyboard, Keypad
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.prose import Prose
from devices.terminal.kiosk.tap import Tap
from devices.terminal.kiosk.words import point_name


class PayPage(KioskPage):
    """The last step; pressing the button twice pays once."""

    FIRST = "#method"
    IS_KEPT = False

    def title(self) -> str:
        """The total and the pickup point."""
        total = self.session.quoted
        point = self.session.point
        return self.say(
            "Pay {price}; collect at {point}",
            price=money_text(total) if total else "",
            point=point_name(point, self.controller.points) if point else "?",
        )

    def body(self) -> Iterable[Widget]:
        """The field, on-screen keys, and samples."""
        yield Input(id="method")
        samples = [
            Tap(each, name=each, classes="sample", id=f"sample-{place}")
            for place, each in enumerate(self.settings.samples)
        ]
        with_heading = [Label(self.say("To try it out:")), *samples] if samples else []
        keypad = Keypad("#method", "C-", self._account)
        yield Horizontal(keypad, Vertical(*with_heading, id="samples"), id="pad")
        yield Keyboard("#method", "⏎", self.press_next)

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Back, on-screen letters, or pay."""
        yield "back", self.say("Back")
        yield "letters", "ABC"
        yield "next", self.say("Pay now")

    def enter(self) -> None:
        """Remember the total that the customer is shown."""
        self.session.quoted = self.session.cart.total
        super().enter()

    def draw(self) -> None:
        """Show the total and the payment methods; disable the buttons while paying."""
        self.query_one("#title", Prose).show(visible(self.title()))
        cards, field = self.controller.takes_cards, self.query_one("#method", Input)
        field.placeholder = (
            self.say("account, such as C-1001, or card token")
            if cards
            else self.say("account, such as C-1001")
        )
        self.query_one("#pad").display = not self.has_letters
        self.query_one("#letters", Button).label = "123" if self.has_letters else "ABC"
        for sample in self.query(".sample"):
            sample.display = cards or is_account(sample.name or "")
        for name in ("back", "next"):
            self.query_one(f"#{name}", Button).disabled = self.session.is_busy

    def pressed(self, button: Button) -> None:
        """A sample fills in the field."""
        if not button.has_class("sample"):
            super().pressed(button)
            return
        self.query_one("#method", Input).value = button.name or ""
        self.query_one("#next", Button).focus()

    def _account(self) -> None:
        """Begin an account number."""
        self.query_one("#method", Input).value = "C-"
        self.query_one("#method", Input).cursor_position = 2

    def press_next(self) -> None:
        """Pay."""
        self.serve(self.controller.pay(self.query_one("#method", Input).value))
