"""`storebus record`: write down every message of a store, for audits and replays."""

from pathlib import Path
from typing import Annotated

import typer

from bus.contract.topics import Topics
from bus.history.recorder import Recorder
from bus.history.recording import Recording
from bus.link import MqttConnector
from bus.text.console import output
from cli import options
from cli.run import run
from store.address import broker_url
from store.settings import read_settings


def record(
    file: Annotated[Path, typer.Argument(help="An existing file is continued.")],
    part: Annotated[
        int,
        typer.Option(min=1, metavar="MB", help="Size at which the file is renamed and compressed."),
    ] = 64,
    keep: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How many such parts to keep; otherwise all."),
    ] = None,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Write every message of the store into FILE, one JSON line each, until Ctrl-C or SIGTERM.

    A file that has become large is renamed to FILE-TIME.jsonl.gz and compressed. To use a
    recording: `storebus watch --file FILE` shows it, `storebus audit --history FILE` checks it,
    `storebus replay FILE` sends it again, `storebus play --from FILE --order ORDER` makes a
    scenario of an order. It contains payment tokens, so only you can read it.

    Example: storebus record monday.jsonl --broker mqtt://127.0.0.1:1883
    """
    settings = read_settings(site=site, data=data)
    topics, connector = Topics(settings.site), MqttConnector(broker_url(broker, settings))

    def connected() -> None:
        output.print(f"Recording {topics.root} at {connector.description} into {file}.")

    with Recording(file, part * 1_000_000) as recording:
        try:
            limit = settings.runtime.reconnect_limit
            recorder = Recorder(connector, topics, recording, keep, limit, connected)
            run(recorder.run(once=True))
        finally:
            output.print(f"{recording.messages} messages are in {file}.", soft_wrap=True)
