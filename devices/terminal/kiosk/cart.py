"""The cart: several styles with their quantities, and how many of each are left."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bus.contract.catalog import Style
from bus.contract.values import MAX_LINES, Money
from bus.text.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Item:
    """So many of a style."""

    product: str
    """The product's name."""
    style: Style
    quantity: int

    @property
    def price(self) -> Money:
        """Of all pieces."""
        each = self.style.price
        return Money(amount=each.amount * self.quantity, currency=each.currency)

    @property
    def is_short(self) -> bool:
        """Whether there are fewer by now."""
        return self.quantity > self.style.available


def only_left(left: int) -> Sentence:
    """Why there cannot be more."""
    if left == 0:
        return Sentence("This style is sold out.")
    return Sentence("There are only {count} left of this style.", count=left)


class Cart:
    """What the customer is about to buy. What it cannot do it says in a sentence."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        """By SKU, in the order in which they came."""

    def add(self, product: str, style: Style, quantity: int) -> Sentence | None:
        """Put pieces in; nothing if they are not all there."""
        before = self.quantity(style.sku)
        if before + quantity > style.available:
            return only_left(style.available)
        if not before and len(self.items) >= MAX_LINES:
            return Sentence("The cart is full: {count} styles.", count=MAX_LINES)
        currencies = {item.style.price.currency for item in self.items.values()}
        if currencies - {style.price.currency}:
            return Sentence("What is in the cart has another currency; pay that first.")
        self.items[style.sku] = Item(product, style, before + quantity)
        return None

    def change(self, sku: str, by: int) -> Sentence | None:
        """Have more or fewer of a style; none is taken out with `remove`."""
        item = self.items[sku]
        quantity = max(1, item.quantity + by)
        if by > 0 and quantity > item.style.available:
            return only_left(item.style.available)
        self.items[sku] = replace(item, quantity=quantity)
        return None

    def set(self, sku: str, quantity: int) -> Sentence | None:
        """Have so many of a style; where there are not so many it says so, and is not paid."""
        item = self.items[sku] = replace(self.items[sku], quantity=max(1, quantity))
        return only_left(item.style.available) if item.is_short else None

    def remove(self, sku: str) -> None:
        """Take a style out."""
        self.items.pop(sku, None)

    def level(self, levels: Mapping[str, int]) -> None:
        """So many are left now; what is in the cart stays, and is said to be too much."""
        for sku, available in levels.items():
            if sku in self.items:
                item = self.items[sku]
                style = item.style.model_copy(update={"available": available})
                self.items[sku] = replace(item, style=style)

    def renew(self, styles: Mapping[str, Style]) -> None:
        """Styles as they are sold today."""
        for sku, style in styles.items():
            if sku in self.items:
                self.items[sku] = replace(self.items[sku], style=style)

    def repriced(self, before: Mapping[str, Item]) -> Sentence:
        """What the store refused another total for, now that the styles are as they are sold."""
        for sku, item in self.items.items():
            if sku in before and item.style.price != before[sku].style.price:
                return Sentence(
                    "{name} has another price now; look at the cart.", name=item.product
                )
        return Sentence("The store counts another total; look at the cart and pay again.")

    def quantity(self, sku: str) -> int:
        """How many of a style are in it."""
        return self.items[sku].quantity if sku in self.items else 0

    @property
    def pieces(self) -> int:
        """How many pieces are in it."""
        return sum(item.quantity for item in self.items.values())

    @property
    def total(self) -> Money | None:
        """What it costs; None while it is empty."""
        prices = [item.price for item in self.items.values()]
        if not prices:
            return None
        return Money(amount=sum(each.amount for each in prices), currency=prices[0].currency)

    @property
    def trouble(self) -> Sentence | None:
        """Why it cannot be paid as it is."""
        for item in self.items.values():
            if item.is_short:
                name, left = item.product, item.style.available
                if left == 0:
                    return Sentence("{name}: sold out by now. Remove it.", name=name)
                return Sentence("{name}: only {count} left. Take fewer.", name=name, count=left)
        return None if self.items else Sentence("The cart is empty.")
