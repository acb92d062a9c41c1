"""`storebus labels`: a PNG and an SVG per product, each read back before it is written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from bus.contract.catalog import ProductRecord
from bus.errors import ConfigurationError
from cli import options
from cli.run import errors, output
from cli.settings import read_settings
from cli.shop.reader import read_shop
from devices.terminal.label import Label, write_label
from devices.terminal.price import price_text


def labels(
    products: Annotated[
        list[str] | None, typer.Argument(metavar="[PRODUCT|SKU]...", help="All if none.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where they go.")] = Path(
        "labels"
    ),
    shop: options.ShopFile = None,
) -> None:
    """Draw labels: a QR code with the product's URL, its name and its price.

    Example: storebus labels oxford-shirt --out labels
    """
    settings = read_settings(shop=shop)
    records = choose(read_shop(settings.shop).products, products or [])
    write_labels(track(records, "Drawing", console=errors, transient=True), out)  # type: ignore[arg-type]
    output.print(f"{len(records)} labels in {out}, each as PNG and SVG.")


def choose(products: Sequence[ProductRecord], wanted: Sequence[str]) -> list[ProductRecord]:
    """The products of these ids or SKUs; all if none are named.

    Raises:
        ConfigurationError: one of them is not there.
    """
    if not wanted:
        return list(products)
    known = {product.id: product for product in products}
    known |= {style.sku: product for product in products for style in product.styles}
    missing = [name for name in wanted if name not in known]
    if missing:
        raise ConfigurationError(f"There is no product or SKU {', '.join(missing)}.")
    return list({known[name].id: known[name] for name in wanted}.values())


def write_labels(products: Sequence[ProductRecord], folder: Path) -> dict[str, Path]:
    """Write the labels of products; the PNG of each product's id.

    Raises:
        LabelError: a label did not read back as what it says.
    """
    return {product.id: write_label(_label(product), folder, product.id)[0] for product in products}


def _label(product: ProductRecord) -> Label:
    prices = sorted({(style.price.amount, style.price.currency) for style in product.styles})
    amount, currency = prices[0]
    text = price_text(amount, currency)
    return Label(product.url, product.name, f"from {text}" if len(prices) > 1 else text)
