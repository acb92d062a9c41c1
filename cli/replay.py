"""`storebus replay`: sends the messages of a recording again, to any broker."""

from pathlib import Path
from typing import Annotated

import typer

from bus.contract.errors import ConfigurationError
from bus.contract.topics import Topics
from bus.history.archive import Archive
from bus.history.filter import FilterError, parse_filter
from bus.link import MqttConnector
from bus.text.console import output
from cli import completion, options
from cli.run import run
from store.address import broker_url
from store.settings import read_settings
from testing.kit import replaying
from testing.kit.confirming_sender import LARGEST
from testing.kit.replaying import Replay

_LONGEST = 31_536_000.0


def replay(
    files: Annotated[
        list[Path], typer.Argument(metavar="RECORDING...", help="A recording, and parts of it.")
    ],
    words: Annotated[
        str,
        typer.Option(
            "--filter",
            metavar="FILTER",
            help="Only these, such as 'kind:req from:terminal-*'; as in tail.",
            autocompletion=completion.filters,
        ),
    ] = "",
    speed: Annotated[
        float,
        typer.Option(metavar="X", min=0.001, help="2 is twice as fast as recorded, inf at once."),
    ] = 1.0,
    pause: Annotated[
        float,
        typer.Option(metavar="S", min=0, max=_LONGEST, help="The longest pause, in seconds."),
    ] = _LONGEST,
    force: Annotated[bool, typer.Option("--force", help="Also where a store lives.")] = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Send the messages of a recording again, with their ids, at the pace at which they came.

    Deadlines go on from now. A store that has carried out a message before answers it again, and
    does nothing twice. On a broker where a store lives this would be other people's voices beside
    their own: it is refused, unless --force; then take what devices said:
    --filter 'kind:req from:terminal-*'. States stay on the broker as they are kept in a store.

    Example: storebus replay monday.jsonl --broker mqtt://127.0.0.1:1884 --speed 10 --pause 2
    """
    settings = read_settings(site=site, data=data)
    try:
        test = parse_filter(words)
    except FilterError as error:
        raise ConfigurationError(str(error)) from error
    archive, topics = Archive(files), Topics(settings.site)
    connector = MqttConnector(broker_url(broker, settings), largest=LARGEST)
    messages = Replay(archive, topics, test)
    try:
        run(replaying.replay(connector, topics, messages, speed, pause, force=force))
    finally:
        if messages.sent or messages.passed_over:
            where = f"{topics.root} at {connector.description}"
            passed = f"; {messages.passed_over} were not chosen" if messages.passed_over else ""
            output.print(f"{messages.sent} messages were sent to {where}{passed}.", soft_wrap=True)
