"""Whoever guesses pickup codes is locked for a while. Kept by settlement, for each caller.

Not by the terminal: a kiosk that is started anew, or firmware of somebody else, is locked as well.
Codes that were tried with a command are written down with it. A query writes nothing, and many of
them may arrive before anything could be written: what they tried is kept in memory. All times are
of the steady clock: setting the host's lets nobody guess on, and locks nobody for longer.
"""

import sqlite3
from collections import OrderedDict
from dataclasses import dataclass, field
from math import ceil

from bus.contract.refusals import TooManyTries, UnknownPickupCode

_MOST_CALLERS = 10_000


@dataclass(frozen=True, slots=True)
class Lock:
    """How many wrong codes are too many.

    Args:
        most: the last of so many wrong codes locks.
        wait: milliseconds for which it does; wrong codes further apart are not added up.
    """

    most: int
    wait: int
    _asked: OrderedDict[str, tuple[int, int, str]] = field(default_factory=OrderedDict)
    """Of whom queries tried codes: how many, when the last, and which that was."""

    def check(self, connection: sqlite3.Connection, caller: str, steady: int) -> None:
        """Let somebody try a code.

        Raises:
            TooManyTries: not yet.
        """
        wrong, at = self._guesses(connection, caller, steady)
        if wrong >= self.most:
            raise TooManyTries(
                "Too many wrong pickup codes came from here.",
                retryAfter=ceil((at + self.wait - steady) / 1000),
            )

    def wrong(self, connection: sqlite3.Connection, caller: str, steady: int) -> UnknownPickupCode:
        """Count a wrong code of a command; what is to be said of it."""
        before = self._recent(*_written(connection, caller), steady)
        connection.execute(
            "INSERT INTO guessing VALUES (:caller, :wrong, :at)"
            " ON CONFLICT (caller) DO UPDATE SET wrong = :wrong, at = :at",
            {"caller": caller, "wrong": before + 1, "at": steady},
        )
        return self._unknown(connection, caller, steady)

    def asked_wrong(
        self, connection: sqlite3.Connection, caller: str, code: str, steady: int
    ) -> UnknownPickupCode:
        """Count a wrong code of a query, once though it is asked again; what is to be said of it.

        A right one forgives nothing: it stays right, and would be asked between any two guesses.
        """
        wrong, at, last = self._asked.pop(caller, (0, 0, ""))
        wrong = self._recent(wrong, at, steady)
        self._asked[caller] = (wrong + (not wrong or code != last), steady, code)
        if len(self._asked) > _MOST_CALLERS:
            self._asked.popitem(last=False)
        return self._unknown(connection, caller, steady)

    def right(self, connection: sqlite3.Connection, caller: str) -> None:
        """A parcel was collected: what was wrong before does not count any more."""
        connection.execute("DELETE FROM guessing WHERE caller = ?", (caller,))
        self._asked.pop(caller, None)

    def _unknown(
        self, connection: sqlite3.Connection, caller: str, steady: int
    ) -> UnknownPickupCode:
        wrong, _ = self._guesses(connection, caller, steady)
        return UnknownPickupCode(
            "No parcel waits under this code.", triesLeft=max(0, self.most - wrong)
        )

    def _guesses(self, connection: sqlite3.Connection, caller: str, steady: int) -> tuple[int, int]:
        """How many wrong codes that still count came from somebody, and when the last one did."""
        written, at = _written(connection, caller)
        asked, asked_at, _ = self._asked.get(caller, (0, 0, ""))
        wrong = self._recent(written, at, steady) + self._recent(asked, asked_at, steady)
        return wrong, max(at, asked_at)

    def _recent(self, wrong: int, at: int, steady: int) -> int:
        return wrong if steady < at + self.wait else 0


def _written(connection: sqlite3.Connection, caller: str) -> tuple[int, int]:
    """How many wrong codes of commands came from somebody, and when the last one did."""
    row = connection.execute(
        "SELECT wrong, at FROM guessing WHERE caller = ?", (caller,)
    ).fetchone()
    return (0, 0) if row is None else (row["wrong"], row["at"])
