"""A SQLite connection with a thread of its own that carries out whole functions, one at a time.

The thread, its queue and its futures are aiosqlite's. aiosqlite sends each statement to the thread
and back; a node sends a transaction, which is one function (docs/adr/0001).
"""

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

import aiosqlite

T = TypeVar("T")


class WorkError(RuntimeError):
    """The work ended with an exception that cannot be raised in the waiting task; see its cause.

    No future takes `StopIteration`, and a cancellation or the end of the program raised there
    would pass for the waiting task's own.
    """


class ThreadedConnection(aiosqlite.Connection):
    """An open connection that is used in a thread only; the thread starts with the first function.

    aiosqlite starts and ends its thread in coroutines, and the thread keeps the process alive. A
    node's file is opened and closed outside of the loop as well, and a thread that a disk holds
    up must not keep its process from ending. So this class uses three protected names of the base
    class: `_execute`, `_connection` and `_thread`.

    Args:
        connection: of this thread from now on.
        name: of the thread.
    """

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        super().__init__(lambda: connection, iter_chunk_size=1)
        self._opened = connection
        self._is_unused = True
        self._thread.name, self._thread.daemon = name, True

    async def carry_out(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out a function in the thread; it is carried out even if the caller is cancelled.

        Raises:
            WorkError: it raised something other than an error, such as `SystemExit`.
            ValueError: the connection is closed.
        """
        if self._is_unused:
            self._is_unused, self._connection = False, self._opened
            self._thread.start()
        execute: Any = self._execute
        result: T = await execute(_carry_out, work, self._opened)
        return result

    def end(self, patience: float | None = None) -> bool:
        """Carry out what is queued, close the connection and end the thread.

        Args:
            patience: seconds to wait for that; None to wait as long as it takes.

        Returns:
            Whether it has ended. If not, the connection is still in use.
        """
        if self._is_unused:
            self._is_unused = False
            self._opened.close()
            return True
        self.stop()
        self._thread.join(patience)
        return not self._thread.is_alive()


def _carry_out(work: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection) -> T:
    try:
        return work(connection)
    except (StopIteration, StopAsyncIteration) as error:
        raise WorkError(f"work ended with {error!r}") from error
    except Exception:
        raise
    except BaseException as error:
        raise WorkError(f"work ended with {error!r}") from error
