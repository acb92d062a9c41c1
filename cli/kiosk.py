"""`storebus kiosk`: a terminal with a screen, for customers."""

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
        typer.Option("--language", metavar="L", help="First language: en, zh_Hant, zh_Hans."),
    ] = None,
    idle: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Time until a customer who left is forgotten."),
    ] = None,
) -> None:
    """Run a kiosk: customers scan or type, look, buy, are reminded, and collect.

    It takes keys, a mouse, touch or a scanner. Ctrl-Q ends it. If there is no broker it waits, and
    continues by itself.

    Example: storebus kiosk terminal-7 --language zh_Hant
    """
    from cli.screen import run_screen  # noqa: PLC0415 - as for `watch`
    from devices.terminal.kiosk.app import Kiosk  # noqa: PLC0415
    from devices.terminal.kiosk.controller import PACKAGE, KioskController  # noqa: PLC0415

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
    controller = KioskController(terminal, deployment, spoken, settings.purchase_patience)
    app = Kiosk(controller, settings.kiosk)
    run_screen(app)
    if app.failure is not None:
        raise app.failure
