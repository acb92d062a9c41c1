"""The sales receipt, as page, kiosk, command, text file and PDF show it: one model for all.

Its texts are in this package's `locale`, whichever face shows them.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from xml.sax.saxutils import escape

from bus.contract.catalog import Style
from bus.contract.settlement import Receipt
from bus.contract.timestamp import milliseconds
from bus.text.safe import visible, width
from bus.text.texts import Texts
from commerce.price import price_text
from commerce.tax import rate_text, taxes
from labels.lettering import lacking, one_line, pdf_font

_COLUMNS = 48
PACKAGE = "devices.terminal"
"""Whose texts say it."""


class SoldLine(Protocol):
    """What was sold, as the customer was shown it."""

    @property
    def name(self) -> str:
        """Of the product."""

    @property
    def style(self) -> str:
        """What tells the style from the others; may be empty."""

    @property
    def quantity(self) -> int:
        """How many pieces."""

    @property
    def amount(self) -> int:
        """Of one piece, in minor units."""

    @property
    def tax_rate(self) -> int | None:
        """In basis points; none where the price names none."""


@dataclass(frozen=True, slots=True)
class Sold:
    """A line of a receipt, from what the catalog says of its style."""

    name: str
    style: str
    quantity: int
    amount: int
    tax_rate: int | None


def sold_lines(
    receipt: Receipt, styles: Mapping[str, Style], names: Mapping[str, str]
) -> list[Sold]:
    """What was paid for: styles and names of products by SKU, as far as they are known."""
    return [
        Sold(
            names.get(line.sku, line.sku),
            ", ".join(style.attributes.values()) if style else "",
            line.quantity,
            line.price.amount,
            style.tax_rate if style else None,
        )
        for line in receipt.lines
        for style in (styles.get(line.sku),)
    ]


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt in words."""

    seller: tuple[str, ...]
    """Name, address and tax number, as far as they are known."""
    title: str
    order: str
    when: str
    """Date and time at the shop; empty where they are not known."""
    lines: tuple[tuple[str, str, str], ...]
    """Of each: what it is, how many at which price, what they cost."""
    total: tuple[str, str]
    taxes: tuple[tuple[str, str, str, str], ...]
    """A table with its headings: rate, net, tax, gross; empty where no price names a rate."""
    facts: tuple[tuple[str, str], ...]
    """How it was paid and where it is collected."""
    language: str


def paper(
    language: str, shop: str, receipt: Receipt, lines: Sequence[SoldLine], point: str
) -> Paper:
    """A receipt in the customer's language.

    Args:
        language: such as `zh_Hant`.
        shop: its name, where the receipt does not say who sold.
        receipt: what settlement answered.
        lines: what was bought, at the prices that were paid.
        point: the pickup point as people call it.
    """
    say, currency, seller = Texts(PACKAGE, language), receipt.total.currency, receipt.seller
    told = [seller.name, seller.address] if seller is not None else [shop]
    if seller is not None and seller.tax_number:
        told.append(say("Tax number: {number}", number=seller.tax_number))
    return Paper(
        tuple(filter(None, told)),
        say("Sales receipt"),
        " ".join((say("Order"), receipt.order)),
        local_time(receipt.at),
        tuple(
            (
                f"{line.name}, {line.style}" if line.style else line.name,
                f"{line.quantity} × {price_text(line.amount, currency)}",
                price_text(line.amount * line.quantity, currency),
            )
            for line in lines
        ),
        (say("Total"), price_text(receipt.total.amount, currency)),
        _tax_table(say, lines, currency),
        (
            (
                say("Paid by"),
                say("account") if receipt.payment.method == "account" else say("card"),
            ),
            (say("Payment reference"), receipt.payment.reference),
            (say("Pickup point"), point),
            (say("Your pickup code"), receipt.pickup_code),
        ),
        say.language,
    )  # fmt: skip


def _tax_table(
    say: Texts, lines: Sequence[SoldLine], currency: str
) -> tuple[tuple[str, str, str, str], ...]:
    rows = [
        (
            rate_text(row.rate),
            price_text(row.gross - row.tax, currency),
            price_text(row.tax, currency),
            price_text(row.gross, currency),
        )
        for row in taxes((line.tax_rate, line.amount * line.quantity) for line in lines)
    ]
    return ((say("Tax rate"), say("Net"), say("Tax"), say("Gross")), *rows) if rows else ()


def local_time(at: str | None) -> str:
    """An RFC 3339 time as a clock in the shop shows it: `2026-11-29 14:05 +01:00`."""
    if at is None:
        return ""
    try:
        local = datetime.fromtimestamp(milliseconds(at) / 1000, UTC).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{local:%Y-%m-%d %H:%M} {local.isoformat()[-6:]}"


def as_text(receipt: Paper) -> str:
    """Plain text in columns; whatever a terminal would obey is shown as what it is."""
    rule = "-" * _COLUMNS

    def apart(left: str, right: str) -> str:
        left, right = visible(left), visible(right)
        return f"{left}{' ' * max(2, _COLUMNS - width(left) - width(right))}{right}"

    def row(cells: Sequence[str]) -> str:
        room = _COLUMNS // len(cells)
        return "".join(" " * (room - width(cell)) + cell for cell in map(visible, cells))

    lines = [visible(each) for each in (*receipt.seller, receipt.title, receipt.order)]
    lines += [receipt.when] if receipt.when else []
    lines.append(rule)
    for what, each, cost in receipt.lines:
        lines += [visible(what), apart(f"  {each}", cost)]
    lines += [rule, apart(*receipt.total), rule]
    if receipt.taxes:
        lines += [*(row(cells) for cells in receipt.taxes), rule]
    lines += [apart(*each) for each in receipt.facts]
    return "\n".join(lines) + "\n"


def is_printable(receipt: Paper) -> bool:
    """Whether the PDF's font has all its letters: else there is only the text."""
    cells = (*receipt.seller, *(cell for line in receipt.lines for cell in line))
    facts = (text for fact in receipt.facts for text in fact)
    return not any(map(lacking, (*cells, *facts)))


def as_pdf(receipt: Paper) -> bytes:
    """A PDF of as many A5 pages as it takes. One at a time: they share the font."""
    from reportlab.lib.colors import black  # noqa: PLC0415 - heavy, and only needed here
    from reportlab.lib.enums import TA_RIGHT  # noqa: PLC0415
    from reportlab.lib.pagesizes import A5  # noqa: PLC0415
    from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415
    from reportlab.lib.units import mm  # noqa: PLC0415
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table  # noqa: PLC0415

    left = ParagraphStyle("left", fontName=pdf_font(), fontSize=9, leading=12)
    right = ParagraphStyle("right", parent=left, alignment=TA_RIGHT)
    title = ParagraphStyle("title", parent=left, fontSize=14, leading=18)

    def write(text: str, style: Any = left) -> Any:
        return Paragraph(escape(one_line(text)), style)

    def table(rows: Sequence[Sequence[str]], widths: Sequence[float], lines: list[Any]) -> Any:
        cells = [[write(row[0]), *(write(cell, right) for cell in row[1:])] for row in rows]
        return Table(cells, [width * mm for width in widths], style=lines, repeatRows=0)

    ruled = [
        ("LINEABOVE", (0, 0), (-1, 0), 0.5, black),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONTNAME", (0, 0), (-1, -1), pdf_font()),
    ]
    file = io.BytesIO()
    SimpleDocTemplate(
        file, pagesize=A5, leftMargin=12 * mm, rightMargin=12 * mm, topMargin=14 * mm,
        bottomMargin=14 * mm, title=f"{receipt.title} {receipt.order}", author=receipt.seller[0],
        lang=receipt.language.replace("_", "-"), initialFontName=pdf_font(),
    ).build(
        [
            write(receipt.seller[0], title),
            *(write(each) for each in receipt.seller[1:]),
            write(receipt.title),
            write(receipt.order),
            *([write(receipt.when)] if receipt.when else []),
            Spacer(0, 4 * mm),
            table(receipt.lines, (58, 36, 30), ruled),
            table([receipt.total], (84, 40), ruled),
            Spacer(0, 4 * mm),
            *([table(receipt.taxes, (31, 31, 31, 31), ruled)] if receipt.taxes else []),
            Spacer(0, 4 * mm),
            table(receipt.facts, (50, 74), ruled),
        ]
    )  # fmt: skip
    return file.getvalue()
