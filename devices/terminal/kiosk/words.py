"""What goods, prices and orders look like in lines of text; everything of others is made safe."""

from bus.contract.catalog import Product, Style
from bus.contract.values import Money
from bus.contract.warehouse import PickupPoints
from bus.text.safe import fit, short, visible
from bus.text.safe import width as cells
from bus.text.texts import Texts
from commerce.price import price_text
from devices.terminal.kiosk.cart import Item
from devices.terminal.kiosk.orders import UnderWay
from devices.terminal.sales_receipt import Paper

_BAR = 24
_CALLED = 4
"""Characters of a call number."""


def money(value: Money) -> str:
    """Money as people read it."""
    return price_text(value.amount, value.currency)


def style_line(style: Style, say: Texts, width: int) -> str:
    """A style: what tells it from the others, its price, how many are left."""
    name = ", ".join(style.attributes.values()) or style.sku
    return _two(name, f"{money(style.price)}   {fit(_left(style, say), 10, right=True)}", width)


def _left(style: Style, say: Texts) -> str:
    return say("{count} left", count=style.available) if style.available else say("sold out")


def product_line(product: Product, say: Texts, width: int) -> str:
    """A product: its name, and from what price."""
    cheapest = min((style.price for style in product.styles), key=lambda each: each.amount)
    return _two(product.name, say("from {price}", price=money(cheapest)), width)


def item_line(item: Item, say: Texts, width: int) -> str:
    """A line of the cart."""
    name = f"{item.quantity} × {item.product} {', '.join(item.style.attributes.values())}"
    price = money(item.price)
    if item.is_short:
        price = f"▲ {_left(item.style, say)}   {price}"
    return _two(name, price, width)


def call_number(order: str) -> str:
    """By what an order is called where everybody hears it; it collects nothing."""
    return order[-_CALLED:].upper()


def order_lines(
    order: UnderWay, code: str | None, points: PickupPoints | None, say: Texts, width: int
) -> str:
    """An order under way: which, its code for who has bought it, a bar, and what is happening."""
    done = _BAR * order.percent // 100
    bar = "█" * done + "░" * (_BAR - done)
    point = short(point_name(order.point, points), 30)
    name = say("Order {order}", order=order.order)
    if code is not None:
        name = say("Order {order}: code {code}", order=order.order, code=code)
    first = _two(name, point, width)
    words = visible(order.words.said(say))
    return f"{first}\n{bar} {order.percent:>3} %  {short(words, max(1, width - _BAR - 8))}"


def point_name(point: str, points: PickupPoints | None) -> str:
    """A pickup point as customers know it."""
    known = points.points if points is not None else []
    return visible(next((each.name for each in known if each.id == point), point))


def receipt_lines(receipt: Paper, width: int) -> list[str]:
    """A receipt on few lines: what was paid first, who sold it last."""
    goods = [_two(f"{what}   {each}", cost, width) for what, each, cost in receipt.lines]
    quarter = width // 4
    rates = ["".join(fit(cell, quarter, right=True) for cell in row) for row in receipt.taxes]
    lines = [*goods, "─" * width, _two(*receipt.total, width), *rates]
    lines += [_two(*fact, width) for fact in receipt.facts[:2]]
    lines.append(_two(receipt.order, receipt.when, width))
    return [line.rstrip() for line in (*lines, *map(visible, receipt.seller))]


def _two(left: str, right: str, width: int) -> str:
    """A text on the left and one on the right of a line."""
    right = short(right, width)
    room = max(0, width - cells(right) - 1)
    return f"{fit(left, room)} {right}" if room else right
