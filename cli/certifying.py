"""`storebus certify`: plays the store against a device and says which rules the device keeps."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError
from bus.contract.values import is_name
from bus.text.console import errors, output
from cli import completion, options
from cli.run import require_folder, run
from store.exit_codes import REFUSED
from store.settings import read_settings
from testing.certify.device_driver import Commands, old_variable
from testing.certify.fake_store import Timeouts
from testing.certify.report import Report, as_lines, as_table, require_format, write_report
from testing.certify.rules import KINDS, checklist
from testing.certify.session import LONGEST_WAIT, certify_device
from testing.kit.show import show_json


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
            help="Starts the device, and again after it was killed for the restarts. ${url},"
            " ${host}, ${port}, ${site} and ${name} stand for where it is to connect and as what.",
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
            " itself. ${label}, ${sku} and ${gtin} stand for what is to be scanned and bought.",
        ),
    ] = None,
    short_command: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Leaves one piece of ${sku} at ${location}, where a sorter is to take two.",
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
            metavar="S", min=0.1, max=LONGEST_WAIT, help="Seconds for what the device is to do."
        ),
    ] = 60.0,
    settle: Annotated[
        float,
        typer.Option(
            metavar="S", min=0.05, max=LONGEST_WAIT, help="Seconds for what it is not to do."
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

    Example: storebus certify sorter-9 --start 'my-sorter ${url} ${name}' --report sorter.html
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
    commands = Commands(start, restart_command, command, short_command, fault_command)
    old = old_variable(commands)
    if old is not None:
        _tell(f"{{{old}}} is now written ${{{old}}}; the next version will not read the old form.")
    found = run(
        certify_device(
            device, commands, settings, port or 0, Timeouts(patience, settle), _tell,
            has_person=sys.stdin.isatty(),
        )
    )  # fmt: skip
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


def _tell(sentence: str) -> None:
    errors.print(sentence, markup=False, soft_wrap=True)
