"""Roles in processes of their own, so that each can use a core: `storebus up --apart`."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from broker.child import stop
from broker.leash import leashed
from bus.errors import RoleEndedError, first_error
from cli.settings import Settings

_PATIENCE = 30.0
"""Seconds that a role may take for its goodbye."""


@asynccontextmanager
async def roles_apart(names: Iterable[str], broker: str, settings: Settings) -> AsyncIterator[None]:
    """Run each of these roles as `storebus node`; all of them answer inside the context.

    They end with this process, even by SIGKILL (on Linux).

    Args:
        names: of server roles.
        broker: its URL.
        settings: those that a command line can change are handed on; the rest they read themselves.

    Raises:
        RoleEndedError: one of them did not start, or ended; it has printed why.
    """
    try:
        async with AsyncExitStack() as stack:
            processes = {
                name: await stack.enter_async_context(_process(name, broker, settings))
                for name in names
            }
            for name, process in processes.items():
                assert process.stdout is not None
                if not await process.stdout.readline():
                    raise RoleEndedError(f"{name} did not start; see above.")
            async with asyncio.TaskGroup() as tasks:
                watching = [
                    tasks.create_task(_watched(name, process), name=f"{name}/process")
                    for name, process in processes.items()
                ]
                yield
                for task in watching:
                    task.cancel()
    except ExceptionGroup as group:
        raise first_error(group) from None


async def _watched(name: str, process: Process) -> None:
    code = await process.wait()
    raise RoleEndedError(f"{name} has ended with {code}; what it said stands above.")


@asynccontextmanager
async def _process(name: str, broker: str, settings: Settings) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-P", "-m", "cli", "node", name, "--broker", broker),
        *("--site", settings.site, "--data", str(settings.data), "--shop", str(settings.shop)),
        stdout=PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        await stop(process, _PATIENCE)
