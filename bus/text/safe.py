r"""Makes text safe to show: characters that control a terminal become visible.

Control, bidi and invisible characters become escapes, such as ␛ and \u202e. Everything that is
drawn goes through `visible`, which changes nothing when applied again. The marks and joiners of
Arabic, Hebrew and Persian are part of names, and are kept; `exposed` escapes them, too.
"""

import unicodedata
from collections import Counter

from rich.cells import cell_len, set_cell_size

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that are drawn as blanks."""
_WRITING = frozenset("\u200c\u200e\u200f\u061c")
"""Non-joiner and direction marks: they have no width and change how their neighbours are drawn."""
_UNDRAWN = frozenset("\u00ad\u200d")
"""Soft hyphen and joiner: left out, since terminals disagree on their width."""
_MARKS = 2
"""The most combining marks in one place of a letter; more would cover other lines."""
_DELETE = 0x7F
LONGEST = 2_000
"""The most characters of a text that are looked at for one line."""


def visible(text: str) -> str:
    """A text without control characters or invisible characters."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks: Counter[int] = Counter()
    for character in text:
        if character in _UNDRAWN:
            continue
        place = _place(character)
        if place is None:
            marks.clear()
        else:
            marks[place] += 1
        lone = place is not None and not shown and character not in _WRITING
        if _is_hidden(character) or lone or (place is not None and marks[place] > _MARKS):
            shown.append(_escape(character))
        else:
            shown.append(character)
    return "".join(shown)


def exposed(text: str) -> str:
    """A text in which every invisible character is escaped, as for the content of a message."""
    return visible("".join(_escape(each) if each in _WRITING | _UNDRAWN else each for each in text))


def _place(character: str) -> int | None:
    """The combining class of a mark; None for characters with a width."""
    if character in _WRITING:
        return -1
    return unicodedata.combining(character) if unicodedata.category(character) in _ON else None


_ON = frozenset({"Mn", "Me"})
"""The categories of marks without a width."""


def _is_hidden(character: str) -> bool:
    if character in _WRITING:
        return False
    return (
        unicodedata.category(character) in _HIDDEN or character in _BLANK or _is_selector(character)
    )


def _is_selector(character: str) -> bool:
    """Whether it is a variation selector, which changes the width of a character."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _escape(character: str) -> str:
    code = ord(character)
    if code < ord(" "):
        return chr(0x2400 + code)
    if code == _DELETE:
        return "␡"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def decoded(payload: bytes) -> str:
    r"""A payload as text; bytes that are no UTF-8 are shown as `\xNN`."""
    return payload.decode("utf-8", "backslashreplace")


def width(text: str) -> int:
    """The width of a visible text in terminal cells."""
    return cell_len(text)


def fit(text: object, cells: int, *, right: bool = False) -> str:
    """A text made visible, padded or cut to exactly so many cells; a cut is marked with `…`."""
    if cells <= 0:
        return ""
    shown = visible(str(text)[:LONGEST])
    length = cell_len(shown)
    if length > cells:
        return set_cell_size(shown, cells - 1) + "…"
    return " " * (cells - length) + shown if right else shown + " " * (cells - length)


def short(text: object, cells: int) -> str:
    """A text made visible and cut to at most so many cells."""
    return fit(text, cells).rstrip()
