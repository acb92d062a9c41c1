"""An order as settlement keeps it: its states and what it holds. Pure."""

from dataclasses import dataclass, field, replace
from typing import Literal

from bus.contract.catalog import Line, PricedLine
from bus.contract.refusals import WrongState
from bus.contract.settlement import OrderState
from bus.contract.values import Money

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
"""The states in which an order is being undone, and its state once that is done."""
Undo = Literal["charge", "refund", "withdraw", "release"]
"""A step back: await the outcome of the charge; refund the money; bring the goods back to their
shelves; release them for sale."""
FINAL = frozenset(state for state, ways in LEGAL.items() if not ways)


@dataclass(frozen=True, slots=True)
class Entered:
    """A state that an order has entered."""

    state: OrderState
    since: int
    """Milliseconds since the epoch."""
    reason: str | None = None
    """Why, if it is a refusal or an undoing."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order as settlement keeps it."""

    id: str
    terminal: str
    request: str
    """The id of its `purchase`, which is to be answered."""
    state: OrderState
    since: int
    lines: tuple[Line, ...]
    """With prices once they are reserved."""
    expected: Money
    payment: dict[str, str]
    pickup_point: str
    pickup_code: str
    total: int | None = None
    reference: str | None = None
    parcel: str | None = None
    undo: frozenset[Undo] = frozenset()
    """The steps back that are still to be done."""
    missing: tuple[Line, ...] = ()
    """What was ordered and could not be found."""
    refunding: int = 0
    """Minor units whose refund has begun."""
    refunded: int = 0
    """Of those, minor units whose refund is done."""
    reminder: str | None = None
    """The id of the last reminder to the terminal."""
    reason: str | None = None
    """Why it entered its state, if that is a refusal or an undoing."""
    entered: tuple[Entered, ...] = field(default=(), compare=False)
    """The states that it has entered since it was loaded, oldest first."""

    def to(self, state: OrderState, now: int, reason: str | None = None) -> "Order":
        """The order in a later state; never at an earlier time, even if the clock was set back.

        Raises:
            WrongState: the order cannot enter that state from its present one.
        """
        if state not in LEGAL[self.state]:
            raise WrongState(
                f"Order {self.id} is {self.state} and cannot become {state}.", state=self.state
            )
        since = max(now, self.since)
        entered = (*self.entered, Entered(state, since, reason))
        return replace(self, state=state, since=since, reason=reason, entered=entered)

    @property
    def priced(self) -> list[PricedLine]:
        """Its lines with their prices; empty as long as these are not known."""
        return [line for line in self.lines if isinstance(line, PricedLine)]

    def money(self) -> Money:
        """Its total or, as long as that is not known, the total that the customer expected."""
        amount = self.expected.amount if self.total is None else self.total
        return Money(amount=amount, currency=self.expected.currency)
