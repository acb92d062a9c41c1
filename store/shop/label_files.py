"""Which labels are drawn, of what can be drawn, and the files that they are written to."""

import re
from collections.abc import Sequence
from pathlib import Path

from bus.contract.catalog import Product
from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError
from bus.contract.refusals import LabelError, UnknownOrder
from bus.contract.settlement import OrderState
from bus.storage.journal import opened
from devices.terminal import store as terminal
from devices.terminal.store import SCHEMA as TERMINAL
from labels.label import write_label
from labels.layout import refuse_lacking
from nodes.settlement import store as settlement
from nodes.settlement.store import SCHEMA as SETTLEMENT
from store.settings import Settings
from store.shop.assortment import Assortment
from store.shop.label_content import (
    Labels,
    choose,
    collection_label,
    point_labels,
    product_labels,
    style_labels,
)

_TO_COLLECT: frozenset[OrderState] = frozenset({"settled", "short", "ready", "reminded"})
"""States in which an order is paid and its customer may come for it."""


def drawable(labels: Labels) -> tuple[Labels, list[str]]:
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


def labels_of(
    assortment: Assortment,
    products: Sequence[str],
    skus: Sequence[str] | None,
    words: str | None,
    domain: str | None,
    *,
    pickup: bool,
) -> Labels:
    """The labels that are chosen by product, SKU or words; or the signs of all pickup points.

    Raises:
        ConfigurationError: nothing in the assortment is called so.
    """
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


def collection_of(order: str, settings: Settings) -> Labels:
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
