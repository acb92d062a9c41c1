"""The shop's own errors: of labels, goods, orders, payments and accounts."""

from collections.abc import Sequence
from typing import Any

from bus.contract import errors
from bus.contract.errors import BrokenReply, Problem, Refused, StorebusError


class PaymentDeclined(Problem):
    """The payment method said no; nothing was charged."""

    status, code, title = 402, "payment-declined", "Payment declined"


class UnknownLabel(Problem):
    """No product has this label, link or number."""

    status, code, title = 404, "unknown-label", "Unknown label"


class Retired(Problem):
    """The shop has taken the product, or the style, out of its range."""

    status, code, title = 410, "retired", "No longer sold"


class UnknownSku(Problem):
    """No style has this SKU."""

    status, code, title = 404, "unknown-sku", "Unknown SKU"


class UnknownProduct(Problem):
    """No product has this id."""

    status, code, title = 404, "unknown-product", "Unknown product"


class UnknownOrder(Problem):
    """No such order, or none that this caller may see."""

    status, code, title = 404, "unknown-order", "Unknown order"


class UnknownPickupPoint(Problem):
    """The store has no such pickup point."""

    status, code, title = 404, "unknown-pickup-point", "Unknown pickup point"


class UnknownPickupCode(Problem):
    """No parcel waits under this pickup code."""

    status, code, title = 404, "unknown-pickup-code", "Unknown pickup code"


class UnknownLocation(Problem):
    """The warehouse has no such storage location."""

    status, code, title = 404, "unknown-location", "Unknown location"


class UnknownAccount(Problem):
    """Settlement keeps no such account."""

    status, code, title = 404, "unknown-account", "Unknown account"


class UnknownJob(Problem):
    """No such pick job here."""

    status, code, title = 404, "unknown-job", "Unknown job"


class UnknownParcel(Problem):
    """No such goods are to be put back."""

    status, code, title = 404, "unknown-parcel", "Unknown parcel"


class SoldOut(Problem):
    """Less is available than was asked; `available` says what is left of each SKU."""

    status, code, title = 409, "sold-out", "Sold out"


class PriceChanged(Problem):
    """The expected total is not today's; `total` is."""

    status, code, title = 409, "price-changed", "Price changed"


class WrongState(Problem):
    """What was asked does not fit the state the order, job or reservation is in."""

    status, code, title = 409, "wrong-state", "Wrong state"


class Cancelled(Problem):
    """The order was cancelled before it was paid; nothing was charged, or it goes back."""

    status, code, title = 409, "cancelled", "Cancelled"


class CardNumber(Problem):
    """A payment field holds what may be a card number; it was not stored."""

    status, code, title = 422, "card-number", "Card number refused"


class InvalidLink(Problem):
    """A URL looks like a GS1 Digital Link but breaks a rule of it; `detail` says which."""

    status, code, title = 422, "invalid-digital-link", "Invalid GS1 Digital Link"


class TooManyTries(Problem):
    """Too many wrong codes came from there; `retryAfter` seconds later it may try again."""

    status, code, title, retryable = 429, "too-many-tries", "Too many tries", True


class LabelError(StorebusError):
    """A label cannot be drawn or read; the message says why."""


class SeveralProducts(LabelError):  # noqa: N818 - it is a question, not a fault
    """Codes that were seen at once lead to more than one product; the message names them.

    Args:
        message: one sentence.
        found: what may be chosen from, as the catalog answered it (`Found`).
    """

    def __init__(self, message: str, found: Sequence[Any]) -> None:
        super().__init__(message)
        self.found = tuple(found)


def problems(kind: type[Problem] = Problem) -> tuple[type[Problem], ...]:
    """Every kind of problem that has a code of its own."""
    found: list[type[Problem]] = []
    for child in kind.__subclasses__():
        if child.__module__ in (__name__, errors.__name__) and child not in (Refused, BrokenReply):
            found += [child, *problems(child)]
    return tuple(found)
