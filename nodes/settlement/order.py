"""An order as settlement keeps it: its states and what it holds. Pure."""

from dataclasses import dataclass, field, replace
from typing import Literal

from bus.contract.catalog import Line, PricedLine
from bus.contract.errors import WrongState
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
"""States in which an order is being undone, and what it is when that is done."""
Undo = Literal["charge", "refund", "withdraw", "release"]
"""A step back: learn what became of the charge; give the money back; bring the goods back to
their shelves; put them up for sale again."""
FINAL = frozenset(state for state, ways in LEGAL.items() if not ways)


@dataclass(frozen=True, slots=True)
class Entered:
    """A state that an order has come into."""

    state: OrderState
    since: int
    """Milliseconds since the epoch."""
    reason: str | None = None
    """Why, where that is a refusal or a step back."""


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
    entered: tuple[Entered, ...] = field(default=(), compare=False)
    """The states that it has come into since it was loaded, oldest first."""

    def to(self, state: OrderState, now: int, reason: str | None = None) -> "Order":
        """The order in a later state; never at an earlier time, even if the clock was set back.

        Raises:
            WrongState: there is no way from here to there.
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
        """Its lines with their prices, as far as they are known."""
        return [line for line in self.lines if isinstance(line, PricedLine)]

    def money(self) -> Money:
        """What it costs, or what the customer expected as long as that is not known."""
        amount = self.expected.amount if self.total is None else self.total
        return Money(amount=amount, currency=self.expected.currency)
