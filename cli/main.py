"""The storebus command: its subcommands, and errors as sentences and exit codes."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from itertools import pairwise
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command_from_info, get_group
from typer.models import CommandInfo

from bus.contract.errors import ConfigurationError, JournalError, StandstillError, StorebusError
from bus.storage.damage import DAMAGE, what_is_wrong
from bus.text.console import leave_quietly, prepare_streams
from cli import bash_completion
from cli.run import exit_code
from store.exit_codes import DONE

_GROUPS = {
    "Run a store": {
        "up": ("cli.up:up", "Run a whole store: broker, roles, sorter and phone page."),
        "demo": ("cli.demo:demo", "Run a store in which customers scan, buy and collect."),
        "node": ("cli.up:node", "Run one node: a role, a sorter or a terminal."),
        "config": ("cli.config:config", "Show all settings, and where each comes from."),
        "doctor": ("cli.doctor:doctor", "Check what is missing or wrong, and what to do."),
    },
    "Customers": {
        "scan": ("cli.scanning:scan", "Scan a label: which product, which styles, how many."),
        "buy": ("cli.customer:buy", "Buy goods, and wait for the reminder to collect them."),
        "kiosk": ("cli.kiosk:kiosk", "Sell at a terminal with a screen and a scanner."),
        "web": ("cli.web:web", "Serve the page that a phone opens from a label."),
    },
    "Clerks": {
        "import": ("cli.importing:import_", "Import products, goods or accounts from CSV files."),
        "labels": ("cli.labels:labels", "Draw the labels, as a PDF and as pictures."),
        "stock": ("cli.stock:stock", "Count and correct stock."),
        "retire": ("cli.retiring:retire", "Take a style or a product out of the range, or back."),
        "account": ("cli.account:account", "Show a customer's account, and correct it."),
        "resolve": ("cli.resolving:resolve", "Resolve a refund that the provider refused."),
    },
    "Operators": {
        "watch": ("cli.watch:watch", "Watch the store: orders, stock, alarms, all traffic."),
        "tail": ("cli.tail:tail", "Follow the messages, a line each."),
        "record": ("cli.record:record", "Write all messages into a file."),
        "audit": ("cli.auditing:audit", "Check that orders, money, stock and parcels balance."),
        "backup": ("cli.backup:backup", "Copy a store's files while it runs."),
        "restore": ("cli.restore:restore", "Replace a closed store's files by a backup."),
    },
    "Testers and device builders": {
        "request": ("cli.request:request", "Ask a node, and print its reply."),
        "publish": ("cli.publish:publish", "Send a message as it is, right or wrong."),
        "respond": ("cli.respond:respond", "Play a node that answers an operation."),
        "play": ("cli.playing:play", "Play scenarios: acceptance tests of a store."),
        "replay": ("cli.replay:replay", "Send the messages of a recording again."),
        "load": ("cli.loading:load", "Let customers arrive at a rate, and audit the books."),
        "certify": ("cli.certifying:certify_", "Test whether a device keeps the contract."),
        "asyncapi": ("cli.asyncapi:asyncapi", "Print the contract as an AsyncAPI document."),
    },
}
"""The commands by their users: where each is (only the one that is called is imported), and its
line in the help."""
_COMMANDS = {name: place for group in _GROUPS.values() for name, (place, _) in group.items()}


class _Commands(TyperGroup):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        """Return all commands in the order of the help."""
        return list(_COMMANDS)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """Write all commands, one line each, grouped by their users."""
        longest = max(map(len, _COMMANDS))
        for title, commands in _GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(longest), line) for name, (_, line) in commands.items()]
                )

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """Return the named command; for a misspelt name, suggest similar ones."""
        for name in [cmd_name] if cmd_name in _COMMANDS else _COMMANDS:
            if name not in self.commands:
                self.add_command(_imported(name))
        return super().get_command(ctx, cmd_name)


def _imported(name: str) -> Any:
    module, _, function = _COMMANDS[name].partition(":")
    found = getattr(import_module(module), function)
    if isinstance(found, typer.Typer):  # a command of several
        return get_group(found)
    command = CommandInfo(name, callback=found)
    return get_command_from_info(command, pretty_exceptions_short=False, rich_markup_mode=None)


bash_completion.teach()
app = typer.Typer(
    cls=_Commands,
    name="storebus",
    help="The message bus of a sample store: scan a label, buy, collect at a pickup point.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 refused by the store, 2 wrong usage, 3 no broker,"
    " 4 a reply broke the contract, 5 stood still and is to be started again.",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"storebus {version('storebus')}\n")
        raise typer.Exit


@app.callback()
def _storebus(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_tell_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


def _refuse_empty(words: Sequence[str]) -> None:
    """Refuse an empty option, which would select everything: often a script's variable was not set.

    Raises:
        ConfigurationError: names the option.
    """
    for word, following in pairwise([*words, "-"]):
        name, is_equal, value = word.partition("=")
        if name.startswith("--") and (following == "" if not is_equal else value == ""):
            raise ConfigurationError(f"{name} is empty. Give it a value, or leave it out.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit with 0 or one of the codes in the epilog."""
    prepare_streams()
    try:
        try:
            _refuse_empty(sys.argv[1:] if arguments is None else arguments)
            app(args=arguments, prog_name="storebus")
        finally:
            sys.stdout.flush()
    except StandstillError as error:
        code = exit_code(error)
        sys.stderr.flush()
        os._exit(code)  # an orderly end would wait for the thread that does not come back
    except StorebusError as error:
        sys.exit(exit_code(error))
    except BrokenPipeError:
        leave_quietly()
        sys.exit(DONE)
    except OSError as error:
        if error.filename is None:  # no file of anybody's: a mistake of ours
            raise
        why = f"{error.filename} cannot be used: {error.strerror}"
        sys.exit(exit_code(JournalError(why)))
    except DAMAGE as error:
        sys.exit(exit_code(JournalError(f"A file cannot be used, {what_is_wrong(error)}")))
