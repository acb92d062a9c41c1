"""Roles in processes of their own, so that each can use a core: `storebus up --apart`."""

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
"""Seconds that a role may take for its goodbye."""
_TRIES = 4
"""Starts in a row that may fail before a role is given up."""
_TRIES_WITHOUT_BROKER = 20
"""The same while it finds no broker: that may be started again just now, too."""


@asynccontextmanager
async def roles_apart(names: Iterable[str], broker: str, settings: Settings) -> AsyncIterator[None]:
    """Run each of these roles as `storebus node`; all of them answer inside the context.

    One that dies is started again. They end with this process, even by SIGKILL (on Linux).

    Args:
        names: of server roles.
        broker: its URL.
        settings: those that a command line can change are handed on; the rest they read themselves.

    Raises:
        RoleEndedError: one of them cannot be started, or not again; it has printed why.
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
        super().__init__(f"{name} cannot be started: it ended with {code}; what it said is above.")
        self.code = code


def _is_hopeless(tries: int, error: StorebusError) -> bool:
    """Whether a role cannot be started at all: it says so itself, again and again."""
    if not isinstance(error, _NotReadyError) or error.code < 0:
        return False  # somebody ended it
    return tries >= (_TRIES_WITHOUT_BROKER if error.code == NO_BROKER else _TRIES)


class _Role:
    """A role's process: `storebus node NAME`."""

    def __init__(self, name: str, broker: str, settings: Settings) -> None:
        self.title = name
        self._arguments = (
            *("node", name, "--broker", broker, "--site", settings.site),
            *("--data", str(settings.data), "--shop", str(settings.shop)),
        )
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> Process:
        """Start it and wait until it answers.

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
        """What it has to tell is told here."""
        async for line in out:
            output.print(f"{self.title}: {line.decode(errors='replace').rstrip()}", soft_wrap=True)

    def last_words(self) -> str:
        """They stand on the console already."""
        return ""
