"""`storebus import`: import products, goods and accounts from CSV files into a running store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bus.link import MqttConnector
from bus.runtime.caller import Caller
from cli import options
from cli.clerk_requests import require_clerk_name
from cli.run import run
from store.address import broker_url
from store.importer import Importer
from store.settings import Settings, read_settings
from store.shop.mapping import read_mapping
from store.shop.reader import read_shop_settings
from store.shop.reading_options import ReadingOptions
from store.shop.seeding import IMPORTER

_ORDER = ("products", "prices", "stock", "accounts")
"""The order of import by kind of file: goods need their products."""


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV files.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--map", metavar="M", help="Column map: shopify, woocommerce, or your TOML file."
        ),
    ] = None,
    delivery: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The delivery of the goods or money."),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(metavar="D", help="Decimal mark: point or comma.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="E", help="Encoding: utf-8, cp1252, gb18030, ...")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(metavar="D", help="Delimiter: comma, semicolon, tab or bar.")
    ] = None,
    tax: Annotated[
        str | None,
        typer.Option(metavar="T", help="Tax rates in: percent, fraction or basis-points."),
    ] = None,
    by: options.By = IMPORTER,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    shop: options.ShopFile = None,
) -> None:
    """Import products, prices, goods (stock) or accounts from CSV files.

    The header decides what a file holds; the command prints how it read the file. A bad row is
    reported with file, line and reason, and the others are imported. An empty cell changes nothing;
    `-` clears the field. Goods and money of one delivery count once. More: docs/clerk.md

    Example: storebus import products.csv stock.csv --dry-run
    """
    settings = read_settings(site=site, data=data, shop=shop)
    how = ReadingOptions(mapping=None if mapping is None else read_mapping(mapping))
    told = {"decimal": decimal, "encoding": encoding, "delimiter": delimiter, "tax": tax}
    for option, value in told.items():
        how = how if value is None else how.with_option(option, value)
    require_clerk_name(by)
    connector = MqttConnector(broker_url(broker, settings))
    caller = Caller(connector, settings.site, by)
    if run(_import(files, caller, settings, how, delivery=delivery, dry_run=dry_run)):
        raise typer.Exit(1)


async def _import(
    files: Sequence[Path],
    clerk: Caller,
    settings: Settings,
    how: ReadingOptions,
    *,
    delivery: str | None,
    dry_run: bool,
) -> int:
    """Return how many rows were refused."""
    async with clerk.connected() as caller:
        shop = read_shop_settings(settings.shop)
        importer = Importer(caller, shop, how, delivery, dry_run=dry_run)
        # All are read before any is imported: questions are asked before anything changes.
        plans = [await importer.plan(file) for file in files]
        plans.sort(key=lambda plan: _ORDER.index(plan.table.kind))
        return sum([await importer.import_file(plan) for plan in plans])
