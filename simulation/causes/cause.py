"""What a planted cause is, and what is said of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from simulation.causes.scene import Scene
from tui.model.alarms import Kind

Plant = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an order is stuck, or the store is unwell, and what the console must say.

    In its texts `{order}` stands for the order that it is about, `{other}` for any other,
    `{times}` for any number, `{span}` for any time; `{node}`, `{sku}`, `{place}` and `{words}`
    for any of them.
    """

    cause: str
    """In words."""
    planted: Plant
    """Lets it happen in a store that is well."""
    says: str
    """The English sentence."""
    names: str
    """Who has to act: the node of an order's reason, the subject of an alarm."""
    within: float
    """Seconds after it has begun in which it must be said."""
    to_do: str = ""
    """What the console says is to be done; empty where the sentence says it, or nothing is."""
    alarm: Kind | Literal["console"] | None = None
    """Which kind of alarm says so, or the console's own line; None where it is the reason of the
    order."""
    wrong: bool = True
    """Whether anything is: a customer who takes their time is no trouble."""
    also: tuple[str, ...] = ()
    """What else is true, and may be said beside it."""
    besides: tuple[str, ...] = ()
    """Nodes beside the three roles, one sorter and two terminals."""
    late: bool = False
    """Whether the console is opened only when it has begun."""
    passes: bool = False
    """It is over by itself before the end."""
    expires: float = 48 * 3600.0
    """Seconds for which a parcel waits for its customer."""
    lasts: float = 90.0
    """Seconds for which it is watched, for what is said that is not so."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that the console says at a moment."""

    about: str
    """`order` for the reason of an order; else the kind of the alarm, or `console`."""
    subject: str
    """The order, or the subject of the alarm."""
    names: str
    """Who has to act."""
    sentence: str
    wrong: bool
    to_do: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of watching one cause."""

    seconds: float | None
    """Until it was said; None if it was not, or not to the end."""
    said: Said | None
    """What was said that comes nearest."""
    untrue: tuple[str, ...]
    """Sentences that were not so, or not said of whom they should."""
    right: bool
    """Whether it was said in time, and nothing else."""
