"""The storebus command: its commands, and errors as sentences and exit codes."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command_from_info, get_group
from typer.models import CommandInfo

from bus.damage import DAMAGE, what_is_wrong
from bus.errors import JournalError, StandstillError, StorebusError
from cli import bash_completion
from cli.printing import leave_quietly, prepare_streams
from cli.run import DONE, exit_code

_COMMANDS = {
    "up": "cli.up:up",
    "demo": "cli.demo:demo",
    "node": "cli.up:node",
    "scan": "cli.scanning:scan",
    "buy": "cli.customer:buy",
    "kiosk": "cli.kiosk:kiosk",
    "labels": "cli.labels:labels",
    "web": "cli.web:web",
    "import": "cli.importing:import_",
    "stock": "cli.stock:stock",
    "account": "cli.account:account",
    "retire": "cli.retiring:retire",
    "resolve": "cli.resolving:resolve",
    "config": "cli.config:config",
    "doctor": "cli.doctor:doctor",
    "backup": "cli.backup:backup",
    "restore": "cli.restore:restore",
    "audit": "cli.auditing:audit",
    "record": "cli.record:record",
    "replay": "cli.replay:replay",
    "watch": "cli.watch:watch",
    "request": "cli.request:request",
    "publish": "cli.publish:publish",
    "tail": "cli.tail:tail",
    "respond": "cli.respond:respond",
    "load": "cli.loading:load",
    "asyncapi": "cli.asyncapi:asyncapi",
    "play": "cli.playing:play",
    "certify": "cli.certifying:certify_",
}
"""Where each command is: only the one that is asked for is imported."""


class _Commands(TyperGroup):
    """Commands that are imported when they are asked for."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        """All of them, in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command of a name; who mistyped it is told of all that are near."""
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


@app.callback()
def _storebus() -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0 done, or a code of the epilog."""
    prepare_streams()
    try:
        try:
            app(args=arguments)
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
