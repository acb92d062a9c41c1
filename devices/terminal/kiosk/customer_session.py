"""The session of the customer at the kiosk: the page, the product, the cart, the note.

Nothing of it is stored; it ends when the customer leaves or is idle.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bus.contract.catalog import Product, Style
from bus.contract.errors import InvalidField
from bus.contract.refusals import CardNumber
from bus.contract.settlement import AccountPayment, CardPayment, Receipt
from bus.contract.values import Money, looks_like_card_number
from bus.runtime.admission import validate
from bus.text.sentence import Sentence
from devices.terminal.kiosk.cart import Item, KioskCart, only_left

Page = Literal["start", "product", "cart", "pickup", "pay", "receipt", "orders", "collect"]
_BACK: dict[Page, Page] = {
    "product": "start", "cart": "start", "pickup": "cart", "pay": "pickup", "receipt": "start",
    "orders": "start", "collect": "start", "start": "start",
}  # fmt: skip
_DIGITS = 5
"""The most digits of a quantity."""
_ACCOUNT = re.compile(r"[A-Z]-[0-9]{1,11}", re.IGNORECASE)


@dataclass(slots=True)
class CustomerSession:
    """What the kiosk knows of its present customer."""

    language: str
    page: Page = "start"
    found: list[Product] = field(default_factory=list)
    """The results of the last search."""
    product: Product | None = None
    """The product on the screen."""
    sku: str | None = None
    """The chosen style."""
    quantity: int = 1
    """How many pieces of it go into the cart."""
    typed: str = ""
    """The digits typed of a quantity."""
    cart: KioskCart = field(default_factory=KioskCart)
    quoted: Money | None = None
    """The total that the customer was shown: only this is paid."""
    point: str | None = None
    """The chosen pickup point; None for the store's default."""
    receipt: Receipt | None = None
    bought: dict[str, Item] = field(default_factory=dict)
    """By SKU, the items of the receipt as they were in the cart."""
    codes: dict[str, str] = field(default_factory=dict)
    """By order, the pickup codes of what was bought in this session."""
    note: Sentence | None = None
    """The last message to the customer."""
    is_busy: bool = False
    """Whether a request is under way; another one is ignored until then."""

    @property
    def style(self) -> Style | None:
        """The chosen style."""
        styles = self.product.styles if self.product is not None else []
        return next((style for style in styles if style.sku == self.sku), None)

    @property
    def is_nobody(self) -> bool:
        """Whether the kiosk is unused."""
        kept = self.found or self.cart.items or self.note or self.codes
        return self.page == "start" and not kept

    def back(self) -> Page:
        """The page before this one; after paying, only the receipt."""
        if self.page == "orders" and self.receipt is not None:
            return "receipt"
        return _BACK[self.page]

    def look(self, product: Product, scanned: str | None) -> None:
        """Show a product, with the scanned style or the first available one chosen."""
        left = [style.sku for style in product.styles if style.available]
        first = next(iter(left), product.styles[0].sku)
        self.product, self.sku, self.quantity, self.note = product, scanned or first, 1, None
        self.page, self.typed = "product", ""

    def choose(self, sku: str) -> None:
        """Choose another style of the product."""
        if sku != self.sku:
            self.sku, self.quantity, self.note, self.typed = sku, 1, None, ""

    def change(self, by: int) -> None:
        """Change the quantity, to at least 1 and at most the stock."""
        style = self.style
        if style is None:
            return
        room = style.available - self.cart.quantity(style.sku)
        is_short = self.quantity + by > room and (by > 0 or bool(self.typed))
        self.note = only_left(style.available) if is_short else None
        self.quantity, self.typed = max(1, min(self.quantity + by, room)), ""

    def type(self, digit: str) -> None:
        """Type a digit of the quantity; an empty one deletes the last.

        A quantity beyond the stock is kept as typed, but noted, and cannot go into the cart.
        """
        style = self.style
        if style is None:
            return
        self.typed = typed_number(self.typed, digit)
        self.quantity = int(self.typed or 1)
        room = style.available - self.cart.quantity(style.sku)
        self.note = only_left(style.available) if self.quantity > room else None

    def put(self) -> bool:
        """Put the chosen quantity into the cart; whether that was possible."""
        if self.product is None or self.style is None:
            return False
        self.note = self.cart.add(self.product.name, self.style, self.quantity)
        self.typed = self.typed if self.note else ""
        return self.note is None

    def level(self, levels: Mapping[str, int]) -> None:
        """Take new stock levels, by SKU."""
        self.cart.level(levels)
        if self.product is not None:
            styles = [
                style.model_copy(update={"available": levels.get(style.sku, style.available)})
                for style in self.product.styles
            ]
            self.product = self.product.model_copy(update={"styles": styles})

    def paid(self, receipt: Receipt, items: Mapping[str, Item]) -> None:
        """Show the receipt; items added to the cart since the payment began stay in it."""
        if self.cart.items.keys() <= items.keys():
            self.cart = KioskCart()
        self.bought = dict(items)
        self.codes[receipt.order] = receipt.pickup_code
        self.receipt, self.product, self.note = receipt, None, None
        self.page = "receipt"


def typed_number(typed: str, digit: str) -> str:
    """The digits of a number after one more key; an empty digit deletes the last."""
    digit = str(int(digit)) if digit else ""  # also of another script
    return (typed + digit).lstrip("0")[:_DIGITS] if digit else typed[:-1]


def is_account(text: str) -> bool:
    """Whether a text is an account, rather than a card token."""
    return _ACCOUNT.fullmatch(text.strip()) is not None


def payment_of(text: str) -> AccountPayment | CardPayment:
    """The payment for an account, such as `C-1001`, or for a card token.

    Raises:
        CardNumber: it is a card number, which must not be sent.
        InvalidField: it is neither.
    """
    text = text.strip()
    if looks_like_card_number(text):
        raise CardNumber("That looks like a card number.", field="payment")
    if not text:
        raise InvalidField("Give an account or a card token.", field="payment")
    if is_account(text):
        payment = validate(AccountPayment, {"method": "account", "account": text.upper()})
    else:
        payment = validate(CardPayment, {"method": "card", "token": text})
    assert isinstance(payment, AccountPayment | CardPayment)
    return payment
