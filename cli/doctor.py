"""`storebus doctor`: check this machine, the store's files and its broker."""

import asyncio
import platform
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import version

import typer
from rich.text import Text

from broker.mosquitto import find_mosquitto, mosquitto_version
from broker.ports import port_in_use
from bus.contract.errors import BrokerError, Problem, StorebusError
from bus.contract.every import PING
from bus.contract.values import Empty
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from bus.text.console import output
from cli import options
from cli.run import run
from store.address import broker_url
from store.checkup import Finding, store_files
from store.exit_codes import DONE, REFUSED
from store.settings import Settings, read_settings
from store.shop.reader import read_shop

_OLDEST_SQLITE = (3, 37)
_ROLES = ("catalog", "settlement", "warehouse")


def doctor(
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    shop: options.ShopFile = None,
) -> None:
    """Check this machine and the store: what is missing or wrong, and what to do about it.

    Checks every file of the store, even while it runs. The exit code is 1 if something is wrong.

    Example: storebus doctor --data /var/lib/storebus
    """
    settings = read_settings(site=site, data=data, shop=shop)
    findings = [*_machine(settings), *run(_store(broker, settings))]
    for good, what, found in findings:
        mark = {True: ("ok  ", "green"), False: ("BAD ", "red"), None: ("note", "yellow")}[good]
        output.print(Text.assemble(mark, f" {what:<12} {found}"), soft_wrap=True)
    raise typer.Exit(REFUSED if any(good is False for good, _, _ in findings) else DONE)


def _machine(settings: Settings) -> Iterator[Finding]:
    yield True, "storebus", version("storebus")
    yield sys.version_info >= (3, 11), "python", platform.python_version()
    yield sqlite3.sqlite_version_info >= _OLDEST_SQLITE, "sqlite", sqlite3.sqlite_version
    binary = find_mosquitto()
    if binary is None:
        yield None, "mosquitto", "not installed: `auto` takes the embedded broker (no access rules)"
    else:
        yield True, "mosquitto", f"{mosquitto_version(binary)} at {binary}"
    yield from store_files(settings.data)
    try:
        shop = read_shop(settings.shop)
    except StorebusError as error:
        yield False, "shop", str(error)
    else:
        bad = f", {len(shop.bad_rows)} bad rows" if shop.bad_rows else ""
        yield not bad, "shop", f"{shop.name}: {len(shop.products)} products{bad}"


async def _store(broker: str | None, settings: Settings) -> list[Finding]:
    findings: list[Finding] = []
    try:
        connector = MqttConnector(broker_url(broker, settings))
        async with Caller(connector, settings.site, "tester-doctor").connected() as caller:
            findings.append((True, "broker", f"answers at {connector.description}"))
            if caller.shortage:
                findings.append((False, "broker", caller.shortage))
            findings += await asyncio.gather(*(_role(caller, role) for role in _ROLES))
    except BrokerError as error:
        free = not port_in_use(settings.broker.host, settings.broker.port)
        port = f"port {settings.broker.port} is {'free' if free else 'in use by something else'}"
        findings.append((None, "broker", f"{error}; {port}. Start a store: storebus up"))
    return findings


async def _role(caller: Caller, role: str) -> Finding:
    try:
        pong = await caller.ask(PING, role, Empty(), timeout=2)
    except Problem as problem:
        return False, role, problem.detail
    if pong.writer == "stands-still":
        text = "answers, but carries nothing out: its transactions stand still. Check its disk;"
        return (
            False,
            role,
            f"{text} it ends by itself and is to be started again (setting `standstill`)",
        )
    if pong.writer == "fails":
        text = "answers, but its transactions fail: its log says why. Check its disk and database"
        return False, role, text
    return True, role, f"answers and carries out, version {pong.version}, boot {pong.boot}"
