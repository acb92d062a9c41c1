"""`storebus import`: products, goods and accounts from CSV files into a running store."""

from pathlib import Path
from secrets import token_hex
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bus.caller import Caller
from bus.errors import ConfigurationError
from bus.link import MqttConnector
from cli import options
from cli.address import broker_url
from cli.run import errors, output, run
from cli.settings import Settings, read_settings
from cli.shop.products import read_products
from cli.shop.reader import read_shop
from cli.shop.row import BadRow
from cli.shop.rows import read_accounts, read_stock
from cli.shop.seeding import IMPORTER, Seeding
from cli.shop.table import kind_of


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV files.")],
    again: Annotated[
        bool, typer.Option(help="Bring the same file in a second time, as a new delivery.")
    ] = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    shop: options.ShopFile = None,
) -> None:
    """Bring products, goods (stock) or accounts from CSV files into the store.

    What a file holds is told by its header. A bad row is reported with file, line and reason,
    and the rest goes in. The same file again has no second effect, unless with --again.

    Example: storebus import products.csv stock.csv
    """
    settings = read_settings(site=site, data=data, shop=shop)
    refused = run(_import(files, broker_url(broker, settings), settings, again=again))
    if refused:
        raise typer.Exit(1)


async def _import(files: list[Path], url: str, settings: Settings, *, again: bool) -> int:
    label = token_hex(8) if again else "import"
    connector = MqttConnector(url)
    refused = 0
    async with Caller(connector, settings.site, IMPORTER).connected() as caller:
        for file in files:
            refused += await _import_file(file, Seeding(caller, label), settings)
    return refused


async def _import_file(file: Path, seeding: Seeding, settings: Settings) -> int:
    shop = read_shop(settings.shop)
    kind = kind_of(file)
    bad: list[BadRow]
    with Progress(
        TextColumn(file.name), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=errors,
    ) as bar:  # fmt: skip
        task = bar.add_task(file.name, total=None)
        seeding.progress = lambda count: bar.advance(task, count)
        if kind == "products":
            products, bad = read_products(file, domain=shop.domain, currency=shop.currency)
            bar.update(task, total=sum(len(product.styles) for product in products))
            await seeding.products(products)
        elif kind == "stock":
            stock, bad = read_stock(file)
            bar.update(task, total=len(stock))
            await seeding.stock(stock)
        elif kind == "accounts":
            accounts, bad = read_accounts(file)
            bar.update(task, total=len(accounts))
            await seeding.accounts(accounts, shop.currency)
        else:
            raise ConfigurationError(
                f"{file}: locations are read by the warehouse from the shop's folder at its start."
            )
    for row in bad:
        errors.print(f"{row.file}:{row.line}: {row.reason}", soft_wrap=True, markup=False)
    for name, problem in seeding.refusals:
        errors.print(f"{file}: {name}: {problem.detail}", soft_wrap=True, markup=False)
    count = len(bad) + len(seeding.refusals)
    output.print(f"{file.name}: {'all rows are in' if not count else f'{count} rows refused'}.")
    return count
