"""The sales receipt as a text and as a PDF, to be kept: the same lines as on its page."""

import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from bus.contract.settlement import Receipt
from bus.texts import Texts
from devices.terminal.lettering import one_line, pdf_font
from devices.terminal.price import price_text
from devices.terminal.tax import TaxLine, rate_text
from devices.terminal.web.domain import CartLine

_COLUMNS = 48


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt in words."""

    shop: str
    title: str
    order: str
    lines: tuple[tuple[str, str, str], ...]
    """Of each: what it is, how many at which price, what they cost."""
    sums: tuple[tuple[str, str], ...]
    """The total first, then the tax of each rate."""
    facts: tuple[tuple[str, str], ...]
    """How it was paid and where it is collected."""
    language: str


def paper(
    say: Texts,
    shop: str,
    receipt: Receipt,
    lines: Sequence[CartLine],
    taxes: Sequence[TaxLine],
    point: str,
) -> Paper:
    """A receipt in the customer's language."""
    currency = receipt.total.currency
    return Paper(
        shop,
        say("Sales receipt"),
        f"{say('Order')} {receipt.order}",
        tuple(
            (
                f"{line.name}, {line.style}" if line.style else line.name,
                f"{line.quantity} × {price_text(line.amount, line.currency)}",
                price_text(line.amount * line.quantity, line.currency),
            )
            for line in lines
        ),
        (
            (say("Total"), price_text(receipt.total.amount, currency)),
            *(
                (
                    say(
                        "of this {rate} tax on {gross}",
                        rate=rate_text(tax.rate),
                        gross=price_text(tax.gross, currency),
                    ),
                    price_text(tax.tax, currency),
                )
                for tax in taxes
            ),
        ),
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
    )


def as_text(receipt: Paper) -> str:
    """Plain text in columns."""
    rule = "-" * _COLUMNS
    lines = [receipt.shop, receipt.title, receipt.order, rule]
    for what, each, cost in receipt.lines:
        lines += [what, _apart(f"  {each}", cost)]
    lines += [rule, *(_apart(*each) for each in receipt.sums), rule]
    lines += [_apart(*each) for each in receipt.facts]
    return "\n".join(lines) + "\n"


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
        bottomMargin=14 * mm, title=f"{receipt.title} {receipt.order}", author=receipt.shop,
        lang=receipt.language.replace("_", "-"), initialFontName=pdf_font(),
    ).build(
        [
            write(receipt.shop, title),
            write(receipt.title),
            write(receipt.order),
            Spacer(0, 4 * mm),
            table(receipt.lines, (58, 36, 30), ruled),
            table(receipt.sums, (84, 40), ruled),
            Spacer(0, 4 * mm),
            table(receipt.facts, (50, 74), ruled),
        ]
    )  # fmt: skip
    return file.getvalue()


def _apart(left: str, right: str) -> str:
    gap = _COLUMNS - _width(left) - _width(right)
    return f"{left}{' ' * max(2, gap)}{right}"


def _width(text: str) -> int:
    """In columns of a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
