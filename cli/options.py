"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from cli import completion

Broker = Annotated[
    str | None,
    typer.Option(
        "--broker", metavar="URL", help="URL of the store's broker, as `storebus up` prints it."
    ),
]
Site = Annotated[str | None, typer.Option("--site", metavar="S", help="Site of the store.")]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder of the databases.")
]
ShopFile = Annotated[
    Path | None,
    typer.Option("--shop", metavar="FILE", help="The shop's shop.toml, or its folder."),
]
Engine = Annotated[
    str | None,
    typer.Option("--engine", metavar="E", help="Broker: auto, mosquitto, embedded or external."),
]
Host = Annotated[
    str | None, typer.Option("--host", metavar="ADDRESS", help="Address that the broker binds.")
]
Port = Annotated[
    int | None, typer.Option("--port", metavar="N", help="Port of the broker; 0 picks a free one.")
]
WebsocketPort = Annotated[
    int | None,
    typer.Option(
        "--websocket-port", metavar="N", help="Port for MQTT over WebSocket (Mosquitto only)."
    ),
]
Speed = Annotated[
    float | None,
    typer.Option(
        "--speed", metavar="X", help="Speed of conveyors: 2 is twice as fast, inf takes no time."
    ),
]
Pay = Annotated[
    str,
    typer.Option(
        "--pay",
        metavar="METHOD:VALUE",
        help="account:C-1001 or card:tok_approve",
        autocompletion=completion.payments,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
By = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NODE",
        help="Name to act under: a tester or console, such as tester-ann.",
        autocompletion=completion.clerks,
    ),
]
"""The node that the store records as the one who did it."""
Why = Annotated[
    str | None, typer.Option("--why", metavar="TEXT", help="The reason, which is kept for ever.")
]
CLERK = "tester-clerk"
"""The name that a clerk's commands use if none is given."""
