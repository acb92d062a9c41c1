"""A product: its styles, and how many of each are left while the customer looks."""

from collections.abc import Callable, Iterable

from textual.widget import Widget
from textual.widgets import Button

from bus.text.safe import visible
from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.prose import Prose
from devices.terminal.kiosk.words import style_line


class ProductPage(KioskPage):
    """Choose a style and how many."""

    FIRST = "#styles"

    def title(self) -> str:
        """The product's name."""
        return self.guest.product.name if self.guest.product is not None else ""

    def body(self) -> Iterable[Widget]:
        """Description and styles."""
        yield Prose("", "text")
        yield Choices("styles")

    def enter(self) -> None:
        """Another product."""
        super().enter()
        product = self.guest.product
        text = visible(product.description) if product is not None else ""
        self.query_one("#text", Prose).show(text)

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Fewer, more, into the cart."""
        yield "back", self.say("Back")
        yield "fewer", "−"
        yield "more", "+"
        yield "next", self.say("Add")
        yield "cart", self.say("Cart")

    def draw(self) -> None:
        """What is left now."""
        product = self.guest.product
        if product is None:
            return
        rows = []
        for each in product.styles:
            mark = "●" if each.sku == self.guest.sku else "○"
            rows.append((each.sku, f"{mark} {style_line(each, self.say, self.columns - 2)}"))
        self.query_one("#styles", Choices).show(self.airy(rows), self.guest.sku)
        self.query_one("#next", Button).label = self.say("Add {count}", count=self.guest.quantity)
        style = self.guest.style
        self.query_one("#next", Button).disabled = style is None or not style.available
        pieces = self.guest.cart.pieces
        self.query_one("#cart", Button).label = self.say("Cart") + (f" ({pieces})" * bool(pieces))

    def looked_at(self, name: str) -> None:
        """Another style."""
        if name != self.guest.sku:
            self.guest.choose(name)
            self.redraw()

    def picked(self, name: str) -> None:
        """Enter on a style puts it into the cart; a tap only chooses it."""
        self.looked_at(name)
        self.query_one("#next", Button).focus()

    def typed(self, digit: str) -> None:
        """How many."""
        self.guest.type(digit)
        self.redraw()

    def keep(self) -> Callable[[], None]:
        """Digits of a scanner are not how many."""
        guest, sku = self.guest, self.guest.sku
        quantity, typed = guest.quantity, guest.typed

        def undo() -> None:
            if guest.sku == sku:
                guest.quantity, guest.typed = quantity, typed

        return undo

    def press_fewer(self) -> None:
        """One less."""
        self.guest.change(-1)
        self.redraw()

    def press_more(self) -> None:
        """One more."""
        self.guest.change(1)
        self.redraw()

    def press_next(self) -> None:
        """Into the cart."""
        if self.guest.put():
            self.post_message(self.Go("cart"))
        self.redraw()
