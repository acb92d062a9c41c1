"""Lays out the symbols and texts of a label: upright for a sign, or wide for a shelf.

All lengths are in dots at 300 dpi. The modules of symbols are whole dots, so that their edges are
sharp at that resolution. It knows no file formats.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Any

import segno
from zxingcpp import BarcodeFormat, create_barcode

from bus.contract.values import gtin14
from bus.contract.refusals import (LabelError)
from labels.lettering import LEADING, fit, lacking, one_line

DOTS = 300
"""Dots per inch."""
_QUIET_ZONE = 4
"""White modules around a QR code (ISO/IEC 18004 requires four)."""
_QUIET_SIDE = 11
"""White modules left and right of an EAN (ISO/IEC 15420 requires 11 and 7)."""
_WIDTH = 560
"""The least width of an upright label."""
_MARGIN = 40
"""Left and right of the text; ample, since an SVG viewer's font may be wider than ours."""
_NARROW = 24
"""The margin of a wide label: 2 mm."""
_MOST_NAMED = 5
"""The most missing characters that are named."""
_LEAST_MODULE = 3
"""Of an EAN: 0.254 mm, as GS1 General Specifications 5.12.3.1 allow for on-demand printing."""
_LEAST_QR_MODULE = 4
_LEAST_SIZE = 24
"""The least size of a name on a wide label: 2 mm, or 5.8 points."""
_NAME_SIZES = range(44, 21, -2)
_NOTE_SIZES = range(32, 21, -2)
_PRICE_SIZES = range(64, 21, -2)


@dataclass(frozen=True)
class Label:
    """What a label shows."""

    url: str
    """The content of the QR code."""
    name: str
    price_text: str
    note: str = ""
    """The style, or the list of styles."""
    gtin: str | None = None
    """The GTIN of the EAN beside the QR code; None for a label without a product."""

    @property
    def number(self) -> str | None:
        """The GTIN as in the EAN: 8 or 13 digits; None for a trade unit of several pieces."""
        if self.gtin is None:
            return None
        digits = gtin14(self.gtin)
        if digits[0] != "0":
            return None
        return digits[6:] if digits.startswith("000000") else digits[1:]


@dataclass(frozen=True)
class TextLine:
    """A line of text."""

    text: str
    size: int
    centre: int
    """The centre, from the left."""
    middle: int
    """The middle, from the top."""


@dataclass(frozen=True)
class Box:
    """A dark rectangle of a symbol."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Drawing:
    """The layout of a label, from which all formats are drawn."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[TextLine, ...]


def refuse_lacking(label: Label) -> None:
    """Refuse a label with characters that the font lacks.

    Raises:
        LabelError: characters are missing; names them.
    """
    letters = lacking(f"{label.name}{label.note}{label.price_text}")
    if letters:
        named = ", ".join(f"{each} (U+{ord(each):04X})" for each in letters[:_MOST_NAMED])
        more = " ..." if len(letters) > _MOST_NAMED else ""
        raise LabelError(
            f"The label of {label.name} cannot be drawn: its font has no {named}{more}. It has"
            " Latin, Greek, Cyrillic, Chinese, Japanese and Korean letters."
        )


def upright(label: Label) -> Drawing:
    """Lay out a label with the QR code above the texts, as tall as needed.

    Raises:
        LabelError: the URL is empty or does not fit into a QR code, or the font lacks letters.
    """
    refuse_lacking(label)
    modules = _qr_code(label.url)
    side = len(modules) + 2 * _QUIET_ZONE
    scale = max(_LEAST_QR_MODULE, -(-_WIDTH // side))
    width = height = side * scale
    boxes = list(_boxes(modules, scale, _QUIET_ZONE * scale, _QUIET_ZONE * scale))
    lines: list[TextLine] = []
    for text, sizes, most in (
        (label.name, _NAME_SIZES, 3),
        (label.note, _NOTE_SIZES, 2),
        (label.price_text, _PRICE_SIZES, 1),
    ):
        size, parts = fit(one_line(text), sizes, width - 2 * _MARGIN, most)
        lines += _stacked(parts, size, width // 2, height)
        height += round(size * LEADING) * len(parts)
    if label.number:
        bars, digits = _ean(label.number, width, width // 2, height + _MARGIN // 2, 100)
        boxes, lines = boxes + bars, [*lines, digits]
        height = digits.middle + digits.size // 2
    return Drawing(width, height + _MARGIN, tuple(boxes), tuple(lines))


def lying(label: Label, width: int, height: int) -> Drawing:
    """Lay out a label with the QR code left of the texts and the EAN, in a given size.

    Raises:
        LabelError: there is not enough room, the URL does not fit into a QR code, or the font
            lacks letters.
    """
    refuse_lacking(label)
    modules = _qr_code(label.url)
    side = len(modules) + 2 * _QUIET_ZONE
    scale = min(height, width * 2 // 5) // side
    if scale < _LEAST_QR_MODULE:
        raise LabelError(f"The label of {label.name} is too small for its QR code.")
    top = (height - side * scale) // 2 + _QUIET_ZONE * scale
    boxes = list(_boxes(modules, scale, _QUIET_ZONE * scale, top))
    room = width - side * scale - _NARROW
    centre, bottom = side * scale + room // 2, height - _NARROW
    lines: list[TextLine] = []
    if label.number:
        tall = height // 5
        size = _digit_size(_ean_module(label.number, room))
        bars, digits = _ean(label.number, room, centre, bottom - tall - size, tall)
        boxes, lines, bottom = boxes + bars, [digits], bottom - tall - size - _NARROW // 2
    return Drawing(
        width,
        height,
        tuple(boxes),
        (*_column(label, centre, room, bottom - _NARROW // 2), *lines),
    )


def _column(label: Label, centre: int, width: int, height: int) -> list[TextLine]:
    """Name, note and price in the largest size that fits; name and note may be cut short.

    The price is never cut, since it would be a different one.
    """
    for size in range(max(_LEAST_SIZE, height // 3), _LEAST_SIZE - 1, -2):
        lines, top, whole = [], _NARROW // 2, True
        for text, times, most in ((label.name, 1.0, 3), (label.note, 0.7, 2)):
            shown = one_line(text)
            parts = fit(shown, [round(size * times)], width, most)[1]
            whole = whole and "".join(parts).replace(" ", "") == shown.replace(" ", "")
            lines += _stacked(parts, round(size * times), centre, top)
            top += round(round(size * times) * LEADING) * len(parts)
        price = fit(one_line(label.price_text), range(round(size * 1.3), 9, -1), width, 1)
        lines += _stacked(price[1], price[0], centre, top)
        top += round(price[0] * LEADING)
        if whole and top <= height:
            break
    if top > height or price[1][:1] != [one_line(label.price_text)][: len(price[1])]:
        raise LabelError(f"The label of {label.name} is too small for its texts.")
    down = (height - top) // 2
    return [replace(line, middle=line.middle + down) for line in lines]


def _stacked(parts: Sequence[str], size: int, centre: int, top: int) -> list[TextLine]:
    pitch = round(size * LEADING)
    return [
        TextLine(part, size, centre, top + pitch * place + pitch // 2)
        for place, part in enumerate(parts)
    ]


def _qr_code(url: str) -> tuple[bytes, ...]:
    if not url.strip():
        raise LabelError("No QR code can hold this URL: it is empty.")
    try:
        symbol = segno.make(url, error="m", micro=False)
    except ValueError as error:
        raise LabelError(f"No QR code can hold this URL: {error}.") from error
    return tuple(bytes(row) for row in symbol.matrix)


@lru_cache(maxsize=256)
def _bars(number: str) -> bytes:
    kind = BarcodeFormat.EAN8 if len(number) == len("12345670") else BarcodeFormat.EAN13
    picture: Any = create_barcode(number, kind).to_image(add_quiet_zones=False)
    row: Any = memoryview(picture)[:1].tolist()[0]
    return bytes(0 if shade else 1 for shade in row)


def _ean_module(number: str, room: int) -> int:
    module = min(6, room // (len(_bars(number)) + 2 * _QUIET_SIDE))
    if module < _LEAST_MODULE:
        raise LabelError(f"The label of {number} is too small for its EAN.")
    return module


def _digit_size(module: int) -> int:
    return module * 9


def _ean(number: str, room: int, centre: int, top: int, tall: int) -> tuple[list[Box], TextLine]:
    """The bars of an EAN and the digits below them."""
    bars, module = _bars(number), _ean_module(number, room)
    size = _digit_size(module)
    boxes = [
        Box(box.left, box.top, box.width, tall)
        for box in _boxes((bars,), module, centre - len(bars) * module // 2, top)
    ]
    return boxes, TextLine(number, size, centre, top + tall + size // 2 + module)


def _boxes(rows: Sequence[bytes], scale: int, left: int, top: int) -> Iterator[Box]:
    """The dark runs in rows of modules."""
    for row, modules in enumerate(rows):
        column = 0
        for dark, run in groupby(modules):
            length = len(list(run))
            if dark:
                yield Box(left + column * scale, top + row * scale, length * scale, scale)
            column += length
