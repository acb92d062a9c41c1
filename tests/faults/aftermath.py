"""What must hold when the dust has settled, whatever was killed, cut off or filled up."""

import json
import sqlite3
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import closing
from pathlib import Path

from audit import findings

_PAID = ("settled", "ready", "reminded", "collected")
_FITTING = {"settled": _PAID, "refused": ("refused", "declined", None)}


def assert_nothing_is_wrong(data: Path, cancelled: AbstractSet[str] = frozenset()) -> None:
    """The books balance, the databases are whole, and customers were told the truth.

    Args:
        data: the folder of all databases.
        cancelled: the orders that somebody cancelled after they were paid.
    """
    wrong = [*_damage(data), *_untruths(data, cancelled), *map(str, findings([data]))]
    assert not wrong, "\n".join(wrong)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _damage(data: Path) -> Iterator[str]:
    for file in sorted(data.glob("*.db")):
        with closing(_open(file)) as database:
            found = database.execute("PRAGMA integrity_check").fetchall()
            if found != [("ok",)]:
                yield f"{file.name} is damaged: {found}"
            if keys := database.execute("PRAGMA foreign_key_check").fetchall():
                yield f"{file.name} has rows without their parents: {keys}"


def _untruths(data: Path, cancelled: AbstractSet[str]) -> Iterator[str]:
    """Whoever was told `settled` or `refused`, so it is; nobody is still waiting for a word."""
    with closing(_open(data / "settlement.db")) as settlement:
        orders = {
            (terminal, request): (order, state)
            for order, terminal, request, state in settlement.execute(
                "SELECT id, terminal, request, state FROM orders"
            )
        }
    for file in sorted(data.glob("terminal-*.db")):
        with closing(_open(file)) as database:
            told = database.execute("SELECT id, state, answer FROM purchase").fetchall()
        for identifier, state, answer in told:
            order, is_so = orders.get((file.stem, identifier), (None, None))
            fitting = ("cancelled",) if order in cancelled else _FITTING.get(state, ())
            if is_so not in fitting:
                code = json.loads(answer).get("code") if answer else None
                yield f"{file.stem} was told {state} ({code}), but order {order} is {is_so}"


def paid_orders(data: Path) -> set[str]:
    """The orders that settlement has been paid for."""
    with closing(_open(data / "settlement.db")) as settlement:
        rows = settlement.execute("SELECT id, state FROM orders").fetchall()
    return {order for order, state in rows if state in _PAID}
