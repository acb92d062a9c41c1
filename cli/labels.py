"""`storebus labels`: a sheet to print, and a PNG and an SVG of each, all read back before."""

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from bus.contract.catalog import ProductRecord
from bus.contract.channel import role_of
from bus.contract.settlement import Receipt
from bus.damage import reading
from bus.errors import ConfigurationError
from bus.generation import refuse_foreign_log
from cli import options
from cli.run import errors, output
from cli.settings import Settings, read_settings
from cli.shop.labelling import (
    Labels,
    choose,
    collection_label,
    point_labels,
    product_labels,
    search,
    style_labels,
)
from cli.shop.reader import Shop, is_domain, read_shop
from devices.terminal import store
from devices.terminal.label import write_label
from devices.terminal.pages import PAGES

_MOST_COPIES = 1000


def labels(
    products: Annotated[
        list[str] | None, typer.Argument(metavar="[PRODUCT|SKU]...", help="All if none.")
    ] = None,
    sku: Annotated[
        list[str] | None, typer.Option("--sku", help="A label of this style alone; repeatable.")
    ] = None,
    words: Annotated[
        str | None, typer.Option("--search", metavar="WORDS", help="Products with these words.")
    ] = None,
    pickup: Annotated[bool, typer.Option("--pickup", help="Signs for the pickup points.")] = False,
    code: Annotated[
        str | None,
        typer.Option("--code", metavar="ORDER", help="What its customer shows to collect."),
    ] = None,
    domain: Annotated[
        str | None, typer.Option(metavar="DOMAIN", help="Where links lead; else as registered.")
    ] = None,
    copies: Annotated[
        int, typer.Option(min=1, max=_MOST_COPIES, help="Of each label on the sheet.")
    ] = 1,
    page: Annotated[
        str | None, typer.Option(metavar="PAGE", help=f"Of the sheet: {', '.join(PAGES)}.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where they go.")] = Path(
        "labels"
    ),
    shop: options.ShopFile = None,
    data: options.Data = None,
) -> None:
    """Draw labels: a sheet as PDF, and each as PNG and SVG.

    Each shows a QR code with the link, the EAN, the name, the style and the price.

    Example: storebus labels --page l7160 --copies 3 oxford-shirt
    """
    page = page or ("sign" if pickup else "a4")
    if page not in PAGES:
        kinds = "; ".join(f"{name} ({each.title})" for name, each in PAGES.items())
        raise ConfigurationError(f"--page is none of: {kinds}.")
    if domain is not None and not is_domain(domain):
        raise ConfigurationError(f"--domain {domain!r} is no domain name, such as shop.example.")
    if sum(map(bool, (products, sku, words, pickup, code))) > 1:
        raise ConfigurationError("Give one of: products, --sku, --search, --pickup, --code.")
    settings = read_settings(shop=shop, data=data)
    drawn = (
        _collection(code, settings)
        if code
        else _labels(read_shop(settings.shop), products or [], sku, words, domain, pickup=pickup)
    )
    for stem, label in track(
        drawn.items(), "Drawing", console=errors, transient=True, total=len(drawn)
    ):
        write_label(label, out, stem, private=code is not None)
    from devices.terminal.sheet import write_sheet  # noqa: PLC0415 - what draws PDF is large

    sheet = out / "labels.pdf"
    repeated = [label for label in drawn.values() for _ in range(copies)]
    pages = write_sheet(repeated, PAGES[page], sheet, private=code is not None)
    output.print(
        f"{len(drawn)} labels in {out}, each as PNG and SVG; {sheet} has {len(repeated)} on"
        f" {pages} pages ({PAGES[page].title}). All codes were read back.",
        soft_wrap=True,
    )


def _labels(
    shop: Shop,
    products: Sequence[str],
    skus: Sequence[str] | None,
    words: str | None,
    domain: str | None,
    *,
    pickup: bool,
) -> Labels:
    if pickup:
        return point_labels(shop.pickup_points, domain or shop.domain)
    if skus:
        return style_labels(shop.products, skus, domain or shop.domain)
    found = search(shop.products, words) if words else choose(shop.products, products)
    return product_labels(found, domain or "")


def _collection(order: str, settings: Settings) -> Labels:
    """Of an order that a terminal of this machine bought, or of a pickup code itself."""
    if re.fullmatch(r"[0-9]{6}", order):
        return collection_label(order)
    receipt = _receipt(order, settings.data)
    if receipt is None:
        raise ConfigurationError(
            f"No terminal in {settings.data} bought order {order}; give its pickup code instead."
        )
    return collection_label(receipt.pickup_code, order, receipt.pickup_point)


def _receipt(order: str, folder: Path) -> Receipt | None:
    """Only its terminal knows the pickup code of an order: the bus tells it to nobody else."""
    for file in sorted(each for each in folder.glob("*.db") if role_of(each.stem) == "terminal"):
        refuse_foreign_log(file)
        uri = f"{file.absolute().as_uri()}?mode=ro"
        with reading(file), closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            bought = list(store.purchases(connection))
        for each in bought:
            if each.receipt is not None and each.receipt.order == order:
                return each.receipt
    return None


def write_labels(products: Sequence[ProductRecord], folder: Path) -> dict[str, Path]:
    """Write the labels of products; the PNG of each product's id.

    Raises:
        LabelError: a label did not read back as what it says.
    """
    drawn = product_labels(products)
    return {stem: write_label(label, folder, stem)[0] for stem, label in drawn.items()}
