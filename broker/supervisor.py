"""Keep a broker process running: start it again whenever it dies, slower each time.

It must not know which broker it is.
"""

import asyncio
import logging
import random
import time
from asyncio.subprocess import Process

from broker.child import Program, stop
from bus.errors import BrokerError

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 10.0
# A broker that ran this long has recovered: its next death is a new misfortune.
SETTLED_SECONDS = 60.0

log = logging.getLogger("storebus.broker")


def restart_delay(failures: int) -> float:
    """Seconds to wait after so many failures in a row: exponential, with full jitter."""
    # Beyond some doublings only the ceiling counts, and a float has an end.
    longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(failures, 16))
    return random.uniform(0, longest)


class Supervisor:
    """Owns one broker process from `open` to `close`."""

    def __init__(self, program: Program) -> None:
        self.restarts = 0
        self._program = program
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process now running, or None while there is none."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._process.pid

    async def open(self) -> None:
        """Start the broker and the watch over it.

        Raises:
            BrokerError: it does not start; nothing is left behind.
        """
        self._process = await self._program.start()
        self._watch = asyncio.create_task(
            self._keep_running(self._process), name=f"watch {self._program.name}"
        )

    async def close(self) -> None:
        """End the watch, then the broker; returns when both are gone."""
        try:
            if self._watch is not None:
                self._watch.cancel()
                await asyncio.wait([self._watch])
        finally:
            if self._process is not None:
                await stop(self._process)
        if self._watch is not None and not self._watch.cancelled():
            self._watch.result()  # a defect of the watch itself must not stay unseen

    async def _keep_running(self, process: Process) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            status = await process.wait()
            await stop(process)  # it is dead; this lets go of its pipe
            if time.monotonic() - started > SETTLED_SECONDS:
                failures = 0
            # The next start empties the log: what it says of this death is told here or never.
            tail = self._program.log_tail()
            log.warning(
                "The %s broker died (status %d). Its log says:\n%s",
                self._program.name,
                status,
                tail,
            )
            while True:
                delay = restart_delay(failures)
                failures += 1
                await asyncio.sleep(delay)
                try:
                    process = self._process = await self._program.start()
                except BrokerError as error:
                    log.error("The broker is not back yet: %s", error)  # noqa: TRY400 - told whole
                else:
                    break
            self.restarts += 1
            log.warning("The %s broker runs again (pid %d).", self._program.name, process.pid)
