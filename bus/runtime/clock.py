"""A node's clocks: the steady one that its database goes on with, and what the store's say.

The wall clock is for people. Whatever waits goes by the steady clock, and a deadline that is sent
by the store's time, as its replies tell it: see docs/adr/0013.
"""

import sqlite3
from dataclasses import dataclass

from bus.runtime.environment import Environment

NOTICED = 3_000
"""How many milliseconds a clock must be set or wrong by before anybody is told."""
_PLAUSIBLE = range(250_000_000_000_000)
"""Milliseconds since the epoch: a deadline after any of these can still be written (year 9892)."""
_RECORDED_EVERY = 60_000
"""Milliseconds after which a transaction records the clock again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is decided."""

    now: int
    """Milliseconds since the epoch, by the wall clock: for people."""
    steady: int
    """Milliseconds of the node's steady clock: for what waits."""


def passed_since(environment: Environment, host: str, uptime: int, wall: int) -> int:
    """How many milliseconds ago a moment was that somebody has written down.

    On the same start of the host that is known, whatever became of the wall clock. Across a start
    of the host only the wall clock can say it; it is believed, but never that time went back.

    Args:
        environment: the clocks of now.
        host: see `Environment.host`.
        uptime: see `Environment.uptime`.
        wall: milliseconds since the epoch.
    """
    if host and host == environment.host() and uptime <= environment.uptime():
        return environment.uptime() - uptime
    return max(0, environment.now() - wall)


class NodeClock:
    """The clocks of one start of a node.

    Args:
        environment: its.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._between = environment.now() - environment.steady()
        self._recorded: int | None = None

    def moment(self) -> Moment:
        """The time by both clocks."""
        return Moment(self._environment.now(), self._environment.steady())

    def resume(self, rows: sqlite3.Connection) -> None:
        """Go on with the steady clock of the node's earlier starts, as far as it was recorded."""
        row = rows.execute("SELECT * FROM clock").fetchone()
        if row is None:
            return
        away = passed_since(self._environment, row["host"], row["uptime"], row["wall"])
        self._environment.resume(row["steady"] + away)
        self._between = row["wall"] - row["steady"]

    def record(self, rows: sqlite3.Connection, at: Moment) -> None:
        """Write down what the clocks say."""
        rows.execute(
            "INSERT INTO clock VALUES (1, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " host = excluded.host, uptime = excluded.uptime, wall = excluded.wall,"
            " steady = excluded.steady",
            (self._environment.host(), self._environment.uptime(), at.now, at.steady),
        )

    def is_due(self, at: Moment) -> bool:
        """Whether a transaction has to record the clocks: it was not done lately."""
        return self._recorded is None or at.steady >= self._recorded + _RECORDED_EVERY

    def recorded(self, at: Moment) -> None:
        """What was written down is committed."""
        self._recorded = at.steady

    def step(self) -> int:
        """By how many milliseconds the wall clock was set since this was asked; 0 if it was not.

        Less than `NOTICED` adds up until it is more. After a step the clocks are to be recorded.
        """
        between = self._environment.now() - self._environment.steady()
        step = between - self._between
        if abs(step) < NOTICED:
            return 0
        self._between = between
        self._recorded = None
        return step


class StoreTime:
    """The store's time as its roles' replies tell it, whatever this host's own clock says.

    A reply was written after its request and before it was heard: that bounds how far the store's
    clock is from our steady one. Bounds that agree are narrowed, others are replaced. Only what
    was written for this very request counts: the reply to a command may be a repetition of days
    ago.

    Args:
        environment: the asker's.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._ahead: dict[str, tuple[int, int]] = {}
        self._latest: tuple[int, int] | None = None

    def heard(self, node: str, said: int, asked: int) -> None:
        """A role has answered a query.

        Args:
            node: the role.
            said: the `time` of its reply, in milliseconds since the epoch.
            asked: when it was asked first, by the steady clock.
        """
        if said not in _PLAUSIBLE:
            return
        low, high = said - self._environment.steady(), said - asked
        before = self._ahead.get(node)
        if before is not None and before[0] <= high and low <= before[1]:
            low, high = max(low, before[0]), min(high, before[1])
        self._ahead[node] = self._latest = low, high

    def corrected(self, node: str, said: int) -> bool:
        """A role refused a deadline and says what time it is; whether we thought otherwise."""
        if said not in _PLAUSIBLE:
            return False
        before = self.at(node)
        low = said - self._environment.steady()
        self._ahead[node] = self._latest = low, low + NOTICED
        return before is None or abs(before - said) >= NOTICED

    def at(self, node: str) -> int | None:
        """What time it is at a node, in milliseconds since the epoch; None if it has not said.

        A deadline is held against the clock of whoever is asked: another role's may be another
        host's, hours away.
        """
        return self._now(self._ahead.get(node))

    def written(self, node: str, said: int) -> int | None:
        """When a node wrote what has this time, by our steady clock: at the earliest, if known."""
        ahead = self._ahead.get(node)
        return None if ahead is None else said - ahead[1]

    def anywhere(self) -> int | None:
        """What time it is at the role that was heard last; None if none was."""
        return self._now(self._latest)

    def _now(self, ahead: tuple[int, int] | None) -> int | None:
        return None if ahead is None else self._environment.steady() + ahead[0]

    def agrees(self) -> bool:
        """Whether this host's wall clock is known to be the store's."""
        return self._latest is not None and not self.wrong()

    def wrong(self) -> int:
        """How many milliseconds this host's wall clock is ahead of the store's, as far as is sure.

        Negative if it is behind, 0 if less than `NOTICED` or if nobody has said.
        """
        if self._latest is None:
            return 0
        own = self._environment.now() - self._environment.steady()
        low, high = self._latest
        wrong = max(0, own - high) or min(0, own - low)
        return wrong if abs(wrong) >= NOTICED else 0
