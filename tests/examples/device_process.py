"""The examples for device builders, run as a builder would, and a store they speak to."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from urllib.parse import urlsplit

import pytest

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
    tools: tuple[str, ...] = ()
    """What has to be installed on the computer."""
    made: str | None = None
    """What `make examples` makes for it, below its folder."""
    goodbye: str = "offline"
    """What its presence says after SIGTERM: a board knows no signals, it is just switched off."""

    @property
    def script(self) -> Path:
        """The file that a builder copies."""
        return DEVICES / self.folder / self.file

    def lacks(self) -> str | None:
        """Why it cannot be run here; what can be made for it is made."""
        for tool in self.tools:
            if which(tool) is None:
                return f"{self.folder} needs {tool}, which is not installed"
        if self.made is not None:
            target = (DEVICES / self.folder / self.made).relative_to(PROJECT)
            making = subprocess.run(
                ["make", str(target)], cwd=PROJECT, capture_output=True, text=True, check=False
            )
            if making.returncode:
                reason = (making.stderr or making.stdout).strip().splitlines()[-1]
                return f"`make examples` cannot make {target}: {reason}"
        return None

    def require(self) -> None:
        """Skip the test if a tool is missing and cannot be made."""
        if (reason := self.lacks()) is not None:
            pytest.skip(reason)

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
    tools=("bash", "jq", "mosquitto_pub", "mosquitto_sub", "setpriv"),
)
REQUEST_RESPONSE = Example(
    *("mosquitto-rr", "terminal.sh", bash()),
    tools=("bash", "jq", "mosquitto_rr", "mosquitto_sub", "setpriv"),
)
MQTT_JS = Example(
    *("mqtt-js", "terminal.js", "node"), tools=("node", "npm"), made="node_modules/ready"
)
TERMINALS = (PUB_SUB, REQUEST_RESPONSE, PAHO, ASYNCIO_MQTT, MICROPYTHON, MQTT_JS)
IN_PYTHON = (PAHO, ASYNCIO_MQTT, MICROPYTHON)
