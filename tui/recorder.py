"""Records the traffic while the console watches, at the press of a key."""

import asyncio
from contextlib import suppress
from pathlib import Path

from bus.contract.errors import JournalError, StorebusError
from bus.contract.topics import Topics
from bus.history.recorder import Recorder
from bus.history.recording import Recording
from bus.link import Connector

PART = 64_000_000
"""Bytes after which a part of the recording is complete and compressed."""


class ConsoleRecorder:
    """Makes one recording at a time, over a connection of its own, as `storebus record` does.

    Args:
        connector: to the broker.
        topics: of the site.
    """

    def __init__(self, connector: Connector, topics: Topics) -> None:
        self.path: Path | None = None
        """The file; None while nothing is recorded."""
        self.trouble = ""
        """Why the last recording ended by itself."""
        self._connector = connector
        self._topics = topics
        self._recording: Recording | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def messages(self) -> int:
        """The number of messages recorded."""
        return self._recording.messages if self._recording else 0

    def start(self, path: Path) -> None:
        """Record into a file; one that exists is continued.

        Raises:
            JournalError: it cannot be written.
        """
        assert self.path is None
        self._recording = Recording(path, PART)
        self.path, self.trouble = path, ""
        recorder = Recorder(self._connector, self._topics, self._recording)
        self._running = asyncio.create_task(recorder.run(), name="console/recorder")
        self._running.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """The recording has failed, for instance on a full disk; the console goes on."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        self.trouble, self.path = str(error), None
        if self._recording is not None:
            with suppress(JournalError):
                self._recording.close()

    async def stop(self) -> None:
        """Write the rest and close the file, if something is recorded.

        Raises:
            JournalError: the rest cannot be written.
        """
        if self._running is None:
            return
        running, self._running = self._running, None
        running.cancel()
        with suppress(asyncio.CancelledError, StorebusError):
            await running
        if self.path is not None and self._recording is not None:
            self.path = None
            self._recording.close()
