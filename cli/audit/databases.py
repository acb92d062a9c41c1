"""I10 and I11: nothing is left to be sent, and the files themselves are whole.

SQLite does not look at CHECK constraints through a read-only connection; what they promise is
counted by the other checks.
"""

from cli.audit.finding import Tally
from cli.audit.reading import Database, Row
from cli.audit.store import AuditedStore

_LATE = 60_000
"""Milliseconds that a timer may be late."""
_UNHEEDED = frozenset({"commit", "fulfil", "ready", "failed", "write-off", "fault"})
"""Commands whose answers change nothing: they are forgotten along with the next transaction."""


def check_databases(store: AuditedStore, tally: Tally) -> None:
    """All of them, devices' too."""
    for database in store.databases.values():
        for row in database.rows("PRAGMA integrity_check"):
            tally.check("I11", row[0] == "ok", f"{database.path.name}: {row[0]}")
        orphans = database.rows("PRAGMA foreign_key_check")
        tables = ", ".join(sorted({str(row[0]) for row in orphans}))
        text = f"{database.path.name}: {len(orphans)} rows refer to nothing, in {tables}"
        tally.check("I11", not orphans, text)
        if not store.running:
            _outbox(store, tally, database)


def _outbox(store: AuditedStore, tally: Tally, database: Database) -> None:
    """At rest there are only timers, and none that should have gone off."""
    now = store.busy_until(database)
    for row in database.rows("SELECT * FROM outbox"):
        what = f"{row['kind']} {row['target']} {row['operation']}".rstrip()
        if row["kind"] == "timer":
            late = f"{database.node} has a timer that should have gone off: {row['target']}"
            tally.check("I10", row["due_at"] >= now - _LATE, late)
        else:
            done = _is_answered(store, database, row)
            tally.check("I10", done, f"{database.node} still has {what} in its outbox")
    tally.checked["I10"] += 1


def _is_answered(store: AuditedStore, database: Database, row: Row) -> bool:
    """Whether the callee has answered, and all that is left is to cross it out."""
    callee = store.databases.get(row["target"])
    if row["operation"] not in _UNHEEDED or callee is None:
        return False
    found = callee.rows(
        "SELECT 1 FROM inbox WHERE caller = ? AND id = ? AND reply IS NOT NULL",
        database.node,
        row["id"],
    )
    return bool(found)
