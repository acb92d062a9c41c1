"""Keep a process running: start it again whenever it dies, after a longer wait each time.

It must not know what the process is: a broker, a role, a simulated provider.
"""

import asyncio
import logging
import random
import time
from asyncio.subprocess import Process
from collections.abc import Callable
from typing import Protocol

from broker.child import stop
from bus.contract.errors import StorebusError

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 10.0
# What ran this long has recovered: its next death is a new misfortune.
SETTLED_SECONDS = 60.0

log = logging.getLogger("storebus.supervisor")


class Supervised(Protocol):
    """What is kept running."""

    @property
    def title(self) -> str:
        """Its name for people, such as `The mosquitto broker`."""

    async def start(self) -> Process:
        """Start it and return when it is ready.

        Raises:
            StorebusError: it did not become ready; nothing is left behind.
        """

    def last_words(self) -> str:
        """Its last output, if that would be lost otherwise; else nothing."""


def restart_delay(failures: int) -> float:
    """Seconds to wait after a number of failures in a row: exponential, with full jitter."""
    # Beyond some doublings only the ceiling counts, and a float has an end.
    longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(failures, 16))
    return random.uniform(0, longest)


class Supervisor:
    """Owns one process from `open` to `close`.

    Args:
        program: what is run.
        tell: called with a sentence when it has died and when it runs again; it is logged, too.
        is_hopeless: given the number of failures in a row and the last error, whether to give
            up; else it is tried for ever.
        patience: seconds that it may take to end.
    """

    def __init__(
        self,
        program: Supervised,
        tell: Callable[[str], None] = lambda _: None,
        is_hopeless: Callable[[int, StorebusError], bool] = lambda _, __: False,
        patience: float = 5.0,
    ) -> None:
        self.restarts = 0
        self._program = program
        self._tell = tell
        self._is_hopeless = is_hopeless
        self._patience = patience
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process now running, or None while there is none."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._process.pid

    async def open(self) -> None:
        """Start it, and watch over it.

        Raises:
            StorebusError: it does not start; nothing is left behind.
        """
        self._process = await self._program.start()
        self._watch = asyncio.create_task(
            self._keep_running(self._process), name=f"watch {self._program.title}"
        )

    async def given_up(self) -> None:
        """Wait until it is given up.

        Raises:
            StorebusError: why it could not be started again.
        """
        assert self._watch is not None
        await asyncio.shield(self._watch)

    async def close(self) -> None:
        """Stop watching, end the process, and return when both are gone."""
        try:
            if self._watch is not None:
                self._watch.cancel()
                await asyncio.wait([self._watch])
        finally:
            if self._process is not None:
                await stop(self._process, self._patience)
        if self._watch is not None and not self._watch.cancelled():
            error = self._watch.exception()
            if error is not None and not isinstance(error, StorebusError):
                raise error  # a defect of the watch itself must not stay unseen

    async def _keep_running(self, process: Process) -> None:
        failures, title = 0, self._program.title
        while True:
            started = time.monotonic()
            status = await process.wait()
            await stop(process)  # it is dead; this lets go of its pipe
            if time.monotonic() - started > SETTLED_SECONDS:
                failures = 0
            # The next start may empty its log: what it says of this death is told here or never.
            words = self._program.last_words()
            log.warning(
                "%s died (status %d).%s", title, status, f" Its log says:\n{words}" if words else ""
            )
            self._tell(f"{title} died (status {status}) and is started again.")
            process = self._process = await self._start_again(failures)
            failures += 1
            self.restarts += 1
            log.warning("%s runs again (pid %d).", title, process.pid)
            self._tell(f"{title} runs again.")

    async def _start_again(self, failures: int) -> Process:
        tries = 0
        while True:
            await asyncio.sleep(restart_delay(failures + tries))
            try:
                return await self._program.start()
            except StorebusError as error:
                tries += 1
                log.error("%s is not back yet: %s", self._program.title, error)  # noqa: TRY400 - told whole
                if self._is_hopeless(tries, error):
                    raise
