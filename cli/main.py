"""The storebus command: its commands, and errors as sentences and exit codes."""

import sys
from collections.abc import Sequence

import typer

from bus.errors import StorebusError
from cli import (
    asyncapi,
    auditing,
    backup,
    config,
    customer,
    doctor,
    importing,
    labels,
    loading,
    publish,
    record,
    request,
    respond,
    tail,
    up,
    watch,
)
from cli.demo import demo
from cli.run import exit_code

app = typer.Typer(
    name="storebus",
    help="The message bus of a sample store: scan a label, buy, collect at a pickup point.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 refused by the store, 2 wrong usage, 3 no broker.",
)
app.command()(up.up)
app.command()(demo)
app.command()(up.node)
app.command()(customer.scan)
app.command()(customer.buy)
app.command()(labels.labels)
app.command("import")(importing.import_)
app.command()(config.config)
app.command()(doctor.doctor)
app.command()(backup.backup)
app.command()(auditing.audit)
app.command()(record.record)
app.command()(watch.watch)
app.command()(request.request)
app.command()(publish.publish)
app.command()(tail.tail)
app.command()(respond.respond)
app.command()(loading.load)
app.command()(asyncapi.asyncapi)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0 done, 1 refused, 2 wrong usage, 3 no broker."""
    try:
        app(args=arguments)
    except StorebusError as error:
        sys.exit(exit_code(error))
    except BrokenPipeError:
        sys.stderr.close()
