"""A terminal's decisions: what was scanned, what a cart costs, the state of a purchase. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from bus.contract.catalog import Found, Line, Product, Style
from bus.contract.errors import InvalidField, Problem
from bus.contract.problem import ProblemData
from bus.contract.refusals import SeveralProducts, UnknownSku
from bus.contract.settlement import Payment, Purchase, Receipt
from bus.contract.values import Money

PurchaseState = Literal["sent", "settled", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase of this terminal."""

    id: str
    state: PurchaseState
    receipt: Receipt | None = None
    problem: ProblemData | None = None
    """Why it was refused; or, if the outcome is unknown, how the answer breaks the contract."""

    @property
    def is_asked_about(self) -> bool:
        """Whether there was no answer in time, so that it may still come."""
        return self.state == "unknown" and self.problem is None


LEADS_NOWHERE = frozenset({"unknown-label", "invalid-digital-link", "invalid-field", "retired"})
"""The refusals of a lookup that are about the code; any other means that the lookup failed."""
_NO_LABEL = frozenset({"wifi", "not-a-product"})
"""The catalog's reasons for codes that are no labels of products."""


def one_product(answers: Mapping[str, Found | Problem]) -> Found:
    """The product of the codes that were seen at once; a label may have several codes.

    A code that leads nowhere, such as that of a Wi-Fi network, is ignored beside one that leads to
    a product. The style is the one whose GTIN is among the codes, if there is exactly one.

    Args:
        answers: the catalog's answer to each code.

    Raises:
        SeveralProducts: they lead to different products.
        Problem: none leads to a product.
    """
    found = {code: answer for code, answer in answers.items() if isinstance(answer, Found)}
    if not found:
        raise _most_telling([each for each in answers.values() if isinstance(each, Problem)])
    products = {answer.product.id: (code, answer) for code, answer in found.items()}
    if len(products) > 1:
        named = (f"{answer.product.name} ({code})" for code, answer in products.values())
        raise SeveralProducts(
            f"Several products are seen at once: {', '.join(named)}. Scan one of them alone.",
            [answer for _, answer in products.values()],
        )
    styles = {answer.scanned for answer in found.values() if answer.scanned is not None}
    retired = next((answer.retired for answer in found.values() if answer.retired), None)
    scanned = styles.pop() if len(styles) == 1 else None
    first = next(iter(found.values()))
    return first.model_copy(update={"scanned": scanned, "retired": retired})


def _most_telling(refusals: Sequence[Problem]) -> Problem:
    """The first refusal of a code that looks like a product's label, else the first."""
    labels = [
        each
        for each in refusals
        if (each.to_data().model_extra or {}).get("reason") not in _NO_LABEL
    ]
    return (labels or refusals)[0]


def style_of(products: list[Product], sku: str) -> Style:
    """The style with exactly this SKU among search results.

    Raises:
        UnknownSku: it is not among them.
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
    """The purchase of a cart at the prices that the customer was shown.

    Raises:
        InvalidField: there are several currencies, or the cart is empty or too large.
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
