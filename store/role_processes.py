"""Run each role in a process, and so on a core, of its own: `storebus up --apart`."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from broker.child import stop
from broker.parent_death import ends_with_parent
from broker.supervisor import Supervisor
from bus.contract.errors import RoleEndedError, StorebusError, first_error
from bus.text.console import output
from store.exit_codes import NO_BROKER
from store.settings import Settings

_PATIENCE = 30.0
"""Seconds that a role may take to shut down."""
_TRIES = 4
"""Failed starts in a row after which a role is given up."""
_TRIES_WITHOUT_BROKER = 20
"""The same while it finds no broker, which may be restarting, too."""


@asynccontextmanager
async def role_processes(
    names: Iterable[str], broker: str, settings: Settings
) -> AsyncIterator[None]:
    """Run each of these roles as `storebus node`; inside the context all of them answer.

    A role that dies is started again. All end with this process, even by SIGKILL (on Linux).

    Args:
        names: the server roles.
        broker: its URL.
        settings: those that have a command-line option are passed on; the processes read the rest.

    Raises:
        RoleEndedError: a role cannot be started or restarted; it has printed why.
    """
    kept = [
        Supervisor(_Role(name, broker, settings), output.print, _is_hopeless, _PATIENCE)
        for name in names
    ]
    try:
        async with AsyncExitStack() as stack:
            async with asyncio.TaskGroup() as starting:
                for each in kept:
                    stack.push_async_callback(each.close)
                    starting.create_task(each.open())
            async with asyncio.TaskGroup() as tasks:
                watching = [tasks.create_task(each.given_up()) for each in kept]
                yield
                for task in watching:
                    task.cancel()
    except ExceptionGroup as group:
        raise first_error(group) from None


class _NotReadyError(RoleEndedError):
    """A role ended before it was ready."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(
            f"{name} cannot be started: it ended with exit code {code}; see its output above."
        )
        self.code = code


def _is_hopeless(tries: int, error: StorebusError) -> bool:
    """Whether a role cannot be started at all: it ended by itself, again and again."""
    if not isinstance(error, _NotReadyError) or error.code < 0:
        return False  # somebody ended it
    return tries >= (_TRIES_WITHOUT_BROKER if error.code == NO_BROKER else _TRIES)


class _Role:
    """The process of a role: `storebus node NAME`."""

    def __init__(self, name: str, broker: str, settings: Settings) -> None:
        self.title = name
        self._arguments = (
            *("node", name, "--broker", broker, "--site", settings.site),
            *("--data", str(settings.data), "--shop", str(settings.shop)),
        )
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> Process:
        """Start the process and wait until the role answers.

        Raises:
            RoleEndedError: it ended before.
        """
        process = await asyncio.create_subprocess_exec(
            *ends_with_parent(sys.executable, "-P", "-m", "cli", *self._arguments),
            stdout=PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            is_ready = bool(await process.stdout.readline())
        except BaseException:
            await stop(process, _PATIENCE)
            raise
        if not is_ready:
            raise _NotReadyError(self.title, await process.wait())
        self._reading = asyncio.create_task(self._say(process.stdout), name=f"{self.title}/output")
        return process

    async def _say(self, out: asyncio.StreamReader) -> None:
        """Print the output of the process here."""
        async for line in out:
            output.print(f"{self.title}: {line.decode(errors='replace').rstrip()}", soft_wrap=True)

    def last_words(self) -> str:
        """Empty: the output is on the console already."""
        return ""
