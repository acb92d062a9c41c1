"""The broker of a store: choose an engine, run it while the store runs, say where it is.

It must not know anything of nodes, channels or messages.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from broker import embedded, mosquitto
from broker.child import Program
from broker.external import require_address, with_protocol
from broker.ports import (
    authority,
    consecutive_ports,
    dialled_address,
    free_ports_near,
    numeric_address,
)
from broker.settings import BrokerSettings
from broker.supervisor import Supervisor
from bus.contract.errors import BrokerError, PortInUseError
from bus.storage.private import make_folder, write_text

PORT_TRIES = 5
"""How many times a port that nobody chose may be taken between finding and using it."""
RunningEngine = Literal["embedded", "mosquitto", "external"]


class Broker:
    """The broker that a store uses, as long as `running_broker` is open."""

    def __init__(
        self,
        engine: RunningEngine,
        url: str,
        url_v311: str,
        notice: str | None = None,
        supervisor: Supervisor | None = None,
        websocket_url: str | None = None,
    ) -> None:
        self.engine: RunningEngine = engine
        """The engine that was chosen."""
        self.url = url
        """Where nodes connect, in the newest protocol it speaks."""
        self.url_v311 = url_v311
        """Where MQTT 3.1.1 devices connect."""
        self.websocket_url = websocket_url
        """Where MQTT over WebSocket connects, or None."""
        self.notice = notice
        """A sentence for the operator at the start, or None."""
        self._supervisor = supervisor

    @property
    def restarts(self) -> int:
        """How many times it has died and was started again."""
        return self._supervisor.restarts if self._supervisor else 0

    @property
    def pid(self) -> int | None:
        """Its process; None if it is not ours, or while it is restarted."""
        return self._supervisor.pid if self._supervisor else None


@asynccontextmanager
async def running_broker(
    settings: BrokerSettings, data: Path, tell: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Broker]:
    """Run the broker that the settings ask for; it accepts connections inside the context.

    Args:
        settings: what the operator chose.
        data: the store's data folder, made if it is missing; configuration and log go there.
        tell: called with a sentence when it has died and when it runs again.

    Raises:
        BrokerError: there is no such broker or it does not start; the message says what to do.
    """
    broker, supervisor = await _opened(settings, data, tell)
    try:
        yield broker
    finally:
        if supervisor is not None:
            await supervisor.close()


async def _opened(
    settings: BrokerSettings, data: Path, tell: Callable[[str], None]
) -> tuple[Broker, Supervisor | None]:
    """Start it; if its port has just been taken and nobody chose it, on another port."""
    tries = 1 if _is_chosen(settings) else PORT_TRIES
    while True:
        broker, supervisor = await _prepare(settings, data, tell)
        if supervisor is None:
            return broker, None
        try:
            await supervisor.open()
        except PortInUseError:
            tries -= 1
            if not tries:
                raise
        else:
            return broker, supervisor


async def _prepare(
    settings: BrokerSettings, data: Path, tell: Callable[[str], None]
) -> tuple[Broker, Supervisor | None]:
    engine = settings.engine
    if engine == "external" or (engine == "auto" and settings.url):
        url = require_address(settings.url)
        return Broker("external", url, with_protocol(url, "3.1.1")), None
    if settings.url:
        raise BrokerError(
            f"The {engine} engine is started here and takes no --url; "
            "leave it out, or use --engine external."
        )
    binary = None if engine == "embedded" else mosquitto.find_mosquitto()
    if binary is not None:
        return await _prepare_mosquitto(binary, settings, data, tell)
    if engine == "mosquitto":
        raise BrokerError(
            "Mosquitto is not installed: apt install mosquitto, or use --engine embedded."
        )
    return await _prepare_embedded(settings, data, tell)


async def _prepare_mosquitto(
    binary: Path, settings: BrokerSettings, data: Path, tell: Callable[[str], None]
) -> tuple[Broker, Supervisor]:
    address = numeric_address(settings.host)
    ports = await _ports(address, settings, 1)
    websocket_port = settings.websocket_port
    if websocket_port is not None:
        (websocket_port,) = consecutive_ports(address, websocket_port, 1)
        ports = (*ports, websocket_port)
    text = mosquitto.configuration(address, ports[0], settings.max_packet_size, websocket_port)
    file = _write(data / "mosquitto.conf", text)
    command = mosquitto.command(binary, file)
    program = Program("mosquitto", command, file.with_suffix(".log"), address, ports)
    supervisor = Supervisor(program, tell)
    dialled = dialled_address(address)
    url = f"mqtt://{authority(dialled, ports[0])}"
    websocket_url = None if websocket_port is None else f"ws://{authority(dialled, websocket_port)}"
    return Broker(
        "mosquitto",
        url,
        with_protocol(url, "3.1.1"),
        _notice(address, settings, ports),
        supervisor,
        websocket_url,
    ), supervisor


async def _prepare_embedded(
    settings: BrokerSettings, data: Path, tell: Callable[[str], None]
) -> tuple[Broker, Supervisor]:
    if settings.websocket_port is not None:
        raise BrokerError(
            "The embedded broker does not speak WebSocket: apt install mosquitto, "
            "or leave --websocket-port out."
        )
    address = numeric_address(settings.host)
    port_v311, port_v5 = ports = await _ports(address, settings, 2)
    text = embedded.configuration(
        authority(address, port_v311), authority(address, port_v5), settings.max_packet_size
    )
    file = _write(data / "embedded.toml", text)
    supervisor = Supervisor(
        Program("embedded", embedded.command(file), file.with_suffix(".log"), address, ports), tell
    )
    dialled = dialled_address(address)
    # At QoS 1 it stalls 44 ms at every hop and is no safer: the bus repeats what is lost anyway.
    url = f"mqtt://{authority(dialled, port_v5)}?qos=0&properties=0"
    url_v311 = f"mqtt://{authority(dialled, port_v311)}?protocol=3.1.1&qos=0"
    advice = " It is meant for trials; for a store, apt install mosquitto."
    notice = _notice(address, settings, ports) + advice
    return Broker("embedded", url, url_v311, notice, supervisor), supervisor


async def _ports(address: str, settings: BrokerSettings, count: int) -> tuple[int, ...]:
    """Where it listens; a port that nobody asked for is given up if it is in use."""
    if _is_chosen(settings) or not settings.port:
        return consecutive_ports(address, settings.port, count)
    return await free_ports_near(address, settings.port, count)


def _is_chosen(settings: BrokerSettings) -> bool:
    return settings.port != 0 and "port" in settings.model_fields_set


def _notice(address: str, settings: BrokerSettings, ports: tuple[int, ...]) -> str:
    moved = (
        f"Port {settings.port} is in use by another program, such as a Mosquitto service; "
        f"this store's broker listens on {ports[0]}. "
        if settings.port not in {0, ports[0]}
        else ""
    )
    loopback = address == "::1" or address.startswith("127.")
    who = "Any program on this computer" if loopback else f"Anyone who can reach {address}"
    return f"{moved}The broker has no access control. {who} can read and send every message."


def _write(file: Path, text: str) -> Path:
    try:
        make_folder(file.parent)
        write_text(file, text)
    except OSError as error:
        raise BrokerError(
            f"{file} cannot be written ({error.strerror}); pick another folder with --data."
        ) from error
    # The child may be started in, or change to, another folder.
    return file.resolve()
