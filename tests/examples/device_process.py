"""The examples for device builders, run as a builder would, and a store they speak to."""

import asyncio
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from needs import NEEDS, leave_out

PROJECT = Path(__file__).parents[2]
DEVICES = PROJECT / "examples" / "devices"
PATIENCE = 30.0


@dataclass(frozen=True)
class Example:
    """One example and what it needs."""

    folder: str
    file: str
    program: str = sys.executable
    """Runs it; below the example's folder if it is a path in it."""
    needs: tuple[str, ...] = ()
    """What has to be installed on the computer: names of needs.py."""
    made: str | None = None
    """What `make examples` makes for it, below its folder."""
    goodbye: str = "offline"
    """What its presence says after SIGTERM: a board knows no signals, it is just switched off."""
    copied_to: Path | None = None
    """Where a changed copy of it is, if one is to be run."""

    @property
    def script(self) -> Path:
        """The file that a builder copies."""
        return (self.copied_to or DEVICES / self.folder) / self.file

    def lacks(self) -> str | None:
        """What it needs that is not here; what can be fetched for it is fetched."""
        for name in self.needs:
            if not NEEDS[name].met():
                return name
        return None if self.made is None or self._is_made() else "examples"

    def _is_made(self) -> bool:
        target = (DEVICES / self.folder / str(self.made)).relative_to(PROJECT)
        with self.script.open() as lock:  # several processes test
            fcntl.flock(lock, fcntl.LOCK_EX)
            making = subprocess.run(["make", target], cwd=PROJECT, capture_output=True, check=False)
        return making.returncode == 0

    def require(self) -> None:
        """Leave the test out where something that the example needs is missing."""
        if (lack := self.lacks()) is not None:
            leave_out(lack)

    @property
    def command(self) -> tuple[str, ...]:
        """How it is started."""
        own = DEVICES / self.folder / self.program
        return (
            str(own if "/" in self.program and own.exists() else self.program),
            str(self.script),
        )


class Device:
    """One example in a folder of its own; it can be killed and started again."""

    def __init__(self, example: Example, folder: Path, *address: str) -> None:
        self._command = (*example.command, *address)
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *arguments: str) -> None:
        """Start it; its file is in the folder that it is started in."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            cwd=self._folder,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )

    async def line(self) -> str:
        """The next line that it prints."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = (await self._process.stdout.readline()).decode()
        assert line, "it ended"
        return line.rstrip("\n")

    async def lines_until(self, start: str) -> list[str]:
        """Lines up to the first one that starts so."""
        lines = [await self.line()]
        while not lines[-1].startswith(start):
            lines.append(await self.line())
        return lines

    async def kill(self) -> None:
        """End it without a goodbye."""
        await self._end(hard=True)

    async def stop(self) -> None:
        """End it as a service manager does."""
        await self._end(hard=False)

    async def _end(self, *, hard: bool) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        if hard:
            process.kill()
        else:
            process.terminate()
        async with asyncio.timeout(PATIENCE):
            await process.communicate()


@asynccontextmanager
async def device(example: Example, folder: Path, *address: str) -> AsyncIterator[Device]:
    """A device that is gone afterwards whatever happened."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - a moment
    running = Device(example, folder, *address)
    try:
        yield running
    finally:
        await running.kill()


def host_and_port(url: str) -> tuple[str, str]:
    """As the examples take them."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, str(parts.port)


def bash() -> str:
    """Where bash is; the name alone where it is not."""
    return shutil.which("bash") or "bash"


SORTER = Example("sorter-paho", "sorter.py")
PAHO = Example("paho", "terminal.py")
ASYNCIO_MQTT = Example("asyncio-mqtt", "terminal.py", ".venv/bin/python", made=".venv/ready")
MICROPYTHON = Example("micropython", "terminal.py", goodbye="lost")
PUB_SUB = Example(
    *("mosquitto-pub-sub", "terminal.sh", bash()),
    needs=("bash", "jq", "mosquitto-clients", "setpriv"),
)
REQUEST_RESPONSE = Example(
    *("mosquitto-rr", "terminal.sh", bash()),
    needs=("bash", "jq", "mosquitto-clients", "setpriv", "mosquitto"),  # speaks MQTT 5
)
MQTT_JS = Example(
    *("mqtt-js", "terminal.js", "node"), needs=("node", "mosquitto"), made="node_modules/ready"
)
TERMINALS = (PUB_SUB, REQUEST_RESPONSE, PAHO, ASYNCIO_MQTT, MICROPYTHON, MQTT_JS)
IN_PYTHON = (PAHO, ASYNCIO_MQTT, MICROPYTHON)
