"""The decisions of the page: carts, progress of orders, wrong pickup codes. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from bus.contract.catalog import PricedLine, Product, Style
from bus.contract.errors import InvalidField
from bus.contract.refusals import SoldOut
from bus.contract.settlement import OrderState
from bus.contract.sorter import JobState

MOST_LINES = 50
"""The most lines of a cart."""
MOST_PIECES = 999
"""The most pieces of a line."""
MOST_WRONG = 5
"""Wrong pickup codes after which a browser is locked out."""
LOCKED = 60_000
"""Milliseconds for which it is locked out."""
FREE_AT_ADDRESS = 20
"""Wrong codes from an IP address, which many may share, before it is slowed down."""
SLOWEST = 10.0
"""The most seconds by which a code from such an address is delayed."""

FULL = 100
_STEPS: dict[OrderState, int] = {
    "reserving": 2,
    "charging": 5,
    "settled": 10,
    "short": 15,
    "ready": FULL,
    "reminded": FULL,
    "collected": FULL,
}


@dataclass(frozen=True, slots=True)
class CartLine:
    """A style and its quantity, as the customer was shown it."""

    sku: str
    gtin: str
    name: str
    style: str
    quantity: int
    amount: int
    """The price of one piece, in minor units."""
    currency: str
    tax_rate: int | None


@dataclass(frozen=True, slots=True)
class BrowserCart:
    """The cart of a browser, open or bought."""

    token: str
    lines: tuple[CartLine, ...] = ()
    purchase: str | None = None

    @property
    def total(self) -> int:
        """The total in minor units."""
        return sum(line.amount * line.quantity for line in self.lines)

    @property
    def goods(self) -> str:
        """A digest of the SKUs and quantities, to tell whether they are still those of a page."""
        held = json.dumps([(line.sku, line.quantity) for line in self.lines])
        return hashlib.sha256(held.encode()).hexdigest()[:16]

    @property
    def currency(self) -> str:
        """The currency of all lines; empty for an empty cart."""
        return self.lines[0].currency if self.lines else ""

    @property
    def pieces(self) -> int:
        """The number of pieces."""
        return sum(line.quantity for line in self.lines)


def style_in_words(style: Style) -> str:
    """The attributes of a style: `blue, M`."""
    return ", ".join(style.attributes.values()) or style.sku


def line_of(product: Product, style: Style, quantity: int) -> CartLine:
    """A line of a cart.

    Raises:
        SoldOut: fewer are left; `available` says how many.
        InvalidField: the quantity is not allowed.
    """
    if not 1 <= quantity <= MOST_PIECES:
        raise InvalidField(f"A line has 1 to {MOST_PIECES} pieces.", field="quantity")
    if quantity > style.available:
        raise SoldOut("Not enough left.", available={style.sku: style.available})
    return CartLine(
        style.sku, style.gtin, product.name, style_in_words(style), quantity,
        style.price.amount, style.price.currency, style.tax_rate,
    )  # fmt: skip


def put(lines: Sequence[CartLine], line: CartLine) -> tuple[CartLine, ...]:
    """A cart with this line added, or in place of the one with the same style.

    Raises:
        InvalidField: the cart is full, or in another currency.
    """
    if any(each.sku == line.sku for each in lines):
        return replaced(lines, line)
    if len(lines) >= MOST_LINES:
        raise InvalidField(f"A cart has at most {MOST_LINES} lines.", field="lines")
    if any(each.currency != line.currency for each in lines):
        raise InvalidField("A cart has one currency.", field="currency")
    return (*lines, line)


def replaced(lines: Sequence[CartLine], line: CartLine) -> tuple[CartLine, ...]:
    """A cart with this line in place of the one with the same style, if there is one."""
    return tuple(line if each.sku == line.sku else each for each in lines)


def renewed(
    lines: Sequence[CartLine], fresh: Mapping[str, CartLine], gone: AbstractSet[str]
) -> tuple[CartLine, ...]:
    """A cart with current names and prices.

    Args:
        lines: the cart, whose quantities are kept.
        fresh: current lines, by SKU.
        gone: the SKUs that are no longer sold.
    """
    return tuple(
        replace(fresh.get(line.sku, line), quantity=line.quantity)
        for line in lines
        if line.sku not in gone
    )


def receipt_lines(lines: Sequence[PricedLine], shown: BrowserCart) -> tuple[CartLine, ...]:
    """The lines that were paid for, with the names that the customer was shown."""
    names = {line.sku: line for line in shown.lines}
    found = []
    for line in lines:
        known = names.get(line.sku) or CartLine(line.sku, "", line.sku, "", 1, 0, "", None)
        found.append(
            replace(
                known,
                quantity=line.quantity,
                amount=line.price.amount,
                currency=line.price.currency,
            )
        )
    return tuple(found)


def progress(state: OrderState, job: JobState | None) -> int | None:
    """The progress of an order in percent; None if it is not on its way to the customer."""
    base = _STEPS.get(state)
    if base is None or base == FULL or job is None:
        return base
    match job.step:
        case "assigned" | "travelling" | "picking" | "short":
            done = min(job.pick, job.picks) / job.picks if job.picks else 0
            return round(20 + 50 * done)
        case "conveying":
            return 75
        case "packing":
            return 90
        case "done":
            return 95
    return base


@dataclass(frozen=True, slots=True)
class Guesses:
    """The wrong pickup codes of a browser or an IP address."""

    wrong: int = 0
    at: int = 0
    locked_until: int = 0

    def seconds_locked(self, now: int) -> int:
        """Seconds for which it is locked out; 0 if it is not."""
        return max(0, -(-(self.locked_until - now) // 1000))

    def seconds_slowed(self, now: int) -> float:
        """The delay of a code from this address: 1, 2, 4 ... s with each recent wrong one."""
        over = self.wrong - FREE_AT_ADDRESS
        return 0.0 if over < 0 or now - self.at >= LOCKED else min(SLOWEST, 2.0 ** min(over, 10))

    def one_more(self, now: int) -> "Guesses":
        """Count a wrong code of an address, which is never locked out."""
        return Guesses(self.wrong + 1 if now - self.at < LOCKED else 1, now)

    def another(self, now: int, most: int) -> "Guesses":
        """Count a wrong code of a browser; those older than the lock do not count."""
        wrong = self.wrong + 1 if now - self.at < LOCKED else 1
        if wrong < most:
            return Guesses(wrong, now)
        return Guesses(0, now, now + LOCKED)
