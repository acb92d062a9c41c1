"""One certification: a relay before a broker, a fake store, and the suite for the device."""

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
from testing.certify.device_driver import DeviceDriver
from testing.certify.fake_store import FakeStore, Timeouts
from testing.certify.observing_relay import ObservingRelay
from testing.certify.rules import SORTER
from testing.certify.sorter_suite import SorterSuite
from testing.certify.terminal_suite import TerminalSuite
from testing.certify.traffic_checks import check_traffic
from testing.certify.verdicts import RuleVerdict, Verdicts

_LARGEST = 2 * MAX_PAYLOAD
"""Bytes: a device has to bear what is too large."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of the broker, and of the relay that the device connects to."""

    url: str
    url_v311: str
    site: str
    host: str = "127.0.0.1"
    """Address on which the relay listens for the device."""
    port: int = 0


@dataclass(frozen=True, slots=True)
class Certification:
    """The result of a certification."""

    verdicts: list[RuleVerdict]
    messages: int
    """How many messages the device sent."""


@asynccontextmanager
async def open_fake_store(
    endpoints: Endpoints, device: str, times: Timeouts
) -> AsyncIterator[FakeStore[ObservingRelay]]:
    """Run a fake store; the device connects to `store.relay.port` within the block.

    Raises:
        BrokerError: there is no broker, or nothing can listen for the device.
        RoleTakenError: a real store is on this site of the broker.
    """
    connector, topics = MqttConnector(endpoints.url, largest=_LARGEST), Topics(endpoints.site)
    for role in sorted(ROLES):
        await refuse_second(connector, topics, role, Environment(), 1.0)
    store = FakeStore(
        connector, topics, device,
        lambda said, changed: ObservingRelay(endpoints.url, endpoints.url_v311, said, changed),
        times,
    )  # fmt: skip
    async with store.running():
        try:
            async with store.relay.running(endpoints.host, endpoints.port):
                yield store
        except OSError as error:
            if store.relay.port:
                raise
            raise BrokerError(
                f"Nothing can listen for the device on {endpoints.host}:{endpoints.port}:"
                f" {error.strerror}; pick another --port."
            ) from error


async def certify(
    store: FakeStore[Any], driver: DeviceDriver, ready: Callable[[], Awaitable[None]] | None = None
) -> Certification:
    """Run the suite for the device, and check everything that it sent.

    Args:
        store: the fake store that the device talks to.
        driver: makes the device act.
        ready: awaited before the first message, such as until the device is connected.
    """
    verdicts = Verdicts(store.kind)
    suite = (SorterSuite if store.kind == SORTER else TerminalSuite)(store, verdicts, driver)
    try:
        await driver.start()
        if ready is not None:
            await ready()
        await suite.run()
    finally:
        await driver.close()
    check_traffic(store, verdicts)
    return Certification(verdicts.as_list(), len(store.received))
