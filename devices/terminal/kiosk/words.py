"""What goods, prices and orders look like in lines of text; everything of others is made safe."""

from collections.abc import Mapping

from bus.contract.catalog import Product, Style
from bus.contract.settlement import Receipt
from bus.contract.values import Money
from bus.contract.warehouse import PickupPoints
from bus.safe import fit, short, visible
from bus.safe import width as cells
from bus.texts import Texts
from devices.terminal.kiosk.cart import Item
from devices.terminal.kiosk.orders import UnderWay
from devices.terminal.price import price_text
from devices.terminal.tax import rate_text, taxes

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


def receipt_lines(
    receipt: Receipt, bought: Mapping[str, Item], say: Texts, width: int
) -> list[str]:
    """What was bought, the tax in it, and how it was paid; the cart's items are by SKU."""
    lines, currency = [], receipt.total.currency
    sums: list[tuple[int | None, int]] = []
    for line in receipt.lines:
        item, amount = bought.get(line.sku), line.price.amount * line.quantity
        name = ", ".join((item.product, *item.style.attributes.values())) if item else line.sku
        lines.append(_two(f"{line.quantity} × {name}", price_text(amount, currency), width))
        sums.append((item.style.tax_rate if item else None, amount))
    lines.append("─" * width)
    lines.append(_two(say("Total"), money(receipt.total), width))
    for tax in taxes(sums):
        gross = price_text(tax.gross, currency)
        words = say("of this {rate} tax on {gross}", rate=rate_text(tax.rate), gross=gross)
        lines.append(_two(words, price_text(tax.tax, currency), width))
    method = say("account") if receipt.payment.method == "account" else say("card")
    lines.append(_two(say("Paid by {method}", method=method), receipt.payment.reference, width))
    lines.append(_two(say("Order"), receipt.order, width))
    return [line.rstrip() for line in lines]


def _two(left: str, right: str, width: int) -> str:
    """A text on the left and one on the right of a line."""
    right = short(right, width)
    room = max(0, width - cells(right) - 1)
    return f"{fit(left, room)} {right}" if room else right
