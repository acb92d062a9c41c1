"""Real brokers that live as long as the session, and the five connectors tests run over."""

import asyncio
import itertools
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from judge import Judge
from needs import (  # noqa: F401 - the hooks
    pytest_configure,
    pytest_runtest_setup,
    pytest_terminal_summary,
    require,
)
from ports import free_port
from running_store import TRANSPORTS, RunBroker, Transport, open_transport
from store_process import StorebusHere, Told

from broker.engine import Broker, RunningEngine, running_broker
from broker.settings import BrokerSettings
from bus.link import Connector
from cli.main import main
from store.settings import Settings

# The language, the screen and the store of whoever starts the suite are not the tests'.
_THEIRS = (
    *("LC_", "LANG", "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "TTY_"),
    *("GITHUB_ACTIONS", "COLUMNS", "LINES"),
    *(f"STOREBUS_{field.upper()}" for field in Settings.model_fields),
)
for name in [*os.environ]:
    if name.startswith(_THEIRS):
        del os.environ[name]

# Where the suite was started in the background, whatever it starts would not hear Ctrl-C either.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _state_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What consoles keep from one start to the next is not whoever starts the suite's either."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


_sites = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def _elsewhere() -> Iterator[None]:
    """Where the suite is started, somebody may have a store and a storebus.toml."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="storebus-elsewhere-") as folder:
        Path(folder).chmod(0o755)  # some tests act as another user
        os.chdir(folder)
        yield
        os.chdir(here)


class BrokerThread(threading.Thread):
    """A broker in a thread with a loop of its own.

    The thread lives as long as the broker: the kernel ends the broker with the thread that
    started it.
    """

    def __init__(self, engine: RunningEngine, data: Path) -> None:
        super().__init__(name=f"{engine} broker", daemon=True)
        self._engine: RunningEngine = engine
        self._data = data
        self._ready: Future[Broker] = Future()
        self._closing = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop

    def run(self) -> None:
        """Serve until told to stop."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            settings = BrokerSettings(
                engine=self._engine,
                port=free_port(2),
                websocket_port=free_port() if self._engine == "mosquitto" else None,
            )
            async with running_broker(settings, self._data) as broker:
                self._ready.set_result(broker)
                await self._closing.wait()
        except Exception as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    def broker(self) -> Broker:
        """The broker, once it accepts connections."""
        return self._ready.result(20)

    def close(self) -> None:
        """Stop the broker; returns when it is gone."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self.join(20)


@pytest.fixture(scope="session")
def run_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunBroker]:
    """Starts each real broker at its first use; it serves the whole session."""
    threads: dict[RunningEngine, BrokerThread] = {}

    def run(engine: RunningEngine) -> Broker:
        if engine == "mosquitto":
            require("mosquitto")
        if engine not in threads:
            threads[engine] = BrokerThread(engine, tmp_path_factory.mktemp(engine))
            threads[engine].start()
        return threads[engine].broker()

    yield run
    for thread in threads.values():
        thread.close()


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest, run_broker: RunBroker) -> Transport:
    """Each of the five ways that messages go."""
    return open_transport(request.param, run_broker)


@pytest.fixture
def connector(transport: Transport) -> Connector:
    """A connector to each of the five."""
    return transport.connector


@pytest.fixture
def site() -> str:
    """A site that no other test of this process has: brokers are shared."""
    return f"site-{next(_sites)}"


@pytest.fixture(scope="module", autouse=True)
def judge() -> Iterator[Judge]:
    """Holds what nodes send in a module's tests against the published contract, at its end."""
    judge = Judge()
    with judge.listening():
        yield judge
    assert not judge.verdict()


@pytest.fixture
def storebus_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> StorebusHere:
    """Runs the command in this process: its exit code and what it printed.

    A new process takes a second of processor time: what is about words alone needs none.
    """
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path) -> Told:
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run
