"""What an update changes, field by field, as text with the old and new value."""

from collections.abc import Iterator

from bus.contract.catalog import Price, ProductRecord, ProductUpdate, StyleRecord, StyleUpdate
from commerce.price import money_text

_TEXTS = ("name", "description", "url")
_OF_A_STYLE = ("gtin", "attributes", "price", "tax_rate")


def changes(known: ProductRecord | None, update: ProductUpdate) -> Iterator[str]:
    """Yield a line for each field that changes, and for each new product and style.

    Args:
        known: the registered product, if there is one.
        update: the update to be sent.
    """
    if known is None:
        yield f"{update.id}: new product {update.name!r}, label {update.url}"
    else:
        for name in _TEXTS:
            new, old = getattr(update, name), getattr(known, name)
            if new is not None and new != old:
                yield f"{update.id}: {name}: {_shown(old)} -> {_shown(new)}"
    styles = {style.sku: style for style in known.styles} if known else {}
    for style in update.styles:
        yield from _of_style(styles.get(style.sku), style)


def _of_style(known: StyleRecord | None, update: StyleUpdate) -> Iterator[str]:
    named = [name for name in _OF_A_STYLE if name in update.model_fields_set]
    if known is None:
        fields = ", ".join(f"{name} {_shown(getattr(update, name), name)}" for name in named)
        yield f"{update.sku}: new style: {fields}"
        return
    for name in named:
        new, old = getattr(update, name), getattr(known, name)
        if new != old:
            yield f"{update.sku}: {name}: {_shown(old, name)} -> {_shown(new, name)}"


def _shown(value: object, name: str = "") -> str:
    if isinstance(value, Price):
        return money_text(value)
    if isinstance(value, dict):
        return ";".join(f"{key}={each}" for key, each in value.items()) or "(none)"
    if name == "tax_rate":
        return "(none)" if value is None else f"{int(str(value)) / 100:g}%"
    return str(value) or "(none)"
