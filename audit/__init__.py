"""Are the promises kept? Counted from a store's files, the acquirer's log and recorded messages.

Shares no code with the roles beyond the contract's models: a mistake there must not hide itself
here.
"""

from collections.abc import Sequence
from pathlib import Path

from audit.databases import check_databases
from audit.finding import INVARIANTS, WAITS, Finding, Tally, Waiting
from audit.history import read_history
from audit.messages import check_messages
from audit.money import check_money
from audit.orders import check_orders
from audit.parcels import check_parcels
from audit.reading import opened_files
from audit.reminders import check_reminders
from audit.stock import check_stock
from audit.store import AuditedStore
from audit.waiting import check_waiting
from bus.contract.errors import JournalError

__all__ = ["INVARIANTS", "WAITS", "Finding", "Tally", "Waiting", "audit", "findings"]

_CHECKS = (
    check_databases,
    check_orders,
    check_money,
    check_stock,
    check_parcels,
    check_reminders,
    check_messages,
    check_waiting,
)


def audit(
    folders: Sequence[Path],
    *,
    at: int | None = None,
    history: Sequence[Path] = (),
    running: bool = False,
) -> Tally:
    """Look at everything.

    Args:
        folders: where the nodes' files lie, each in exactly one of them.
        at: when the store was closed, in milliseconds since the epoch, to know which timers are
            overdue; None for when each node was last busy.
        history: files of `storebus record`.
        running: leave out what only holds at rest, and see all files as of one moment.

    Raises:
        ConfigurationError: there is no store, or files of several.
        JournalError: a file cannot be read, is damaged, or is older or newer than this program.
    """
    recorded = read_history(history)  # first: what was heard was committed before
    tally = Tally()
    with opened_files(folders, running=running) as files:
        store = AuditedStore(files, recorded, running=running, at=at)
        for check in _CHECKS:
            try:
                check(store, tally)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise JournalError(
                    f"what the databases hold makes no sense ({check.__name__}: {error!r})"
                ) from error
    return tally


def findings(
    folders: Sequence[Path],
    *,
    at: int | None = None,
    history: Sequence[Path] = (),
    running: bool = False,
) -> list[Finding | Waiting]:
    """What does not hold, and what is not done; empty for a store that has come to rest.

    That is more than an `audit` asks for: nobody but customers is waited for.
    """
    tally = audit(folders, at=at, history=history, running=running)
    return [*tally.findings, *tally.unfinished]
