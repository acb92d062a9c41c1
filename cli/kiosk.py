"""`storebus kiosk`: a terminal with a face, for customers."""

from typing import Annotated

import typer

from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError
from bus.link import MqttConnector
from bus.runtime.deployment import Deployment
from bus.text.texts import nearest, users_language
from cli import options
from store.address import broker_url
from store.settings import read_settings


def kiosk(
    terminal: Annotated[str, typer.Argument(metavar="TERMINAL", help="Such as terminal-7.")],
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    language: Annotated[
        str | None,
        typer.Option(
            "--language", metavar="L", help="A customer's at first: en, zh_Hant, zh_Hans."
        ),
    ] = None,
    idle: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Until a customer who walked away is forgotten."),
    ] = None,
) -> None:
    """A kiosk: scan or type, look, buy, be reminded, collect. Keys, mouse, touch or scanner.

    Ctrl-Q ends it. It waits for a broker that is not there, and goes on by itself.

    Example: storebus kiosk terminal-7 --language zh_Hant
    """
    from cli.screen import run_screen  # noqa: PLC0415 - as for `watch`
    from devices.terminal.kiosk.app import Kiosk  # noqa: PLC0415
    from devices.terminal.kiosk.attendant import PACKAGE, Attendant  # noqa: PLC0415

    if role_of(terminal) != "terminal":
        raise ConfigurationError(f"{terminal} is not the name of a terminal, such as terminal-7.")
    settings = read_settings(site=site, data=data, kiosk_idle=idle)
    deployment = Deployment(
        MqttConnector(broker_url(broker, settings)),
        settings.site,
        settings.data,
        settings.runtime,
    )
    spoken = nearest(PACKAGE, language or users_language())
    attendant = Attendant(terminal, deployment, spoken, settings.purchase_patience)
    app = Kiosk(attendant, settings.kiosk)
    run_screen(app)
    if app.failure is not None:
        raise app.failure
