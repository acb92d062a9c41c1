"""Check a store's promises from its files, the acquirer's log and recorded messages.

Shares no code with the roles except the contract's models, so that a bug in a role cannot hide
itself here.
"""

from collections.abc import Sequence
from pathlib import Path

from audit.audited_store import AuditedStore
from audit.databases import check_databases
from audit.history import read_history
from audit.messages import check_messages
from audit.money import check_money
from audit.open_items import check_open_items
from audit.orders import check_orders
from audit.parcels import check_parcels
from audit.reading import opened_files
from audit.reminders import check_reminders
from audit.result import INVARIANTS, OPEN_ITEMS, AuditResult, Finding, OpenItem
from audit.stock import check_stock
from bus.contract.errors import JournalError

__all__ = ["INVARIANTS", "OPEN_ITEMS", "AuditResult", "Finding", "OpenItem", "audit", "findings"]

_CHECKS = (
    check_databases,
    check_orders,
    check_money,
    check_stock,
    check_parcels,
    check_reminders,
    check_messages,
    check_open_items,
)


def audit(
    folders: Sequence[Path],
    *,
    at: int | None = None,
    history: Sequence[Path] = (),
    running: bool = False,
) -> AuditResult:
    """Run every check.

    Args:
        folders: where the nodes' files are; each file is in exactly one of the folders.
        at: when the store was closed, in milliseconds since the epoch, to decide which timers are
            overdue; None for the time when each node was last active.
        history: files of `storebus record`.
        running: leave out what holds only at rest, and read all files as of one moment.

    Raises:
        ConfigurationError: there is no store, or the files are of several stores.
        JournalError: a file cannot be read, is damaged, or is older or newer than this program.
    """
    recorded = read_history(history)  # first: what was heard was committed before
    result = AuditResult()
    with opened_files(folders, running=running) as files:
        store = AuditedStore(files, recorded, running=running, at=at)
        for check in _CHECKS:
            try:
                check(store, result)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise JournalError(
                    f"what the databases hold makes no sense ({check.__name__}: {error!r})"
                ) from error
    return result


def findings(
    folders: Sequence[Path],
    *,
    at: int | None = None,
    history: Sequence[Path] = (),
    running: bool = False,
) -> list[Finding | OpenItem]:
    """Return every finding and everything unfinished; empty for a store that has come to rest.

    This is stricter than `audit`: the store may wait only for customers.
    """
    result = audit(folders, at=at, history=history, running=running)
    return [*result.findings, *result.unfinished]
