"""`storebus record`: writes down every message of a store, for audits."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bus.contract.topics import Topics
from bus.errors import first_error
from bus.identity import Identity
from bus.link import Incoming, MqttConnector, Subscription
from bus.recording import Recording
from bus.session import Session
from cli import options
from cli.address import broker_url
from cli.run import output, run
from cli.settings import Settings, read_settings

_FLUSH = 1.0
"""Seconds after which a message is in the file at the latest."""


def record(
    file: Annotated[Path, typer.Argument(help="Is continued if it is there.")],
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Write every message of the store into FILE, one JSON line each, until Ctrl-C or SIGTERM.

    `storebus audit --history FILE` reads it. It holds payment tokens and is readable by you only.

    Example: storebus record monday.jsonl --broker mqtt://127.0.0.1:1883
    """
    settings = read_settings(site=site, data=data)
    with Recording(file) as recording:
        try:
            run(_record(recording, file, broker_url(broker, settings), settings))
        finally:
            output.print(f"{recording.messages} messages are in {file}.", soft_wrap=True)


async def _record(recording: Recording, file: Path, url: str, settings: Settings) -> None:
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
            tasks.create_task(_flush(recording), name="recorder/flush")
    except ExceptionGroup as group:
        raise first_error(group) from None


async def _flush(recording: Recording) -> None:
    while True:
        await asyncio.sleep(_FLUSH)
        recording.flush()
