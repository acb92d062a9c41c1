"""Labels are drawn, written and read back; pictures of codes are read, or refused with a reason."""

import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from zxingcpp import BarcodeFormat, create_barcode

from bus.contract.refusals import LabelError
from commerce.price import price_text
from devices.terminal.scanner import codes_from, read_image
from labels import label as label_module
from labels.digital_link import digital_link
from labels.label import Label, draw_png, draw_svg, write_label

URL = "https://shop.example/01/09506000134352"
SHIRT = Label(URL, "Oxford shirt", "59.00 EUR")
SVG = "{http://www.w3.org/2000/svg}"


def symbol(text: str, kind: BarcodeFormat = BarcodeFormat.QRCode) -> Image.Image:
    drawn: Any = create_barcode(text, kind).to_image(scale=4)
    height, width = drawn.shape
    ground = Image.new("L", (width + 80, height + 80), "white")
    ground.paste(Image.frombytes("L", (width, height), bytes(drawn)), (40, 40))
    return ground


def beside(*pictures: Image.Image) -> Image.Image:
    size = (sum(each.width for each in pictures), max(each.height for each in pictures))
    ground, left = Image.new("L", size, "white"), 0
    for each in pictures:
        ground.paste(each, (left, 0))
        left += each.width
    return ground


def saved(picture: Image.Image, folder: Path, name: str = "picture.png") -> Path:
    picture.save(folder / name)
    return folder / name


def texts(drawing: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(drawing).iter(f"{SVG}text")]  # noqa: S314


# Drawing


@pytest.mark.parametrize(
    "name",
    [
        "Oxford shirt",
        "",
        "A jumper that is knitted by hand in the hills from the wool of happy sheep " * 3,
        "x" * 200,
        "オックスフォードシャツ 漢字の長い名前" * 8,
        "Żółta łódź č ğ ő, Ελλάδα, Привет, 한국어",
        "Kaffee\u00admaschine \u200eXL\u200f, Auf\u200clage",
        "Cafe\u0301",
        'Salt & "pepper" <mill>',
        "bell\x07 and \u202eturned\u202c, half \ud800",
    ],
)
def test_a_label_of_any_name_reads_back_from_its_file(tmp_path: Path, name: str) -> None:
    png, svg = write_label(Label(URL, name, "59.00 EUR"), tmp_path, "any")

    assert read_image(png) == (URL,)
    assert texts(svg.read_text("utf-8"))[-1] == "59.00 EUR"


def test_what_is_written_and_never_seen_is_not_drawn() -> None:
    label = Label(URL, "Kaffee\u00admaschine\u200e Auf\u200clage Cafe\u0301", "1 EUR")

    assert " ".join(texts(draw_svg(label))[:-1]) == "Kaffeemaschine Auflage Café"


@pytest.mark.parametrize(
    ("label", "letters"),
    [
        (Label(URL, "قميص", "1 EUR"), r"ق \(U\+0642\), م \(U\+0645\), ي"),
        (Label(URL, "Teddy 🧸 👨\u200d👩\u200d👧", "1 EUR"), r"🧸 \(U\+1F9F8\), 👨"),
        (Label(URL, "Shirt", "1 EUR", "สีแดง"), r"ส \(U\+0E2A\)"),
    ],
    ids=["name", "emoji", "note"],
)
def test_a_label_whose_letters_the_font_lacks_is_refused_and_they_are_named(
    label: Label, letters: str
) -> None:
    for draw in (draw_png, draw_svg):
        with pytest.raises(LabelError, match=f"font has no {letters}"):
            draw(label)


def test_the_svg_says_what_it_shows_and_needs_nothing_else() -> None:
    drawing = draw_svg(Label(URL, 'Salt & "pepper" <mill>', "5900 JPY"))

    assert ET.fromstring(drawing)[0].tag == f"{SVG}title"  # noqa: S314
    assert ET.fromstring(drawing)[0].text == 'Salt & "pepper" <mill>'  # noqa: S314
    assert texts(drawing) == ['Salt & "pepper" <mill>', "5900 JPY"]
    assert "href" not in drawing


def test_the_svg_draws_the_same_modules_as_the_png(tmp_path: Path) -> None:
    drawing = ET.fromstring(draw_svg(SHIRT))  # noqa: S314
    picture = Image.new("L", (int(drawing.get("width", 0)), int(drawing.get("height", 0))), "white")
    path = drawing.find(f"{SVG}path")
    assert path is not None
    for run in path.get("d", "")[1:].split("M"):
        left, top, width, height = (
            int(part) for part in run.replace("h", " ").replace("v", " ").split()[:4]
        )
        picture.paste(0, (left, top, left + width, top + height))

    assert read_image(saved(picture, tmp_path)) == (URL,)


def test_a_long_name_is_wrapped_then_shrunk_then_cut() -> None:
    short, long = Label(URL, "Oxford shirt", "1 EUR"), Label(URL, "Oxford shirt " * 4, "1 EUR")
    endless = Label(URL, "Oxford shirt " * 40, "1 EUR")

    assert len(texts(draw_svg(short))) == 2
    assert " ".join(texts(draw_svg(long))[:-1]) == long.name.strip()
    assert len(texts(draw_svg(endless))) == 4
    assert texts(draw_svg(endless))[2].endswith("…")


@pytest.mark.parametrize("url", ["", "  ", "https://shop.example/" + "x" * 3000])
def test_a_url_that_no_qr_code_can_hold_is_refused(url: str) -> None:
    with pytest.raises(LabelError, match="No QR code can hold this URL"):
        draw_png(Label(url, "Oxford shirt", "59.00 EUR"))


# Writing


def test_a_sku_becomes_a_safe_file_name_and_no_other_files_are_left(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "labels"
    for stem in ("../OXF/BLU M", "OXF_BLU", "OXF_BLU"):
        write_label(SHIRT, folder, stem)

    assert sorted(file.name for file in folder.iterdir()) == [
        "%2FOXF%2FBLU%20M.png",
        "%2FOXF%2FBLU%20M.svg",
        "OXF_BLU.png",
        "OXF_BLU.svg",
    ]


def test_a_label_that_does_not_read_back_is_never_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = draw_png(Label(URL + "?other", "Oxford shirt", "59.00 EUR"))
    monkeypatch.setattr(label_module, "draw_png", lambda _: other)

    with pytest.raises(LabelError, match="does not read back"):
        write_label(SHIRT, tmp_path, "shirt")
    assert list(tmp_path.iterdir()) == []


def test_a_label_needs_a_folder_and_a_name(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")

    with pytest.raises(LabelError, match="cannot be written"):
        write_label(SHIRT, tmp_path / "taken", "shirt")
    with pytest.raises(LabelError, match="needs a name"):
        write_label(SHIRT, tmp_path, "..")


def test_a_disk_that_fills_up_leaves_the_old_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    png, _ = write_label(SHIRT, tmp_path, "shirt")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(LabelError, match="No space left"):
        write_label(Label(URL + "?new", "New", "1.00 EUR"), tmp_path, "shirt")
    assert len(list(tmp_path.iterdir())) == 2
    assert read_image(png) == (URL,)


# Prices and links


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (5900, "EUR", "59.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (0, "USD", "0.00 USD"),
        (5900, "JPY", "5900 JPY"),
        (5900, "KRW", "5900 KRW"),
        (5900, "KWD", "5.900 KWD"),
        (12, "BHD", "0.012 BHD"),
        (-105, "EUR", "-1.05 EUR"),
    ],
)
def test_a_price_has_the_decimal_places_of_its_currency(
    amount: int, currency: str, text: str
) -> None:
    assert price_text(amount, currency) == text


@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_price_loses_nothing(amount: int, currency: str) -> None:
    assert int(price_text(amount, currency).removesuffix(currency).replace(".", "")) == amount


def test_a_digital_link_has_the_gtin_with_14_digits() -> None:
    assert digital_link("shop.example", "9506000134352") == URL
    with pytest.raises(LabelError, match="check digit"):
        digital_link("shop.example", "9506000134353")


# Reading


@pytest.mark.parametrize(
    "spoil",
    [
        lambda picture: picture.rotate(90, expand=True, fillcolor="white"),
        lambda picture: picture.rotate(17, expand=True, fillcolor="white"),
        lambda picture: picture.rotate(180),
        lambda picture: picture.resize((picture.width // 3, picture.height // 3)),
        lambda picture: picture.resize((picture.width * 3, picture.height * 3)),
        lambda picture: picture.filter(ImageFilter.GaussianBlur(5)),
        lambda picture: picture.point(lambda grey: 90 + grey // 4),
        lambda picture: picture.convert("P"),
        lambda picture: picture.convert("1"),
    ],
    ids=["quarter", "tilted", "half", "small", "large", "blurred", "pale", "palette", "dithered"],
)
def test_a_poor_picture_of_a_label_is_read(
    tmp_path: Path, spoil: Callable[[Image.Image], Image.Image]
) -> None:
    png, _ = write_label(SHIRT, tmp_path, "shirt")
    with Image.open(png) as drawn:
        assert read_image(saved(spoil(drawn), tmp_path)) == (URL,)


def test_a_code_on_transparent_ground_is_read(tmp_path: Path) -> None:
    dark = symbol(URL)
    picture = Image.new("RGBA", dark.size, (0, 0, 0, 0))
    picture.putalpha(dark.point(lambda grey: 255 - grey))

    assert read_image(saved(picture, tmp_path)) == (URL,)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "bmp", "gif", "tiff"])
def test_a_picture_of_any_usual_kind_is_read(tmp_path: Path, suffix: str) -> None:
    assert codes_from(f" {saved(symbol(URL), tmp_path, f'photo.{suffix}')}\n") == (URL,)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (BarcodeFormat.EAN13, "9506000134352"),
        (BarcodeFormat.EAN8, "02345673"),
        (BarcodeFormat.UPCA, "036000291452"),
        (BarcodeFormat.UPCE, "0012345000065"),
        (BarcodeFormat.DataMatrix, URL),
    ],
)
def test_the_codes_of_packages_are_read(tmp_path: Path, kind: BarcodeFormat, text: str) -> None:
    # A UPC-A may come as an EAN-13, with a zero before it.
    (code,) = read_image(saved(symbol(text, kind), tmp_path))
    assert code.lstrip("0") == text.lstrip("0")


def test_a_picture_gives_all_its_codes_for_the_catalog_knows_which_belong_together(
    tmp_path: Path,
) -> None:
    codes = ("WIFI:S:guests;;", "9506000134352", URL)
    wifi, number, link = codes
    picture = beside(symbol(wifi), symbol(number, BarcodeFormat.EAN13), symbol(link))

    assert set(read_image(saved(picture, tmp_path))) == set(codes)


def test_a_blurred_photo_of_a_label_is_told_from_one_of_something_else(tmp_path: Path) -> None:
    photo = symbol(URL).filter(ImageFilter.GaussianBlur(2))

    with pytest.raises(LabelError, match="blurred or damaged; hold still, come closer"):
        read_image(saved(photo, tmp_path))


def test_a_photo_too_blurred_to_see_a_code_in_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="try a sharper or larger picture"):
        read_image(saved(symbol(URL).filter(ImageFilter.GaussianBlur(6)), tmp_path))


def test_a_picture_without_a_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="No bar code was found"):
        read_image(saved(Image.new("L", (200, 200), "white"), tmp_path))


def test_what_is_no_picture_or_only_half_of_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("this is not a picture")
    (tmp_path / "half.png").write_bytes(draw_png(SHIRT)[:900])

    for name in ("text.png", "half.png"):
        with pytest.raises(LabelError, match="cannot be read as a picture"):
            codes_from(str(tmp_path / name))


def test_a_missing_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="There is no file"):
        codes_from(str(tmp_path / "missing.png"))
    with pytest.raises(LabelError, match="There is no file"):
        read_image(tmp_path)


@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, side: int) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b""))

    with pytest.raises(LabelError, match="more than 50 megapixels"):
        read_image(bomb)


@pytest.mark.parametrize("text", [URL, "9506000134352", "Oxford shirt", "x" * 5000, "nul\0", ""])
def test_what_names_no_picture_is_the_code_itself(text: str) -> None:
    assert codes_from(f"  {text}\r\n") == (text,)
