"""Labels on sheets as a PDF; each code is read back from the page as it would be printed."""

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
"""A dot in points, PDF's unit."""
_CAP_MIDDLE = 0.36
"""From a line's foot to the middle of its capitals, as a multiple of the size."""
_LYING = 1.25
"""From this ratio of width to height on, the texts stand beside the QR code."""


def write_sheet(labels: Sequence[Label], page: Page, file: Path, *, private: bool = False) -> int:
    """Write a PDF of labels, once every page of it has been read back; how many pages it has.

    Raises:
        LabelError: a label does not fit or does not read back, which it names; or no file can be
            written there.
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
    """The PDF of labels.

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
    """Render each page at 300 dpi and read each label's codes in its place.

    Raises:
        LabelError: a label does not read back as what it says; names it.
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
    """On white: what else is on the sheet is beyond the label's edge."""
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
    """In dots; as much as the label takes on a roll."""
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
