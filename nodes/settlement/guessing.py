"""Whoever guesses pickup codes is locked for a while. Kept by settlement, for each caller.

Not by the terminal: a kiosk that is started anew, or firmware of somebody else, is locked as well.
"""

import sqlite3
from dataclasses import dataclass
from math import ceil

from bus.errors import TooManyTries, UnknownPickupCode


@dataclass(frozen=True, slots=True)
class Lock:
    """How many wrong codes are too many.

    Args:
        most: the last of so many wrong codes locks.
        wait: milliseconds for which it does; wrong codes further apart are not added up.
    """

    most: int
    wait: int

    def check(self, connection: sqlite3.Connection, caller: str, now: int) -> None:
        """Let somebody try a code.

        Raises:
            TooManyTries: not yet.
        """
        wrong, at = _guesses(connection, caller)
        if wrong >= self.most and now < at + self.wait:
            raise TooManyTries(
                "Too many wrong pickup codes came from here.",
                retryAfter=ceil((at + self.wait - now) / 1000),
            )

    def wrong(self, connection: sqlite3.Connection, caller: str, now: int) -> UnknownPickupCode:
        """Count a wrong code; what is to be said of it."""
        before, at = _guesses(connection, caller)
        if now >= at + self.wait:
            before = 0
        connection.execute(
            "INSERT INTO guessing VALUES (:caller, :wrong, :at)"
            " ON CONFLICT (caller) DO UPDATE SET wrong = :wrong, at = :at",
            {"caller": caller, "wrong": before + 1, "at": now},
        )
        return UnknownPickupCode(
            "No parcel waits under this code.", triesLeft=max(0, self.most - before - 1)
        )

    @staticmethod
    def right(connection: sqlite3.Connection, caller: str) -> None:
        """A code was right: what was wrong before does not count any more."""
        connection.execute("DELETE FROM guessing WHERE caller = ?", (caller,))


def _guesses(connection: sqlite3.Connection, caller: str) -> tuple[int, int]:
    """How many wrong codes came from somebody, and when the last one did."""
    row = connection.execute(
        "SELECT wrong, at FROM guessing WHERE caller = ?", (caller,)
    ).fetchone()
    return (0, 0) if row is None else (row["wrong"], row["at"])
