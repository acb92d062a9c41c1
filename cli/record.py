"""`storebus record`: writes down every message of a store, for audits."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bus.contract.topics import Topics
from bus.errors import first_error
from bus.identity import Identity
from bus.link import Incoming, MqttConnector, Subscription
from bus.recording import Recording, compress
from bus.session import Session
from cli import options
from cli.address import broker_url
from cli.run import output, run
from cli.settings import Settings, read_settings

_FLUSH = 1.0
"""Seconds after which a message is in the file at the latest."""


def record(
    file: Annotated[Path, typer.Argument(help="Is continued if it is there.")],
    part: Annotated[
        int,
        typer.Option(min=1, metavar="MB", help="Size at which it is put aside and compressed."),
    ] = 64,
    keep: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="How many such parts are kept; all if not given."),
    ] = None,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Write every message of the store into FILE, one JSON line each, until Ctrl-C or SIGTERM.

    A file that has become large is put aside as FILE-TIME.jsonl.gz. `storebus watch --file FILE`
    shows them, `storebus audit --history FILE` counts them. They hold payment tokens and are
    readable by you only.

    Example: storebus record monday.jsonl --broker mqtt://127.0.0.1:1883
    """
    settings = read_settings(site=site, data=data)
    with Recording(file, part * 1_000_000) as recording:
        try:
            run(_record(recording, file, keep, broker_url(broker, settings), settings))
        finally:
            output.print(f"{recording.messages} messages are in {file}.", soft_wrap=True)


async def _record(
    recording: Recording, file: Path, keep: int | None, url: str, settings: Settings
) -> None:
    topics, identity, connector = Topics(settings.site), Identity(), MqttConnector(url)

    def receive(messages: list[Incoming]) -> None:
        at = identity.now()
        for message in messages:
            recording.write(at, message)

    def connected() -> None:
        recording.connected(identity.now())
        output.print(f"Recording {topics.root} at {connector.description} into {file}.")

    session = Session(
        connector,
        f"{settings.site}-recorder-{identity.boot}",
        [Subscription(topics.everything(), 1)],
        receive,
        connected,
        reconnect_limit=settings.runtime.reconnect_limit,
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run(once=True), name="recorder/link")
            tasks.create_task(_flush(recording, keep), name="recorder/flush")
    except ExceptionGroup as group:
        raise first_error(group) from None


async def _flush(recording: Recording, keep: int | None) -> None:
    while True:
        await asyncio.sleep(_FLUSH)
        complete = recording.flush()
        if complete is not None:
            await asyncio.to_thread(compress, complete, keep)
