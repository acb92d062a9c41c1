"""One start of a node until its end: where it can crash, and a journal that runs inline."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

from bus.storage.journal import Journal, Schema

T = TypeVar("T")

_LATENCY = 0.002
"""The most seconds that a disk takes."""


class Crash(BaseException):
    """The process ends here; nothing that catches errors may catch it."""


class GoneError(Exception):
    """The node died while somebody was waiting for it."""


class Life:
    """One start of a node.

    Args:
        name: of the node.
        strike: asked at every labelled step whether the process ends there.
        died: told when it does, and where.
    """

    def __init__(
        self,
        name: str,
        strike: Callable[[str, str], bool],
        died: Callable[["Life", str], None],
    ) -> None:
        self.name = name
        self.dead = False
        self.ended = asyncio.Event()
        """Set when the process is gone."""
        self.task: asyncio.Task[None] | None = None
        self._strike = strike
        self._died = died

    def step(self, label: str) -> None:
        """Come to a labelled step of a message's handling; it may be the last.

        Raises:
            Crash: it is.
        """
        if self.dead or self._strike(self.name, label):
            self.die(label)
            raise Crash(label)

    def die(self, why: str) -> None:
        """End at once, as if by SIGKILL: nothing more gets out."""
        if self.dead:
            return
        self.dead = True
        self.ended.set()
        self._died(self, why)
        if self.task is not None:
            self.task.cancel()

    async def lasting(self, work: Awaitable[T]) -> T:
        """Wait for something that this node does.

        Raises:
            GoneError: the node died first.
        """
        doing = asyncio.ensure_future(work)
        ended = asyncio.ensure_future(self.ended.wait())
        try:
            await asyncio.wait([doing, ended], return_when=asyncio.FIRST_COMPLETED)
            if not doing.done() or doing.cancelled() or self.dead:
                raise GoneError(self.name)
            return doing.result()
        finally:
            ended.cancel()
            doing.cancel()
            if doing.done() and not doing.cancelled():
                doing.exception()  # it is known


@dataclass
class Disk:
    """Where a node's database lies; it outlives the node's process."""

    error: int | None = None
    """SQLite's result code of every transaction; None while it can be written."""
    stands_still: bool = False
    """Whether a transaction never comes to its end."""


class SteppedJournal(Journal):
    """A journal without a thread, whose commits take a moment and may be the last thing done.

    `synchronous` is off: a crash here is the end of a process, not of the machine's power, and
    the operating system keeps what was written. Power cuts are tested with real processes.
    """

    def __init__(
        self, life: Life, chance: Random, disk: Disk, path: Path, *schemas: Schema
    ) -> None:
        super().__init__(path, *schemas, threaded=False, durable=False)
        self._disk = disk
        self._life = life
        self._chance = chance
        self._turn = asyncio.Lock()

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out `work` in one transaction, in steps."""
        async with self._turn:
            self._life.step("received")
            await asyncio.sleep(self._chance.uniform(0, _LATENCY))
            self._life.step("begun")
            if self._disk.stands_still:
                await asyncio.Event().wait()
            if self._disk.error is not None:
                raise _sqlite_error(self._disk.error)

            def run(rows: sqlite3.Connection) -> T:
                result = work(rows)
                self._life.step("decided")
                return result

            result = await super().transact(run)
            self._life.step("committed")
            await asyncio.sleep(self._chance.uniform(0, _LATENCY))
            self._life.step("told")
            return result


def _sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("planted")
    error.sqlite_errorcode = code
    return error
