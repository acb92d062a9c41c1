"""How a shop's files and its store differ. Pure. The files count only until the first start."""

from collections.abc import Iterator, Sequence

from bus.contract.catalog import ProductRecord, StyleRecord
from commerce.price import money_text

_MOST_NAMES = 5


def differences(files: Sequence[ProductRecord], store: Sequence[ProductRecord]) -> list[str]:
    """Return a sentence for each thing in the files that is different in the store.

    Args:
        files: what the shop's folder registers.
        store: everything registered in the store, retired or not.
    """
    known = {product.id: product for product in store}
    found = [line for product in files for line in _of_product(product, known.get(product.id))]
    alone = sorted(known.keys() - {product.id for product in files})
    if alone:
        names = ", ".join(alone[:_MOST_NAMES]) + (" ..." if len(alone) > _MOST_NAMES else "")
        found.append(f"only in the store, imported or removed from the files: {names}")
    return found


def _of_product(product: ProductRecord, there: ProductRecord | None) -> Iterator[str]:
    if there is None:
        yield f"{product.id}: only in the files"
        return
    for what in ("name", "url", "description"):
        yield from _of(f"{product.id}, {what}", getattr(product, what), getattr(there, what))
    styles = {style.sku: style for style in there.styles}
    for style in product.styles:
        yield from _of_style(style, styles.get(style.sku))


def _of_style(style: StyleRecord, there: StyleRecord | None) -> Iterator[str]:
    if there is None:
        yield f"{style.sku}: only in the files"
        return
    yield from _of(
        style.sku,
        money_text(style.price),
        money_text(there.price),
    )
    yield from _of(f"{style.sku}, GTIN", style.gtin, there.gtin)
    yield from _of(f"{style.sku}, tax", style.tax_rate, there.tax_rate)
    yield from _of(f"{style.sku}, attributes", _words(style), _words(there))


def _of(what: str, files: object, store: object) -> Iterator[str]:
    if files != store:
        yield f"{what}: {files or '-'} in the files, {store or '-'} in the store"


def _words(style: StyleRecord) -> str:
    return ", ".join(f"{name} {value}" for name, value in style.attributes.items())
