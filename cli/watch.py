"""`storebus watch`: the operators' console."""

import gc
import logging
import os
import select
import signal
import sys
import threading
from pathlib import Path
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
from tui.model.player import Player
from tui.model.store import StoreModel
from tui.model.tape import Tape


def watch(
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="A recording to look at instead, or a .gz part of one; may be repeated.",
        ),
    ] = None,
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
    Example: storebus watch --file monday.jsonl --file monday-20261122T091011123Z.jsonl.gz
    """
    from tui.app import Console  # noqa: PLC0415 - Textual takes a while, and only this needs it

    settings = read_settings(site=site, data=data)
    language = language or users_language()
    if file:
        if broker is not None or name is not None:
            raise ConfigurationError("A recording has no broker: leave out --broker and --name.")
        player = _player(file, site)
        console = Console(player.model, lambda: player.at, language, player=player)
    else:
        if name is not None and role_of(name) != "console":
            raise ConfigurationError(f"{name} is not the name of a console, such as console-1.")
        connector = MqttConnector(broker_url(broker, settings))
        model = StoreModel(Topics(settings.site))
        console = Console(model, Identity().now, language, connector, name)
    logger = logging.getLogger("storebus")  # the console says itself what is wrong
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    threading.Thread(target=_end_with_terminal, name="terminal", daemon=True).start()
    gc.freeze()  # what was imported stays: no collection need look at it while keys wait
    gc.set_threshold(*gc.get_threshold()[:2], 100)  # nor often at all messages that are kept
    run(console.run_async())
    if console.return_code:
        raise SystemExit(console.return_code)


def _end_with_terminal() -> None:
    """Where a terminal goes away and nobody is told, Textual would wait for it forever."""
    terminal = select.poll()
    terminal.register(sys.stdin.fileno(), 0)
    while not any(event & (select.POLLHUP | select.POLLERR) for _, event in terminal.poll()):
        pass
    os.kill(os.getpid(), signal.SIGHUP)


def _player(files: list[Path], site: str | None) -> Player:
    tape = Tape(files)
    topics = Topics(site or tape.site())
    return Player(tape, lambda: StoreModel(topics))
