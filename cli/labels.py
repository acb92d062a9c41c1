"""`storebus labels`: a sheet to print, and a PNG and an SVG of each label, all read back first.

Their content is the store's: the store is asked, or its files are read.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from bus.contract.errors import ConfigurationError
from bus.text.console import errors, output
from cli import options
from cli.run import run
from labels.label import write_label
from labels.pages import PAGES
from store.exit_codes import REFUSED
from store.settings import read_settings
from store.shop.assortment import assortment_of
from store.shop.label_content import (
    verify,
)
from store.shop.label_files import collection_of, drawable, labels_of
from store.shop.reader import is_domain

_MOST_COPIES = 1000


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
        source, drawn = "", collection_of(code, settings)
    else:
        assortment = run(assortment_of(broker, settings, shop))
        source = f" of {assortment.source}"
        drawn = labels_of(assortment, products or [], sku, words, domain, pickup=pickup)
        if not pickup:
            drawn, misleading = verify(drawn, assortment)
    drawn, undrawn = drawable(drawn)
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
