"""The stock of each style according to the catalog and the warehouse."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bus.history.message import Message, body, count

STYLES = 5_000
SURE = 10_000
"""Milliseconds for which warehouse and catalog must differ before that is believed."""
_NAME = 200
"""The most characters of a product's name."""
LOW = 3
"""Available pieces below which a style counts as low."""


@dataclass(slots=True)
class StyleView:
    """A style and its stock."""

    sku: str
    name: str = ""
    """The name of its product, if known."""
    on_hand: int | None = None
    reserved: int | None = None
    available: int | None = None
    at: int = 0
    """When the catalog last said so."""
    bins: dict[str, int] = field(default_factory=dict)
    """Pieces by location, as the warehouse last said."""
    bins_at: int = 0
    """When the warehouse last said so; 0 for never."""
    booked: tuple[int, int] | None = None
    """Pieces ever received and written off, as the catalog counts them."""
    accounted: tuple[int, int] | None = None
    """The same as the warehouse counts them."""
    doubted_at: int | None = None
    """Since when the two differ; None if they agree."""
    returning: int | None = None
    """Pieces that are to be put back on a shelf; None if not known."""

    def disagrees(self) -> int | None:
        """How many more pieces the warehouse accounts for than the catalog.

        None if it is not known or not certain: received goods reach one before the other.
        """
        if self.booked is None or self.accounted is None or self.bins_at < self.at:
            return None
        if self.booked == self.accounted:
            return 0
        is_sure = self.doubted_at is not None and self.bins_at - self.doubted_at >= SURE
        (came, gone), (booked, written_off) = self.accounted, self.booked
        return (came - gone) - (booked - written_off) if is_sure else None

    def compare(self) -> None:
        """Compare the two after one of them has said something."""
        if self.booked == self.accounted or self.bins_at < self.at:
            self.doubted_at = None
        elif self.doubted_at is None:
            self.doubted_at = self.bins_at


class PutBack(NamedTuple):
    """Goods that are to be put back on a shelf."""

    parcel: str
    order: str
    sku: str
    quantity: int


class StockView:
    """The styles that were last mentioned."""

    def __init__(self) -> None:
        self.dropped = 0
        """The number of styles that were dropped."""
        self.to_put_back: list[PutBack] = []
        """The goods to be put back, oldest first, as the warehouse last said."""
        self._styles: OrderedDict[str, StyleView] = OrderedDict()

    def __len__(self) -> int:
        return len(self._styles)

    def __iter__(self) -> Iterator[StyleView]:
        return iter(sorted(self._styles.values(), key=lambda style: style.sku))

    def get(self, sku: str) -> StyleView | None:
        """A style by SKU."""
        return self._styles.get(sku)

    def unsure(self) -> StyleView | None:
        """The style to ask the warehouse about next, if any.

        That is one whose stock has changed since the warehouse was asked, or whose books differ.
        """
        found = (
            style
            for style in self._styles.values()
            if style.on_hand is not None
            and (style.bins_at <= style.at or style.doubted_at is not None)
        )
        return min(found, key=lambda style: style.bins_at, default=None)

    def hear(self, message: Message) -> None:
        """Take a message: stock levels are in events and in answers."""
        if (message.kind, message.name) not in _TOLD or message.code is not None:
            return
        data = body(message)
        if data is not None:
            _TOLD[message.kind, message.name](self, data, message.at)

    def level(self, data: dict[str, Any], at: int) -> None:
        """Take one level (`StockLevel`)."""
        style = self._style(data.get("sku"))
        if style is not None and at >= style.at:
            style.on_hand, style.reserved = count(data.get("on_hand")), count(data.get("reserved"))
            style.available, style.at = count(data.get("available")), at
            style.booked = _totals(data)
            style.compare()

    def answered(self, data: dict[str, Any], at: int) -> None:
        """Take a level from an answer, unless it is an old one: totals only rise."""
        style, totals = self._style(data.get("sku")), _totals(data)
        known = style.booked if style is not None else None
        if known is None or totals is None or (totals[0] >= known[0] and totals[1] >= known[1]):
            self.level(data, at)

    def levels(self, data: dict[str, Any], at: int) -> None:
        """Take several levels (`StockChanged`)."""
        levels = data.get("levels")
        for level in levels if isinstance(levels, list) else ():
            if isinstance(level, dict):
                self.level(level, at)

    def located(self, data: dict[str, Any], at: int) -> None:
        """Take the locations of a style (`Located`)."""
        style, bins = self._style(data.get("sku")), data.get("bins")
        if style is not None and isinstance(bins, list):
            style.bins = {
                each["location"]: each["quantity"]
                for each in bins
                if isinstance(each, dict)
                and isinstance(each.get("location"), str)
                and count(each.get("quantity")) is not None
            }
            style.bins_at, style.accounted = at, _totals(data)
            style.compare()

    def returns(self, data: dict[str, Any], at: int) -> None:
        """Take what is to be put back (`Returns`), which is always a complete list."""
        del at
        found: dict[str, int] = {}
        self.to_put_back = []
        listed = data.get("returns")
        for each in listed if isinstance(listed, list) else ():
            lines = each.get("lines") if isinstance(each, dict) else None
            for line in lines if isinstance(lines, list) else ():
                quantity = count(line.get("quantity")) if isinstance(line, dict) else None
                if quantity is not None and isinstance(line.get("sku"), str):
                    found[line["sku"]] = found.get(line["sku"], 0) + quantity
                    goods = str(each.get("parcel")), str(each.get("order")), line["sku"]
                    self.to_put_back.append(PutBack(*goods, quantity))
        for style in self._styles.values():
            style.returning = found.get(style.sku, 0)

    def products(self, data: dict[str, Any], at: int) -> None:
        """Take products (`Found`, `SearchResult`)."""
        listed = data.get("products")
        products = listed if isinstance(listed, list) else [data.get("product")]
        for product in products:
            styles = product.get("styles") if isinstance(product, dict) else None
            for each in styles if isinstance(styles, list) else ():
                style = self._style(each.get("sku")) if isinstance(each, dict) else None
                if style is None or not isinstance(product, dict):
                    continue
                name = product.get("name")
                style.name = name[:_NAME] if isinstance(name, str) else style.name
                if at >= style.at:
                    style.available = count(each.get("available"))

    def _style(self, sku: object) -> StyleView | None:
        if not isinstance(sku, str):
            return None
        style = self._styles.setdefault(sku, StyleView(sku))
        self._styles.move_to_end(sku)
        while len(self._styles) > STYLES:
            self._styles.popitem(last=False)
            self.dropped += 1
        return style


def _totals(data: dict[str, Any]) -> tuple[int, int] | None:
    """Pieces received and written off; None from nodes that do not say."""
    received, written_off = count(data.get("received")), count(data.get("written_off"))
    return None if received is None or written_off is None else (received, written_off)


_TOLD: dict[tuple[str, str], Any] = {
    ("event", "stock-changed"): StockView.levels,
    ("rep", "restock"): StockView.answered,
    ("rep", "write-off"): StockView.answered,
    ("rep", "locate"): StockView.located,
    ("rep", "returns"): StockView.returns,
    ("rep", "lookup"): StockView.products,
    ("rep", "search"): StockView.products,
}
