"""`storebus labels`: a sheet to print, and a PNG and an SVG of each label, all read back first.

Their content is the store's: the store is asked, or its files are read.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from bus.contract.catalog import Product
from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError
from bus.contract.refusals import LabelError, UnknownOrder
from bus.contract.settlement import OrderState
from bus.storage.journal import opened
from bus.text.console import errors, output
from cli import options
from cli.run import run
from devices.terminal import store as terminal
from devices.terminal.store import SCHEMA as TERMINAL
from labels.label import write_label
from labels.layout import refuse_lacking
from labels.pages import PAGES
from nodes.settlement import store as settlement
from nodes.settlement.store import SCHEMA as SETTLEMENT
from store.exit_codes import REFUSED
from store.settings import Settings, read_settings
from store.shop.assortment import Assortment, assortment_of
from store.shop.label_content import (
    Labels,
    choose,
    collection_label,
    point_labels,
    product_labels,
    style_labels,
    verify,
)
from store.shop.reader import is_domain

_MOST_COPIES = 1000
_TO_COLLECT: frozenset[OrderState] = frozenset({"settled", "short", "ready", "reminded"})
"""States in which an order is paid and its customer may come for it."""


def labels(
    products: Annotated[
        list[str] | None, typer.Argument(metavar="[PRODUCT|SKU]...", help="All if none is named.")
    ] = None,
    sku: Annotated[
        list[str] | None,
        typer.Option("--sku", help="A label for this style alone; may be repeated."),
    ] = None,
    words: Annotated[
        str | None, typer.Option("--search", metavar="WORDS", help="Products with these words.")
    ] = None,
    pickup: Annotated[bool, typer.Option("--pickup", help="Signs for the pickup points.")] = False,
    code: Annotated[
        str | None,
        typer.Option("--code", metavar="ORDER", help="The code that a customer shows to collect."),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(metavar="DOMAIN", help="Domain of the links; otherwise as registered."),
    ] = None,
    copies: Annotated[
        int, typer.Option(min=1, max=_MOST_COPIES, help="Copies of each label on the sheet.")
    ] = 1,
    page: Annotated[
        str | None, typer.Option(metavar="PAGE", help=f"Format of the sheet: {', '.join(PAGES)}.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the files.")] = Path(
        "labels"
    ),
    shop: options.ShopFile = None,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Draw a store's labels: a sheet as PDF, and each label as PNG and SVG.

    Each shows a QR code with the link, the EAN, the name, the style and the price that the store
    has now: a running store is asked, a closed store's files are read. --shop draws the labels of a
    shop that was never opened.

    Example: storebus labels --page l7160 --copies 3 oxford-shirt
    """
    page = page or ("sign" if pickup else "a4")
    if page not in PAGES:
        kinds = "; ".join(f"{name} ({each.title})" for name, each in PAGES.items())
        raise ConfigurationError(f"--page must be one of: {kinds}.")
    if domain is not None and not is_domain(domain):
        raise ConfigurationError(f"--domain {domain!r} is not a domain name, such as shop.example.")
    if sum(map(bool, (products, sku, words, pickup, code))) > 1:
        raise ConfigurationError("Give one of: products, --sku, --search, --pickup, --code.")
    settings = read_settings(shop=shop, site=site, data=data)
    misleading: list[str] = []
    if code:
        source, drawn = "", _collection(code, settings)
    else:
        assortment = run(assortment_of(broker, settings, shop))
        source = f" of {assortment.source}"
        drawn = _labels(assortment, products or [], sku, words, domain, pickup=pickup)
        if not pickup:
            drawn, misleading = verify(drawn, assortment)
    drawn, undrawn = _drawable(drawn)
    undrawn = [*misleading, *undrawn]
    for sentence in undrawn:
        errors.print(sentence, markup=False, soft_wrap=True)
    if not drawn:
        raise typer.Exit(REFUSED)
    for stem, label in track(
        drawn.items(), "Drawing", console=errors, transient=True, total=len(drawn)
    ):
        write_label(label, out, stem, private=code is not None)
    from labels.sheet import write_sheet  # noqa: PLC0415 - what draws PDF is large

    sheet = out / "labels.pdf"
    repeated = [label for label in drawn.values() for _ in range(copies)]
    pages = write_sheet(repeated, PAGES[page], sheet, private=code is not None)
    output.print(
        f"{len(drawn)} labels{source} are in {out}, each as PNG and SVG; {sheet} has"
        f" {len(repeated)} on {pages} pages ({PAGES[page].title}). All codes were read back.",
        soft_wrap=True,
    )
    if undrawn:
        raise typer.Exit(REFUSED)


def _drawable(labels: Labels) -> tuple[Labels, list[str]]:
    """The labels whose letters the font has, and what is wrong with the others."""
    drawn: Labels = {}
    undrawn: list[str] = []
    for stem, label in labels.items():
        try:
            refuse_lacking(label)
        except LabelError as error:
            undrawn.append(str(error))
        else:
            drawn[stem] = label
    return drawn, undrawn


def _labels(
    assortment: Assortment,
    products: Sequence[str],
    skus: Sequence[str] | None,
    words: str | None,
    domain: str | None,
    *,
    pickup: bool,
) -> Labels:
    if pickup:
        return point_labels(assortment.points, domain or assortment.domain)
    if skus:
        return style_labels(assortment.products, skus, domain or assortment.domain)
    found = _with(words, assortment) if words else choose(assortment.products, products)
    return product_labels(found, domain or "")


def _with(words: str, assortment: Assortment) -> list[Product]:
    found = assortment.shelf.search(words, len(assortment.products))
    if not found:
        raise ConfigurationError(f"No product has the words {words!r}.")
    return found


def _collection(order: str, settings: Settings) -> Labels:
    """The label for an order of this machine's store or terminals, or for a pickup code."""
    if re.fullmatch(r"[0-9]{6}", order):
        return collection_label(order)
    if (settings.data / "settlement.db").exists():
        found = _order(order, settings.data / "settlement.db")
    else:
        found = _receipt(order, settings.data)
    if found is None:
        raise ConfigurationError(
            f"Neither the store nor a terminal in {settings.data} knows order {order};"
            " give its pickup code instead."
        )
    code, point = found
    return collection_label(code, order, point)


def _order(order: str, file: Path) -> tuple[str, str] | None:
    """The pickup code and pickup point of an order, which the bus tells to nobody else."""
    with opened(file, SETTLEMENT) as rows:
        try:
            found = settlement.order(rows, order)
        except UnknownOrder:
            return None
    if found.state not in _TO_COLLECT:
        raise ConfigurationError(f"Order {order} is {found.state}: there is nothing to collect.")
    return found.pickup_code, found.pickup_point


def _receipt(order: str, folder: Path) -> tuple[str, str] | None:
    """The same from a receipt, for a terminal that runs apart from its store."""
    for file in sorted(each for each in folder.glob("*.db") if role_of(each.stem) == "terminal"):
        with opened(file, TERMINAL) as rows:
            bought = terminal.purchases(rows)
        for each in bought:
            if each.receipt is not None and each.receipt.order == order:
                return each.receipt.pickup_code, each.receipt.pickup_point
    return None


def write_labels(products: Sequence[Product], folder: Path) -> dict[str, Path]:
    """Write the labels of products; return the PNG by product id.

    Raises:
        LabelError: a label did not read back as what it says.
    """
    drawn = product_labels(products)
    return {stem: write_label(label, folder, stem)[0] for stem, label in drawn.items()}
