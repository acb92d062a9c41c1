"""The page of the cart: its lines and their total."""

from collections.abc import Callable, Iterable

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Label

from commerce.price import money_text
from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.customer_session import typed_number
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.tap import Tap
from devices.terminal.kiosk.words import item_line


class CartPage(KioskPage):
    """Change quantities, and go on to pay."""

    FIRST = "#next"
    _typed = ("", "")
    """The SKU whose quantity is being typed, and its digits."""

    def title(self) -> str:
        """The title."""
        return self.say("Your cart")

    def body(self) -> Iterable[Widget]:
        """Lines, buttons for the highlighted one, total."""
        yield Choices("items")
        changes = (("fewer", "−"), ("more", "+"), ("remove", self.say("Remove")))
        yield Horizontal(*(Tap(text, id=name) for name, text in changes), id="changes")
        yield Label("", id="total", markup=False)

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Go on shopping, or pay."""
        yield "back", self.say("Go on shopping")
        yield "next", self.say("Pay")

    def draw(self) -> None:
        """Show the items and the total."""
        cart = self.session.cart
        items = self.query_one("#items", Choices)
        chosen = items.chosen or next(iter(cart.items), None)
        rows = [
            (sku, ("▸ " if sku == chosen else "  ") + item_line(item, self.say, self.columns - 2))
            for sku, item in cart.items.items()
        ]
        items.show(self.airy(rows))
        total = cart.total
        text = (
            self.say("Total {price}", price=money_text(total))
            if total
            else self.say("It is empty.")
        )
        self.query_one("#total", Label).update(text)
        for name in ("fewer", "more", "remove", "next"):
            self.query_one(f"#{name}", Button).disabled = not cart.items

    def looked_at(self, name: str) -> None:
        """The buttons act on another line."""
        self._typed = self._typed if self._typed[0] == name else ("", "")
        self.draw()

    def _change(self, by: int) -> None:
        chosen = self.query_one("#items", Choices).chosen
        if chosen in self.session.cart.items:
            self._typed = ("", "")
            self.session.note = self.session.cart.change(chosen, by)
            self.redraw()

    def typed(self, digit: str) -> None:
        """Type the quantity of the highlighted line."""
        sku = self.query_one("#items", Choices).chosen
        if sku is None or sku not in self.session.cart.items:
            return
        before = self._typed[1] if self._typed[0] == sku else ""
        self._typed = (sku, typed_number(before, digit))
        self.session.note = self.session.cart.set(sku, int(self._typed[1] or 1))
        self.redraw()

    def keep(self) -> Callable[[], None]:
        """A scanner's digits are no quantity: restore the quantities."""
        cart, before = self.session.cart, dict(self.session.cart.items)

        def undo() -> None:
            self._typed = ("", "")
            for sku, item in before.items():
                if sku in cart.items:
                    cart.set(sku, item.quantity)

        return undo

    def press_fewer(self) -> None:
        """One piece fewer of the highlighted line."""
        self._change(-1)

    def press_more(self) -> None:
        """One piece more of it."""
        self._change(1)

    def press_remove(self) -> None:
        """Remove the highlighted line."""
        chosen = self.query_one("#items", Choices).chosen
        if chosen is not None:
            self.session.cart.remove(chosen)
            self.session.note = None
            self.post_message(self.Moved())
            self.redraw()

    def press_next(self) -> None:
        """Choose a pickup point and pay, if all items are in stock."""
        self.session.note = self.session.cart.trouble
        if self.session.note is None:
            self.post_message(self.Go("pickup"))
        self.redraw()
