"""The customer who stands at the kiosk: what they look at, their cart, what they are told.

Nothing of it is kept: who leaves, or is idle, is forgotten whole.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bus.contract.catalog import Product, Style
from bus.contract.settlement import AccountPayment, CardPayment, Receipt
from bus.contract.values import looks_like_card_number
from bus.errors import CardNumber, InvalidField
from bus.gate import validate
from bus.sentence import Sentence
from devices.terminal.kiosk.cart import Cart, Item, only_left

Page = Literal["start", "product", "cart", "pickup", "pay", "receipt", "orders", "collect"]
_BACK: dict[Page, Page] = {
    "product": "start", "cart": "start", "pickup": "cart", "pay": "pickup", "receipt": "start",
    "orders": "start", "collect": "start", "start": "start",
}  # fmt: skip
_ACCOUNT = re.compile(r"[A-Z]-[0-9]{1,11}", re.IGNORECASE)


@dataclass(slots=True)
class Guest:
    """Somebody at the kiosk."""

    language: str
    page: Page = "start"
    found: list[Product] = field(default_factory=list)
    """What was searched for."""
    product: Product | None = None
    """What is looked at."""
    sku: str | None = None
    """The style that is chosen."""
    quantity: int = 1
    """How many of it are to go into the cart."""
    cart: Cart = field(default_factory=Cart)
    point: str | None = None
    """The pickup point; None for the store's default."""
    receipt: Receipt | None = None
    bought: dict[str, Item] = field(default_factory=dict)
    """What stands on the receipt, as it lay in the cart, by SKU."""
    note: Sentence | None = None
    """The last thing to tell them."""
    is_busy: bool = False
    """Whether the store is asked something: a second tap does nothing."""

    @property
    def style(self) -> Style | None:
        """The style that is chosen."""
        styles = self.product.styles if self.product is not None else []
        return next((style for style in styles if style.sku == self.sku), None)

    @property
    def is_nobody(self) -> bool:
        """Whether there is nothing to forget."""
        return self.page == "start" and not (self.found or self.cart.items or self.note)

    def back(self) -> Page:
        """Where to from here; who has paid has nothing to go back to."""
        return _BACK[self.page]

    def look(self, product: Product, scanned: str | None) -> None:
        """Look at a product, at the style whose label was scanned or the first that is left."""
        left = [style.sku for style in product.styles if style.available]
        first = next(iter(left), product.styles[0].sku)
        self.product, self.sku, self.quantity, self.note = product, scanned or first, 1, None
        self.page = "product"

    def choose(self, sku: str) -> None:
        """Another style of the product."""
        if sku != self.sku:
            self.sku, self.quantity, self.note = sku, 1, None

    def change(self, by: int) -> None:
        """More or fewer of the chosen style; never more than are left."""
        style = self.style
        if style is None:
            return
        room = style.available - self.cart.quantity(style.sku)
        self.note = only_left(style.available) if by > 0 and self.quantity + by > room else None
        self.quantity = max(1, min(self.quantity + by, room))

    def put(self) -> bool:
        """Put what is chosen into the cart; whether that could be."""
        if self.product is None or self.style is None:
            return False
        self.note = self.cart.add(self.product.name, self.style, self.quantity)
        return self.note is None

    def level(self, levels: Mapping[str, int]) -> None:
        """So many are left now of these."""
        self.cart.level(levels)
        if self.product is not None:
            styles = [
                style.model_copy(update={"available": levels.get(style.sku, style.available)})
                for style in self.product.styles
            ]
            self.product = self.product.model_copy(update={"styles": styles})

    def paid(self, receipt: Receipt) -> None:
        """The cart is theirs."""
        self.bought = dict(self.cart.items)
        self.receipt, self.cart, self.product, self.note = receipt, Cart(), None, None
        self.page = "receipt"


def payment_of(text: str) -> AccountPayment | CardPayment:
    """An account, such as `C-1001`, or a card's token.

    Raises:
        CardNumber: it is a card's number, which must not be sent.
        InvalidField: it is neither.
    """
    text = text.strip()
    if looks_like_card_number(text):
        raise CardNumber("That looks like a card number.", field="payment")
    if not text:
        raise InvalidField("Give an account or a card token.", field="payment")
    if _ACCOUNT.fullmatch(text):
        payment = validate(AccountPayment, {"method": "account", "account": text.upper()})
    else:
        payment = validate(CardPayment, {"method": "card", "token": text})
    assert isinstance(payment, AccountPayment | CardPayment)
    return payment
