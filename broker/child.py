"""One broker process of ours: started, found ready, stopped.

It must not know which broker it is, nor what happens when it dies.
"""

import asyncio
import contextlib
import errno
import os
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from broker.ports import (
    POLL_SECONDS,
    answers,
    listens,
    port_in_use,
    port_in_use_error,
    require_free,
)
from bus.contract.errors import BrokerError
from bus.storage.private import opener

READY_SECONDS = 10.0
STOP_SECONDS = 5.0
LOG_TAIL_LINES = 8
LOG_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Program:
    """How a broker is started, and where it listens."""

    name: str
    command: tuple[str, ...]
    log: Path
    address: str
    ports: tuple[int, ...]

    @property
    def title(self) -> str:
        """Its name, for people."""
        return f"The {self.name} broker"

    async def start(self) -> Process:
        """Start it and return when every port accepts connections.

        Raises:
            PortInUseError: another program has a port, or has just taken it.
            BrokerError: the broker died or stayed silent for 10 seconds.
        """
        await require_free(self.address, self.ports)
        try:
            # Truncated at every start, so that the log of a broker that keeps dying stays small.
            with FileIO(self.log, "wb", opener=opener) as log:
                process = await asyncio.create_subprocess_exec(
                    *self.command,
                    stdin=PIPE,
                    stdout=DEVNULL,
                    stderr=log,
                    # Ctrl-C is for the store, which then stops its nodes before their broker.
                    start_new_session=True,
                )
        except OSError as error:
            raise BrokerError(f"The {self.name} broker cannot be started: {error}.") from error
        try:
            await self._ready(process)
        except BaseException:
            await stop(process)
            raise
        return process

    async def _ready(self, process: Process) -> None:
        deadline = time.monotonic() + READY_SECONDS
        waiting = list(self.ports)
        while waiting:
            if process.returncode is not None:
                taken = [port for port in waiting if port_in_use(self.address, port)]
                # Whoever had it may be gone already.
                if taken or os.strerror(errno.EADDRINUSE) in self.last_words():
                    raise port_in_use_error(self.address, (taken or waiting)[0])
                raise BrokerError(
                    f"The {self.name} broker ended at once (status {process.returncode}). "
                    f"{self.log} says:\n{self.last_words()}"
                )
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"The {self.name} broker did not accept connections on port {waiting[0]} "
                    f"within {READY_SECONDS:.0f} seconds. {self.log} says:\n{self.last_words()}"
                )
            if not await answers(self.address, waiting[0]):
                await asyncio.sleep(POLL_SECONDS)
            # Who answers may be another store's broker that was quicker by a moment.
            elif listens(process.pid, waiting[0]):
                waiting.pop(0)
            elif process.returncode is None:
                raise port_in_use_error(self.address, waiting[0])

    def last_words(self) -> str:
        """The last lines that it has written since its start."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - LOG_TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:]) or "(nothing)"


async def stop(process: Process, patience: float = STOP_SECONDS) -> None:
    """Ask the process to end, kill it after `patience` seconds, and return when it is gone.

    If this is cancelled, the process is killed at once.
    """
    try:
        # It may have ended between the last look and the signal.
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        async with asyncio.timeout(patience):
            await process.wait()
    except TimeoutError:
        _kill(process)
        await process.wait()
    except asyncio.CancelledError:
        _kill(process)
        raise
    finally:
        if process.stdin is not None:
            process.stdin.close()


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
