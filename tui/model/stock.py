"""What there is of each style, as the catalog and the warehouse say."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bus.history.message import Message, body, count

STYLES = 5_000
SURE = 10_000
"""Milliseconds between two answers of the warehouse that both differ from the catalog."""
_NAME = 200
"""Characters of a product's name."""
LOW = 3
"""Available pieces below which a style is low."""


@dataclass(slots=True)
class StyleView:
    """One style."""

    sku: str
    name: str = ""
    """Of its product, as far as that was said."""
    on_hand: int | None = None
    reserved: int | None = None
    available: int | None = None
    at: int = 0
    """When the catalog said so."""
    bins: dict[str, int] = field(default_factory=dict)
    """By location, as far as the warehouse was asked or said."""
    bins_at: int = 0
    """When; 0 for never."""
    booked: tuple[int, int] | None = None
    """Pieces that ever came in, and that were written off, as the catalog counts them."""
    accounted: tuple[int, int] | None = None
    """The same as the warehouse counts them."""
    doubted_at: int | None = None
    """Since when they differ, while nothing else was said of either."""
    returning: int | None = None
    """Pieces that a person has yet to put back on a shelf; None if nobody asked."""

    def disagrees(self) -> int | None:
        """How many more pieces the warehouse accounts for than the catalog.

        None where they do not say, or not at the same time: goods that come in are told to one
        after the other.
        """
        if self.booked is None or self.accounted is None or self.bins_at < self.at:
            return None
        if self.booked == self.accounted:
            return 0
        is_sure = self.doubted_at is not None and self.bins_at - self.doubted_at >= SURE
        (came, gone), (booked, written_off) = self.accounted, self.booked
        return (came - gone) - (booked - written_off) if is_sure else None

    def compare(self) -> None:
        """One of them has said anew what it counts."""
        if self.booked == self.accounted or self.bins_at < self.at:
            self.doubted_at = None
        elif self.doubted_at is None:
            self.doubted_at = self.bins_at


class PutBack(NamedTuple):
    """Goods that a person has yet to put back on a shelf."""

    parcel: str
    order: str
    sku: str
    quantity: int


class StockView:
    """Styles by SKU, those that were heard of last are kept."""

    def __init__(self) -> None:
        self.dropped = 0
        """Styles that are not kept any more."""
        self.to_put_back: list[PutBack] = []
        """The oldest first, as the warehouse said last."""
        self._styles: OrderedDict[str, StyleView] = OrderedDict()

    def __len__(self) -> int:
        return len(self._styles)

    def __iter__(self) -> Iterator[StyleView]:
        return iter(sorted(self._styles.values(), key=lambda style: style.sku))

    def get(self, sku: str) -> StyleView | None:
        """A style by SKU."""
        return self._styles.get(sku)

    def unsure(self) -> StyleView | None:
        """The style whose books changed since its shelves were told of, for the longest time.

        Or one whose books differ: whether they really do shows when all is told.
        """
        found = (
            style
            for style in self._styles.values()
            if style.on_hand is not None
            and (style.bins_at <= style.at or style.doubted_at is not None)
        )
        return min(found, key=lambda style: style.bins_at, default=None)

    def hear(self, message: Message) -> None:
        """Levels are told by events, and by the answers to whoever asks."""
        if (message.kind, message.name) not in _TOLD or message.code is not None:
            return
        data = body(message)
        if data is not None:
            _TOLD[message.kind, message.name](self, data, message.at)

    def level(self, data: dict[str, Any], at: int) -> None:
        """One level (`StockLevel`)."""
        style = self._style(data.get("sku"))
        if style is not None and at >= style.at:
            style.on_hand, style.reserved = count(data.get("on_hand")), count(data.get("reserved"))
            style.available, style.at = count(data.get("available")), at
            style.booked = _totals(data)
            style.compare()

    def answered(self, data: dict[str, Any], at: int) -> None:
        """A level in an answer, which may be an old one that is repeated: totals only rise."""
        style, totals = self._style(data.get("sku")), _totals(data)
        known = style.booked if style is not None else None
        if known is None or totals is None or (totals[0] >= known[0] and totals[1] >= known[1]):
            self.level(data, at)

    def levels(self, data: dict[str, Any], at: int) -> None:
        """Several levels (`StockChanged`)."""
        levels = data.get("levels")
        for level in levels if isinstance(levels, list) else ():
            if isinstance(level, dict):
                self.level(level, at)

    def located(self, data: dict[str, Any], at: int) -> None:
        """Where a style lies (`Located`)."""
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
        """What is to be put back (`Returns`): all of it, so that the rest is known too."""
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
        """Products as they are sold (`SearchHit`, `SearchResult`)."""
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
    """What ever came in, and what was written off; older nodes do not say."""
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
