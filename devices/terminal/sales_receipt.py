"""The sales receipt as a document for the customer: on pages, as plain text, and as a PDF.

It is made of the contract's `Receipt`, which is settlement's answer to a purchase. Its texts are
in this package's `locale`.
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
"""The package with its texts."""


class SoldLine(Protocol):
    """A line of goods, as the customer was shown it."""

    @property
    def name(self) -> str:
        """Of the product."""

    @property
    def style(self) -> str:
        """The attributes that distinguish the style; may be empty."""

    @property
    def quantity(self) -> int:
        """How many pieces."""

    @property
    def amount(self) -> int:
        """The price of one piece, in minor units."""

    @property
    def tax_rate(self) -> int | None:
        """In basis points; None if the price names no rate."""


@dataclass(frozen=True, slots=True)
class Sold:
    """A line of goods, from the catalog's data on its style."""

    name: str
    style: str
    quantity: int
    amount: int
    tax_rate: int | None


def sold_lines(
    receipt: Receipt, styles: Mapping[str, Style], names: Mapping[str, str]
) -> list[Sold]:
    """The lines that were paid for.

    Args:
        receipt: settlement's answer.
        styles: by SKU, as far as they are known.
        names: of their products, by SKU, as far as they are known.
    """
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
class SalesReceipt:
    """A sales receipt, ready to be laid out."""

    seller: tuple[str, ...]
    """Name, address and tax number, as far as they are known."""
    title: str
    order: str
    when: str
    """Date and time at the shop; empty if not known."""
    lines: tuple[tuple[str, str, str], ...]
    """Of each: the goods, quantity and unit price, amount."""
    total: tuple[str, str]
    taxes: tuple[tuple[str, str, str, str], ...]
    """A table with headings: rate, net, tax, gross; empty if no price names a rate."""
    facts: tuple[tuple[str, str], ...]
    """Labels and values: payment, reference, pickup point, pickup code."""
    language: str


def sales_receipt(
    language: str, shop: str, receipt: Receipt, lines: Sequence[SoldLine], point: str
) -> SalesReceipt:
    """The sales receipt of a purchase.

    Args:
        language: such as `zh_Hant`.
        shop: the shop's name, used if the receipt names no seller.
        receipt: settlement's answer.
        lines: what was bought, at the prices that were paid.
        point: the name of the pickup point.
    """
    say, currency, seller = Texts(PACKAGE, language), receipt.total.currency, receipt.seller
    told = [seller.name, seller.address] if seller is not None else [shop]
    if seller is not None and seller.tax_number:
        told.append(say("Tax number: {number}", number=seller.tax_number))
    return SalesReceipt(
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
    """An RFC 3339 time in the shop's time zone: `2026-11-29 14:05 +01:00`; empty if not known."""
    if at is None:
        return ""
    try:
        local = datetime.fromtimestamp(milliseconds(at) / 1000, UTC).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{local:%Y-%m-%d %H:%M} {local.isoformat()[-6:]}"


def as_text(document: SalesReceipt) -> str:
    """Plain text in columns; control characters are made visible."""
    rule = "-" * _COLUMNS

    def apart(left: str, right: str) -> str:
        left, right = visible(left), visible(right)
        return f"{left}{' ' * max(2, _COLUMNS - width(left) - width(right))}{right}"

    def row(cells: Sequence[str]) -> str:
        room = _COLUMNS // len(cells)
        return "".join(" " * (room - width(cell)) + cell for cell in map(visible, cells))

    lines = [visible(each) for each in (*document.seller, document.title, document.order)]
    lines += [document.when] if document.when else []
    lines.append(rule)
    for what, each, cost in document.lines:
        lines += [visible(what), apart(f"  {each}", cost)]
    lines += [rule, apart(*document.total), rule]
    if document.taxes:
        lines += [*(row(cells) for cells in document.taxes), rule]
    lines += [apart(*each) for each in document.facts]
    return "\n".join(lines) + "\n"


def is_printable(document: SalesReceipt) -> bool:
    """Whether the PDF's font has all its characters; if not, there is only the plain text."""
    cells = (*document.seller, *(cell for line in document.lines for cell in line))
    facts = (text for fact in document.facts for text in fact)
    return not any(map(lacking, (*cells, *facts)))


def as_pdf(document: SalesReceipt) -> bytes:
    """A PDF of A5 pages. Not to be called in two threads at once: PDFs share the font."""
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
        bottomMargin=14 * mm, title=f"{document.title} {document.order}", author=document.seller[0],
        lang=document.language.replace("_", "-"), initialFontName=pdf_font(),
    ).build(
        [
            write(document.seller[0], title),
            *(write(each) for each in document.seller[1:]),
            write(document.title),
            write(document.order),
            *([write(document.when)] if document.when else []),
            Spacer(0, 4 * mm),
            table(document.lines, (58, 36, 30), ruled),
            table([document.total], (84, 40), ruled),
            Spacer(0, 4 * mm),
            *([table(document.taxes, (31, 31, 31, 31), ruled)] if document.taxes else []),
            Spacer(0, 4 * mm),
            table(document.facts, (50, 74), ruled),
        ]
    )  # fmt: skip
    return file.getvalue()
