"""What every node answers and shows: ping, about, presence, refusals."""

from typing import Annotated, Literal

from pydantic import Field

from bus.contract.channel import EVERY, Event, State, query
from bus.contract.values import (
    MAX_ENTRIES,
    MAX_INTEGER,
    Count,
    Empty,
    Explanation,
    Model,
    OrderId,
    Reference,
    Text,
    Time,
    Word,
)

Counter = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Writer = Literal["works", "fails", "stands-still"]
"""Whether a node carries out transactions: `fails` if they fail, `stands-still` if they do not
come to an end, so that every command waits."""


class Pong(Model):
    """The reply to `ping`: after a transaction, or when that takes too long."""

    node: Word
    """The name of the node that answers."""
    boot: Word
    """Identifies this start of the process."""
    version: Word
    """Of Storebus, or of the firmware of a device."""
    writer: Writer | None = None
    """How the transaction went that this was asked with; null from devices that do not say."""


MAX_ERRORS = 10
"""The most errors that a node tells of."""


class Mishap(Model):
    """Something that a node has logged as a warning or an error."""

    at: Time
    """RFC 3339 time at which it was."""
    detail: Text
    """What happened, as it stands in the log; cut off where it is longer."""


class About(Model):
    """What a node is and what it has counted since it started."""

    node: Word
    """Its name."""
    role: Word
    """A server role or a kind of device: `catalog`, `sorter` ..."""
    boot: Word
    """Identifies this start of the process."""
    version: Word
    """Of Storebus, or of the firmware of a device."""
    since: Time
    """RFC 3339 time of the start."""
    operations: Annotated[list[Word], Field(max_length=MAX_ENTRIES)]
    """What it answers."""
    counts: Annotated[dict[Word, Counter], Field(max_length=MAX_ENTRIES)]
    """Such as `said`, `received`, `answered`, `refused.sold-out`, `dropped.unsolicited-reply`."""
    outbox: Count
    """Commands and calls that are not done yet."""
    timers: Count = 0
    """Timers that are set."""
    writer: Writer | None = None
    """How its last transaction went that was carried out to see; null from devices that do not
    say."""
    host: Text | None = None
    """The name of the computer that it runs on; null from devices that do not say."""
    process: Counter | None = None
    """The number of its process there; null from devices that do not say."""
    data: Text | None = None
    """The folder of its database there; null from devices that do not say."""
    connections: Counter | None = None
    """How often it has connected within the last hour; null from devices that do not say."""
    errors: Annotated[list[Mishap], Field(max_length=MAX_ERRORS, default_factory=list)]
    """What it logged last as a warning or an error since it started, oldest first."""
    database: Word | None = None
    """Names its database, as in its presence."""
    position: Count | None = None
    """How far that has come."""


class Presence(Model):
    """Whether a node is there; the last will says `lost` with the same boot."""

    status: Literal["online", "offline", "lost"]
    """`online`; `offline` after a goodbye; `lost` is said by the last will."""
    boot: Reference
    """Identifies this start of the process: a `lost` of an older start means nothing."""
    since: Text
    """RFC 3339 time of the start."""
    database: Word | None = None
    """Names the database that the node plays with, where it has one: with another one it has lost
    what it knew."""
    position: Count | None = None
    """How far that has come: it only rises, unless an older copy was put in its place."""


class Refusal(Model):
    """A request that was not allowed, for operators to see."""

    caller: Word
    """Who asked."""
    operation: Word
    """What was asked."""
    code: Word
    """The code of the problem that was the answer."""
    detail: Explanation
    """What was wrong, in a sentence for a person."""


class Alarm(Model):
    """Something that a person should look at."""

    kind: Literal[
        "no-sorter",
        "clock-step",
        "clock-wrong",
        "refund-refused",
        "provider-refuses-us",
        "standstill",
        "cannot-write",
        "database-replaced",
        "database-older",
        "provider-silent",
        "outcome-unknown",
        "refuses",
        "charge-refused",
        "step-refused",
        "short-pick",
        "put-back",
    ]
    """What programs look at. `clock-step`: the host's clock was set; `clock-wrong`: it is not the
    store's; `refund-refused`: money could not go back; `provider-refuses-us`: the payment provider
    does not let the store in, and its settings are to be mended; `standstill`: the node's
    transactions did not come to an end, so it ended itself and is to be started again;
    `cannot-write`: its database cannot be written, a full disk for instance; `database-replaced`,
    `database-older`: a node has another database than before, or an older copy of it;
    `provider-silent`: what a node calls does not answer; `outcome-unknown`: of one order it has not
    for long; `refuses`: a node or sorter refuses what it is asked, again and again;
    `charge-refused`: the payment provider refuses to charge; `step-refused`: a step back of an
    order was refused for good; `short-pick`: fewer goods lay somewhere than the books said;
    `put-back`: goods wait for a person who puts them on a shelf."""
    detail: Text
    """What is wrong and what to do, in words."""
    since: Time
    """RFC 3339."""
    order: OrderId | None = None
    """Which order it is about, if about one."""
    seconds: Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)] | None = None
    """Of a clock: by how much it was set or is ahead; negative if it was set back or is behind."""
    subject: Word | None = None
    """What it is about, where that is neither an order nor the node that shows it: another node, a
    sorter, a style and its location, a parcel."""
    values: dict[Word, Word | Counter] = Field(default_factory=dict, max_length=20)
    """What `detail` names, each by what it is, for whoever says it in words of their own."""


class Alarms(Model):
    """Everything that is wrong now; empty when all is well."""

    alarms: Annotated[list[Alarm], Field(max_length=MAX_ENTRIES)]
    """Oldest first."""


PING = query(EVERY, "ping", Empty, Pong, "Is this node alive, and which start of it?")
ABOUT = query(EVERY, "about", Empty, About, "What is this node, and what has it counted?")
PRESENCE = State(EVERY, "presence", Presence, "online, offline or lost")
ABOUT_STATE = State(EVERY, "about", About, "what the node says of itself")
ALARMS_STATE = State(EVERY, "alarms", Alarms, "what a person should look at")
REFUSED = Event(EVERY, "refused", Refusal, "a request that its caller was not allowed to make")
