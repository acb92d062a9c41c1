"""Draws a product's label as PNG and SVG: QR code, name, style, price and EAN.

It does not know where products come from; the caller passes the complete URL.
"""

import io
import os
import tempfile
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw

from bus.contract.values import gtin14
from bus.contract.refusals import (LabelError)
from labels.layout import DOTS, Label, upright
from labels.lettering import FONT_NAME, font, one_line
from labels.symbols import read_codes

__all__ = [
    "Label",
    "draw_png",
    "draw_svg",
    "read_back",
    "write_file",
    "write_label",
]


def draw_png(label: Label) -> bytes:
    """Draw the label as a PNG at 300 dpi.

    Raises:
        LabelError: the URL is empty or does not fit into a QR code.
    """
    drawing = upright(label)
    picture = Image.new("L", (drawing.width, drawing.height), "white")
    draw = ImageDraw.Draw(picture)
    for box in drawing.boxes:
        right, bottom = box.left + box.width - 1, box.top + box.height - 1
        draw.rectangle((box.left, box.top, right, bottom), fill="black")
    for line in drawing.lines:
        place = (line.centre, line.middle)
        draw.text(place, line.text, fill="black", font=font(line.size), anchor="mm")
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, dpi=(DOTS, DOTS))
    return file.getvalue()


def draw_svg(label: Label) -> str:
    """Draw the label as a self-contained SVG document.

    Raises:
        LabelError: the URL is empty or does not fit into a QR code.
    """
    drawing = upright(label)
    squares = "".join(
        f"M{box.left} {box.top}h{box.width}v{box.height}h-{box.width}z" for box in drawing.boxes
    )
    texts = "\n".join(
        f'<text x="{line.centre}" y="{line.middle}" font-size="{line.size}">'
        f"{escape(line.text)}</text>"
        for line in drawing.lines
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawing.width}"'
        f' height="{drawing.height}" viewBox="0 0 {drawing.width} {drawing.height}" role="img">\n'
        f"<title>{escape(one_line(label.name))}</title>\n"
        f"<desc>{escape(one_line(label.url))}</desc>\n"
        '<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<path d="{squares}" shape-rendering="crispEdges"/>\n'
        f'<g font-family="{FONT_NAME}, Noto Sans CJK TC, sans-serif"'
        ' text-anchor="middle" dominant-baseline="central">\n'
        f"{texts}\n</g>\n</svg>\n"
    )


def write_label(
    label: Label, folder: Path, stem: str, *, private: bool = False
) -> tuple[Path, Path]:
    """Write `stem`.png and `stem`.svg into `folder`, if the codes of the PNG can be read.

    Args:
        label: what to draw.
        folder: made if it is missing.
        stem: such as a SKU; characters that file names cannot have are percent-encoded.
        private: whether only the owner may read the files, such as pickup codes.

    Raises:
        LabelError: the label cannot be drawn, read back or written.
    """
    picture, drawing = draw_png(label), draw_svg(label)
    with Image.open(io.BytesIO(picture)) as drawn:
        read_back(label, drawn)
    # Python's quote leaves the full stop; a file that begins with one would be hidden.
    name = quote(stem, safe="").lstrip(".")
    if not name:
        raise LabelError("A label needs a name for its files.")
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_file(png, picture, private=private)
        write_file(svg, drawing.encode(), private=private)
    except OSError as error:
        raise LabelError(f"The label cannot be written to {folder}: {error.strerror}.") from error
    return png, svg


def read_back(label: Label, drawn: Image.Image) -> None:
    """Check that the codes of a drawn label can be read and are right.

    Raises:
        LabelError: a code is missing or wrong; names the label.
    """
    found = set(map(_padded, read_codes(drawn)))
    if found != {_padded(code) for code in (label.url, label.number) if code}:
        what = ", ".join(sorted(found)) or "nothing"
        raise LabelError(
            f"The label of {label.name} ({label.url}) does not read back as what it says:"
            f" {what} was read."
        )


def _padded(code: str) -> str:
    """A GTIN with 14 digits, since a UPC-A may be read as an EAN-13 with a leading zero."""
    try:
        return gtin14(code)
    except ValueError:
        return code


def write_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace a file atomically.

    Args:
        path: the file.
        content: of the new file.
        private: whether only the owner may read it.
    """
    handle, temporary = tempfile.mkstemp(prefix=".label-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o600 if private else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
