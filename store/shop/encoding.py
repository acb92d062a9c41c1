"""Detect a file's encoding by its first bytes, by its structure, or by which text is plausible.

UTF-8 and UTF-16 are self-evident. The others are distinguished by how their words look: a general
detector was tried, and accepts every encoding for tables that are nearly all ASCII.
"""

import codecs
import re
import unicodedata
from pathlib import Path

from bus.contract.errors import ConfigurationError
from store.shop.reading_options import AmbiguousFile

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx, .ods and .xls files begin."""
_OTHERS = ("cp1251", "cp1250", "big5", "shift_jis", "cp949")
"""Encodings to suggest if neither of the two that are detected is plausible."""
_TYPOGRAPHY = frozenset("€£¥§©®°«»·½¼¾±µ‘’“”‚„–—…•™\u00a0²³×¿¡ºª¢‰†‡‹›´")
_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(r"[,;|\"\t\r\n]")
_IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
_NO_IDEOGRAPHS = re.compile("[\u0370-\u04ff\u3040-\u312f]")
"""Greek, Cyrillic, kana: what Chinese text turns into in the wrong encoding."""
_FEW = 3
"""Up to so many characters may be common ones by chance in a wrong encoding."""
_SHOWN = 40
_EMPTY_HALVES = 0.4
"""The share of zeros in every other byte of UTF-16 whose columns are separated by ASCII."""


def decode(file: Path, data: bytes, wanted: str | None = None) -> tuple[str, str]:
    """Return a file's text, and the encoding that it was read in.

    Args:
        file: for the messages.
        data: its content.
        wanted: the encoding that the user gave.

    Raises:
        AmbiguousFile: it is plausible in two encodings, or in none that is detected.
        ConfigurationError: it is not text, or not in the given encoding.
    """
    if data.startswith(_WORKBOOKS):
        raise ConfigurationError(
            f"{file} is a workbook, not a CSV file. Save it in the spreadsheet as CSV (UTF-8)."
        )
    if wanted:
        return _decode_as(file, data, wanted), wanted
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_as(file, data[len(mark) :], encoding), encoding
    for encoding, zeros in (("utf-16-le", data[1::2]), ("utf-16-be", data[::2])):
        if zeros and zeros.count(0) > _EMPTY_HALVES * len(zeros):
            return _decode_as(file, data, encoding), encoding
    text = _read(data, "utf-8")
    if text is not None:
        return text, "utf-8"
    return _that_makes_sense(file, data)


def _that_makes_sense(file: Path, data: bytes) -> tuple[str, str]:
    western, chinese = _read(data, "cp1252"), _read(data, "gb18030")
    found = {}
    if western is not None and _looks_western(western):
        found["cp1252"] = western
        central = _read(data, "cp1250")
        if central not in (None, western) and re.search("[šžŠŽ]", western):
            found["cp1250"] = central or ""
    if chinese is not None and _looks_chinese(chinese):
        found["gb18030"] = chinese
        traditional = _read(data, "big5")
        if traditional and len(_IDEOGRAPH.findall(chinese)) <= _FEW and _is_frequent(traditional):
            found["big5"] = traditional
    if len(found) == 1:
        ((encoding, text),) = found.items()
        return text, encoding
    names = tuple(found) or ("cp1252", "gb18030", *_OTHERS)
    readings = {name: _read(data, name) for name in names}
    shown = [(name, f"“{_sample(text)}”") for name, text in readings.items() if text is not None]
    if not shown:
        raise ConfigurationError(f"{file} is not a text file. Save it as CSV in UTF-8.")
    raise AmbiguousFile(
        file, "it is not UTF-8, and its letters can be read in several ways.", "encoding", shown
    )


def sample(text: str) -> str:
    """The first word with letters beyond ASCII, with its surroundings; empty if there is none."""
    return "" if text.isascii() else _sample(text)


def _sample(text: str) -> str:
    found = re.search(r"[^\x00-\x7f]", text)
    start = found.start() if found else 0
    before = _BETWEEN.split(text[max(0, start - _SHOWN) : start])[-1]
    cell = before + _BETWEEN.split(text[start : start + _SHOWN])[0]
    return "".join(sign if sign.isprintable() else "?" for sign in cell.strip()[:_SHOWN])


def _decode_as(file: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise ConfigurationError(
            f"There is no encoding {encoding!r}. Examples: utf-8, utf-16, cp1252, gb18030."
        ) from None
    except UnicodeError as error:
        line = data.count(b"\n", 0, getattr(error, "start", 0)) + 1
        raise ConfigurationError(
            f"{file} is not in {encoding}: line {line} cannot be read. Save it as CSV in UTF-8, or"
            " name its encoding with --encoding."
        ) from error


def _read(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _looks_western(text: str) -> bool:
    """Whether letters beyond ASCII are mostly next to letters, and signs are not within words."""
    if any(not (sign.isalpha() or sign in _TYPOGRAPHY) for sign in set(text) if sign > "\x7f"):
        return False
    if re.search(r"[^\W\d_][¼½¾±µ²³¿¡§©¥£][^\W\d_]|(?<![^\W_])[²³¼½¾±][^\W\d_]", text):
        return False
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    odd = [
        word
        for word in words
        if 3 * sum(letter > "\x7f" for letter in word) > max(3, 2 * len(word))
    ]
    return len(odd) * 10 <= len(words)


def _looks_chinese(text: str) -> bool:
    """Whether letters beyond ASCII are common ones, and none is within a Latin word."""
    if re.search(r"[A-Za-z][^\x00-\x7f][a-z]", text):
        return False
    if _NO_IDEOGRAPHS.search(text):
        return False
    signs = [sign for sign in text if sign > "\x7f"]
    common = sum(len(sign.encode("gb2312", "ignore")) > 0 for sign in signs)
    known = all(unicodedata.category(sign)[0] in "LNPSZ" for sign in set(signs))
    return known and common >= len(signs) * 0.9


def _is_frequent(text: str) -> bool:
    """Whether all ideographs are among those that Big5 lists as frequently used."""
    if _NO_IDEOGRAPHS.search(text):
        return False
    return all(b"\xa4" <= sign.encode("big5")[:1] <= b"\xc6" for sign in _IDEOGRAPH.findall(text))
