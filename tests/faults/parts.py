"""A store whose parts are processes of their own, so that each can be killed and started alone."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from needs import ENGINE, require
from ports import free_port

from broker import embedded, mosquitto
from broker.child import Program
from bus.contract.errors import NoAnswer
from bus.contract.every import ABOUT, PING, About
from bus.contract.values import Empty
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from bus.runtime.settings import RuntimeSettings
from store.composition import until_quiet
from store.settings import Settings, read_settings

LONG = os.environ.get("STOREBUS_FAULTS") == "long"
"""`make faults`: more rounds and longer stops than `make test` has time for."""
PATIENCE = 300.0 if LONG else 60.0
"""Seconds after which something that should have happened counts as missing."""
CUSTOMERS_PATIENCE = 3600.0
"""Seconds until a customer gives a purchase up: here none does, however slow the machine is."""
ROLES = ("catalog", "settlement", "warehouse")
NODES = (*ROLES, "sorter-1")
RUNTIME = {"retry_first": 0.3, "retry_limit": 1.0, "query_retry": 0.3, "reconnect_limit": 0.5}
"""As in a store, only less patient."""
PYTHON = (sys.executable, "-P")
HERE = Path(__file__).parent
_ENVIRONMENT = {
    **{f"STOREBUS_RUNTIME__{name.upper()}": str(value) for name, value in RUNTIME.items()},
    # Programs of the tests share modules with them.
    "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH")))),
}


async def eventually(condition: Callable[[], object], what: str) -> None:
    """Return as soon as the condition is true; fail the test when it never is."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - another process makes it true
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{what} never came true") from None


def settings_of(data: Path) -> Settings:
    """The settings that every process of the store has."""
    return read_settings(
        data=data, runtime=RuntimeSettings(**RUNTIME), purchase_patience=CUSTOMERS_PATIENCE
    )


class OwnBroker:
    """A broker that nobody watches over: it stays dead until it is started again.

    Args:
        folder: for its files.
        engine: `mosquitto` or `embedded`.
        persistent: whether Mosquitto saves retained messages and sessions; ours never does.
    """

    def __init__(self, folder: Path, engine: str = ENGINE, *, persistent: bool = False) -> None:
        folder.mkdir()
        self.saved = folder / "mosquitto.db"
        if engine == "embedded":
            self._program = self._embedded(folder)
        else:
            self._program = self._mosquitto(folder, persistent=persistent)
        self._process: asyncio.subprocess.Process | None = None

    def _embedded(self, folder: Path) -> Program:
        first = free_port(2)
        self.port = second = first + 1
        self.url = f"mqtt://127.0.0.1:{second}?qos=0&properties=0"
        listen = (f"127.0.0.1:{port}" for port in (first, second))
        file = folder / "embedded.toml"
        file.write_text(embedded.configuration(*listen, 131_072))
        log = folder / "embedded.log"
        return Program("embedded", embedded.command(file), log, "127.0.0.1", (first, second))

    def _mosquitto(self, folder: Path, *, persistent: bool) -> Program:
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        text = mosquitto.configuration("127.0.0.1", self.port, 131_072)
        if persistent:
            keep = f"persistence true\npersistence_location {folder}/\nautosave_interval 1"
            text = text.replace("persistence false", keep)
        file = folder / "mosquitto.conf"
        file.write_text(text)
        require("mosquitto")
        binary = mosquitto.find_mosquitto()
        assert binary is not None
        log = folder / "mosquitto.log"
        return Program("mosquitto", mosquitto.command(binary, file), log, "127.0.0.1", (self.port,))

    async def start(self) -> None:
        """Start it; returns when it accepts connections."""
        self._process = await self._program.start()

    async def kill(self) -> None:
        """End it without a goodbye."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = None


class Part:
    """One process of the store."""

    def __init__(self, command: tuple[str, ...], log: Path, environment: dict[str, str]) -> None:
        self.command = command
        self.log = log
        self.environment = environment
        self.ends: list[int] = []
        """How each of its lives ended: an exit code, or minus a signal."""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; it may take a second until it can be asked."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | _ENVIRONMENT | self.environment,
            )

    @property
    def running(self) -> bool:
        """Whether it lives, or is stopped by a signal."""
        return self._process is not None and self._process.returncode is None

    @property
    def state(self) -> str:
        """What the kernel says of it, such as `S` or, when stopped by a signal, `T`."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/stat").read_text()
        return status.rpartition(") ")[2][0]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this very process."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; how it ended."""
        assert self._process is not None
        async with asyncio.timeout(PATIENCE):
            self.ends.append(await self._process.wait())
        self._process = None
        return self.ends[-1]

    async def end(self, number: signal.Signals = signal.SIGKILL) -> int | None:
        """End it by a signal, and wait; how it ended, None if it was not there."""
        if self._process is None:
            return None
        if self.running:
            self.send(number)
        return await self.ended()

    async def keep_up(self) -> None:
        """Start it again whenever it ended, as a service manager does, until cancelled."""
        while True:
            assert self._process is not None
            self.ends.append(await self._process.wait())
            await self.start()

    def said(self, text: str) -> bool:
        """Whether its log holds a text."""
        return text in self.log.read_text(errors="replace")


class Parts:
    """The processes of one store, by name.

    Args:
        data: the folder of the databases; another one for single nodes in `folders`.
        url: where they connect.
    """

    def __init__(self, data: Path, url: str, speed: str = "inf") -> None:
        self.data = data
        self.url = url
        self.speed = speed
        self.folders: dict[str, Path] = {}
        self.environment: dict[str, str] = {}
        self.all: dict[str, Part] = {}
        self._logs = data / "logs"
        self._logs.mkdir(exist_ok=True)

    def __getitem__(self, name: str) -> Part:
        return self.all[name]

    def node(self, name: str, *before: str) -> Part:
        """A node of the store; `before` stands before the command's own arguments."""
        data = self.folders.get(name, self.data)
        arguments = ("node", name, "--broker", self.url, "--data", str(data), "--speed", self.speed)
        return self.add(name, *(before or ("-P", "-m", "cli")), *arguments)

    def add(self, name: str, *arguments: str) -> Part:
        """A Python process."""
        log = self._logs / f"{name}.log"
        self.all[name] = Part((sys.executable, *arguments), log, self.environment)
        return self.all[name]

    async def start(self, *names: str) -> None:
        """Start nodes, and wait until each can be asked."""
        for name in names:
            if name not in self.all:
                self.node(name)
        await asyncio.gather(*(self[name].start() for name in names))
        await self.answer(*names)

    async def answer(self, *names: str) -> None:
        """Wait until nodes answer a ping."""
        async with self.tester() as tester:
            for name in names:
                await tester.ask(PING, name, Empty(), timeout=PATIENCE)

    @asynccontextmanager
    async def kept_up(self) -> AsyncIterator[None]:
        """Within the block every part that ends is started again."""
        keeping = [asyncio.create_task(part.keep_up()) for part in self.all.values()]
        try:
            yield
        finally:
            for task in keeping:
                task.cancel()
            for ended in await asyncio.gather(*keeping, return_exceptions=True):
                assert isinstance(ended, asyncio.CancelledError), ended

    @asynccontextmanager
    async def tester(self, name: str = "tester-1") -> AsyncIterator[Caller]:
        """Someone who asks."""
        runtime = RuntimeSettings(**RUNTIME)
        async with Caller(MqttConnector(self.url), "main", name, runtime).connected() as caller:
            yield caller

    async def quiet(self) -> None:
        """Wait until no node has anything left to do."""
        names = [name for name in NODES if name in self.all]
        async with self.tester("tester-quiet") as tester, asyncio.timeout(PATIENCE):
            await until_quiet(lambda _, name, __: self._about(tester, name), names)

    @staticmethod
    async def _about(tester: Caller, name: str) -> About:
        while True:
            try:
                about: About = await tester.ask(ABOUT, name, Empty(), timeout=5)
            except NoAnswer:
                continue
            return about

    async def stop(self) -> None:
        """End all as a service manager does."""
        codes = await asyncio.gather(*(part.end(signal.SIGTERM) for part in self.all.values()))
        for name, code in zip(self.all, codes, strict=True):
            assert code in (0, None), f"{name} ended with {code}: see {self[name].log}"

    async def clear(self) -> None:
        """Whatever happened: no process is left behind."""
        for part in self.all.values():
            await part.end()


@asynccontextmanager
async def running_parts(
    data: Path, url: str, *names: str, speed: str = "inf"
) -> AsyncIterator[Parts]:
    """Nodes that answer; all processes are gone afterwards whatever happened."""
    parts = Parts(data, url, speed)
    try:
        await parts.start(*names)
        yield parts
    finally:
        await parts.clear()


@asynccontextmanager
async def running_broker(
    folder: Path, engine: str = ENGINE, *, persistent: bool = False
) -> AsyncIterator[OwnBroker]:
    """A broker that is gone afterwards."""
    broker = OwnBroker(folder, engine, persistent=persistent)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.kill()


def copy_store(source: Path, target: Path) -> Path:
    """The files of stopped nodes: databases with their WAL, and what was done in the world."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if (
            file.name.endswith((".db", ".db-wal", ".db-generation", ".jsonl"))
            or file.name == "shop-imported"
        ):
            shutil.copy2(file, target / file.name)
    return target
