"""Read the product code off a picture of a label or a package.

It must not know what the code means to the shop: that is the catalog's business.
"""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from zxingcpp import BarcodeFormat, BarcodeFormats, Binarizer, read_barcodes

from bus.contract.values import gtin14
from bus.errors import LabelError

MAX_PIXELS = 50_000_000
"""The largest picture that is decoded; a small file can claim gigabytes."""

_PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm"})
_SYMBOLOGIES = BarcodeFormats(
    (
        BarcodeFormat.QRCode,
        BarcodeFormat.DataMatrix,
        BarcodeFormat.EAN13,
        BarcodeFormat.EAN8,
        BarcodeFormat.UPCA,
    )
)
_LINK_GTIN = re.compile(r"/(?:01|gtin)/(\d{14})(?![^/?#])")
_ELEMENT_GTIN = re.compile(r"\(01\)(\d{14})")


class SeveralCodes(LabelError):  # noqa: N818 - it is a question, not a fault
    """A picture shows several products; `codes` are what may be chosen from."""

    def __init__(self, message: str, codes: list[str]) -> None:
        super().__init__(message)
        self.codes = codes


def code_from(text_or_path: str) -> str:
    """Give the product code of what a person typed: a picture's path, or the code itself.

    Raises:
        LabelError: it names a picture that is missing or cannot be read.
    """
    text = text_or_path.strip()
    if _is_product_code(text):
        return text
    path = Path(text)
    return read_image(path) if _is_file(path) or path.suffix.lower() in _SUFFIXES else text


def read_image(path: Path) -> str:
    """Read the product code of a picture: QR, Data Matrix, EAN-13, EAN-8 or UPC-A.

    Of several codes those count that look like a product's (a URL or a GTIN).

    Raises:
        LabelError: no such file, not a picture, too large, or no code that can be made out.
        SeveralCodes: it shows several products.
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
    found = products_of(codes)
    if len(found) > 1:
        raise SeveralCodes(f"{path} shows several codes: {', '.join(found)}.", found)
    return found[0]


def products_of(codes: Sequence[str]) -> list[str]:
    """One code for each product; all codes if none looks like a product's."""
    products = [code for code in codes if _is_product_code(code)]
    found = {_identity(code): code for code in products or codes}
    # A package often shows its GTIN as a number beside the link; the link says more.
    found.update({_identity(code): code for code in products if not code.isdigit()})
    return sorted(found.values())


def read_codes(picture: Image.Image) -> list[str]:
    """Every different bar code of the picture, in the order found."""
    # The first way copes with shadows, the second with blur.
    for binarizer in (Binarizer.LocalAverage, Binarizer.GlobalHistogram):
        barcodes = read_barcodes(picture, formats=_SYMBOLOGIES, binarizer=binarizer)
        if barcodes:
            return list(dict.fromkeys(_text(barcode.text) for barcode in barcodes))
    return []


def _shows_a_code(picture: Image.Image) -> bool:
    """Whether there is a code that cannot be made out."""
    return bool(read_barcodes(picture, formats=_SYMBOLOGIES, return_errors=True))


def _text(text: str) -> str:
    """A GS1 Data Matrix holds element strings; the GTIN among them is the product."""
    element = _ELEMENT_GTIN.match(text)
    return element[1] if element else text.strip()


def _is_product_code(code: str) -> bool:
    return re.match(r"https?://\S", code, re.IGNORECASE) is not None or _is_gtin(code)


def _is_gtin(code: str) -> bool:
    try:
        gtin14(code)
    except ValueError:
        return False
    return True


def _identity(code: str) -> str:
    """The same for all ways in which one package spells one product."""
    link = _LINK_GTIN.search(code)
    if link:
        return link[1]
    return gtin14(code) if _is_gtin(code) else code


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a code may be too long for a path, or hold a NUL
        return False


def _open(path: Path) -> Image.Image:
    """The picture in grey on white, so that transparency is no dark ground."""
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
