"""The font of labels and receipts, and the size and wrapping of texts."""

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from reportlab.pdfbase.ttfonts import TTFont

FONT_NAME = "WenQuanYi Micro Hei"
_MOST_CHARACTERS = 400
"""The most characters of a text that are drawn."""
LEADING = 1.3
"""The line spacing, as a multiple of the size."""


def font_file() -> str:
    """WenQuanYi Micro Hei (Apache License 2.0; docs/adr/0012), a collection of which the first is used."""
    return str(files("paperang_p2_fonts_cjk") / "fonts" / "wqy-microhei.ttc")


def pdf_font() -> str:
    """The name of the font in PDFs, which embed only the characters that they use."""
    return str(_pdf_font().fontName)


@cache
def _pdf_font() -> "TTFont":
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415 - heavy: only PDFs and labels need it
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415

    font = TTFont(FONT_NAME, font_file(), subfontIndex=0)
    pdfmetrics.registerFont(font)
    return font


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font in a size in pixels."""
    return ImageFont.truetype(font_file(), size, layout_engine=ImageFont.Layout.BASIC)


def one_line(text: str) -> str:
    """The text as it is drawn, without control characters and line breaks.

    Invisible characters, such as direction marks, joiners and soft hyphens, are left out.
    """
    shown = (
        character
        if character.isprintable()
        else ("" if unicodedata.category(character) == "Cf" else " ")
        for character in unicodedata.normalize("NFC", text)
    )
    return " ".join("".join(shown).split())[:_MOST_CHARACTERS]


def lacking(text: str) -> str:
    """The characters of a text that the font lacks, each once."""
    known = _letters()
    return "".join(dict.fromkeys(each for each in one_line(text) if ord(each) not in known))


@cache
def _letters() -> frozenset[int]:
    return frozenset(_pdf_font().face.charToGlyph)


def fit(text: str, sizes: Sequence[int], width: int, most: int) -> tuple[int, list[str]]:
    """The largest size in which a text fits into so many lines, and the lines; cut if none does."""
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
    """The width of a text, as a multiple of its size."""
    return sum(map(_em, text))


@lru_cache(maxsize=4096)
def _em(character: str) -> float:
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1.0
    return float(font(100).getlength(character)) / 100
