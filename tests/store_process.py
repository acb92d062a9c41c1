"""`storebus up` as a real process, started as a user would and killed as a power cut would."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from needs import ENGINE, require
from ports import free_port

from bus.contract.channel import ROLES
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from store.composition import until_quiet

STOREBUS = (sys.executable, "-P", "-m", "cli")
Told = tuple[int, str, str]
"""The exit code of a command, and what it printed on its two outputs."""
StorebusHere = Callable[..., Told]
"""Runs a command in the test's own process; see conftest.py."""


@dataclass
class StoreProcess:
    """A store on a data folder; it can be started, killed and started again."""

    data: Path
    engine: str = ENGINE
    speed: str = "inf"
    port: int = field(default_factory=partial(free_port, 2))
    options: tuple[str, ...] = ()
    process: asyncio.subprocess.Process | None = None
    greeting: str = ""

    @property
    def url(self) -> str:
        """Where nodes connect."""
        if self.engine == "embedded":
            return f"mqtt://127.0.0.1:{self.port + 1}?qos=0&properties=0"
        return f"mqtt://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it says that it is open."""
        if self.engine == "mosquitto":
            require("mosquitto")
        self.process = await self.spawn(
            *("up", "--engine", self.engine, "--port", str(self.port)),
            *("--data", str(self.data), "--speed", self.speed),
            *self.options,
        )
        await self.until("Try, in another terminal")

    async def spawn(self, *arguments: str) -> asyncio.subprocess.Process:
        """A command whose output is read here."""
        return await asyncio.create_subprocess_exec(
            *STOREBUS,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )

    async def until(self, text: str) -> None:
        """Wait until it has printed this."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.greeting = ""
        async with asyncio.timeout(60):
            while text not in self.greeting:
                line = await self.process.stdout.readline()
                assert line, f"it ended before it said {text!r}:\n{self.greeting}"
                self.greeting += line.decode()

    async def quiet(self) -> None:
        """Wait until no role has anything left to do."""
        connector = MqttConnector(self.url)
        async with Caller(connector, "main", "tester-quiet").connected() as caller:
            async with asyncio.timeout(60):
                await until_quiet(caller.ask, sorted(ROLES))

    async def kill(self) -> None:
        """End it without a goodbye."""
        assert self.process is not None
        self.process.kill()
        await self._reap()

    async def stop(self) -> str:
        """End it as a service manager does; returns what it still printed."""
        assert self.process is not None
        self.process.terminate()
        return await self._reap()

    async def _reap(self) -> str:
        assert self.process is not None
        async with asyncio.timeout(30):
            rest, _ = await self.process.communicate()
        self.process = None
        return rest.decode()


@asynccontextmanager
async def running_store_process(
    data: Path, engine: str = ENGINE, speed: str = "inf", *options: str
) -> AsyncIterator[StoreProcess]:
    """A store that is up, and is gone afterwards whatever happened."""
    store = StoreProcess(data, engine, speed, options=options)
    await store.start()
    try:
        yield store
    finally:
        if store.process is not None:
            await store.stop()


async def storebus(*arguments: str, patience: float = 60, columns: int = 200) -> Told:
    """Run a command to its end: its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *STOREBUS,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"COLUMNS": str(columns)},
    )
    try:
        async with asyncio.timeout(patience):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        raise
    return process.returncode or 0, out.decode(), err.decode()
