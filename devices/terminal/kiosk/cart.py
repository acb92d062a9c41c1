"""The kiosk's cart: styles with their quantities and their stock."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bus.contract.catalog import Style
from bus.contract.values import MAX_LINES, Money
from bus.text.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Item:
    """A style and its quantity."""

    product: str
    """The product's name."""
    style: Style
    quantity: int

    @property
    def price(self) -> Money:
        """Of all its pieces."""
        each = self.style.price
        return Money(amount=each.amount * self.quantity, currency=each.currency)

    @property
    def is_short(self) -> bool:
        """Whether the stock has fallen below the quantity."""
        return self.quantity > self.style.available


def only_left(left: int) -> Sentence:
    """Why a quantity is not possible."""
    if left == 0:
        return Sentence("This style is sold out.")
    return Sentence("There are only {count} left of this style.", count=left)


class KioskCart:
    """What the customer is about to buy; methods return a sentence if they refuse."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        """By SKU, in the order in which they were added."""

    def add(self, product: str, style: Style, quantity: int) -> Sentence | None:
        """Add pieces; none if the stock is too low."""
        before = self.quantity(style.sku)
        if before + quantity > style.available:
            return only_left(style.available)
        if not before and len(self.items) >= MAX_LINES:
            return Sentence("The cart is full: {count} styles.", count=MAX_LINES)
        currencies = {item.style.price.currency for item in self.items.values()}
        if currencies - {style.price.currency}:
            return Sentence("The items in the cart are in another currency; pay for them first.")
        self.items[style.sku] = Item(product, style, before + quantity)
        return None

    def change(self, sku: str, by: int) -> Sentence | None:
        """Change a quantity, to at least 1."""
        item = self.items[sku]
        quantity = max(1, item.quantity + by)
        if by > 0 and quantity > item.style.available:
            return only_left(item.style.available)
        self.items[sku] = replace(item, quantity=quantity)
        return None

    def set(self, sku: str, quantity: int) -> Sentence | None:
        """Set a quantity, also beyond the stock; then the cart cannot be paid."""
        item = self.items[sku] = replace(self.items[sku], quantity=max(1, quantity))
        return only_left(item.style.available) if item.is_short else None

    def remove(self, sku: str) -> None:
        """Remove a style."""
        self.items.pop(sku, None)

    def level(self, levels: Mapping[str, int]) -> None:
        """Take new stock levels, by SKU; quantities stay as they are."""
        for sku, available in levels.items():
            if sku in self.items:
                item = self.items[sku]
                style = item.style.model_copy(update={"available": available})
                self.items[sku] = replace(item, style=style)

    def renew(self, styles: Mapping[str, Style]) -> None:
        """Take current prices and stock."""
        for sku, style in styles.items():
            if sku in self.items:
                self.items[sku] = replace(self.items[sku], style=style)

    def repriced(self, before: Mapping[str, Item]) -> Sentence:
        """Which price has changed since `before`, after the store refused the total."""
        for sku, item in self.items.items():
            if sku in before and item.style.price != before[sku].style.price:
                return Sentence(
                    "The price of {name} has changed; look at the cart.", name=item.product
                )
        return Sentence("The store has a different total; look at the cart and pay again.")

    def quantity(self, sku: str) -> int:
        """The quantity of a style; 0 if it is not in the cart."""
        return self.items[sku].quantity if sku in self.items else 0

    @property
    def pieces(self) -> int:
        """The number of pieces in the cart."""
        return sum(item.quantity for item in self.items.values())

    @property
    def total(self) -> Money | None:
        """The total; None while the cart is empty."""
        prices = [item.price for item in self.items.values()]
        if not prices:
            return None
        return Money(amount=sum(each.amount for each in prices), currency=prices[0].currency)

    @property
    def trouble(self) -> Sentence | None:
        """Why the cart cannot be paid; None if it can."""
        for item in self.items.values():
            if item.is_short:
                name, left = item.product, item.style.available
                if left == 0:
                    return Sentence("{name} has sold out. Remove it.", name=name)
                return Sentence("{name}: only {count} left. Take fewer.", name=name, count=left)
        return None if self.items else Sentence("The cart is empty.")
