"""Draw a product's label: a QR code of its URL with the name and the price under it.

It must not know where products come from: the caller hands the finished URL in.
"""

import io
import os
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

import segno
from PIL import Image, ImageDraw, ImageFont

from bus.errors import LabelError
from devices.terminal.scanner import read_codes

_QUIET_ZONE = 4
"""White modules around the symbol (ISO/IEC 18004 asks for four)."""
_WIDTH = 560
"""The least width of a label in pixels."""
_MARGIN = 40
"""Left and right of the text; ample, for an SVG viewer's font may be wider than ours."""
_NAME_SIZES = range(44, 21, -2)
_PRICE_SIZES = range(64, 21, -2)
_NAME_LINES = 3
_MOST_CHARACTERS = 400
"""More never fit; the rest is not even measured."""
_LEADING = 1.3
_JOINER = "\u200d"
"""Holds the parts of one emoji together."""


@dataclass(frozen=True)
class Label:
    """What a label shows."""

    url: str
    name: str
    price_text: str


@dataclass(frozen=True)
class _Line:
    text: str
    size: int
    middle: int
    """Where the text is centred vertically, in pixels from the top."""


@dataclass(frozen=True)
class _Drawing:
    """A label laid out, in pixels: both formats draw from it, so that they look alike."""

    modules: tuple[bytearray, ...]
    scale: int
    width: int
    height: int
    lines: tuple[_Line, ...]

    def boxes(self) -> Iterator[tuple[int, int, int, int]]:
        """The dark runs of the symbol: x, y, width and height."""
        left = (self.width - len(self.modules) * self.scale) // 2
        for row, modules in enumerate(self.modules):
            top, column = (row + _QUIET_ZONE) * self.scale, 0
            for dark, run in groupby(modules):
                length = len(list(run))
                if dark:
                    yield left + column * self.scale, top, length * self.scale, self.scale
                column += length


def draw_png(label: Label) -> bytes:
    """Draw the label as a PNG.

    Pillow's own font has Latin letters only; names in other scripts show in full in the SVG.

    Raises:
        LabelError: the URL is empty or does not fit into a QR code.
    """
    drawing = _lay_out(label)
    picture = Image.new("L", (drawing.width, drawing.height), "white")
    draw = ImageDraw.Draw(picture)
    for x, y, width, height in drawing.boxes():
        draw.rectangle((x, y, x + width - 1, y + height - 1), fill="black")
    for line in drawing.lines:
        middle = (drawing.width // 2, line.middle)
        font = ImageFont.load_default(line.size)
        draw.text(middle, line.text, fill="black", font=font, anchor="mm")
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, dpi=(300, 300))
    return file.getvalue()


def draw_svg(label: Label) -> str:
    """Draw the label as an SVG document that needs nothing else.

    Raises:
        LabelError: the URL is empty or does not fit into a QR code.
    """
    drawing = _lay_out(label)
    squares = "".join(f"M{x} {y}h{w}v{h}h-{w}z" for x, y, w, h in drawing.boxes())
    texts = "\n".join(
        f'<text x="{drawing.width // 2}" y="{line.middle}" font-size="{line.size}">'
        f"{escape(line.text)}</text>"
        for line in drawing.lines
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawing.width}"'
        f' height="{drawing.height}" viewBox="0 0 {drawing.width} {drawing.height}" role="img">\n'
        f"<title>{escape(_one_line(label.name))}</title>\n"
        f"<desc>{escape(_one_line(label.url))}</desc>\n"
        '<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<path d="{squares}" shape-rendering="crispEdges"/>\n'
        '<g font-family="sans-serif" text-anchor="middle" dominant-baseline="central">\n'
        f"{texts}\n</g>\n</svg>\n"
    )


def write_label(label: Label, folder: Path, stem: str) -> tuple[Path, Path]:
    """Write `stem`.png and `stem`.svg into `folder`, once the PNG has been read back.

    Args:
        label: what to draw.
        folder: made if it is not there.
        stem: such as a SKU; what a file name cannot hold is percent-encoded.

    Raises:
        LabelError: the label cannot be drawn, read back or written.
    """
    picture, drawing = draw_png(label), draw_svg(label)
    with Image.open(io.BytesIO(picture)) as drawn:
        if label.url not in read_codes(drawn):
            raise LabelError(f"The label of {label.url} does not read back as what it says.")
    # Python's quote leaves the full stop; a file that begins with one would be hidden.
    name = quote(stem, safe="").lstrip(".")
    if not name:
        raise LabelError("A label needs a name for its files.")
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(png, picture)
        _write(svg, drawing.encode())
    except OSError as error:
        raise LabelError(f"The label cannot be written to {folder}: {error.strerror}.") from error
    return png, svg


def _lay_out(label: Label) -> _Drawing:
    if not label.url.strip():
        raise LabelError("No QR code can hold this URL: it is empty.")
    try:
        symbol = segno.make(label.url, error="m", micro=False)
    except ValueError as error:
        raise LabelError(f"No QR code can hold this URL: {error}.") from error
    side = len(symbol.matrix) + 2 * _QUIET_ZONE
    scale = max(4, -(-_WIDTH // side))
    width, height = side * scale, side * scale
    lines: list[_Line] = []
    for text, sizes, most in (
        (label.name, _NAME_SIZES, _NAME_LINES),
        (label.price_text, _PRICE_SIZES, 1),
    ):
        size, parts = _fit(_one_line(text), sizes, width - 2 * _MARGIN, most)
        pitch = round(size * _LEADING)
        lines.extend(
            _Line(part, size, height + pitch * place + pitch // 2)
            for place, part in enumerate(parts)
        )
        height += pitch * len(parts)
    return _Drawing(tuple(symbol.matrix), scale, width, height + _MARGIN, tuple(lines))


def _one_line(text: str) -> str:
    """The text without what is no character to a reader or to XML."""
    shown = (
        character if character.isprintable() or character == _JOINER else " " for character in text
    )
    return " ".join("".join(shown).split())[:_MOST_CHARACTERS]


def _fit(text: str, sizes: Sequence[int], width: int, most: int) -> tuple[int, list[str]]:
    """The largest size in which the text takes at most so many lines; cut short in the last."""
    for size in sizes:
        lines = _wrap(text, width / size)
        if len(lines) <= most:
            return size, lines
    kept = lines[:most]
    while _ems(kept[-1] + "…") > width / size:
        kept[-1] = kept[-1][:-1]
    kept[-1] = kept[-1].rstrip() + "…"
    return size, kept


def _wrap(text: str, ems: float) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and _ems(f"{line} {word}") > ems:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
        while _ems(line) > ems:
            length = max(1, next(n for n in range(len(line), -1, -1) if _ems(line[:n]) <= ems))
            lines.append(line[:length])
            line = line[length:]
    return [*lines, line] if line else lines


def _ems(text: str) -> float:
    """How wide a text is, as a multiple of its size."""
    return sum(map(_em, text))


@lru_cache(maxsize=4096)
def _em(character: str) -> float:
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1.0
    return float(ImageFont.load_default(100).getlength(character)) / 100


def _write(path: Path, content: bytes) -> None:
    """Replace the file as a whole: who reads it sees the old label or the new one."""
    handle, temporary = tempfile.mkstemp(prefix=".label-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
