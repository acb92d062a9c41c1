"""`storebus watch`: the operators' console."""

import gc
import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from broker.senders import senders
from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError
from bus.contract.topics import Topics
from bus.history.archive import Archive
from bus.link import MqttConnector
from bus.runtime.environment import Environment
from bus.text.texts import users_language
from cli import options
from store.address import broker_url, is_here
from store.settings import Settings, read_settings
from tui.model.player import Player
from tui.model.store import StoreModel


def watch(
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="A recording to show instead, or a .gz part of one; may be repeated.",
        ),
    ] = None,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME", help="Such as console-2; otherwise the first free name."
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="L", help="Such as en or zh; otherwise yours."),
    ] = None,
) -> None:
    """Watch the whole store, and find out why an order is not at its pickup point yet.

    Example: storebus watch --broker mqtt://127.0.0.1:1883
    Example: storebus watch --file monday.jsonl --file monday-20261122T091011123Z.jsonl.gz
    """
    from cli.screen import run_screen  # noqa: PLC0415 - Textual takes a while, few need it
    from tui.alarm_file import AlarmFile  # noqa: PLC0415
    from tui.app import Console  # noqa: PLC0415
    from tui.senders import Senders  # noqa: PLC0415

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
        path = _alarm_file(broker, connector.description, settings)
        here = is_here(broker, settings)
        who = partial(senders, settings.data / "mosquitto.conf")
        console = Console(
            model, Environment().steady, language, connector, name,
            kept=AlarmFile(path) if path else None,
            senders=Senders(who) if here else None,
        )  # fmt: skip
    gc.freeze()  # what was imported stays: no collection need look at it while keys wait
    gc.set_threshold(*gc.get_threshold()[:2], 100)  # nor often at all messages that are kept
    run_screen(console)


def _alarm_file(broker: str | None, address: str, settings: Settings) -> Path | None:
    """With the store's data if it is on this machine, else in the user's state folder.

    That is `$XDG_STATE_HOME`, or `~/.local/state` (XDG Base Directory Specification 0.8). None for
    a user without a home.
    """
    if is_here(broker, settings):
        return settings.data / f"console-{settings.site}.json"
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        try:
            state = Path.home() / ".local" / "state"
        except RuntimeError:
            return None
    place = "".join(each if each.isalnum() or each in ".-" else "_" for each in address)
    return state / "storebus" / f"console-{settings.site}-{place}.json"


def _player(files: list[Path], site: str | None) -> Player:
    archive = Archive(files)
    topics = Topics(site or archive.site())
    return Player(archive, lambda: StoreModel(topics))
