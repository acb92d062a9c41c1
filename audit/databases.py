"""I10 and I11: outboxes hold only what can still be answered, and the files are whole.

SQLite does not verify CHECK constraints through a read-only connection; the other checks count what
these constraints guarantee.
"""

from audit.audited_store import AuditedStore
from audit.open_items import explanation
from audit.reading import Database
from audit.result import AuditResult

_LATE = 60_000
"""Milliseconds that a timer may be late."""


def check_databases(store: AuditedStore, result: AuditResult) -> None:
    """Check every database, including those of the devices."""
    for database in store.databases.values():
        for row in database.rows("PRAGMA integrity_check"):
            result.check("I11", row[0] == "ok", f"{database.path.name}: {row[0]}")
        orphans = database.rows("PRAGMA foreign_key_check")
        tables = ", ".join(sorted({str(row[0]) for row in orphans}))
        text = f"{database.path.name}: {len(orphans)} rows refer to nothing, in {tables}"
        result.check("I11", not orphans, text)
        if not store.running:
            _timers(store, result, database)
    if not store.running:
        _outboxes(store, result)


def _timers(store: AuditedStore, result: AuditResult, database: Database) -> None:
    """No timer of a store at rest is overdue."""
    now = store.busy_until(database)
    for row in database.rows("SELECT * FROM outbox WHERE kind = 'timer'"):
        late = f"{database.node} has a timer that should have gone off: {row['target']}"
        result.check("I10", row["due_at"] >= now - _LATE, late)
    result.checked["I10"] += 1


def _outboxes(store: AuditedStore, result: AuditResult) -> None:
    """Outboxes hold timers, what waits for somebody, and what continues at the next start."""
    for each in store.pending:
        row = each.row
        what = f"{row['kind']} {row['target']} {row['operation']}".rstrip()
        why = explanation(store, each)
        result.check("I10", why is not None, f"{each.node} still has {what} in its outbox")
        result.open_items += why or ()
