"""What a terminal decides: what a cart costs and what became of a purchase. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from bus.contract.catalog import Line, Product, Style
from bus.contract.problem import ProblemData
from bus.contract.settlement import Payment, Purchase, Receipt
from bus.contract.values import Money
from bus.errors import InvalidField, UnknownSku

PurchaseState = Literal["sent", "settled", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase as the terminal keeps it."""

    id: str
    state: PurchaseState
    receipt: Receipt | None = None
    problem: ProblemData | None = None


def style_of(products: list[Product], sku: str) -> Style:
    """The style with exactly this SKU among search results.

    Raises:
        UnknownSku: it is not there.
    """
    for product in products:
        for style in product.styles:
            if style.sku == sku:
                return style
    raise UnknownSku(f"There is no style {sku}.", sku=sku)


def purchase(
    cart: Mapping[str, int],
    styles: Mapping[str, Style],
    payment: Payment,
    pickup_point: str | None,
) -> Purchase:
    """A cart as a purchase at the prices the customer was shown.

    Raises:
        InvalidField: the styles are not all of one currency, the cart is empty or too large.
    """
    currencies = sorted({styles[sku].price.currency for sku in cart})
    if len(currencies) != 1:
        raise InvalidField("The cart is empty or has several currencies.", field="lines")
    total = sum(styles[sku].price.amount * quantity for sku, quantity in cart.items())
    try:
        return Purchase(
            lines=[Line(sku=sku, quantity=quantity) for sku, quantity in cart.items()],
            pickup_point=pickup_point,
            payment=payment,
            expected_total=Money(amount=total, currency=currencies[0]),
        )
    except ValidationError as error:
        raise InvalidField(f"{error.errors()[0]['msg']}.", field="lines") from None
