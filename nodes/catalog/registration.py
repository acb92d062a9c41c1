"""Decides what a product is after it was registered or updated. Pure."""

from typing import TypeVar

from bus.contract.catalog import MAX_STYLES, ProductRecord, ProductUpdate, StyleRecord, StyleUpdate
from bus.contract.errors import InvalidField
from nodes.catalog.code import check_label

T = TypeVar("T")


def register(existing: ProductRecord | None, update: ProductUpdate) -> ProductRecord:
    """A product after an update: what is not sent stays as it was.

    Known styles keep their places; new ones follow in the order of the update.

    Raises:
        InvalidField: something new lacks what it must have, the label cannot be one, a style is
            named twice, or there would be too many.
    """
    if update.url is not None and (existing is None or update.url != existing.url):
        check_label(update.url)
    known = {style.sku: style for style in existing.styles} if existing else {}
    styles = dict(known)
    for style in update.styles:
        if styles.get(style.sku) is not known.get(style.sku):
            raise InvalidField(f"{update.id} has {style.sku} twice.", field="styles")
        styles[style.sku] = _style(style, known.get(style.sku))
    if len(styles) > MAX_STYLES:
        raise InvalidField(f"{update.id} has more than {MAX_STYLES} styles.", field="styles")
    if not styles:
        raise InvalidField(f"{update.id} is new and has no style.", field="styles")
    return ProductRecord(
        id=update.id,
        name=_kept(
            update.name, existing.name if existing else None, f"{update.id} has no name.", "name"
        ),
        description=_or(update.description, existing.description if existing else ""),
        url=_kept(
            update.url, existing.url if existing else None, f"{update.id} has no label URL.", "url"
        ),
        styles=list(styles.values()),
    )


def _style(update: StyleUpdate, known: StyleRecord | None) -> StyleRecord:
    sku = update.sku
    tax = known.tax_rate if known and "tax_rate" not in update.model_fields_set else update.tax_rate
    return StyleRecord(
        sku=sku,
        gtin=_kept(
            update.gtin, known.gtin if known else None, f"{sku} is new and has no GTIN.", "gtin"
        ),
        attributes=_or(update.attributes, known.attributes if known else {}),
        price=_kept(
            update.price, known.price if known else None, f"{sku} is new, without a price.", "price"
        ),
        tax_rate=tax,
    )


def _or(new: T | None, old: T) -> T:
    return old if new is None else new


def _kept(new: T | None, old: T | None, lacking: str, field: str) -> T:
    kept = old if new is None else new
    if kept is None:
        raise InvalidField(lacking, field=field)
    return kept
