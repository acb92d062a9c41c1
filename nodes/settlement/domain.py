"""What settlement decides: the life of an order. Pure: rows and replies in, rows out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bus.contract.catalog import Line, PricedLine
from bus.contract.errors import InvalidField, Unavailable
from bus.contract.refusals import PriceChanged, UnknownPickupPoint, WrongState
from bus.contract.settlement import OrderState, PaymentReceipt, Purchase, Receipt, Seller
from bus.contract.terminal import Remind
from bus.contract.values import MAX_AMOUNT, Money
from bus.contract.warehouse import PickupPoints

LEGAL: dict[OrderState, frozenset[OrderState]] = {
    "reserving": frozenset({"charging", "refused", "cancelling"}),
    "charging": frozenset({"settled", "declined", "cancelling"}),
    "settled": frozenset({"short", "ready", "cancelling"}),
    "short": frozenset({"short", "ready", "cancelling"}),
    "ready": frozenset({"reminded", "collected", "cancelling", "expiring"}),
    "reminded": frozenset({"collected", "cancelling", "expiring"}),
    "cancelling": frozenset({"cancelled"}),
    "expiring": frozenset({"expired"}),
    "collected": frozenset(),
    "refused": frozenset(),
    "declined": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
}
"""The order's state machine; a state without a way out is final."""
UNDOING: dict[OrderState, OrderState] = {"cancelling": "cancelled", "expiring": "expired"}
"""States in which an order is being undone, and what it is when that is done."""
Undo = Literal["charge", "refund", "withdraw", "release"]
"""A step back: learn what became of the charge; give the money back; bring the goods back to
their shelves; put them up for sale again."""
_WAYS_BACK: dict[OrderState, frozenset[Undo]] = {
    "reserving": frozenset({"release"}),
    "charging": frozenset({"charge", "release"}),
    "settled": frozenset({"refund", "withdraw"}),
    "short": frozenset({"refund", "withdraw"}),
    "ready": frozenset({"refund", "withdraw"}),
    "reminded": frozenset({"refund", "withdraw"}),
}
_FOLLOWING: dict[Undo, Undo] = {"withdraw": "release"}
"""Steps that can only begin when another is done: goods are sold again when they are back."""
FINAL = frozenset(state for state, ways in LEGAL.items() if not ways)


@dataclass(frozen=True, slots=True)
class Order:
    """An order as settlement keeps it."""

    id: str
    terminal: str
    request: str
    """The id of the purchase message, to answer it."""
    state: OrderState
    since: int
    lines: tuple[Line, ...]
    """Priced lines once they are reserved."""
    expected: Money
    payment: dict[str, str]
    pickup_point: str
    pickup_code: str
    total: int | None = None
    reference: str | None = None
    parcel: str | None = None
    undo: frozenset[Undo] = frozenset()
    """The steps back that are not done yet."""
    missing: tuple[Line, ...] = ()
    """What could not be had."""
    refunding: int = 0
    """Minor units that are to go back to the customer, as far as that was begun."""
    refunded: int = 0
    """Of those, what has gone back."""
    reminder: str | None = None
    """The id of the last message to the terminal."""
    reason: str | None = None
    """Why it came into its state, where that is a refusal."""

    def to(self, state: OrderState, now: int, reason: str | None = None) -> "Order":
        """The order in a later state; never at an earlier time, also when the clock was set back.

        Raises:
            WrongState: there is no way from here to there.
        """
        if state not in LEGAL[self.state]:
            raise WrongState(
                f"Order {self.id} is {self.state} and cannot become {state}.", state=self.state
            )
        return replace(self, state=state, since=max(now, self.since), reason=reason)

    @property
    def priced(self) -> list[PricedLine]:
        """Its lines with their prices, as far as they are known."""
        return [line for line in self.lines if isinstance(line, PricedLine)]

    def money(self) -> Money:
        """What it costs, or what the customer expected as long as that is not known."""
        amount = self.expected.amount if self.total is None else self.total
        return Money(amount=amount, currency=self.expected.currency)


def choose_pickup_point(wanted: str | None, known: PickupPoints | None) -> str:
    """The pickup point a purchase names, or the default.

    Raises:
        Unavailable: the warehouse has not said yet which there are.
        UnknownPickupPoint: there is none of this name.
    """
    if known is None:
        raise Unavailable("The warehouse has not said yet which pickup points there are.")
    if wanted is None:
        return known.default
    if wanted not in {point.id for point in known.points}:
        raise UnknownPickupPoint(
            f"There is no pickup point {wanted}.",
            points=[point.id for point in known.points],
        )
    return wanted


def place_order(
    purchase: Purchase,
    *,
    order: str,
    terminal: str,
    request: str,
    pickup_point: str,
    pickup_code: str,
    now: int,
) -> Order:
    """A purchase becomes an order that is about to reserve its goods."""
    payment = purchase.payment.model_dump()
    return Order(
        id=order,
        terminal=terminal,
        request=request,
        state="reserving",
        since=now,
        lines=tuple(purchase.lines),
        expected=purchase.expected_total,
        payment=payment,
        pickup_point=pickup_point,
        pickup_code=pickup_code,
    )


def price(order: Order, lines: Sequence[PricedLine]) -> Order:
    """The goods are held: the order with today's prices.

    Raises:
        PriceChanged: the customer expected another total; `total` is today's.
        InvalidField: lines of different currencies, or a total beyond all measure.
    """
    total = sum(line.quantity * line.price.amount for line in lines)
    currencies = sorted({line.price.currency for line in lines})
    if len(currencies) != 1:
        raise InvalidField("The lines have different currencies.", field="lines")
    if total > MAX_AMOUNT:
        raise InvalidField("The total is beyond all measure.", field="lines")
    today = Money(amount=total, currency=currencies[0])
    if today != order.expected:
        raise PriceChanged(
            "The total is another today.",
            total=today.model_dump(),
            lines=[line.model_dump() for line in lines],
        )
    return replace(order, lines=tuple(lines), total=total)


def begin_undoing(order: Order, state: OrderState, now: int, reason: str) -> Order:
    """An order that is not to be: with the steps back from where it is.

    Raises:
        WrongState: it is final, or was collected.
    """
    return replace(order.to(state, now, reason), undo=_WAYS_BACK[order.state])


def undone(order: Order, step: Undo, now: int) -> tuple[Order, Undo | None]:
    """A step back is done: the order, and the step that can begin now, if any.

    A step that was not to be done, or was done before, changes nothing.
    """
    if step not in order.undo:
        return order, None
    following = _FOLLOWING.get(step)
    left = order.undo - {step} | ({following} if following else set())
    order = replace(order, undo=left)
    if not left:
        order = order.to(UNDOING[order.state], now)
    return order, following


def go_without(order: Order, lines: Sequence[Line], now: int, reason: str) -> tuple[Order, int]:
    """Some of a paid order cannot be had: the order, and what goes back for it in minor units.

    Nothing more goes back for an order that is being undone: all of it does.

    Raises:
        WrongState: the order is not paid.
        InvalidField: it has not so many of these.
    """
    if order.state in UNDOING or order.state in UNDOING.values():
        return order, 0
    if order.reference is None:
        raise WrongState(f"Order {order.id} is {order.state}.", state=order.state)
    gone = {line.sku: line.quantity for line in order.missing}
    for line in lines:
        gone[line.sku] = gone.get(line.sku, 0) + line.quantity
    ordered = {line.sku: line for line in order.priced}
    for sku, quantity in gone.items():
        if sku not in ordered or quantity > ordered[sku].quantity:
            raise InvalidField(f"Order {order.id} has not {quantity} of {sku}.", field="lines")
    missing = tuple(Line(sku=sku, quantity=quantity) for sku, quantity in gone.items())
    order = replace(order, missing=missing)
    if order.state in ("settled", "short"):
        order = order.to("short", now, reason)
    return order, sum(line.quantity * ordered[line.sku].price.amount for line in lines)


def begin_refund(order: Order, amount: int) -> Order:
    """So many minor units are to go back."""
    return replace(order, refunding=order.refunding + amount)


def money_back(order: Order, amount: int, now: int) -> Order:
    """So many minor units have gone back; when all have, that step of an undoing is done."""
    order = replace(order, refunded=order.refunded + amount)
    return undone(order, "refund", now)[0] if order.refunded == order.refunding else order


def charged_too_late(order: Order, reference: str) -> Order:
    """The card was charged for an order that is being undone: the money has to go back."""
    return replace(order, reference=reference, undo=order.undo - {"charge"} | {"refund"})


def receipt(order: Order, at: str, seller: Seller | None) -> Receipt:
    """The answer to the purchase of an order that was settled at this time."""
    return Receipt(
        order=order.id,
        state="settled",
        lines=order.priced,
        total=order.money(),
        payment=_payment(order),
        pickup_point=order.pickup_point,
        pickup_code=order.pickup_code,
        at=at,
        seller=seller,
    )


def reminder(order: Order, points: PickupPoints) -> Remind:
    """What the terminal tells the customer."""
    names = {point.id: point.name for point in points.points}
    return Remind(
        order=order.id,
        pickup_point=order.pickup_point,
        pickup_point_name=names.get(order.pickup_point, order.pickup_point),
        pickup_code=order.pickup_code,
        missing=list(order.missing),
    )


def _payment(order: Order) -> PaymentReceipt:
    assert order.reference is not None, f"order {order.id} is not paid"
    return PaymentReceipt.model_validate(
        {"method": order.payment["method"], "reference": order.reference}
    )


def payment_receipt(order: Order) -> PaymentReceipt | None:
    """How it was paid, once it is."""
    return None if order.reference is None else _payment(order)
