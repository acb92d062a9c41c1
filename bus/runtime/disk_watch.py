"""Whether a node can write its database: a full or failing disk is an alarm until it is mended."""

import sqlite3
from collections.abc import Callable

from bus.contract.every import Alarm
from bus.contract.timestamp import rfc3339
from bus.runtime.environment import Environment

_CALM = 2_000
"""Milliseconds without a failure after which a disk counts as mended: small rows may still fit."""
_ADVICE = {
    sqlite3.SQLITE_FULL: "its disk is full: free some space there",
    sqlite3.SQLITE_READONLY: "it is read-only: look at its disk and at who owns the file",
    sqlite3.SQLITE_IOERR: "its disk fails: look at the host's log, and have a backup ready",
    sqlite3.SQLITE_CANTOPEN: "a file beside it cannot be opened: look at its folder and its disk",
    sqlite3.SQLITE_CORRUPT: "it is damaged: close the store, then storebus restore",
}
"""By SQLite's primary result code, what is wrong and what to do."""


class DiskWatch:
    """Watches one node's database by how its transactions end.

    Args:
        node: its name.
        environment: its clocks.
        show: shows the node's alarms anew.
    """

    def __init__(self, node: str, environment: Environment, show: Callable[[], None]) -> None:
        self._node = node
        self._environment = environment
        self._show = show
        self._failed_at = 0
        self.alarms: list[Alarm] = []
        """The alarms now: one at most."""

    def failed(self, error: sqlite3.Error) -> None:
        """A transaction could not be written."""
        code = getattr(error, "sqlite_errorcode", 0)  # a mistake of Python's own module has none
        advice = _ADVICE.get(code & 0xFF)
        if advice is None:
            return
        self._failed_at = self._environment.steady()
        detail = f"{self._node} cannot write its database, {advice}. Then it goes on by itself."
        if not self.alarms or self.alarms[0].detail != detail:
            since = rfc3339(self._environment.now())
            self.alarms = [Alarm(kind="cannot-write", detail=detail, since=since)]
            self._show()

    def wrote(self) -> None:
        """A transaction was written."""
        if self.alarms and self._environment.steady() - self._failed_at >= _CALM:
            self.alarms = []
            self._show()
