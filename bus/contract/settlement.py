"""Settlement: orders, payments, and the customer's side of every order."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bus.contract.catalog import Line, LinesOfStyles, OrderOnly, PricedLines, add_up
from bus.contract.channel import Event, State, command, query
from bus.contract.delivery import Delivered, DeliveredReply, Delivery
from bus.contract.refusals import CardNumber
from bus.contract.values import (
    MAX_AMOUNT,
    MAX_ENTRIES,
    MAX_INTEGER,
    MAX_LINES,
    NOT_BLANK,
    Count,
    Currency,
    Explanation,
    GivenReason,
    Model,
    Money,
    Name,
    OrderId,
    ParcelId,
    PointId,
    Reason,
    Reference,
    Text,
    Time,
    distinct,
    looks_like_card_number,
)
from bus.contract.wording import invalid_as

OrderState = Literal[
    "reserving",
    "charging",
    "settled",
    "short",
    "ready",
    "reminded",
    "collected",
    "refused",
    "declined",
    "cancelling",
    "cancelled",
    "expiring",
    "expired",
]
PAID: frozenset[OrderState] = frozenset({"settled", "short", "ready", "reminded", "collected"})
"""States of an order that is paid and goes on."""
PACKED: frozenset[OrderState] = frozenset({"ready", "reminded", "collected"})
"""States of an order whose parcel lies, or lay, at its pickup point."""
AccountId = Annotated[str, Field(max_length=13, pattern=r"^[A-Z]-[0-9]{1,11}$")]
PickupCode = Annotated[str, Field(max_length=6, pattern=r"^[0-9]{6}$")]


class AccountPayment(Model):
    """Pay from a prepaid account."""

    method: Literal["account"]
    """Says that it is an account."""
    account: AccountId
    """Such as `C-1001`."""


class CardPayment(Model):
    """Pay by card: an opaque token of the payment provider, never a card number."""

    method: Literal["card"]
    """Says that it is a card."""
    token: Reference
    """As the payment provider gave it."""


Payment = Annotated[AccountPayment | CardPayment, Field(discriminator="method")]


class Purchase(Model):
    """Buy these at that total and have them brought to a pickup point."""

    lines: LinesOfStyles
    """One line for each style."""
    pickup_point: PointId | None = None
    """Null for the store's default."""
    payment: Payment
    """How it is to be paid."""
    expected_total: Money
    """What the customer was shown; another total today is refused."""

    @model_validator(mode="before")
    @classmethod
    def _no_card_number(cls, data: object) -> object:
        if isinstance(data, dict) and looks_like_card_number(data.get("payment")):
            what = "A payment field holds a card number; send the provider's token."
            problem = CardNumber(what, field="payment")
            raise invalid_as(problem, "a payment field holds a card number")
        return data


PaymentMethodName = Literal["account", "card"]


class PaymentMethods(Model):
    """How customers can pay here: offer no other way."""

    methods: Annotated[list[PaymentMethodName], Field(min_length=1, max_length=10), distinct()]
    """`card` only where the store has an acquirer."""


class PaymentReceipt(Model):
    """How it was paid."""

    method: PaymentMethodName
    """How it was paid."""
    reference: Reference
    """To be told when somebody asks about the payment."""


class Seller(Model):
    """Who sells: what the law wants to stand on a receipt."""

    name: Text
    """The shop's, or its owner's."""
    address: Text = ""
    """Where it can be written to."""
    tax_number: Text = ""
    """As the tax office gave it."""


class Receipt(Model):
    """The answer to a purchase: it is paid and on its way."""

    order: OrderId
    state: OrderState
    """Where the order is on its way."""
    lines: PricedLines
    """What was bought."""
    total: Money
    """What was paid."""
    payment: PaymentReceipt
    """How it was paid."""
    pickup_point: PointId
    """Where the goods will be."""
    pickup_code: PickupCode
    """Six digits by which the customer collects."""
    at: Text | None = None
    """RFC 3339 time at which it was paid; none from stores of before."""
    seller: Seller | None = None
    """Who sold it; none where settlement was not told."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.total != add_up(self.lines):
            raise ValueError("the total is not the sum of the lines")
        return self


class StateChange(Model):
    """When an order came into a state."""

    state: OrderState
    """The state."""
    at: Time
    reason: Explanation | None = None
    """Why, where it is a refusal."""


class RefundRefusal(Model):
    """Money that the payment provider refused to give back: a person has to see to it."""

    order: OrderId
    """Whose money it is."""
    refund: Reference
    """The name of the refund, as the provider knows it."""
    amount: Money
    """What was to go back."""
    reason: Text
    """Why not, in the provider's words."""
    since: Time


class StepRefusal(Model):
    """A step back of an order that another role refused for good: a person has to see to it."""

    order: OrderId
    step: Reference
    """Its name, to resolve it by."""
    callee: Name
    """Who refused."""
    operation: Name
    """What was refused: `withdraw`, `release`."""
    reason: Explanation
    """Why, in the words of who refused."""
    since: Time


How = Literal["by-hand", "retry"]


class Resolution(Model):
    """What somebody did about a refused refund, or another step back that was refused."""

    refund: Reference
    """The name of the refund, or of the step."""
    how: How
    """Done by hand, or asked again."""
    by: Name
    """The node at which it was entered."""
    at: Time
    reason: Reason


class OrderView(Model):
    """An order and how it came to where it is."""

    order: OrderId
    state: OrderState
    """Where the order is on its way."""
    terminal: Name
    """Where it was bought."""
    lines: PricedLines
    """What was bought; empty until it is priced."""
    total: Money
    """What was paid."""
    pickup_point: PointId
    """Where the goods are brought."""
    payment: PaymentReceipt | None
    """How it was paid; null until it is."""
    parcel: ParcelId | None
    """What was packed; null until it is."""
    missing: Annotated[
        list[Line], Field(max_length=MAX_LINES, default_factory=list), distinct("sku")
    ]
    """What could not be had; its price goes back to the customer."""
    refunded: Annotated[int, Field(ge=0, le=MAX_AMOUNT)] = 0
    """What has gone back to the customer, in minor units of the total's currency."""
    waits_for: Text | None = None
    """What an order that does not move is waiting for, in words."""
    history: Annotated[list[StateChange], Field(max_length=MAX_ENTRIES)]
    """All its states, oldest first."""
    refused: Annotated[list[RefundRefusal], Field(max_length=MAX_ENTRIES, default_factory=list)]
    """Money that the payment provider refused to give back, and nobody has seen to yet."""
    resolved: Annotated[list[Resolution], Field(max_length=MAX_ENTRIES, default_factory=list)]
    """What people did about refused refunds, oldest first."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.state in PAID and self.payment is None:
            raise ValueError(f"an order that is {self.state} has a payment")
        if self.state in PACKED and self.parcel is None:
            raise ValueError(f"an order that is {self.state} has a parcel")
        if self.lines and self.total != add_up(self.lines):
            raise ValueError("the total is not the sum of the lines")
        ordered = {line.sku: line.quantity for line in self.lines}
        if any(line.quantity > ordered.get(line.sku, 0) for line in self.missing):
            raise ValueError("more is missing than was bought")
        if self.refunded > self.total.amount:
            raise ValueError("more has gone back than was paid")
        if self.history and self.history[-1].state != self.state:
            raise ValueError("the history ends in another state")
        return self


class OrderQuery(Model):
    """Which order: by its id, or by its pickup code as long as it is open.

    A terminal sees its own orders by id, and any by its code. Too many wrong codes lock who asked
    for a while, as those of `collect` do.
    """

    order: OrderId | None = None
    """The order."""
    code: PickupCode | None = None
    """Its pickup code; give this or `order`."""


class Orders(Model):
    """Orders in a state, newest first."""

    state: OrderState | None = None
    """Only these; null for all."""
    limit: Annotated[int, Field(ge=1, le=MAX_ENTRIES)] = 100
    """The most orders to be answered."""


class OrderSummary(Model):
    """One line of a list of orders."""

    order: OrderId
    state: OrderState
    """Where the order is on its way."""
    terminal: Name
    """Where it was bought."""
    total: Money
    """What was paid."""
    pickup_point: PointId
    """Where the goods are brought."""
    since: Time
    """When it came into this state."""


class OrderChanged(OrderSummary):
    """An order came into a state."""

    reason: Explanation | None = None
    """Why, where it is a refusal or a way back."""


class OrderList(Model):
    """Orders, newest first, at most what one message holds."""

    orders: Annotated[list[OrderSummary], Field(max_length=MAX_ENTRIES), distinct("order")]
    """Newest first."""


class Collect(Model):
    """The customer stands at the pickup point and gives the code."""

    code: PickupCode
    """The pickup code: six digits."""


class OrderStateReply(Model):
    """An order and its state."""

    order: OrderId
    state: OrderState
    """Where the order is on its way."""


class Ready(Model):
    """The parcel lies at the pickup point."""

    order: OrderId
    parcel: ParcelId
    pickup_point: PointId
    """Where it lies."""


class Failed(Model):
    """The warehouse cannot bring this order, or some of it."""

    order: OrderId
    reason: Text
    """Why, in words."""
    lines: LinesOfStyles | None = None
    """What cannot be had; the rest is on its way. Null when nothing of the order is."""


class Resolve(Model):
    """A person has seen to what the payment provider refused to give back, or a role to undo."""

    order: OrderId
    how: How
    """`by-hand`: it is done; of a refund, the customer has the money, in cash or by transfer.
    `retry`: whoever refused is to be asked again."""
    refund: Reference | None = None
    """Which of several refused refunds or steps; null for all of the order."""
    reason: GivenReason


class Resolved(Model):
    """What was resolved."""

    order: OrderId
    state: OrderState
    """Where the order is on its way now."""
    amount: Money
    """How much money it was about."""
    refunds: Annotated[list[Reference], Field(max_length=MAX_ENTRIES), distinct()]
    """The names of the refunds and steps."""


class Refusals(Model):
    """Which refunds and other steps back were refused, and nobody has seen to yet?"""

    limit: Annotated[int, Field(ge=1, le=100)] = 100
    """The most to be answered."""


class RefusalList(Model):
    """Refused refunds, and other steps back, that a person has to see to."""

    refusals: Annotated[list[RefundRefusal], Field(max_length=100)]
    """Refunds, oldest first."""
    steps: list[StepRefusal] = Field(default_factory=list, max_length=100)
    """Other steps, oldest first."""


class Deposit(Model):
    """Money paid into a customer's account; opens the account if there is none."""

    account: AccountId
    """Such as `C-1001`."""
    name: Text | None = None
    """Of the customer, as a check that the number is right: of an account that there is, it must be
    the account's own, in whatever case and spacing, or be left out. A new account must have one."""
    amount: Money
    """What is paid in."""
    delivery: Delivery | None = None
    """What it came with; the same of it again is not paid in a second time."""


class Balance(Model):
    """What an account holds."""

    account: AccountId
    """Such as `C-1001`."""
    balance: Annotated[int, Field(ge=0, le=MAX_INTEGER)]
    """In minor units of the currency."""
    currency: Currency
    already: Time | None = None
    """When the delivery had brought it before (RFC 3339): nothing was paid in now."""


class AdjustAccount(Model):
    """A mistake in a customer's account is put right: there is too little in it, or too much."""

    account: AccountId
    """Such as `C-1001`."""
    change: Annotated[int, Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT)]
    """What is added, in minor units; less than nothing is taken out."""
    currency: Currency
    """The account's."""
    reason: GivenReason


class RenameAccount(Model):
    """A customer's account gets another name: the customer's own has changed, or was misspelt."""

    account: AccountId
    """Such as `C-1001`."""
    name: Annotated[Text, Field(min_length=1, pattern=NOT_BLANK)]
    """From now on."""
    reason: GivenReason


class AccountName(Model):
    """Whose account it is."""

    account: AccountId
    """Such as `C-1001`."""
    name: Text
    """Of the customer, from now on."""


class Renamed(Model):
    """An account had another name before."""

    at: Time
    """Until when."""
    name: Text
    """The name that it had."""
    by: Name
    """The node at which the new one was entered."""
    reason: Reason


class StatementQuery(Model):
    """What happened to a customer's account?"""

    account: AccountId
    """Such as `C-1001`."""
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    """The most entries to be answered."""


class StatementEntry(Model):
    """Money that came into an account, or left it."""

    at: Time
    kind: Literal["deposit", "charge", "refund", "adjustment"]
    """Paid in, paid for an order, paid back for one, or put right by somebody."""
    amount: Annotated[int, Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT)]
    """In minor units; less than nothing left the account."""
    order: OrderId | None = None
    """Which order was paid, or paid back."""
    by: Name | None = None
    """Of a deposit or adjustment: the node at which it was entered."""
    reason: Text | None = None
    """Of an adjustment."""
    delivery: Text | None = None
    """Of a deposit: what it came with."""


class Statement(Balance):
    """What an account holds, and how it came to that."""

    name: Text
    """Of the customer."""
    entries: Annotated[list[StatementEntry], Field(max_length=100)]
    """Newest first."""
    renamed: Annotated[list[Renamed], Field(max_length=100, default_factory=list)]
    """Names that it had before, newest first."""


class OrderCounts(Model):
    """How many orders are in each state."""

    counts: dict[OrderState, Count]
    """By state; states without orders may be left out."""


PURCHASE = command(
    "settlement", "purchase", Purchase, Receipt,
    "Buy goods; answered when they are paid or refused", callers={"terminal"}, timeout=60.0,
    problems={
        "sold-out",
        "price-changed",
        "unknown-sku",
        "retired",
        "unknown-pickup-point",
        "unknown-account",
        "payment-declined",
        "card-number",
        "cancelled",
    },
)  # fmt: skip
ORDER = query(
    "settlement", "order", OrderQuery, OrderView, "Where is this order?",
    problems={"unknown-order", "unknown-pickup-code", "too-many-tries"},
)  # fmt: skip
ORDERS = query("settlement", "orders", Orders, OrderList, "Which orders are in this state?")
COLLECT = command(
    "settlement", "collect", Collect, OrderStateReply,
    "The customer collects a parcel; too many wrong codes lock who sent them for a while",
    callers={"terminal", "console"}, timeout=30.0,
    problems={"unknown-pickup-code", "too-many-tries", "wrong-state"},
)  # fmt: skip
CANCEL = command(
    "settlement", "cancel", OrderOnly, OrderStateReply,
    "Undo an order: goods and money go back", callers={"terminal", "console"}, timeout=30.0,
    problems={"unknown-order", "wrong-state"},
)  # fmt: skip
READY = command(
    "settlement", "ready", Ready, OrderOnly,
    "A parcel lies at its pickup point", callers={"warehouse"},
    problems={"unknown-order", "wrong-state"},
)  # fmt: skip
FAILED = command(
    "settlement", "failed", Failed, OrderOnly,
    "An order, or some of it, cannot be brought", callers={"warehouse"},
    problems={"unknown-order", "wrong-state"},
)  # fmt: skip
RESOLVE = command(
    "settlement", "resolve", Resolve, Resolved,
    "A person has seen to a refund, or another step back, that was refused",
    callers={"tester", "console"}, timeout=30.0,
    problems={"unknown-order", "wrong-state"},
)  # fmt: skip
REFUSALS = query(
    "settlement", "refusals", Refusals, RefusalList,
    "Which refunds and steps back were refused, so that a person has to see to them?",
)  # fmt: skip
DEPOSIT = command(
    "settlement", "deposit", Deposit, Balance,
    "Pay money into a customer's account", callers={"tester", "console"}, timeout=30.0,
    problems={"conflict"},
)  # fmt: skip
RENAME = command(
    "settlement", "rename", RenameAccount, AccountName, "Give a customer's account another name",
    callers={"tester", "console"}, timeout=30.0, problems={"unknown-account"},
)  # fmt: skip
ADJUST = command(
    "settlement", "adjust", AdjustAccount, Balance, "Put a customer's account right, up or down",
    callers={"tester", "console"}, timeout=30.0, problems={"conflict", "unknown-account"},
)  # fmt: skip
STATEMENT = query(
    "settlement", "statement", StatementQuery, Statement, "What happened to a customer's account?",
    callers={"tester", "console"}, problems={"unknown-account"},
)  # fmt: skip
DELIVERED = query(
    "settlement", "delivered", Delivered, DeliveredReply, "What of this came with a delivery?"
)

ORDER_CHANGED = Event("settlement", "order-changed", OrderChanged, "An order came into a state")
PAYMENT_METHODS_STATE = State(
    "settlement", "payment-methods", PaymentMethods, "the ways of payment that are taken"
)
