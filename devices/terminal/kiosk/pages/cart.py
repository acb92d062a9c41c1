"""The cart: its lines, and what they cost together."""

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Button, Label

from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.words import item_line, money


class CartPage(KioskPage):
    """Have more or fewer, and go on to pay."""

    FIRST = "#next"

    def title(self) -> str:
        """What it is."""
        return self.say("Your cart")

    def body(self) -> Iterable[Widget]:
        """Lines and total."""
        yield Choices("items")
        yield Label("", id="total", markup=False)

    def buttons(self) -> Iterable[tuple[str, str]]:
        """For the highlighted line, and for all of it."""
        yield "back", self.say("Go on shopping")
        yield "fewer", "−"
        yield "more", "+"
        yield "remove", self.say("Remove")
        yield "next", self.say("Pay")

    def draw(self) -> None:
        """What is in it now."""
        cart = self.guest.cart
        items = self.query_one("#items", Choices)
        chosen = items.chosen or next(iter(cart.items), None)
        rows = [
            (sku, ("▸ " if sku == chosen else "  ") + item_line(item, self.say, self.columns - 2))
            for sku, item in cart.items.items()
        ]
        items.show(self.airy(rows))
        total = cart.total
        text = self.say("Total {price}", price=money(total)) if total else self.say("It is empty.")
        self.query_one("#total", Label).update(text)
        for name in ("fewer", "more", "remove", "next"):
            self.query_one(f"#{name}", Button).disabled = not cart.items

    def looked_at(self, name: str) -> None:  # noqa: ARG002 - as in KioskPage
        """The buttons are for another line."""
        self.draw()

    def _change(self, by: int) -> None:
        chosen = self.query_one("#items", Choices).chosen
        if chosen in self.guest.cart.items:
            self.guest.note = self.guest.cart.change(chosen, by)
            self.redraw()

    def press_fewer(self) -> None:
        """One less of the highlighted line."""
        self._change(-1)

    def press_more(self) -> None:
        """One more of it."""
        self._change(1)

    def press_remove(self) -> None:
        """None of it."""
        chosen = self.query_one("#items", Choices).chosen
        if chosen is not None:
            self.guest.cart.remove(chosen)
            self.guest.note = None
            self.redraw()

    def press_next(self) -> None:
        """Choose where to collect, and pay; not what cannot be had."""
        self.guest.note = self.guest.cart.trouble
        if self.guest.note is None:
            self.post_message(self.Go("pickup"))
        self.redraw()
