"""The way of one order: its messages in time, and what they say of its state."""

import pickle
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, get_args

from bus.contract.settlement import OrderState, OrderView
from bus.history.message import Message, count

HOPS = 200
"""The most messages that are kept of one order."""
_LINES = 100
"""The most styles that are kept of one order."""
_LONGEST = 64
"""Characters of a code, an account or a style."""
FINAL = frozenset({"collected", "refused", "declined", "cancelled", "expired"})
UNDOING = frozenset({"cancelling", "expiring"})
STATES: tuple[OrderState, ...] = get_args(OrderState)


@dataclass(slots=True)
class Hop:
    """A message of an order, without its payload."""

    number: int
    """Of the message, to find it in the traffic."""
    at: int
    kind: str
    sender: str
    receiver: str
    name: str
    id: str | None
    cause: str | None
    answers: str | None
    problem: str | None
    """The code, if it is one."""
    detail: str | None = None
    """What it says of itself in words: a problem's detail, a fault's reason."""
    latency: int | None = None
    again: tuple[int, ...] = ()
    """When the same message was heard again."""
    passing: bool = False
    """Of a reply: a refusal for the moment, after which the same is asked again."""
    declined: bool = False
    """Of a reply: a sorter does not take its job."""
    took: bool = False
    """Of a reply: goods of a job that was stopped have left their shelves."""


_VALUES = attrgetter(*(each.name for each in fields(Hop)))


@dataclass(slots=True)
class TrackedOrder:
    """An order as far as it was seen."""

    order: str
    state: OrderState | None = None
    """None as long as nobody has said."""
    since: int = 0
    """When it came into the state."""
    terminal: str | None = None
    total: tuple[int, str] | None = None
    """Minor units and currency."""
    pickup_point: str | None = None
    code: str | None = None
    """By which it is collected."""
    account: str | None = None
    """That it was paid from."""
    skus: tuple[str, ...] = ()
    """The styles that were bought."""
    job: str | None = None
    sorter: str | None = None
    """Who had its job last."""
    reason: str | None = None
    heard: int = 0
    """When the last message of it was heard."""
    dropped: int = 0
    """Messages of it that are not kept."""
    traces: list[str] = field(default_factory=list)
    """The traces that belong to it."""
    view: OrderView | None = None
    """What settlement said when it was asked."""
    _hops: list[Hop] = field(default_factory=list)
    _packed: bytes = b""

    @property
    def hops(self) -> list[Hop]:
        """Its messages, in time."""
        if self._packed:
            kept = pickle.loads(self._packed)  # noqa: S301 - of this process
            self._hops, self._packed = [Hop(*values) for values in kept], b""
        return self._hops

    def pack(self) -> None:
        """Keep its messages small until they are looked at again.

        A hundred thousand objects would take the interpreter a quarter of a second whenever it
        looks for garbage among them, and a checkpoint half a second.
        """
        if self._hops:
            self._packed = pickle.dumps(list(map(_VALUES, self._hops)), pickle.HIGHEST_PROTOCOL)
            self._hops = []

    @property
    def told(self) -> bool:
        """Whether settlement was asked since it came into its state."""
        return self.view is not None and self.view.state == self.state

    @property
    def active(self) -> int:
        """When something was last heard of it."""
        return max(self.since, self.heard)

    @property
    def final(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in FINAL

    def comes_into(self, state: OrderState, since: int, reason: str | None) -> None:
        """It is in a state, unless that was overtaken: its way has no way back."""
        if state != self.state and (self.final or _RANK[state] < _RANK.get(self.state, -1)):
            return
        goes_on = state == self.state or self.state in UNDOING
        self.state, self.since = state, since
        self.reason = reason or (self.reason if goes_on else None)

    def hop(self, message: Message) -> Hop | None:
        """The hop that a repeated message repeats."""
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
        """Requests of it that nobody has answered, oldest first."""
        answered = {
            (hop.receiver, hop.answers)
            for hop in self.hops
            if hop.kind == "rep" and not hop.passing
        }
        return [
            hop for hop in self.hops if hop.kind == "req" and (hop.sender, hop.id) not in answered
        ]

    def answer(self, request: Hop) -> Hop | None:
        """The answer to a request; None while there is none but for the moment."""
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
"""Operations whose messages are looked into."""


def learn(tracked: TrackedOrder, message: Message, data: dict[str, Any]) -> None:
    """What a message says of its order; settlement's own word is believed more."""
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
    """By what people ask for it: its pickup code, its account, its goods."""
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
    """The state that an order is in when this is said."""
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
"""The way of an order; whose clock says when is of no account."""
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
    """Minor units and currency, or None if it is no money."""
    if not isinstance(value, dict):
        return None
    amount, currency = count(value.get("amount")), value.get("currency")
    return (amount, currency) if amount is not None and isinstance(currency, str) else None


def detail(data: object) -> str | None:
    """What a message says of itself in words."""
    if not isinstance(data, dict):
        return None
    for name in ("reason", "detail"):
        if isinstance(data.get(name), str):
            return str(data[name])
    return None
