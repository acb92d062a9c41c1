"""One certification: the relay before a broker, the played store, and the device's trial."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bus.contract.channel import ROLES
from bus.contract.errors import BrokerError
from bus.contract.topics import Topics
from bus.contract.values import MAX_PAYLOAD
from bus.link import MqttConnector
from bus.runtime.environment import Environment
from bus.runtime.takeover import refuse_second
from testing.certify.device_driver import Hands
from testing.certify.fake_store import Stage, Times
from testing.certify.observing_relay import Wire
from testing.certify.rules import SORTER
from testing.certify.sorter_suite import SorterTrial
from testing.certify.terminal_suite import TerminalTrial
from testing.certify.traffic_checks import judge
from testing.certify.verdicts import Book, Verdict

_LARGEST = 2 * MAX_PAYLOAD
"""Bytes: a device has to bear what is too large."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where the broker is, and where the device is to connect."""

    url: str
    url_v311: str
    site: str
    host: str = "127.0.0.1"
    """Address on which the device is waited for."""
    port: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    verdicts: list[Verdict]
    messages: int
    """How many the device sent."""


@asynccontextmanager
async def open_stage(where: Where, device: str, times: Times) -> AsyncIterator[Stage[Wire]]:
    """A played store; the device connects to `stage.wire.port` within the block.

    Raises:
        BrokerError: there is no broker, or nothing can listen for the device.
        RoleTakenError: a real store is on this site of the broker.
    """
    connector, topics = MqttConnector(where.url, largest=_LARGEST), Topics(where.site)
    for role in sorted(ROLES):
        await refuse_second(connector, topics, role, Environment(), 1.0)
    stage = Stage(
        connector, topics, device,
        lambda said, changed: Wire(where.url, where.url_v311, said, changed), times,
    )  # fmt: skip
    async with stage.playing():
        try:
            async with stage.wire.running(where.host, where.port):
                yield stage
        except OSError as error:
            if stage.wire.port:
                raise
            raise BrokerError(
                f"Nothing can listen for the device on {where.host}:{where.port}:"
                f" {error.strerror}; pick another --port."
            ) from error


async def certify(
    stage: Stage[Any], hands: Hands, ready: Callable[[], Awaitable[None]] | None = None
) -> Result:
    """Try the device on an open stage.

    Args:
        stage: the played store.
        hands: who makes the device act.
        ready: awaited before the first message, such as until the device is connected.
    """
    book = Book(stage.kind)
    trial = (SorterTrial if stage.kind == SORTER else TerminalTrial)(stage, book, hands)
    try:
        await hands.start()
        if ready is not None:
            await ready()
        await trial.run()
    finally:
        await hands.close()
    judge(stage, book)
    return Result(book.verdicts(), len(stage.heard))
