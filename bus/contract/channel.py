"""What a channel is: an operation with its request and reply, a state, or an event.

Each channel is declared once; topics, access rules, documents and descriptions derive from it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from bus.contract.values import Model

RequestT = TypeVar("RequestT", bound=Model)
ReplyT = TypeVar("ReplyT", bound=Model)
StateT = TypeVar("StateT", bound=Model)

EVERY = "*"
"""The callee of an operation, or the owner of a state, that every node has."""
ROLES = frozenset({"catalog", "settlement", "warehouse"})
"""Server roles: each is one node of the same name."""
TIMEKEEPER = "settlement"
"""The role whose clock is the store's."""
DEVICES = frozenset({"sorter", "terminal", "console", "tester"})
"""Kinds of devices and observers: each is any number of nodes named `kind-...`."""
REMEMBERED = ROLES | {"sorter"}
"""Whose databases others remember. A terminal may be exchanged: settlement knows what it bought."""
ALSO_CALLED = {"web": "terminal"}
"""Further names of a kind: the page server `web-1` is a terminal, with many customers."""


def role_of(node: str) -> str | None:
    """What a node may do: a role, a kind of device, or None for a name of neither form."""
    if node in ROLES:
        return node
    kind, dash, number = node.partition("-")
    kind = ALSO_CALLED.get(kind, kind)
    return kind if dash and number and kind in DEVICES else None


def is_remembered(node: str) -> bool:
    """Whether others remember which database this node has."""
    return role_of(node) in REMEMBERED


def keeps_customers_apart(node: str) -> bool:
    """Whether this node serves many customers, and limits each of them itself."""
    return node.partition("-")[0] in ALSO_CALLED


@dataclass(frozen=True, slots=True)
class Operation(Generic[RequestT, ReplyT]):
    """A request and its reply."""

    callee: str
    """The role or kind of device that answers, or `EVERY`."""
    name: str
    kind: Literal["query", "command"]
    """A query has no side effect; a command is durable at both ends."""
    request: type[RequestT]
    reply: type[ReplyT]
    description: str
    callers: frozenset[str] = frozenset()
    """The roles and kinds of device that may ask; empty for any node."""
    timeout: float | None = None
    """Seconds an asker waits unless it says otherwise; None for as long as it takes."""
    problems: frozenset[str] = frozenset()
    """Codes of its own refusals; any operation may be refused with `COMMON_PROBLEMS`."""

    @property
    def qos(self) -> int:
        """MQTT quality of service: 0 for a query, 1 for a command."""
        return 0 if self.kind == "query" else 1


@dataclass(frozen=True, slots=True)
class State(Generic[StateT]):
    """The latest state of a node: retained, QoS 1."""

    owner: str
    name: str
    data: type[StateT]
    description: str


@dataclass(frozen=True, slots=True)
class Event(Generic[StateT]):
    """Something that happened: best effort, QoS 0, nothing depends on it."""

    owner: str
    name: str
    data: type[StateT]
    description: str


def query(
    callee: str,
    name: str,
    request: type[RequestT],
    reply: type[ReplyT],
    description: str,
    *,
    callers: Collection[str] = (),
    problems: Collection[str] = (),
) -> Operation[RequestT, ReplyT]:
    """Declare a query, and who may ask it if not any node."""
    return Operation(
        callee, name, "query", request, reply, description,
        frozenset(callers), 5.0, frozenset(problems),
    )  # fmt: skip


def command(
    callee: str,
    name: str,
    request: type[RequestT],
    reply: type[ReplyT],
    description: str,
    *,
    callers: set[str],
    timeout: float | None = None,
    problems: Collection[str] = (),
) -> Operation[RequestT, ReplyT]:
    """Declare a command and who may give it."""
    return Operation(
        callee, name, "command", request, reply, description,
        frozenset(callers), timeout, frozenset(problems),
    )  # fmt: skip
