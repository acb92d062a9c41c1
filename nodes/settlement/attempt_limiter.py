"""Limits how often a caller may try pickup codes, so that nobody finds one by guessing.

Settlement counts, and not the terminal: a kiosk that is restarted, or somebody else's firmware, is
locked out as well. Wrong codes of commands are stored in the command's transaction. A query writes
nothing, and many queries may arrive before anything could be written, so their wrong codes are
counted in memory. All times are of the steady clock: setting the host's clock neither lets anybody
go on guessing nor locks anybody out for longer.
"""

import sqlite3
from collections import OrderedDict
from dataclasses import dataclass, field
from math import ceil

from bus.contract.refusals import TooManyTries, UnknownPickupCode

_MOST_CALLERS = 10_000


@dataclass(frozen=True, slots=True)
class AttemptLimiter:
    """Counts the wrong pickup codes of each caller.

    Args:
        limit: after so many wrong codes the caller is locked out.
        period: milliseconds for which it is locked out; wrong codes further apart are not added up.
    """

    limit: int
    period: int
    _queries: OrderedDict[str, tuple[int, int, str]] = field(default_factory=OrderedDict)
    """For each caller whose queries had wrong codes: how many, when the last came, and its code."""

    def check(self, connection: sqlite3.Connection, caller: str, steady: int) -> None:
        """Let a caller try a code.

        Raises:
            TooManyTries: it is locked out.
        """
        wrong, at = _stored(connection, caller)
        counted = self._recent(wrong, at, steady) + self._asked(caller, steady)
        if counted >= self.limit:
            _, last, _ = self._queries.get(caller, (0, 0, ""))
            raise TooManyTries(
                "Too many wrong pickup codes came from here.",
                retryAfter=ceil((max(at, last) + self.period - steady) / 1000),
            )

    def wrong_command(
        self, connection: sqlite3.Connection, caller: str, steady: int
    ) -> UnknownPickupCode:
        """Count a command's wrong code; returns the problem to answer with."""
        (stored,) = connection.execute(
            "INSERT INTO guessing VALUES (:caller, 1, :at) ON CONFLICT (caller) DO UPDATE"
            " SET wrong = CASE WHEN :at < at + :period THEN wrong + 1 ELSE 1 END, at = :at"
            " RETURNING wrong",
            {"caller": caller, "at": steady, "period": self.period},
        ).fetchone()
        return self._unknown(stored + self._asked(caller, steady))

    def wrong_query(
        self, connection: sqlite3.Connection, caller: str, code: str, steady: int
    ) -> UnknownPickupCode:
        """Count a query's wrong code, a repeated one once; returns the problem to answer with.

        A right code in a query does not reset the count: it stays right, and a guesser would ask
        for it between any two guesses.
        """
        wrong, at, last = self._queries.pop(caller, (0, 0, ""))
        wrong = self._recent(wrong, at, steady)
        self._queries[caller] = (wrong + (not wrong or code != last), steady, code)
        if len(self._queries) > _MOST_CALLERS:
            self._queries.popitem(last=False)
        stored = self._recent(*_stored(connection, caller), steady)
        return self._unknown(stored + self._asked(caller, steady))

    def reset(self, connection: sqlite3.Connection, caller: str) -> None:
        """Forget a caller's wrong codes: it has collected a parcel."""
        connection.execute("DELETE FROM guessing WHERE caller = ?", (caller,))
        self._queries.pop(caller, None)

    def _unknown(self, wrong: int) -> UnknownPickupCode:
        return UnknownPickupCode(
            "No parcel waits under this code.", triesLeft=max(0, self.limit - wrong)
        )

    def _asked(self, caller: str, steady: int) -> int:
        """How many wrong codes of a caller's queries still count."""
        wrong, at, _ = self._queries.get(caller, (0, 0, ""))
        return self._recent(wrong, at, steady)

    def _recent(self, wrong: int, at: int, steady: int) -> int:
        return wrong if steady < at + self.period else 0


def _stored(connection: sqlite3.Connection, caller: str) -> tuple[int, int]:
    """How many wrong codes a caller's commands had, and when the last one came."""
    row = connection.execute(
        "SELECT wrong, at FROM guessing WHERE caller = ?", (caller,)
    ).fetchone()
    return (0, 0) if row is None else (row["wrong"], row["at"])
