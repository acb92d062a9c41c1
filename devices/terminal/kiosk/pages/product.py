"""The page of a product: its styles with live stock."""

from collections.abc import Callable, Iterable

from textual.widget import Widget
from textual.widgets import Button

from bus.text.safe import visible
from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.prose import Prose
from devices.terminal.kiosk.words import style_line


class ProductPage(KioskPage):
    """Choose a style and a quantity."""

    FIRST = "#styles"

    def title(self) -> str:
        """The product's name."""
        return self.session.product.name if self.session.product is not None else ""

    def body(self) -> Iterable[Widget]:
        """Description and styles."""
        yield Prose("", "text")
        yield Choices("styles")

    def enter(self) -> None:
        """Show the description."""
        super().enter()
        product = self.session.product
        text = visible(product.description) if product is not None else ""
        self.query_one("#text", Prose).show(text)

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Back, quantity, add to the cart, go to the cart."""
        yield "back", self.say("Back")
        yield "fewer", "−"
        yield "more", "+"
        yield "next", self.say("Add")
        yield "cart", self.say("Cart")

    def draw(self) -> None:
        """Show the styles, the quantity and the cart."""
        product = self.session.product
        if product is None:
            return
        rows = []
        for each in product.styles:
            mark = "●" if each.sku == self.session.sku else "○"
            rows.append((each.sku, f"{mark} {style_line(each, self.say, self.columns - 2)}"))
        self.query_one("#styles", Choices).show(self.airy(rows), self.session.sku)
        self.query_one("#next", Button).label = self.say("Add {count}", count=self.session.quantity)
        style = self.session.style
        self.query_one("#next", Button).disabled = style is None or not style.available
        pieces = self.session.cart.pieces
        self.query_one("#cart", Button).label = self.say("Cart") + (f" ({pieces})" * bool(pieces))

    def looked_at(self, name: str) -> None:
        """Choose the highlighted style."""
        if name != self.session.sku:
            self.session.choose(name)
            self.redraw()

    def picked(self, name: str) -> None:
        """Choose a style; Enter again adds it to the cart."""
        self.looked_at(name)
        self.query_one("#next", Button).focus()

    def typed(self, digit: str) -> None:
        """Type the quantity."""
        self.session.type(digit)
        self.redraw()

    def keep(self) -> Callable[[], None]:
        """A scanner's digits are no quantity: restore it."""
        session, sku = self.session, self.session.sku
        quantity, typed = session.quantity, session.typed

        def undo() -> None:
            if session.sku == sku:
                session.quantity, session.typed = quantity, typed

        return undo

    def press_fewer(self) -> None:
        """One piece fewer."""
        self.session.change(-1)
        self.redraw()

    def press_more(self) -> None:
        """One piece more."""
        self.session.change(1)
        self.redraw()

    def press_next(self) -> None:
        """Add to the cart, and go there."""
        if self.session.put():
            self.post_message(self.Go("cart"))
        self.redraw()
