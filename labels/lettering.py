"""The letters of labels and receipts: one font for Latin and Chinese, and what fits where."""

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
"""More never fit; the rest is not even measured."""
LEADING = 1.3
"""From one line to the next, as a multiple of the size."""


def font_file() -> str:
    """WenQuanYi Micro Hei (Apache License 2.0; docs/adr/0012), a collection: its first face."""
    return str(files("paperang_p2_fonts_cjk") / "fonts" / "wqy-microhei.ttc")


def pdf_font() -> str:
    """The font as PDFs know it: each takes along the letters that it shows, and no others."""
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
    """The text as it is drawn: without what is no character to a reader or to XML.

    Marks of direction, joiners and soft hyphens are written and never seen.
    """
    shown = (
        character
        if character.isprintable()
        else ("" if unicodedata.category(character) == "Cf" else " ")
        for character in unicodedata.normalize("NFC", text)
    )
    return " ".join("".join(shown).split())[:_MOST_CHARACTERS]


def lacking(text: str) -> str:
    """The letters of a text that the font has not, each once."""
    known = _letters()
    return "".join(dict.fromkeys(each for each in one_line(text) if ord(each) not in known))


@cache
def _letters() -> frozenset[int]:
    return frozenset(_pdf_font().face.charToGlyph)


def fit(text: str, sizes: Sequence[int], width: int, most: int) -> tuple[int, list[str]]:
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
    return float(font(100).getlength(character)) / 100
