"""The content of a shop's labels: for products, styles, pickup points and orders to collect.

It must not know how a label is drawn.
"""

from collections.abc import Iterable, Sequence

from bus.contract.catalog import Found, Product, Style
from bus.contract.errors import ConfigurationError, Problem
from bus.contract.refusals import LabelError
from bus.contract.warehouse import PickupPoint
from commerce.price import money_text, price_text
from devices.terminal.domain import one_product
from labels.digital_link import digital_link
from labels.label import Label
from nodes.catalog.code import read_code
from store.shop.assortment import Assortment

Labels = dict[str, Label]
"""By name: a product's id, a SKU."""


def choose(products: Sequence[Product], wanted: Sequence[str]) -> list[Product]:
    """Return the products with these ids or SKUs; all if none are named.

    Raises:
        ConfigurationError: one of them does not exist.
    """
    if not wanted:
        return list(products)
    known = {product.id: product for product in products}
    known |= {style.sku: product for product in products for style in product.styles}
    missing = [name for name in wanted if name not in known]
    if missing:
        raise ConfigurationError(f"There is no product or SKU {', '.join(missing)}.")
    return list({known[name].id: known[name] for name in wanted}.values())


def product_labels(products: Iterable[Product], domain: str = "") -> Labels:
    """Return a label for each product.

    Args:
        products: the products.
        domain: the domain of the links, in place of the registered URLs.
    """
    return {product.id: _product_label(product, domain) for product in products}


def style_labels(products: Sequence[Product], skus: Iterable[str], domain: str) -> Labels:
    """Return a label for each of these styles, with its own link.

    Raises:
        ConfigurationError: one of them does not exist.
    """
    labels = {}
    for sku in skus:
        (product,) = choose(products, [sku])
        style = next((each for each in product.styles if each.sku == sku), None)
        if style is None:
            raise ConfigurationError(f"There is no SKU {sku}.")
        labels[sku] = Label(
            digital_link(domain, style.gtin),
            product.name,
            money_text(style.price),
            ", ".join(style.attributes.values()),
            style.gtin,
        )
    return labels


def verify(labels: Labels, assortment: Assortment) -> tuple[Labels, list[str]]:
    """Look up each label of a product or style in its store, as a terminal would.

    Returns:
        The labels that lead to their product, and a sentence for each other.
    """
    good: Labels = {}
    bad: list[str] = []
    for stem, label in labels.items():
        codes = [code for code in (label.url, label.number) if code is not None]
        try:
            found = one_product({code: _answer(assortment, code) for code in codes})
        except (Problem, LabelError) as error:
            bad.append(f"The label of {label.name} would be refused: {error}")
            continue
        if stem in {found.product.id, found.scanned}:
            good[stem] = label
        else:
            bad.append(
                f"The label of {label.name} ({label.url}) would lead to {found.product.name}."
            )
    return good, bad


def _answer(assortment: Assortment, code: str) -> Found | Problem:
    try:
        return assortment.shelf.look_up(code)
    except Problem as problem:
        return problem


def point_labels(points: Iterable[PickupPoint], domain: str) -> Labels:
    """Return a sign for each pickup point."""
    return {
        f"pickup-{point.id}": Label(
            f"https://{domain}/pickup/{point.id}", point.name, "", "Pickup point · 取貨點 · 取货点"
        )
        for point in points
    }


def collection_label(code: str, order: str = "", point: str = "") -> Labels:
    """What a customer shows to collect: the code as a scanner would type it."""
    name = f"Order {order}" if order else "Your order"
    return {f"collect-{order or code}": Label(code, name, f"{code[:3]} {code[3:]}", point)}


def _product_label(product: Product, domain: str) -> Label:
    prices = sorted({(style.price.amount, style.price.currency) for style in product.styles})
    text = price_text(*prices[0])
    style = _style_on_label(product)
    return Label(
        digital_link(domain, style.gtin) if domain else product.url,
        product.name,
        f"from {text}" if len(prices) > 1 else text,
        _styles(product),
        style.gtin,
    )


def _style_on_label(product: Product) -> Style:
    """The style whose link the label carries, or else the first one."""
    try:
        gtin = read_code(product.url).gtin
    except Problem:
        gtin = None  # registered as it is, whatever it may be
    return next((each for each in product.styles if each.gtin == gtin), product.styles[0])


def _styles(product: Product) -> str:
    """Such as `blue, white · S, M, L`."""
    values: dict[str, dict[str, None]] = {}
    for style in product.styles:
        for name, value in style.attributes.items():
            values.setdefault(name, {})[value] = None
    return " · ".join(", ".join(each) for each in values.values())
