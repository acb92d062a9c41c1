"""`storebus demo`: play a scripted day, and check the books."""

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from audit import findings
from bus.text.console import errors, output
from cli import options
from cli.run import run
from store.exit_codes import REFUSED
from store.settings import read_settings
from testing.demo import play_day, summarise


def demo(
    orders: Annotated[int, typer.Option(min=1, max=10_000, help="Number of customers.")] = 10,
    terminals: Annotated[int, typer.Option(min=1, max=200, help="Number of terminals.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed gives the same customers.")] = 3,
    speed: options.Speed = 50.0,
    engine: options.Engine = None,
    shop: options.ShopFile = None,
    data: options.Data = None,
) -> None:
    """Run a store in which customers scan labels and buy; tell their stories and check the books.

    The exit code is 1 if a settled order got no reminder, or if stock, parcels and money do not
    balance.

    Example: storebus demo --orders 100 --terminals 10 --speed inf
    """
    with tempfile.TemporaryDirectory(prefix="storebus-demo-") as folder:
        settings = read_settings(
            broker_engine=engine,
            broker_port=0,
            shop=shop,
            speed=speed,
            data=(data or Path(folder)) / f"demo-{time.strftime('%H%M%S')}",
        )
        stories = run(play_day(settings, orders, terminals, seed))
        summarise(stories)
        wrong = [str(finding) for finding in findings([settings.data])]
    wrong += [
        f"customer {story.number} was never reminded"
        for story in stories
        if story.outcome == "settled" and story.label_to_reminder is None
    ]
    for sentence in wrong:
        errors.print(Text.assemble(("Wrong:", "red"), f" {sentence}"), soft_wrap=True)
    if wrong:
        raise typer.Exit(REFUSED)
    output.print("The books balance: stock, parcels, money and reminders add up.")
