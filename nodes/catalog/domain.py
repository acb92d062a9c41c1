"""What the catalog decides: which order may hold which goods. Pure: rows in, rows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bus.contract.catalog import (
    Line,
    PricedLine,
    RetiredStyle,
    StockLevel,
)
from bus.contract.errors import Conflict, InvalidField
from bus.contract.refusals import Retired, SoldOut, UnknownSku, WrongState
from bus.contract.values import MAX_COUNT

_MOST_ON_HAND = MAX_COUNT // 2
"""The most pieces of a style: as many again may be with customers and come back."""
ReservationState = Literal["held", "committed", "released"]


@dataclass(frozen=True, slots=True)
class Stock:
    """How many pieces of a style there are, and what one costs."""

    sku: str
    product: str
    amount: int
    currency: str
    on_hand: int
    reserved: int
    received: int = 0
    """Pieces ever put on a shelf."""
    written_off: int = 0
    """Pieces that were ever found to be missing."""
    short: int = 0
    """Of those, the pieces that `on_hand` still counts because orders hold them: they are taken off
    as soon as such an order releases its goods."""
    retired: bool = False
    """Whether it is out of the range: no order may reserve it."""

    @property
    def available(self) -> int:
        """Pieces that can still be sold."""
        return self.on_hand - self.reserved

    def level(self) -> StockLevel:
        """As the contract shows it."""
        return StockLevel(
            sku=self.sku,
            on_hand=self.on_hand,
            reserved=self.reserved,
            available=self.available,
            received=self.received,
            written_off=self.written_off,
        )


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an order holds or has held; released without lines, it may never hold anything."""

    order: str
    state: ReservationState
    lines: tuple[PricedLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The rows to be written."""

    reservation: Reservation
    stock: tuple[Stock, ...] = ()


def reserve(
    order: str,
    lines: Sequence[Line],
    stock: Mapping[str, Stock],
    existing: Reservation | None,
) -> Decision:
    """Reserve all lines for an order, or none.

    Raises:
        UnknownSku: a style that is not registered.
        Retired: a style that is out of the range.
        SoldOut: `available` names what is left of each style that is short.
        WrongState: the order was released or holds something else.
    """
    if existing is not None:
        asked = [(line.sku, line.quantity) for line in lines]
        if existing.state == "held" and asked == [(x.sku, x.quantity) for x in existing.lines]:
            return Decision(existing)
        raise WrongState(f"Order {order} is already {existing.state}.", state=existing.state)
    for line in lines:
        if line.sku not in stock:
            raise UnknownSku(f"There is no style {line.sku}.", sku=line.sku)
        if stock[line.sku].retired:
            raise Retired(f"{line.sku} is no longer sold.", sku=line.sku)
    short = {
        line.sku: stock[line.sku].available
        for line in lines
        if line.quantity > stock[line.sku].available
    }
    if short:
        left = ", ".join(f"{count} of {sku}" for sku, count in short.items())
        raise SoldOut(f"Not enough left: {left}.", available=short)
    return Decision(
        Reservation(order, "held", tuple(_priced(line, stock[line.sku]) for line in lines)),
        tuple(_moved(stock[line.sku], reserved=line.quantity) for line in lines),
    )


def commit(order: str, existing: Reservation | None, stock: Mapping[str, Stock]) -> Decision:
    """The order is paid: the goods that it holds leave the stock.

    Raises:
        WrongState: the order holds nothing.
    """
    if existing is None or existing.state == "released":
        raise WrongState(f"Order {order} holds nothing.", state="released" if existing else None)
    if existing.state == "committed":
        return Decision(existing)
    return Decision(
        replace(existing, state="committed"),
        tuple(
            _moved(stock[line.sku], on_hand=-line.quantity, reserved=-line.quantity)
            for line in existing.lines
        ),
    )


def release(order: str, existing: Reservation | None, stock: Mapping[str, Stock]) -> Decision:
    """The order is cancelled: the goods that it holds, or held, are for sale again.

    The goods of a paid order are back on their shelves when this is asked. An unknown order
    leaves a tombstone, so that its late reserve is refused.
    """
    if existing is None:
        return Decision(Reservation(order, "released"))
    if existing.state == "released":
        return Decision(existing)
    return Decision(replace(existing, state="released"), _let_go(existing, existing.lines, stock))


def release_some(
    order: str, lines: Sequence[Line], existing: Reservation | None, stock: Mapping[str, Stock]
) -> Decision:
    """Release some of the goods that an order holds; it keeps the rest.

    An order that has been released as a whole meanwhile holds nothing any more.

    Raises:
        WrongState: the order never held anything.
        InvalidField: it does not hold so much.
    """
    if existing is None:
        raise WrongState(f"Order {order} holds nothing.", state=None)
    if existing.state == "released":
        return Decision(existing)
    gone = {line.sku: line.quantity for line in lines}
    held = {line.sku: line.quantity for line in existing.lines}
    for sku, quantity in gone.items():
        if quantity > held.get(sku, 0):
            raise InvalidField(f"{order} holds {held.get(sku, 0)} of {sku}.", field="lines")
    let_go = _let_go(existing, lines, stock)
    left = tuple(
        line.model_copy(update={"quantity": line.quantity - gone.get(line.sku, 0)})
        for line in existing.lines
        if line.quantity > gone.get(line.sku, 0)
    )
    return Decision(replace(existing, lines=left), let_go)


def _let_go(
    existing: Reservation, lines: Sequence[Line], stock: Mapping[str, Stock]
) -> tuple[Stock, ...]:
    if existing.state == "committed":
        return tuple(_moved(stock[line.sku], on_hand=line.quantity) for line in lines)
    return tuple(_moved(stock[line.sku], reserved=-line.quantity) for line in lines)


def restock(stock: Stock, quantity: int) -> Stock:
    """Goods were put on a shelf; returns the stock with them.

    Raises:
        Conflict: there would be too many to count, with those that may still come back.
    """
    if stock.on_hand + quantity > _MOST_ON_HAND:
        raise Conflict(
            f"There are {stock.on_hand} of {stock.sku}; more than {_MOST_ON_HAND} cannot be kept.",
            on_hand=stock.on_hand,
        )
    return _moved(replace(stock, received=stock.received + quantity), on_hand=quantity)


def write_off(stock: Stock, quantity: int) -> Stock:
    """Goods are missing: those that no order holds are taken off the stock at once."""
    return _moved(
        replace(stock, written_off=stock.written_off + quantity, short=stock.short + quantity)
    )


def change_range(
    styles: Sequence[Stock], *, retired: bool
) -> tuple[list[Stock], list[RetiredStyle]]:
    """Retire or reinstate styles; returns those that change, and the same as the contract shows."""
    changed = [
        replace(stock, retired=retired)
        for stock in sorted(styles, key=lambda stock: stock.sku)
        if stock.retired != retired
    ]
    shown = [
        RetiredStyle(
            sku=stock.sku, product=stock.product, on_hand=stock.on_hand, reserved=stock.reserved
        )
        for stock in changed
    ]
    return changed, shown


def _moved(stock: Stock, *, on_hand: int = 0, reserved: int = 0) -> Stock:
    """The stock with more or fewer pieces; what is short is taken off first, from what is free."""
    moved = replace(stock, on_hand=stock.on_hand + on_hand, reserved=stock.reserved + reserved)
    gone = min(moved.short, moved.available)
    moved = replace(moved, on_hand=moved.on_hand - gone, short=moved.short - gone)
    assert 0 <= moved.reserved <= moved.on_hand, f"stock of {stock.sku} would be {moved}"
    return moved


def _priced(line: Line, stock: Stock) -> PricedLine:
    return PricedLine.model_validate(
        {
            "sku": line.sku,
            "quantity": line.quantity,
            "price": {"amount": stock.amount, "currency": stock.currency},
        }
    )
