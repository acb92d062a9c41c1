"""Sheets of labels: every code is read back from the page as printed, or the label is named."""

import hashlib
import io
import shutil
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageChops

from bus.contract.catalog import Price, Product, Style
from bus.contract.errors import ConfigurationError
from bus.contract.refusals import LabelError
from bus.contract.warehouse import PickupPoint
from cli.main import main
from devices.terminal.scanner import read_codes
from labels.label import Label, draw_png, write_label
from labels.lettering import font, font_file
from labels.pages import PAGES
from labels.sheet import draw_sheet, prove_sheet, write_sheet
from store.shop import SAMPLE
from store.shop.assortment import Assortment
from store.shop.label_content import (
    collection_label,
    point_labels,
    product_labels,
    style_labels,
    verify,
)

LINK = "https://shop.example/01/09506000134352"
SHIRT = Label(LINK, "Oxford shirt", "59.00 EUR", "blue, M", "09506000134352")
LABELS = (
    SHIRT,
    Label(LINK, "牛津紡襯衫 牛津纺衬衫", "from 59.00 EUR", "藍, 白 · S, M, L", "09506000134352"),
    Label("https://shop.example/01/00036000291452", "Mug", "9.00 EUR", "", "00036000291452"),
    Label("https://shop.example/01/00000002345673", "Gum", "0.50 EUR", "mint", "00000002345673"),
    Label("https://shop.example/p/kite", "A very long name " * 12, "9 EUR", "", "19506000134359"),
)


def page_picture(document: bytes, number: int = 0) -> Image.Image:
    pdf = pypdfium2.PdfDocument(document)
    try:
        return pdf[number].render(scale=300 / 72, grayscale=True).to_pil().copy()
    finally:
        pdf.close()


def page_text(document: bytes) -> str:
    pdf = pypdfium2.PdfDocument(document)
    try:
        return str(pdf[0].get_textpage().get_text_range())
    finally:
        pdf.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_code_of_every_kind_of_sheet_is_read_back_from_the_page(
    tmp_path: Path, name: str
) -> None:
    pages = write_sheet(LABELS, PAGES[name], tmp_path / "labels.pdf")

    document = (tmp_path / "labels.pdf").read_bytes()
    assert pages == len(pypdfium2.PdfDocument(document)) == -(-len(LABELS) // PAGES[name].places)
    first = set(read_codes(page_picture(document)))
    assert {LINK, "9506000134352"} <= first


def test_a_sheet_shows_name_style_price_and_number_in_latin_and_chinese() -> None:
    text = page_text(draw_sheet(LABELS[:2], PAGES["l7163"]))

    for shown in ("Oxford shirt", "blue, M", "59.00 EUR", "9506000134352", "牛津紡襯衫", "牛津纺"):
        assert shown in text


def test_the_font_is_embedded_so_that_any_printer_has_it() -> None:
    assert b"/FontFile2" in draw_sheet(LABELS, PAGES["a4"])


def test_the_font_is_the_one_that_was_chosen() -> None:
    held = hashlib.sha256(Path(font_file()).read_bytes()).hexdigest()
    assert held == "2420e8078af796b19a3f6ef13de527a1a91c1e7171eea115926c614ced1009b3"


@pytest.mark.parametrize("letters", ["žółw Ğőé ß €", "銷售收據 牛津紡襯衫", "销售收据 牛津纺衬衫"])
def test_the_font_has_the_letters_of_latin_and_of_both_kinds_of_chinese(letters: str) -> None:
    missing = font(40).getmask("\U0010fffd").getbbox(), bytes(font(40).getmask("\U0010fffd"))
    for each in letters.replace(" ", ""):
        assert (font(40).getmask(each).getbbox(), bytes(font(40).getmask(each))) != missing


def test_a_long_name_is_cut_on_a_small_label_but_never_the_price() -> None:
    text = page_text(draw_sheet([LABELS[4]], PAGES["l7159"]))

    assert "…" in text
    assert "9 EUR" in text


def test_a_sheet_that_shows_another_code_is_refused_and_the_label_named() -> None:
    other = Label(LINK.replace("134352", "134369"), "Oxford shirt", "59.00 EUR", "", SHIRT.gtin)
    document = draw_sheet([SHIRT, other], PAGES["l7160"])

    with pytest.raises(LabelError, match=r"label of Oxford shirt .*134352.* does not read back"):
        prove_sheet(document, [SHIRT, SHIRT], PAGES["l7160"])


def test_a_number_that_is_not_the_links_is_noticed_too() -> None:
    document = draw_sheet([LABELS[2]], PAGES["roll-62"])
    wrong = Label(LABELS[2].url, "Mug", "9.00 EUR", "", SHIRT.gtin)

    with pytest.raises(LabelError, match="label of Mug"):
        prove_sheet(document, [wrong], PAGES["roll-62"])


def test_a_label_that_is_too_small_for_its_code_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    long = Label("https://shop.example/" + "x" * 500, "Kite", "9.00 EUR")

    with pytest.raises(LabelError, match="label of Kite is too small for its QR code"):
        write_sheet([SHIRT, long], PAGES["l7160"], tmp_path / "labels.pdf")
    assert not list(tmp_path.iterdir())


def test_a_single_label_carries_both_codes(tmp_path: Path) -> None:
    png, svg = write_label(SHIRT, tmp_path, "shirt")

    with Image.open(png) as drawn:
        assert set(read_codes(drawn)) == {LINK, "9506000134352"}
    assert "9506000134352</text>" in svg.read_text("utf-8")


def test_a_png_draws_chinese_letters_and_not_one_box_for_all() -> None:
    one, other = (
        Image.open(io.BytesIO(draw_png(Label(LINK, name, "", "")))) for name in ("衫", "茶")
    )

    assert ImageChops.difference(one, other).getbbox() is not None


# What stands on them


def product(identifier: str, url: str, *styles: tuple[str, str, str, int]) -> Product:
    return Product(
        id=identifier, name=identifier.title(), description="", url=url,
        styles=[
            Style(
                sku=sku, gtin=gtin, attributes={"colour": colour},
                price=Price(amount=amount, currency="EUR"), available=0,
            )
            for sku, gtin, colour, amount in styles
        ],
    )  # fmt: skip


COATS = product(
    "coat", "https://shop.example/01/09506000134369",
    ("C-1", "09506000134352", "red", 5900), ("C-2", "09506000134369", "blue", 4900),
)  # fmt: skip


def test_a_products_label_has_its_link_its_styles_and_the_number_that_the_link_has() -> None:
    assert product_labels([COATS])["coat"] == Label(
        COATS.url, "Coat", "from 49.00 EUR", "red, blue", "09506000134369"
    )


def test_a_domain_of_your_own_is_where_the_links_lead() -> None:
    (label,) = product_labels([COATS], "kauf.example").values()

    assert label.url == "https://kauf.example/01/09506000134369"


def test_a_style_has_a_label_of_its_own() -> None:
    labels = style_labels([COATS], ["C-1"], "shop.example")

    assert labels["C-1"] == Label(LINK, "Coat", "59.00 EUR", "red", "09506000134352")
    with pytest.raises(ConfigurationError, match="no SKU coat"):
        style_labels([COATS], ["coat"], "shop.example")


def test_a_label_that_leads_elsewhere_in_its_store_is_named() -> None:
    hat = product("hat", "https://shop.example/p/hat", ("H-1", "09506000134376", "red", 900))
    store = Assortment("a test", (COATS, hat), (), "shop.example")
    labels = product_labels([COATS, hat]) | style_labels([COATS], ["C-1"], "shop.example")
    assert verify(labels, store) == (labels, [])

    two = Label(COATS.url, "Hat", "9.00 EUR", "", hat.styles[0].gtin)
    nowhere = Label("https://shop.example/p/cap", "Hat", "9.00 EUR")
    coat = labels["coat"]
    good, bad = verify({"hat": coat, "coat": coat, "cap": two, "beret": nowhere}, store)
    assert good == {"coat": coat}
    assert bad[0].endswith("would lead to Coat.")
    assert bad[1].startswith("The label of Hat would be refused: Several products")
    assert bad[2].startswith("The label of Hat would be refused: No product")


def test_what_cannot_be_drawn_is_named_and_the_rest_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, out = tmp_path / "shop", tmp_path / "out"
    shutil.copytree(SAMPLE, shop)
    products = shop / "products.csv"
    products.write_text(products.read_text().replace("Delta kite", "\u061cطير\u200c ورق"))

    def labels(*names: str) -> object:
        with pytest.raises(SystemExit) as ended:
            main(
                ["labels", *names, "--shop", str(shop), "--data", str(tmp_path), "--out", str(out)]
            )
        return ended.value.code

    assert labels("kite", "marble-run") == 1
    assert "its font has no ط (U+0637)" in capsys.readouterr().err
    assert sorted(file.name for file in out.iterdir()) == [
        "labels.pdf", "marble-run.png", "marble-run.svg",
    ]  # fmt: skip
    shutil.rmtree(out)
    assert labels("kite") == 1
    assert not out.exists()


def test_signs_and_collection_codes_read_back_too(tmp_path: Path) -> None:
    signs = point_labels([PickupPoint(id="north", name="North door")], "shop.example")
    codes = collection_label("482913", "o-1", "north")

    for stem, label in (signs | codes).items():
        png, _ = write_label(label, tmp_path, stem)
        with Image.open(png) as drawn:
            assert read_codes(drawn) == (label.url,)
    assert codes["collect-o-1"].url == "482913"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--page", "postcard"), "l7160 (Avery"),
        (("--domain", "not a domain"), "such as shop.example"),
        (("--pickup", "--code", "482913"), "Give one of"),
        (("--code", "no-such-order"), "give its pickup code"),
        (("--sku", "NOPE", "--shop", str(SAMPLE)), "no product or SKU NOPE"),
        (("--search", "unicorn", "--shop", str(SAMPLE)), "No product has the words"),
    ],
)
def test_labels_of_nothing_are_told_and_end_with_2(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["labels", *arguments, "--data", str(tmp_path), "--out", str(tmp_path / "out")])

    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
