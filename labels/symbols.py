"""Reads the codes in a picture of a label or a package.

It does not know what a code means, nor which belong together; only the catalog does.
"""

import re
import warnings
from pathlib import Path

from PIL import Image
from zxingcpp import BarcodeFormat, BarcodeFormats, Binarizer, read_barcodes

from bus.contract.values import gtin14
from bus.contract.refusals import (LabelError)

MAX_PIXELS = 50_000_000
"""The largest picture that is decoded, since a small file can claim gigabytes."""

_MOST_CODES = 20
"""The most codes of a picture, since each is looked up."""

Sight = tuple[str, ...]
"""The codes that are seen at once; empty when they are gone."""

_PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm"})
_SYMBOLOGIES = BarcodeFormats(
    (
        BarcodeFormat.QRCode,
        BarcodeFormat.DataMatrix,
        BarcodeFormat.EAN13,
        BarcodeFormat.EAN8,
        BarcodeFormat.UPCA,
        BarcodeFormat.UPCE,
    )
)
_ELEMENT_GTIN = re.compile(r"\(01\)(\d{14})")


def codes_from(text_or_path: str) -> Sight:
    """The codes of a typed text: those of the picture with this path, or the text itself.

    Raises:
        LabelError: it names a picture that is missing or cannot be read.
    """
    text = text_or_path.strip()
    if _is_product_code(text):
        return (text,)
    path = Path(text)
    return read_image(path) if _is_file(path) or path.suffix.lower() in _SUFFIXES else (text,)


def read_image(path: Path) -> Sight:
    """The codes of a picture file: QR, Data Matrix, EAN-13, EAN-8, UPC-A or UPC-E.

    Raises:
        LabelError: no such file, not a picture, too large, or no readable code.
    """
    picture = _open(path)
    codes = read_codes(picture)
    if not codes:
        if _shows_a_code(picture):
            raise LabelError(
                f"A bar code is in {path}, but it is blurred or damaged;"
                " hold still, come closer and try again."
            )
        raise LabelError(f"No bar code was found in {path}; try a sharper or larger picture.")
    return codes


def read_codes(picture: Image.Image) -> Sight:
    """The different codes of a picture, in the order found."""
    # The first way copes with shadows, the second with blur.
    for binarizer in (Binarizer.LocalAverage, Binarizer.GlobalHistogram):
        barcodes = read_barcodes(picture, formats=_SYMBOLOGIES, binarizer=binarizer)
        if barcodes:
            return tuple(dict.fromkeys(_text(barcode.text) for barcode in barcodes))[:_MOST_CODES]
    return ()


def _shows_a_code(picture: Image.Image) -> bool:
    """Whether there is a code that cannot be read."""
    return bool(read_barcodes(picture, formats=_SYMBOLOGIES, return_errors=True))


def _text(text: str) -> str:
    """The text of a code; of GS1 element strings, the GTIN."""
    element = _ELEMENT_GTIN.match(text)
    return element[1] if element else text.strip()


def _is_product_code(text: str) -> bool:
    """Whether a text is a URL or a valid GTIN, and so cannot be a path."""
    if re.match(r"https?://\S", text, re.IGNORECASE) is not None:
        return True
    try:
        gtin14(text)
    except ValueError:
        return False
    return True


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a code may be too long for a path, or hold a NUL
        return False


def _open(path: Path) -> Image.Image:
    """Open a picture in greyscale; transparent parts become white."""
    if not _is_file(path):
        raise LabelError(f"There is no file {path}.")
    too_large = f"{path} has more than {MAX_PIXELS // 1_000_000} megapixels."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(path, formats=_PICTURES)
        with picture:
            if picture.width * picture.height <= MAX_PIXELS:
                return _in_grey(picture)
    except Image.DecompressionBombError as error:
        raise LabelError(too_large) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        kinds = ", ".join(_PICTURES)
        raise LabelError(f"{path} cannot be read as a picture ({kinds}).") from error
    raise LabelError(too_large)


def _in_grey(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("L")
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("L")
