"""The cart: its lines, and what they cost together."""

from collections.abc import Callable, Iterable

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Label

from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.customer_session import typed_number
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.tap import Tap
from devices.terminal.kiosk.words import item_line, money


class CartPage(KioskPage):
    """Have more or fewer, and go on to pay."""

    FIRST = "#next"
    _typed = ("", "")
    """A style, and the digits of how many of it, while they are typed."""

    def title(self) -> str:
        """What it is."""
        return self.say("Your cart")

    def body(self) -> Iterable[Widget]:
        """Lines, what can be done with one of them, and the total."""
        yield Choices("items")
        changes = (("fewer", "−"), ("more", "+"), ("remove", self.say("Remove")))
        yield Horizontal(*(Tap(text, id=name) for name, text in changes), id="changes")
        yield Label("", id="total", markup=False)

    def buttons(self) -> Iterable[tuple[str, str]]:
        """For all of it; never where a page before has what is contrary to it."""
        yield "back", self.say("Go on shopping")
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

    def looked_at(self, name: str) -> None:
        """The buttons are for another line."""
        self._typed = self._typed if self._typed[0] == name else ("", "")
        self.draw()

    def _change(self, by: int) -> None:
        chosen = self.query_one("#items", Choices).chosen
        if chosen in self.guest.cart.items:
            self._typed = ("", "")
            self.guest.note = self.guest.cart.change(chosen, by)
            self.redraw()

    def typed(self, digit: str) -> None:
        """How many of the highlighted line."""
        sku = self.query_one("#items", Choices).chosen
        if sku is None or sku not in self.guest.cart.items:
            return
        before = self._typed[1] if self._typed[0] == sku else ""
        self._typed = (sku, typed_number(before, digit))
        self.guest.note = self.guest.cart.set(sku, int(self._typed[1] or 1))
        self.redraw()

    def keep(self) -> Callable[[], None]:
        """Digits of a scanner are not how many."""
        cart, before = self.guest.cart, dict(self.guest.cart.items)

        def undo() -> None:
            self._typed = ("", "")
            for sku, item in before.items():
                if sku in cart.items:
                    cart.set(sku, item.quantity)

        return undo

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
            self.post_message(self.Moved())
            self.redraw()

    def press_next(self) -> None:
        """Choose where to collect, and pay; not what cannot be had."""
        self.guest.note = self.guest.cart.trouble
        if self.guest.note is None:
            self.post_message(self.Go("pickup"))
        self.redraw()
