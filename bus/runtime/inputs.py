"""What a transaction carries out, and the queue of what waits for the next one."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from bus.contract.channel import State
from bus.contract.values import Model
from bus.runtime.health import Health
from bus.runtime.outbox import Pending
from bus.runtime.peers import Peer
from bus.runtime.requests import Observed, Request

_QUEUE = "queue"
"""What waits for the next transaction, as the watch over the node's health knows it."""


@dataclass(frozen=True, slots=True)
class ReplyReceived:
    """A reply to a command of ours."""

    row: Pending
    id: str
    data: Any
    problem: bool
    trace: str | None

    @property
    def code(self) -> str | None:
        """Of the problem, if it is one."""
        return str(self.data.get("code")) if self.problem and isinstance(self.data, dict) else None

    @property
    def is_for_the_moment(self) -> bool:
        """A refusal that says the same command may succeed later."""
        return self.problem and isinstance(self.data, dict) and self.data.get("retryable") is True


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that is due, or a command whose deadline has passed."""

    row: Pending


@dataclass(frozen=True, slots=True)
class CallCompleted:
    """A call that came back."""

    row: Pending
    data: Model
    result: Any


@dataclass(frozen=True, slots=True)
class StateObserved:
    """Another node's state."""

    state: State[Any]
    observed: Observed[Any]


@dataclass(frozen=True, slots=True)
class PeerSeen:
    """What is known of another node's database, to be remembered."""

    node: str
    peer: Peer
    changes_alarms: bool
    """Whether there is another alarm now, or one less."""


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """Nothing: to see whether transactions are carried out."""


Input = (
    Request[Any]
    | ReplyReceived
    | TimerFired
    | CallCompleted
    | StateObserved
    | PeerSeen
    | HealthProbe
    | None
)
"""What a transaction carries out; None is the start of the node."""


class InputQueue:
    """What waits for the next transaction of a node.

    Args:
        limit: how much may wait before requests are turned away.
        health: told that something waits, and that it waits no more.
    """

    def __init__(self, limit: int, health: Health) -> None:
        self._limit = limit
        self._health = health
        self._inputs: deque[Input] = deque()
        self._arrived = asyncio.Event()
        self._acknowledged: list[str] = []

    def __len__(self) -> int:
        return len(self._inputs)

    def take(self, item: Input) -> bool:
        """Queue an input; only a new request can find the queue full, and is not taken then."""
        if isinstance(item, Request) and len(self._inputs) >= self._limit:
            return False
        self._inputs.append(item)
        self._arrived.set()
        self._health.begun(_QUEUE)
        return True

    async def next_batch(self, limit: int) -> list[Input]:
        """Wait for inputs: at least one, and at most so many."""
        while not self._inputs:
            self._arrived.clear()
            await self._arrived.wait()
        batch = [self._inputs.popleft() for _ in range(min(limit, len(self._inputs)))]
        self._health.ended(_QUEUE)
        if self._inputs:
            self._health.begun(_QUEUE)
        return batch

    def acknowledge(self, *identifiers: str) -> None:
        """Commands are done: the next transaction forgets them, whatever else it does."""
        self._acknowledged += identifiers

    def take_acknowledged(self) -> list[str]:
        """Those commands, for the transaction that forgets them."""
        acknowledged, self._acknowledged = self._acknowledged, []
        return acknowledged
