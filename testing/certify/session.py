"""A certification as the command runs it: a broker, a driver of commands, and the report."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from broker.engine import running_broker
from broker.external import with_protocol
from bus.contract.errors import NoAnswer
from bus.runtime.environment import Environment
from store.settings import Settings
from testing.certify.certification import Endpoints, certify, open_fake_store
from testing.certify.device_driver import CommandDriver, Commands
from testing.certify.fake_store import FakeStore, Timeouts
from testing.certify.fixtures import GTIN, LABEL, SKU
from testing.certify.report import Report, report

LONGEST_WAIT = 3600.0
"""Seconds to wait for a person, at the most."""


async def certify_device(
    device: str, commands: Commands, settings: Settings, port: int, timeouts: Timeouts,
    tell: Callable[[str], None], *, has_person: bool,
) -> Report:  # fmt: skip
    """Certify a device that connects by itself, or that a command starts.

    Args:
        device: its name.
        commands: make it act.
        settings: of the site and its broker; without a broker's URL one is started here.
        port: on which the device is expected; 0 picks a free one.
        timeouts: how long to wait.
        tell: shows a person a sentence.
        has_person: whether a person reads it and can answer.

    Raises:
        BrokerError: there is no broker, or nothing can listen for the device.
        NoAnswer: the device did not connect, or sent nothing.
        RoleTakenError: a real store is on this site of the broker.
    """
    async with (
        _endpoints(settings, port) as endpoints,
        open_fake_store(endpoints, device, timeouts) as store,
    ):
        url = f"mqtt://{endpoints.host}:{store.relay.port}"
        variables = {
            "url": url, "host": endpoints.host, "port": str(store.relay.port),
            "site": endpoints.site, "name": device, "label": LABEL, "sku": SKU, "gtin": GTIN,
        }  # fmt: skip
        driver = CommandDriver(commands, variables, tell, has_person=has_person)
        tell(f"Waiting for {device} at {url}, site {endpoints.site}.")
        waits = commands.start is not None or commands.buy is None

        async def ready() -> None:
            if waits:
                await _connected(store, driver)
                tell(f"{device} is connected; this takes some minutes.")

        result = await certify(store, driver, ready)
        if not result.messages:
            raise NoAnswer(f"{device} said nothing at all.{_printed(driver)}")
        return report(device, Environment().now(), result.verdicts)


async def _connected(store: FakeStore[Any], driver: CommandDriver) -> None:
    """Wait for the device's first connection.

    Raises:
        NoAnswer: it did not connect, or the command that starts it failed.
    """
    seconds = LONGEST_WAIT if driver.is_person else store.timeouts.patience
    connecting = asyncio.create_task(store.until(lambda: store.relay.listening or None, seconds))
    failing = asyncio.create_task(driver.start_failed())
    try:
        await asyncio.wait({connecting, failing}, return_when=asyncio.FIRST_COMPLETED)
        if connecting.done() and connecting.result():
            return
        why = f" within {seconds:g} s"
        if failing.done():
            await driver.close()  # so that all it printed has been read
            why = f": the command that starts it ended with code {failing.result()}"
    finally:
        connecting.cancel()
        failing.cancel()
        await asyncio.gather(connecting, failing, return_exceptions=True)
    raise NoAnswer(f"{store.device} did not connect{why}.{_printed(driver)}")


def _printed(driver: CommandDriver) -> str:
    """The end of what the commands printed, to find out what is wrong."""
    tail = driver.output.strip()[-500:]
    return f" The commands printed: {tail}" if tail else ""


@asynccontextmanager
async def _endpoints(settings: Settings, port: int) -> AsyncIterator[Endpoints]:
    """The given broker, or one that is started on loopback and gone afterwards."""
    host = settings.broker.host
    if settings.broker.url is not None:
        url = settings.broker.url
        yield Endpoints(url, with_protocol(url, "3.1.1"), settings.site, host, port)
        return
    own = settings.broker.model_copy(update={"host": "127.0.0.1", "port": 0})
    with TemporaryDirectory(prefix="storebus-certify-") as folder:
        async with running_broker(own, Path(folder)) as broker:
            yield Endpoints(broker.url, broker.url_v311, settings.site, host, port)
