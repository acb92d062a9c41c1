"""An order as tracked on the bus: its messages in time, and its state."""

import pickle
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, get_args

from bus.contract.settlement import OrderState, OrderView
from bus.history.message import Message, count

HOPS = 200
"""The most messages kept of an order."""
_LINES = 100
"""The most styles kept of an order."""
_LONGEST = 64
"""The most characters of a code, an account or a SKU."""
FINAL = frozenset({"collected", "refused", "declined", "cancelled", "expired"})
UNDOING = frozenset({"cancelling", "expiring"})
STATES: tuple[OrderState, ...] = get_args(OrderState)


@dataclass(slots=True)
class Hop:
    """A message of an order, without its payload."""

    number: int
    """The number of the message, to find it in the traffic."""
    at: int
    kind: str
    sender: str
    receiver: str
    name: str
    id: str | None
    cause: str | None
    answers: str | None
    problem: str | None
    """The code of the problem, if it is one."""
    detail: str | None = None
    """The detail of a problem, or the reason of a fault."""
    latency: int | None = None
    again: tuple[int, ...] = ()
    """When the message was repeated."""
    passing: bool = False
    """Of a reply: a retryable refusal."""
    declined: bool = False
    """Of a reply: a sorter declines the job."""
    took: bool = False
    """Of a reply: goods of an aborted job have left their shelves."""


_VALUES = attrgetter(*(each.name for each in fields(Hop)))


@dataclass(slots=True)
class TrackedOrder:
    """An order as far as it was seen."""

    order: str
    state: OrderState | None = None
    """None until it is known."""
    since: int = 0
    """When it came into its state."""
    terminal: str | None = None
    total: tuple[int, str] | None = None
    """Minor units and currency."""
    pickup_point: str | None = None
    code: str | None = None
    """Its pickup code."""
    account: str | None = None
    """The account that pays it."""
    skus: tuple[str, ...] = ()
    """The SKUs of its goods."""
    job: str | None = None
    sorter: str | None = None
    """The sorter that last had its job."""
    reason: str | None = None
    heard: int = 0
    """When its last message was received."""
    dropped: int = 0
    """The number of its messages that were dropped."""
    traces: list[str] = field(default_factory=list)
    """Its traces."""
    view: OrderView | None = None
    """Settlement's last view of it."""
    _hops: list[Hop] = field(default_factory=list)
    _packed: bytes = b""

    @property
    def hops(self) -> list[Hop]:
        """Its messages in time."""
        if self._packed:
            kept = pickle.loads(self._packed)  # noqa: S301 - of this process
            self._hops, self._packed = [Hop(*values) for values in kept], b""
        return self._hops

    def pack(self) -> None:
        """Pickle its messages until they are needed again.

        A hundred thousand objects would cost a quarter of a second in each garbage collection, and
        half a second in each checkpoint.
        """
        if self._hops:
            self._packed = pickle.dumps(list(map(_VALUES, self._hops)), pickle.HIGHEST_PROTOCOL)
            self._hops = []

    @property
    def told(self) -> bool:
        """Whether settlement's view is of its present state."""
        return self.view is not None and self.view.state == self.state

    @property
    def active(self) -> int:
        """When it was last active."""
        return max(self.since, self.heard)

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINAL

    def comes_into(self, state: OrderState, since: int, reason: str | None) -> None:
        """Take a state, unless it is an older one: orders never go back."""
        if state != self.state and (self.final or _RANK[state] < _RANK.get(self.state, -1)):
            return
        goes_on = state == self.state or self.state in UNDOING
        self.state, self.since = state, since
        self.reason = reason or (self.reason if goes_on else None)

    def hop(self, message: Message) -> Hop | None:
        """The message that a repetition repeats."""
        for hop in reversed(self.hops):
            if (hop.kind, hop.sender, hop.receiver, hop.name) == (
                message.kind, message.sender, message.receiver, message.name,
            ) and (
                hop.id == message.id
                if message.kind == "req"
                else hop.answers == message.answers
            ):  # fmt: skip
                return hop
        return None

    def unanswered(self) -> list[Hop]:
        """Its unanswered requests, oldest first."""
        answered = {
            (hop.receiver, hop.answers)
            for hop in self.hops
            if hop.kind == "rep" and not hop.passing
        }
        return [
            hop for hop in self.hops if hop.kind == "req" and (hop.sender, hop.id) not in answered
        ]

    def answer(self, request: Hop) -> Hop | None:
        """The final answer to a request, if there is one."""
        for hop in self.hops:
            answers = (hop.kind, hop.receiver, hop.answers) == ("rep", request.sender, request.id)
            if answers and not hop.passing:
                return hop
        return None

    def last(self, name: str) -> Hop | None:
        """The last request of this name."""
        for hop in reversed(self.hops):
            if (hop.kind, hop.name) == ("req", name):
                return hop
        return None


TELLING = frozenset(
    {"purchase", "reserve", "fulfil", "pick", "abort", "fault", "failed", "short-pick", "ready",
     "remind", "collect", "cancel"}
)  # fmt: skip
"""Operations whose payloads are read."""


def learn(tracked: TrackedOrder, message: Message, data: dict[str, Any]) -> None:
    """Take what a message says of its order; settlement's own view has precedence."""
    if (message.kind, message.name) == ("req", "pick"):
        tracked.sorter = message.receiver
        job = data.get("job")
        tracked.job = job if isinstance(job, str) else None
    elif message.name == "purchase" and tracked.terminal is None:
        tracked.terminal = message.sender if message.kind == "req" else message.receiver
    if message.kind == "rep" and message.name == "purchase" and message.code is None:
        tracked.total = money(data.get("total")) or tracked.total
        point = data.get("pickup_point")
        tracked.pickup_point = point if isinstance(point, str) else tracked.pickup_point
    _learn_who(tracked, message, data)
    state = _state_of(message, data)
    if state is not None and state != tracked.state:
        tracked.comes_into(state, message.at, detail(data) if state in FINAL else None)


def _learn_who(tracked: TrackedOrder, message: Message, data: dict[str, Any]) -> None:
    """Take what people search for: the pickup code, the account, the goods."""
    if message.name in ("purchase", "remind"):
        tracked.code = _short(data.get("pickup_code")) or tracked.code
    if (message.kind, message.name) == ("req", "purchase"):
        payment, lines = data.get("payment"), data.get("lines")
        if isinstance(payment, dict):
            tracked.account = _short(payment.get("account"))
        tracked.skus = tuple(
            sku
            for each in (lines[:_LINES] if isinstance(lines, list) else ())
            if isinstance(each, dict) and (sku := _short(each.get("sku")))
        )


def _short(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= _LONGEST else None


def _state_of(message: Message, data: dict[str, Any]) -> OrderState | None:
    """The state of an order that sends or receives this message; None if it does not tell."""
    if message.kind == "rep" and message.name in ("purchase", "collect", "cancel"):
        if message.code is None:
            said = data.get("state")
            return said if said in STATES else None
        refused = message.name == "purchase" and message.code in _REFUSALS
        return _REFUSALS[message.code] if refused else None
    if message.kind == "rep" and message.code is None:
        not_shown = message.name == "remind" and data.get("shown") is not True
        return None if not_shown else _ANSWERED.get(message.name)
    return _ASKED.get(message.name) if message.kind == "req" else None


_RANK: dict[str | None, int] = {
    state: rank
    for rank, state in enumerate(
        ("reserving", "charging", "settled", "short", "ready", "reminded", "cancelling",
         "expiring", *sorted(FINAL))
    )
}  # fmt: skip
"""The order of the states, independent of clocks."""
_ANSWERED: dict[str, OrderState] = {
    "reserve": "charging", "ready": "ready", "remind": "reminded",
}  # fmt: skip
_ASKED: dict[str, OrderState] = {
    "reserve": "reserving", "fulfil": "settled", "remind": "ready",
}  # fmt: skip
_REFUSALS: dict[str | None, OrderState] = {
    "sold-out": "refused", "payment-declined": "declined", "cancelled": "cancelling",
}  # fmt: skip


def money(value: object) -> tuple[int, str] | None:
    """Minor units and currency; None if it is no money."""
    if not isinstance(value, dict):
        return None
    amount, currency = count(value.get("amount")), value.get("currency")
    return (amount, currency) if amount is not None and isinstance(currency, str) else None


def detail(data: object) -> str | None:
    """The reason or detail in a message's data."""
    if not isinstance(data, dict):
        return None
    for name in ("reason", "detail"):
        if isinstance(data.get(name), str):
            return str(data[name])
    return None
