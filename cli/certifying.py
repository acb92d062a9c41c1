"""`storebus certify`: plays the store against a device and says which rules the device keeps."""

import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from broker.engine import running_broker
from broker.external import with_protocol
from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError, NoAnswer
from bus.contract.values import is_name
from bus.runtime.environment import Environment
from bus.text.console import errors, output
from cli import completion, options
from cli.run import require_folder, run
from store.exit_codes import REFUSED
from store.settings import Settings, read_settings
from testing.certify.certification import Endpoints, certify, open_fake_store
from testing.certify.device_driver import CommandDriver, Commands
from testing.certify.fake_store import FakeStore, Timeouts
from testing.certify.fixtures import GTIN, LABEL, SKU
from testing.certify.observing_relay import ObservingRelay
from testing.certify.report import Report, as_lines, as_table, report, require_format, write_report
from testing.certify.rules import KINDS, checklist
from testing.kit.show import show_json

_LONGEST_WAIT = 3600.0


def certify_(
    device: Annotated[
        str | None,
        typer.Argument(
            metavar="DEVICE",
            help="Such as sorter-9 or terminal-9.",
            autocompletion=completion.devices,
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Starts the device, and again after it was killed for the restarts. {url}, {host},"
            " {port}, {site} and {name} stand for where it is to connect and as what.",
        ),
    ] = None,
    restart_command: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Switches the device off and on.")
    ] = None,
    command: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Makes a terminal's customer buy, instead of a person; it may be the terminal"
            " itself. {label}, {sku} and {gtin} stand for what is to be scanned and bought.",
        ),
    ] = None,
    short_command: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Leaves one piece of {sku} at {location}, where a sorter is to take two.",
        ),
    ] = None,
    fault_command: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="Makes a sorter's machine jam at its next job."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write it as .md, .html or .json, too."),
    ] = None,
    patience: Annotated[
        float,
        typer.Option(
            metavar="S", min=0.1, max=_LONGEST_WAIT, help="Seconds for what the device is to do."
        ),
    ] = 60.0,
    settle: Annotated[
        float,
        typer.Option(
            metavar="S", min=0.05, max=_LONGEST_WAIT, help="Seconds for what it is not to do."
        ),
    ] = 1.0,
    rules: Annotated[
        bool, typer.Option("--rules", help="Print all rules as Markdown instead.")
    ] = False,
    broker: options.Broker = None,
    engine: options.Engine = None,
    host: options.Host = None,
    port: options.Port = None,
    site: options.Site = None,
    as_json: options.AsJson = False,
) -> None:
    """Play the store against a device under development; ends with 1 if it breaks a must.

    The device connects to the URL that is printed. Without --broker a broker is started here.

    Example: storebus certify sorter-9 --start 'my-sorter {url} {name}' --report sorter.html
    """
    if rules:
        output.print(checklist(), markup=False, soft_wrap=True)
        return
    kind = role_of(device) if device is not None and is_name(device) else None
    if device is None or kind not in KINDS:
        raise ConfigurationError("Name the device: sorter-9 or terminal-9, with any number.")
    if command is not None and kind != "terminal":
        raise ConfigurationError("--command is for terminals: a sorter has no customers.")
    if kind != "sorter" and (short_command is not None or fault_command is not None):
        raise ConfigurationError("--short-command and --fault-command are for sorters.")
    if file is not None:
        require_format(file)
        require_folder(file)
    settings = read_settings(
        site=site, broker_url=broker, broker_engine=engine, broker_host=host, broker_port=0
    )
    times = Timeouts(patience, settle)
    commands = Commands(start, restart_command, command, short_command, fault_command)
    found = run(_certify(device, commands, settings, port or 0, times))
    if as_json:
        show_json(found)
    else:
        _print(found)
    if file is not None:
        write_report(found, file)
    if not found["passed"]:
        raise typer.Exit(REFUSED)


def _print(found: Report) -> None:
    output.print(as_table(found))
    for line in as_lines(found):
        output.print(line, soft_wrap=True, markup=False)


async def _certify(
    device: str, commands: Commands, settings: Settings, port: int, times: Timeouts
) -> Report:
    async with (
        _endpoints(settings, port) as where,
        open_fake_store(where, device, times) as store,
    ):
        url = f"mqtt://{where.host}:{store.relay.port}"
        variables = {
            "url": url, "host": where.host, "port": str(store.relay.port), "site": where.site,
            "name": device, "label": LABEL, "sku": SKU, "gtin": GTIN,
        }  # fmt: skip
        driver = CommandDriver(commands, variables, _tell, has_person=sys.stdin.isatty())
        _tell(f"Waiting for {device} at {url}, site {where.site}.")
        waits = commands.start is not None or commands.buy is None

        async def ready() -> None:
            if waits:
                await _connected(store, driver, device)

        result = await certify(store, driver, ready)
        if not result.messages:
            raise NoAnswer(f"{device} said nothing at all.{_printed(driver)}")
        return report(device, Environment().now(), result.verdicts)


async def _connected(store: FakeStore[ObservingRelay], driver: CommandDriver, device: str) -> None:
    """Wait for the device's first connection.

    Raises:
        NoAnswer: it did not connect.
    """
    by_person = driver.is_person
    seconds = _LONGEST_WAIT if by_person else store.timeouts.patience
    if not await store.until(lambda: store.relay.listening or None, seconds):
        raise NoAnswer(f"{device} did not connect within {seconds:g} s.{_printed(driver)}")
    _tell(f"{device} is connected; this takes some minutes.")


def _printed(driver: CommandDriver) -> str:
    """The end of what the commands printed, for the search for what is wrong."""
    tail = driver.output.strip()[-500:]
    return f" The commands printed: {tail}" if tail else ""


@asynccontextmanager
async def _endpoints(settings: Settings, port: int) -> AsyncIterator[Endpoints]:
    """The given broker, or one that is started here on loopback and gone afterwards."""
    host = settings.broker.host
    if settings.broker.url is not None:
        url = settings.broker.url
        yield Endpoints(url, with_protocol(url, "3.1.1"), settings.site, host, port)
        return
    own = settings.broker.model_copy(update={"host": "127.0.0.1", "port": 0})
    with tempfile.TemporaryDirectory(prefix="storebus-certify-") as folder:
        async with running_broker(own, Path(folder)) as broker:
            yield Endpoints(broker.url, broker.url_v311, settings.site, host, port)


def _tell(sentence: str) -> None:
    errors.print(sentence, markup=False, soft_wrap=True)
