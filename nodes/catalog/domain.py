"""What the catalog decides: who may hold which goods. Pure: rows in, rows out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from bus.contract.catalog import (
    MAX_STYLES,
    Line,
    PricedLine,
    ProductRecord,
    ProductUpdate,
    StockLevel,
    StyleRecord,
    StyleUpdate,
)
from bus.contract.errors import Conflict, InvalidField
from bus.contract.refusals import Retired, SoldOut, UnknownSku, WrongState
from bus.contract.values import MAX_COUNT
from nodes.catalog.code import check_label

T = TypeVar("T")
_MOST_ON_HAND = MAX_COUNT // 2
"""Pieces of a style: as many again may be on their way to customers, and come back."""
ReservationState = Literal["held", "committed", "released"]


@dataclass(frozen=True, slots=True)
class Stock:
    """How many of a style there are and what one costs."""

    sku: str
    product: str
    amount: int
    currency: str
    on_hand: int
    reserved: int
    received: int = 0
    """Pieces ever put on a shelf."""
    written_off: int = 0
    """Pieces that turned out not to be there."""
    short: int = 0
    """Of those, what `on_hand` still counts because orders hold it: it comes off as soon as one
    of them lets go."""
    retired: bool = False
    """Out of the range: no order may hold any more of it."""

    @property
    def available(self) -> int:
        """What can still be sold."""
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
    """What an order holds, held, or may never hold."""

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
    """Hold all lines for an order, or none.

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
    """The order is paid: what it holds leaves the stock for sale.

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
    """The order is not to be: what it holds, or held, is for sale again.

    Of a paid order its goods are back on their shelves when this is asked. An order never seen
    leaves a tombstone: its late reserve is refused.
    """
    if existing is None:
        return Decision(Reservation(order, "released"))
    if existing.state == "released":
        return Decision(existing)
    return Decision(replace(existing, state="released"), _let_go(existing, existing.lines, stock))


def release_some(
    order: str, lines: Sequence[Line], existing: Reservation | None, stock: Mapping[str, Stock]
) -> Decision:
    """Some of what an order holds is not to be; the rest stays the order's.

    An order that was released as a whole meanwhile holds none of it any more.

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
    """Goods were put on a shelf.

    Raises:
        Conflict: more than can be counted, with what orders may still bring back.
    """
    if stock.on_hand + quantity > _MOST_ON_HAND:
        raise Conflict(
            f"There are {stock.on_hand} of {stock.sku}; more than {_MOST_ON_HAND} cannot be kept.",
            on_hand=stock.on_hand,
        )
    return _moved(replace(stock, received=stock.received + quantity), on_hand=quantity)


def write_off(stock: Stock, quantity: int) -> Stock:
    """Goods are not where the books said: what no order holds cannot be sold from now on."""
    return _moved(
        replace(stock, written_off=stock.written_off + quantity, short=stock.short + quantity)
    )


def register(existing: ProductRecord | None, update: ProductUpdate) -> ProductRecord:
    """A product as it is after an update: what is not sent is as it was.

    Known styles keep their places; new ones come after them, in the order of the update.

    Raises:
        InvalidField: something new lacks what it must have, a label is none, a style is named
            twice, or there would be too many.
    """
    if update.url is not None and (existing is None or update.url != existing.url):
        check_label(update.url)
    known = {style.sku: style for style in existing.styles} if existing else {}
    styles = dict(known)
    for style in update.styles:
        if styles.get(style.sku) is not known.get(style.sku):
            raise InvalidField(f"{update.id} has {style.sku} twice.", field="styles")
        styles[style.sku] = _style(style, known.get(style.sku))
    if len(styles) > MAX_STYLES:
        raise InvalidField(f"{update.id} has more than {MAX_STYLES} styles.", field="styles")
    if not styles:
        raise InvalidField(f"{update.id} is new and has no style.", field="styles")
    return ProductRecord(
        id=update.id,
        name=_kept(
            update.name, existing.name if existing else None, f"{update.id} has no name.", "name"
        ),
        description=_or(update.description, existing.description if existing else ""),
        url=_kept(
            update.url, existing.url if existing else None, f"{update.id} has no label URL.", "url"
        ),
        styles=list(styles.values()),
    )


def _style(update: StyleUpdate, known: StyleRecord | None) -> StyleRecord:
    sku = update.sku
    tax = known.tax_rate if known and "tax_rate" not in update.model_fields_set else update.tax_rate
    return StyleRecord(
        sku=sku,
        gtin=_kept(
            update.gtin, known.gtin if known else None, f"{sku} is new and has no GTIN.", "gtin"
        ),
        attributes=_or(update.attributes, known.attributes if known else {}),
        price=_kept(
            update.price, known.price if known else None, f"{sku} is new, without a price.", "price"
        ),
        tax_rate=tax,
    )


def _or(new: T | None, old: T) -> T:
    return old if new is None else new


def _kept(new: T | None, old: T | None, lacking: str, field: str) -> T:
    kept = old if new is None else new
    if kept is None:
        raise InvalidField(lacking, field=field)
    return kept


def _moved(stock: Stock, *, on_hand: int = 0, reserved: int = 0) -> Stock:
    """What is short comes off first of all that is there to be sold."""
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
