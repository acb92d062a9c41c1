"""Wraps text for terminals, in Latin script and in Chinese.

A line may be broken between wide characters, but must not begin with closing punctuation or end
with opening punctuation (JIS X 4051 and CLREQ: "kinsoku", 避头尾).
"""

import unicodedata
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells

_CLOSING = frozenset({"Pe", "Pf", "Po"})
_OPENING = frozenset({"Ps", "Pi"})
_HANGING = frozenset("\u3005\u30fc\u2014\uff5e\uff05\u2103%")
"""Characters that belong to those before them, though Unicode does not count them as closing."""


def wrapped(text: str, cells: int) -> list[str]:
    """Wrap a text into lines of at most so many cells; its own line breaks become spaces."""
    cells = max(1, cells)
    lines = [""]
    for word in text.split():
        gap = " " if lines[-1] else ""
        for piece in _pieces(word, cells):
            if cell_len(lines[-1]) + len(gap) + cell_len(piece) <= cells:
                lines[-1] += gap + piece
            elif lines[-1]:
                lines.append(piece)
            else:
                lines[-1] = piece
            gap = ""
    return lines


def _pieces(word: str, cells: int) -> Iterator[str]:
    """The unbreakable parts: a Latin word, or a Chinese character with its punctuation."""
    piece = ""
    for character in word:
        if piece and _may_break(piece[-1], character):
            yield from chop_cells(piece, cells)
            piece = ""
        piece += character
    yield from chop_cells(piece, cells)


def _may_break(before: str, after: str) -> bool:
    if unicodedata.category(after) in _CLOSING or after in _HANGING:
        return False
    if unicodedata.category(before) in _OPENING or unicodedata.combining(after):
        return False
    return cell_len(before) > 1 or cell_len(after) > 1
