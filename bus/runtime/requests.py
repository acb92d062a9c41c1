"""What a node takes in: requests, answers to its own commands, and other nodes' states."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bus.contract.channel import Operation
from bus.contract.errors import Expired
from bus.contract.problem import ProblemData
from bus.contract.timestamp import rfc3339
from bus.contract.values import Model

DataT = TypeVar("DataT", bound=Model)


@dataclass(frozen=True, slots=True)
class Request(Generic[DataT]):
    """A request that was read, found well-formed and allowed."""

    operation: Operation[Any, Any]
    caller: str
    """From the topic, which is the only thing about the sender that can be trusted."""
    id: str
    data: DataT
    digest: bytes
    at: int = 0
    """When it was read, in milliseconds of the node's steady clock."""
    trace: str | None = None
    deadline: int | None = None
    """Milliseconds of the node's steady clock, after which this copy is not begun any more."""
    sent_at: int | None = None
    """When its sender wrote it, by a clock that may be wrong, in milliseconds since the epoch."""
    correlation: bytes | None = None
    order: str | None = None
    """The order that it is about."""

    def check_deadline(self, now: int, steady: int) -> None:
        """Check that it is not too late to begin.

        Args:
            now: the wall clock's milliseconds since the epoch.
            steady: the node's steady clock.

        Raises:
            Expired: it is too late. Nothing is remembered of the request: a clock may be wrong,
                and be set right.
        """
        if self.deadline is None or steady < self.deadline:
            return
        late = (steady - self.deadline) / 1000
        detail = f"The deadline passed {late:g} s ago; this was not begun."
        more: dict[str, Any] = {"now": rfc3339(now)}
        if self.sent_at is not None:
            more["skew"] = skew = (self.sent_at - now) / 1000
            side = "ahead of" if skew > 0 else "behind"
            detail += f" By its own clock it was written {abs(skew):g} s {side} the clock here."
        raise Expired(
            f"{detail} If it was written just now, that clock is wrong: `now` is the store's time."
            " With a deadline in that time, or with `expiresin`, the same id is carried out.",
            **more,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it is stored and repeated."""

    operation: Operation[Any, Any]
    caller: str
    payload: bytes
    correlation: bytes | None


@dataclass(frozen=True, slots=True)
class Answer(Generic[DataT]):
    """What became of a command that this node sent: a reply, a problem, or nothing in time."""

    operation: Operation[Any, Any]
    callee: str
    id: str
    """The id of the command."""
    request: Any
    """The data that was sent."""
    data: DataT | None = None
    problem: ProblemData | None = None

    @property
    def timed_out(self) -> bool:
        """Whether no answer came in time: the outcome is unknown, the command may still arrive."""
        return self.data is None and self.problem is None


@dataclass(frozen=True, slots=True)
class Observed(Generic[DataT]):
    """A state that another node showed."""

    node: str
    data: DataT
