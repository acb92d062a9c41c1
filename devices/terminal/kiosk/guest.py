"""The customer who stands at the kiosk: what they look at, their cart, what they are told.

Nothing of it is kept: who leaves, or is idle, is forgotten whole.
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
from devices.terminal.kiosk.cart import Cart, Item, only_left

Page = Literal["start", "product", "cart", "pickup", "pay", "receipt", "orders", "collect"]
_BACK: dict[Page, Page] = {
    "product": "start", "cart": "start", "pickup": "cart", "pay": "pickup", "receipt": "start",
    "orders": "start", "collect": "start", "start": "start",
}  # fmt: skip
_DIGITS = 5
"""The most digits of a quantity: more than can be bought at once."""
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
    typed: str = ""
    """The digits of a quantity that is being typed."""
    cart: Cart = field(default_factory=Cart)
    quoted: Money | None = None
    """What they were told that the cart costs: this is paid, and nothing else."""
    point: str | None = None
    """The pickup point; None for the store's default."""
    receipt: Receipt | None = None
    bought: dict[str, Item] = field(default_factory=dict)
    """What stands on the receipt, as it lay in the cart, by SKU."""
    codes: dict[str, str] = field(default_factory=dict)
    """The pickup codes of what they have bought, by order: for their eyes only."""
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
        kept = self.found or self.cart.items or self.note or self.codes
        return self.page == "start" and not kept

    def back(self) -> Page:
        """Where to from here; who has paid has nothing to go back to but the receipt."""
        if self.page == "orders" and self.receipt is not None:
            return "receipt"
        return _BACK[self.page]

    def look(self, product: Product, scanned: str | None) -> None:
        """Look at a product, at the style whose label was scanned or the first that is left."""
        left = [style.sku for style in product.styles if style.available]
        first = next(iter(left), product.styles[0].sku)
        self.product, self.sku, self.quantity, self.note = product, scanned or first, 1, None
        self.page, self.typed = "product", ""

    def choose(self, sku: str) -> None:
        """Another style of the product."""
        if sku != self.sku:
            self.sku, self.quantity, self.note, self.typed = sku, 1, None, ""

    def change(self, by: int) -> None:
        """More or fewer of the chosen style; never more than are left."""
        style = self.style
        if style is None:
            return
        room = style.available - self.cart.quantity(style.sku)
        is_short = self.quantity + by > room and (by > 0 or bool(self.typed))
        self.note = only_left(style.available) if is_short else None
        self.quantity, self.typed = max(1, min(self.quantity + by, room)), ""

    def type(self, digit: str) -> None:
        """A digit of how many of the chosen style, or none to take the last back.

        It stays as it was typed, also where there are not so many: then they are told, and none
        go into the cart.
        """
        style = self.style
        if style is None:
            return
        self.typed = typed_number(self.typed, digit)
        self.quantity = int(self.typed or 1)
        room = style.available - self.cart.quantity(style.sku)
        self.note = only_left(style.available) if self.quantity > room else None

    def put(self) -> bool:
        """Put what is chosen into the cart; whether that could be."""
        if self.product is None or self.style is None:
            return False
        self.note = self.cart.add(self.product.name, self.style, self.quantity)
        self.typed = self.typed if self.note else ""
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

    def paid(self, receipt: Receipt, items: Mapping[str, Item]) -> None:
        """What lay in the cart when they paid is theirs; what came into it since stays there."""
        if self.cart.items.keys() <= items.keys():
            self.cart = Cart()
        self.bought = dict(items)
        self.codes[receipt.order] = receipt.pickup_code
        self.receipt, self.product, self.note = receipt, None, None
        self.page = "receipt"


def typed_number(typed: str, digit: str) -> str:
    """The digits of a number after one more key; without a digit, the last is taken back."""
    digit = str(int(digit)) if digit else ""  # also of another script
    return (typed + digit).lstrip("0")[:_DIGITS] if digit else typed[:-1]


def is_account(text: str) -> bool:
    """Whether it is an account, and not a card's token."""
    return _ACCOUNT.fullmatch(text.strip()) is not None


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
    if is_account(text):
        payment = validate(AccountPayment, {"method": "account", "account": text.upper()})
    else:
        payment = validate(CardPayment, {"method": "card", "token": text})
    assert isinstance(payment, AccountPayment | CardPayment)
    return payment
