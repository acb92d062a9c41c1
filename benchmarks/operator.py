"""An operator at `storebus watch`: a pseudo-terminal, keys, and when the screen has answered."""

import asyncio
import fcntl
import os
import pty
import re
import struct
import sys
import tempfile
import termios
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

ROWS, COLUMNS = 60, 200
PATIENCE = 30.0
_KEPT = 1_000_000
"""How many of the last bytes that were drawn are searched."""
_TOP = b"\x1b[1;1H"
"""Each redraw begins with the uppermost line."""
_CURSOR = re.compile(rb"\x1b\[(\d+);1H(?:(?!\x1b\[\d+;\d+H)[\s\S])*?\x1b\[(?:\d;)*7[;m]")

Seen = Callable[[bytes], bool]


def has(*words: str) -> Seen:
    """Whether one of these words was drawn."""
    return lambda drawn: any(word.encode() in drawn for word in words)


class Answer(NamedTuple):
    """How soon a key was answered."""

    seconds: float
    processor: float
    """Seconds of the processor that the console took meanwhile."""
    queued: float
    """Seconds in which it was ready and others had the processor."""


class Operator:
    """Somebody who presses keys and looks.

    Args:
        screen: the file descriptor of the terminal's outer end.
        process: of the console.
    """

    def __init__(self, screen: int, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.redraws: list[float] = []
        """When each began, in seconds."""
        self.drawn = 0
        """Bytes."""
        self._screen = screen
        self._seen = bytearray()
        self._row = 0
        self._wanted: Seen | None = None
        self._answered = asyncio.Event()

    def read(self) -> None:
        """Take what was drawn."""
        data = b""
        with suppress(OSError):  # the console has ended
            data = os.read(self._screen, 1 << 20)
        self.drawn += len(data)
        self.redraws += [time.monotonic()] * data.count(_TOP)
        self._seen += data
        del self._seen[:-_KEPT]
        if self._wanted is not None and self._wanted(bytes(self._seen)):
            self._wanted = None
            self._answered.set()

    async def press(self, keys: str, wanted: Seen) -> Answer:
        """Press keys until what is wanted has been drawn after one.

        Raises:
            TimeoutError: it never was.
        """
        self._seen.clear()
        self._answered.clear()
        self._wanted = wanted
        pressed, (processor, queued) = time.monotonic(), self._scheduled()
        os.write(self._screen, keys.encode())
        try:
            async with asyncio.timeout(PATIENCE):
                await self._answered.wait()
        except TimeoutError:
            raise TimeoutError(f"{keys!r} was not answered: {bytes(self._seen)!r}") from None
        seconds, after = time.monotonic() - pressed, self._scheduled()
        return Answer(seconds, after[0] - processor, after[1] - queued)

    def _scheduled(self) -> tuple[float, float]:
        """Seconds that the console's main thread ran, and waited for a processor (Linux)."""
        ran, waited, _ = Path(f"/proc/{self.process.pid}/schedstat").read_text().split()
        return int(ran) / 1e9, int(waited) / 1e9

    async def sees(self, word: str) -> None:
        """Wait until a word is drawn."""
        await self.press("", has(word))

    def other_row(self) -> Seen:
        """Whether the chosen line has moved to another row."""
        before = _row(bytes(self._seen)) or self._row
        self._row = before
        return lambda drawn: _row(drawn) not in (0, before)


def row(wanted: Callable[[int], bool]) -> Seen:
    """Whether the chosen line is in a row that fits."""
    return lambda drawn: bool(found := _row(drawn)) and wanted(found)


def _row(drawn: bytes) -> int:
    """The row in which the chosen line was drawn last, or 0."""
    rows = [int(row) for row in _CURSOR.findall(drawn)]
    return next((row for row in reversed(rows) if row > 1), 0)  # above are the tabs


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[Operator]:
    """A console in a process of its own, on a terminal of 200x60."""
    arguments = ("watch", "--broker", url, "--language", "en")
    async with running_on_terminal(*arguments, size=(ROWS, COLUMNS), ready="console-") as operator:
        yield operator


@asynccontextmanager
async def looking_at(recording: Path) -> AsyncIterator[Operator]:
    """The same at a recording, which begins to play."""
    arguments = ("watch", "--file", str(recording), "--language", "en")
    async with running_on_terminal(*arguments, size=(ROWS, COLUMNS), ready=" heard") as operator:
        yield operator


@asynccontextmanager
async def running_on_terminal(
    *arguments: str, size: tuple[int, int], ready: str
) -> AsyncIterator[Operator]:
    """A command in a process of its own, on a terminal of so many rows and columns."""
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    state = tempfile.TemporaryDirectory(prefix="storebus-state-")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *arguments),
        stdin=terminal, stdout=terminal, stderr=terminal,
        env=os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor",
                          "XDG_STATE_HOME": state.name},
    )  # fmt: skip
    os.close(terminal)
    operator = Operator(screen, process)
    loop = asyncio.get_running_loop()
    loop.add_reader(screen, operator.read)
    try:
        await operator.sees(ready)
        yield operator
    finally:
        loop.remove_reader(screen)
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(screen)
        state.cleanup()
