"""Goods, prices and orders as lines of text; text from the store is made safe."""

from bus.contract.catalog import Product, Style
from bus.contract.warehouse import PickupPoints
from bus.text.safe import fit, short, visible
from bus.text.safe import width as cells
from bus.text.texts import Texts
from commerce.price import money_text
from devices.terminal.kiosk.cart import Item
from devices.terminal.kiosk.orders import OpenOrder
from devices.terminal.sales_receipt import SalesReceipt

_BAR = 24
_CALLED = 4
"""Characters of a call number."""


def style_line(style: Style, say: Texts, width: int) -> str:
    """A style: its attributes, price and stock."""
    name = ", ".join(style.attributes.values()) or style.sku
    return _two(
        name, f"{money_text(style.price)}   {fit(_left(style, say), 10, right=True)}", width
    )


def _left(style: Style, say: Texts) -> str:
    return say("{count} left", count=style.available) if style.available else say("sold out")


def product_line(product: Product, say: Texts, width: int) -> str:
    """A product: its name and lowest price."""
    cheapest = min((style.price for style in product.styles), key=lambda each: each.amount)
    return _two(product.name, say("from {price}", price=money_text(cheapest)), width)


def item_line(item: Item, say: Texts, width: int) -> str:
    """A line of the cart."""
    name = f"{item.quantity} × {item.product} {', '.join(item.style.attributes.values())}"
    price = money_text(item.price)
    if item.is_short:
        price = f"▲ {_left(item.style, say)}   {price}"
    return _two(name, price, width)


def call_number(order: str) -> str:
    """The number by which an order is called in public; it is not the pickup code."""
    return order[-_CALLED:].upper()


def order_lines(
    order: OpenOrder, code: str | None, points: PickupPoints | None, say: Texts, width: int
) -> str:
    """An open order: its number, its code if known, its pickup point, and its progress."""
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
    """The name of a pickup point; its id if the name is not known."""
    known = points.points if points is not None else []
    return visible(next((each.name for each in known if each.id == point), point))


def receipt_lines(receipt: SalesReceipt, width: int) -> list[str]:
    """A sales receipt on few lines: goods and total first, the seller last."""
    goods = [_two(f"{what}   {each}", cost, width) for what, each, cost in receipt.lines]
    quarter = width // 4
    rates = ["".join(fit(cell, quarter, right=True) for cell in row) for row in receipt.taxes]
    lines = [*goods, "─" * width, _two(*receipt.total, width), *rates]
    lines += [_two(*fact, width) for fact in receipt.facts[:2]]
    lines.append(_two(receipt.order, receipt.when, width))
    return [line.rstrip() for line in (*lines, *map(visible, receipt.seller))]


def _two(left: str, right: str, width: int) -> str:
    """A line with a text on the left and one on the right."""
    right = short(right, width)
    room = max(0, width - cells(right) - 1)
    return f"{fit(left, room)} {right}" if room else right
