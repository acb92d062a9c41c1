"""Writes labels on sheets as a PDF, and checks that each code can be read from the rendered page."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pypdfium2
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from bus.contract.refusals import (LabelError)
from labels.label import read_back, write_file
from labels.layout import DOTS, Drawing, Label, lying, upright
from labels.lettering import pdf_font
from labels.pages import MILLIMETRE, Page

Placed = TypeVar("Placed")

_POINT = 72 / DOTS
"""A dot in points, the unit of PDF."""
_CAP_MIDDLE = 0.36
"""The height of the middle of capitals above the baseline, as a multiple of the size."""
_LYING = 1.25
"""The ratio of width to height from which a label is laid out wide."""


def write_sheet(labels: Sequence[Label], page: Page, file: Path, *, private: bool = False) -> int:
    """Write a PDF of labels, if all codes can be read; returns the number of pages.

    Raises:
        LabelError: a label does not fit or cannot be read, which it names; or the file cannot be
            written.
    """
    document = draw_sheet(labels, page)
    prove_sheet(document, labels, page)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, document, private=private)
    except OSError as error:
        raise LabelError(f"{file} cannot be written: {error.strerror}.") from error
    return -(-len(labels) // page.places)


def draw_sheet(labels: Sequence[Label], page: Page) -> bytes:
    """Draw a PDF of labels.

    Raises:
        LabelError: a label does not fit.
    """
    file = io.BytesIO()
    canvas = Canvas(
        file, invariant=True, pageCompression=1,
        initialFontName=pdf_font(),  # type: ignore[arg-type]  # the stub has it as a number
    )  # fmt: skip
    canvas.setTitle("Labels")
    canvas.setCreator("Storebus")
    for drawings in _by_page(list(_drawings(labels, page)), page):
        height = _page_height(drawings, page)
        canvas.setPageSize((page.width * MILLIMETRE * _POINT, height * _POINT))
        # In dots from the top left, as drawings are.
        canvas.scale(_POINT, -_POINT)
        canvas.translate(0, -height)
        for drawing, cell in zip(drawings, page.cells(), strict=False):
            _draw(canvas, drawing, cell)
            if page.lines:
                canvas.setLineWidth(1)
                canvas.setStrokeGray(0.8)
                canvas.rect(*cell)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def prove_sheet(document: bytes, labels: Sequence[Label], page: Page) -> None:
    """Render each page at 300 dpi and read the codes of each label.

    Raises:
        LabelError: a code is missing or wrong; names the label.
    """
    pdf = pypdfium2.PdfDocument(document)
    try:
        for sheet, on_it in zip(pdf, _by_page(labels, page), strict=True):
            picture = sheet.render(scale=DOTS / 72, grayscale=True).to_pil()
            for label, (left, top, width, height) in zip(on_it, page.cells(), strict=False):
                place = (left, top, left + width, top + (height or picture.height))
                read_back(label, _framed(picture.crop(place)))
    finally:
        pdf.close()


def _by_page(each: Sequence[Placed], page: Page) -> Iterator[Sequence[Placed]]:
    for start in range(0, len(each), page.places):
        yield each[start : start + page.places]


def _framed(picture: Image.Image) -> Image.Image:
    """The picture of a label on a white ground."""
    ground = Image.new("L", (picture.width + 80, picture.height + 80), "white")
    ground.paste(picture, (40, 40))
    return ground


def _drawings(labels: Sequence[Label], page: Page) -> Iterator[Drawing]:
    drawn: dict[Label, Drawing] = {}
    _, _, width, height = next(page.cells())
    for label in labels:
        if label not in drawn:
            is_lying = height and width / height >= _LYING
            drawn[label] = lying(label, width, height) if is_lying else upright(label)
        yield drawn[label]


def _page_height(drawings: Sequence[Drawing], page: Page) -> int:
    """The height of a page in dots; on a roll that of the label."""
    if page.height:
        return round(page.height * MILLIMETRE)
    return round(drawings[0].height * page.width * MILLIMETRE / drawings[0].width)


def _draw(canvas: Canvas, drawing: Drawing, cell: tuple[int, int, int, int]) -> None:
    left, top, width, height = cell
    factor = min(width / drawing.width, height / drawing.height if height else width)
    canvas.saveState()
    canvas.translate(
        left + (width - drawing.width * factor) / 2,
        top + ((height - drawing.height * factor) / 2 if height else 0),
    )
    canvas.scale(factor, factor)
    path = canvas.beginPath()
    for box in drawing.boxes:
        path.rect(box.left, box.top, box.width, box.height)
    canvas.drawPath(path, stroke=0, fill=1)
    for line in drawing.lines:
        canvas.saveState()
        canvas.translate(line.centre, line.middle)
        canvas.scale(1, -1)
        canvas.setFont(pdf_font(), line.size)
        canvas.drawCentredString(0, -line.size * _CAP_MIDDLE, line.text)
        canvas.restoreState()
    canvas.restoreState()
