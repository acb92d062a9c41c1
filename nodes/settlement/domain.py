"""What settlement decides: the life of an order. Pure: rows and replies in, rows out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from bus.contract.catalog import Line, PricedLine
from bus.contract.channel import role_of
from bus.contract.errors import InvalidField, Unavailable
from bus.contract.refusals import PriceChanged, UnknownOrder, UnknownPickupPoint, WrongState
from bus.contract.settlement import OrderState, PaymentReceipt, Purchase, Receipt, Seller
from bus.contract.terminal import Remind
from bus.contract.values import MAX_AMOUNT, Money
from bus.contract.warehouse import PickupPoints
from nodes.settlement.acquirer.outcomes import Captured, Declined
from nodes.settlement.order import FINAL, UNDOING, Entered, Order, Undo

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


def choose_pickup_point(wanted: str | None, known: PickupPoints | None) -> str:
    """The pickup point that a purchase names, or the default.

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
    """The order that a purchase becomes; its goods are to be reserved."""
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
        entered=(Entered("reserving", now),),
    )


def refuse_other_terminal(order: str, terminal: str, caller: str) -> None:
    """Raise `UnknownOrder` if the caller is a terminal and the order is another terminal's."""
    if role_of(caller) == "terminal" and terminal != caller:
        raise UnknownOrder(f"There is no order {order}.")


def price(order: Order, lines: Sequence[PricedLine]) -> Order:
    """The goods are reserved: the order with the current prices.

    Raises:
        PriceChanged: the customer expected another total; `total` is the current one.
        InvalidField: the lines have different currencies, or the total is too large.
    """
    total = sum(line.quantity * line.price.amount for line in lines)
    currencies = sorted({line.price.currency for line in lines})
    if len(currencies) != 1:
        raise InvalidField("The lines have different currencies.", field="lines")
    if total > MAX_AMOUNT:
        raise InvalidField("The total is too large.", field="lines")
    today = Money(amount=total, currency=currencies[0])
    if today != order.expected:
        raise PriceChanged(
            "The total has changed.",
            total=today.model_dump(),
            lines=[line.model_dump() for line in lines],
        )
    return replace(order, lines=tuple(lines), total=total)


def account_declines(held: tuple[int, str] | None, total: Money) -> str | None:
    """Why a prepaid account cannot pay a total; None if it can.

    Args:
        held: what it holds in minor units, and its currency; None if there is no such account.
        total: what is to be paid.
    """
    if held is None:
        return "There is no such account."
    balance, currency = held
    if currency != total.currency:
        return f"The account is kept in {currency}."
    return "The account does not hold enough." if balance < total.amount else None


def settle(order: Order, outcome: Captured | Declined, now: int) -> Order:
    """The charge has an outcome: the order is settled, or declined."""
    if isinstance(outcome, Declined):
        return order.to("declined", now, outcome.reason)
    return replace(order.to("settled", now), reference=outcome.reference)


def ready(order: Order, parcel: str, now: int) -> Order | None:
    """The parcel lies at its pickup point; None if the order was undone while it was packed.

    Raises:
        WrongState: the order is not paid.
    """
    if order.state in UNDOING or order.state in FINAL:
        return None
    return replace(order.to("ready", now), parcel=parcel)


def uncollected(
    order: Order, steady: int, expires_at: int
) -> Literal["over", "expire", "remind", "wait"]:
    """What to do about a parcel that may not have been collected.

    Args:
        order: whose parcel it is.
        steady: the time, in milliseconds of the steady clock.
        expires_at: when the parcel goes back, by the same clock.

    Returns:
        `over` if it is not waiting any more; `wait` while the first reminder is on its way.
    """
    if order.state not in ("ready", "reminded"):
        return "over"
    if steady >= expires_at:
        return "expire"
    return "remind" if order.state == "reminded" else "wait"


def begin_undoing(order: Order, state: OrderState, now: int, reason: str) -> Order:
    """Begin to cancel or expire an order; its state determines the steps back.

    Raises:
        WrongState: it is final.
    """
    return replace(order.to(state, now, reason), undo=_WAYS_BACK[order.state])


def undone(order: Order, step: Undo, now: int) -> tuple[Order, Undo | None]:
    """A step back is done: the order, and the step that can begin now, if any.

    A step that is not among those to be done changes nothing.
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
    """Some goods of a paid order are missing: the order, and the refund for them in minor units.

    For an order that is being undone the refund is 0: all of its money goes back anyway.

    Raises:
        WrongState: the order is not paid.
        InvalidField: it does not have so many of these.
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


def charge_key(order: str) -> str:
    """The idempotency key of an order's charge, and the name of its transfer."""
    return f"{order}.charge"


def refund_name(order: str, begun: int) -> str:
    """The idempotency key of a refund, and the name of its transfer.

    Args:
        order: whose money goes back.
        begun: the minor units of it whose refund was begun before.
    """
    return f"{order}.refund.{begun}"


def begin_refund(order: Order, amount: int) -> Order:
    """So many minor units are to be refunded."""
    return replace(order, refunding=order.refunding + amount)


def money_back(order: Order, amount: int, now: int) -> Order:
    """So many minor units were refunded; once all are, the step `refund` is done."""
    order = replace(order, refunded=order.refunded + amount)
    return undone(order, "refund", now)[0] if order.refunded == order.refunding else order


def charged_too_late(order: Order, reference: str) -> Order:
    """The card was charged for an order that is being undone: the money must be refunded."""
    return replace(order, reference=reference, undo=order.undo - {"charge"} | {"refund"})


def receipt(order: Order, at: str, seller: Seller | None) -> Receipt:
    """The answer to the purchase of an order; `at` is when it was paid, RFC 3339."""
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
    """What the terminal is to show the customer."""
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
    """How it was paid; None if it is not paid."""
    return None if order.reference is None else _payment(order)
