"""What a node remembers of the databases of others: which one each has, and how far it had come.

A database has a name and a position that rises. A node that comes with another one, or with a lower
position, has lost what others know: it was moved away, emptied, or an old copy was put in its
place. See docs/adr/0020.
"""

import sqlite3
from dataclasses import dataclass, replace
from typing import Literal

from bus.contract.every import Alarm
from bus.contract.timestamp import rfc3339

_TOLD = 86_400_000
"""Milliseconds for which a loss is an alarm, unless the right database is back before."""

Kind = Literal["database-replaced", "database-older"]


@dataclass(frozen=True, slots=True)
class Loss:
    """A database that is not there any more, or not as far as it had come."""

    kind: Kind
    database: str
    position: int | None
    """How far it had come at the least; None if it only turned out to lack something."""
    at: int
    """When that was noticed, in milliseconds of the steady clock."""


@dataclass(frozen=True, slots=True)
class Peer:
    """What is known of a node's database."""

    database: str
    """Its name; empty as long as the node has not told it."""
    position: int
    boot: str
    """Which start of it showed that."""
    loss: Loss | None = None


def met(before: Peer | None, database: str, position: int, boot: str, at: int) -> Peer:
    """A node shows which database it has, and how far that has come.

    Args:
        before: what was known of it.
        database: its name.
        position: as it is now.
        boot: the start that shows it.
        at: milliseconds of the steady clock.
    """
    now = Peer(database, position, boot)
    if before is not None and (database, boot) == (before.database, before.boot):
        now = replace(now, position=max(position, before.position))  # a late word says less
    if before is None or not before.database or _is_mended(before, now):
        return now
    if before.loss is not None:
        return replace(now, loss=before.loss)
    if database != before.database:
        return replace(now, loss=Loss("database-replaced", before.database, before.position, at))
    if now.position < before.position:
        return replace(now, loss=Loss("database-older", database, before.position, at))
    return now


def _is_mended(before: Peer, now: Peer) -> bool:
    """Whether what was lost is there again: not merely an old copy that has grown as far."""
    loss, is_other = before.loss, now.database != before.database
    if loss is None:
        return False
    if loss.position is None:
        return is_other
    if now.database != loss.database or now.position < loss.position:
        return False
    return is_other or (now.boot != before.boot and before.position < loss.position)


def forgot(before: Peer | None, at: int) -> Peer:
    """Note that a node does not know what it must know."""
    before = before or Peer("", 0, "")
    return replace(before, loss=before.loss or Loss("database-older", before.database, None, at))


# -- kept -------------------------------------------------------------------------------------


def begin(rows: sqlite3.Connection, name: str) -> None:
    """Name a database that has just been made."""
    rows.execute("INSERT INTO database VALUES (1, ?, 0) ON CONFLICT DO NOTHING", (name,))


def went_on(rows: sqlite3.Connection) -> None:
    """Count up the position: something was decided."""
    rows.execute("UPDATE database SET position = position + 1")


def own(rows: sqlite3.Connection) -> tuple[str, int] | None:
    """The name and the position of this database; None before its first transaction."""
    row = rows.execute("SELECT name, position FROM database").fetchone()
    return None if row is None else (row["name"], row["position"])


def load(rows: sqlite3.Connection) -> dict[str, Peer]:
    """Everything that is remembered, by node."""
    return {row["node"]: _peer(row) for row in rows.execute("SELECT * FROM peer")}


def save(rows: sqlite3.Connection, node: str, peer: Peer) -> None:
    """Remember a node's database."""
    loss = peer.loss
    lost = (None,) * 4 if loss is None else (loss.kind, loss.database, loss.position, loss.at)
    rows.execute(
        "INSERT OR REPLACE INTO peer VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (node, peer.database, peer.position, peer.boot, *lost),
    )


def alarms(peers: dict[str, Peer], here: str, now: int, steady: int) -> list[Alarm]:
    """The alarms about losses, one for each node that has lost something.

    Args:
        peers: what is known, by node.
        here: who shows the alarms.
        now: milliseconds since the epoch.
        steady: milliseconds of the steady clock.
    """
    return [
        Alarm(
            kind=peer.loss.kind,
            detail=_detail(node, peer.loss.kind, here),
            since=rfc3339(now - (steady - peer.loss.at)),
            subject=node,
        )
        for node, peer in sorted(peers.items())
        if peer.loss is not None and steady - peer.loss.at < _TOLD
    ]


def _detail(node: str, kind: Kind, here: str) -> str:
    known = "before" if node == here else f"{here} knows"
    what = (
        f"{node} has another database than {known}: moved, emptied, or a wrong --data."
        if kind == "database-replaced"
        else f"The database of {node} is older than what {here} knows, or lacks some of it."
    )
    return f"{what} Close the store and put the right one back; storebus audit says what is lost."


def _peer(row: sqlite3.Row) -> Peer:
    loss = None
    if row["lost_kind"] is not None:
        loss = Loss(row["lost_kind"], row["lost_database"], row["lost_position"], row["lost_at"])
    return Peer(row["database"], row["position"], row["boot"], loss)
