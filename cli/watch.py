"""`storebus watch`: the operators' console."""

import logging
from typing import Annotated

import typer

from bus.contract.channel import role_of
from bus.contract.topics import Topics
from bus.errors import ConfigurationError
from bus.identity import Identity
from bus.link import MqttConnector
from bus.texts import users_language
from cli import options
from cli.address import broker_url
from cli.run import run
from cli.settings import read_settings


def watch(
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Such as console-2; the first that is free."),
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="L", help="Such as en or zh; yours if none.")
    ] = None,
) -> None:
    """Watch the whole store, and find out why an order is not at its pickup point yet.

    Example: storebus watch --broker mqtt://127.0.0.1:1883
    """
    from tui.app import Console  # noqa: PLC0415 - Textual takes a while, and only this needs it
    from tui.model.store import StoreModel  # noqa: PLC0415

    settings = read_settings(site=site, data=data)
    if name is not None and role_of(name) != "console":
        raise ConfigurationError(f"{name} is not the name of a console, such as console-1.")
    connector = MqttConnector(broker_url(broker, settings))
    logger = logging.getLogger("storebus")  # the console says itself what is wrong
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    console = Console(
        StoreModel(Topics(settings.site)),
        Identity().now,
        language or users_language(),
        connector,
        name,
    )
    run(console.run_async())
    if console.return_code:
        raise SystemExit(console.return_code)
