"""What every node answers and shows: ping, about, presence, refusals."""

from typing import Annotated, Literal

from pydantic import Field

from bus.contract.channel import EVERY, Event, State, query
from bus.contract.values import Empty, Model, Reference, Text


class Pong(Model):
    """The reply to `ping`."""

    node: str
    boot: str
    """Identifies this start of the process."""
    version: str


class About(Model):
    """What a node is and what it has counted since it started."""

    node: str
    role: str
    boot: str
    version: str
    since: str
    """RFC 3339 time of the start."""
    operations: list[str]
    counts: dict[str, int]
    """Such as `received`, `answered`, `refused.sold-out`, `dropped.unsolicited-reply`."""
    outbox: Annotated[int, Field(ge=0)]
    """Commands and calls that are not done yet."""
    timers: Annotated[int, Field(ge=0)] = 0
    """Timers that are set."""


class Presence(Model):
    """Whether a node is there; the last will says `lost` with the same boot."""

    status: Literal["online", "offline", "lost"]
    boot: Reference
    since: Text


class Refusal(Model):
    """A request that was not allowed, for operators to see."""

    caller: str
    operation: str
    code: str
    detail: str


PING = query(EVERY, "ping", Empty, Pong, "Is this node alive, and which start of it?")
ABOUT = query(EVERY, "about", Empty, About, "What is this node, and what has it counted?")
PRESENCE = State(EVERY, "presence", Presence, "online, offline or lost")
ABOUT_STATE = State(EVERY, "about", About, "what the node said of itself when it started")
REFUSED = Event(EVERY, "refused", Refusal, "a request that its caller was not allowed to make")

CHANNELS = (PING, ABOUT, PRESENCE, ABOUT_STATE, REFUSED)
