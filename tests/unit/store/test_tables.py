"""Files as spreadsheets and other shops write them: each row is in, or refused with its line."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from needs import CASES

from bus.contract.errors import ConfigurationError
from store.shop.mapping import read_mapping
from store.shop.products import read_products, read_updates
from store.shop.reading_options import AmbiguousFile, ReadingOptions
from store.shop.records import read_stock
from store.shop.table import Table, read_table

HEADER = "product,name,description,url,sku,gtin,attributes,price,currency,category,tax_rate"
STOCK = "sku,location,quantity"
Write = Callable[[bytes | str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: bytes | str) -> Path:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "file.csv").write_bytes(data)
        return tmp_path / "file.csv"

    return write_file


def thing(number: int, *, name: str = "Thing", price: str = "10.00", tax: str = "") -> str:
    return f"thing-{number},{name},,,T-{number},95060009{number:04},,{price},EUR,,{tax}"


def column(table: Table, name: str) -> list[str]:
    return [row.cells[name] for row in table.rows]


def assert_every_line_is_counted(table: Table) -> None:
    rows = len(table.rows) + len(table.bad) + len(table.skipped)
    assert table.lines == table.header + rows + table.empty + table.within


# Quotes


@pytest.mark.parametrize(
    ("stray", "later"),
    [
        ('"Pipe 5 inch', "Thing"),  # never closed
        ('"Pipe 5 inch', 'Screen 27" wide'),  # closed by another row's
        ('"Pipe 5 inch', 'Screen 27"'),  # closed by another row's, at the end of a cell
        ('"Pipe" 5 inch', "Thing"),
    ],
)
def test_a_stray_quote_costs_its_own_row_and_no_other(write: Write, stray: str, later: str) -> None:
    rows = [thing(1), thing(2, name=stray), *map(thing, range(3, 11)), thing(11, name=later)]

    table = read_table(write("\n".join([HEADER, *rows, thing(12)])))

    assert [bad.line for bad in table.bad] == [3]
    assert table.bad[0].reason.startswith("the quotes are not closed")
    assert column(table, "product") == [f"thing-{number}" for number in (1, *range(3, 13))]
    assert_every_line_is_counted(table)


def test_a_stray_quote_that_the_very_next_row_closes_costs_its_own_row_only(write: Write) -> None:
    rows = [thing(1, name='"Pipe 5 inch'), thing(2, name='Screen 27"'), thing(3)]
    table = read_table(write("\n".join([HEADER, *rows])))
    assert [bad.line for bad in table.bad] == [2]
    assert column(table, "name") == ['Screen 27"', "Thing"]


def test_a_cell_may_have_lines_and_tabs_which_become_spaces(write: Write) -> None:
    row = thing(1, name='"Thing,\r\n\tlarge, ""new"",\n\nred"')
    table = read_table(write("\n".join([HEADER, row, "", ",,,,", thing(2)])))
    assert column(table, "name") == ['Thing, large, "new", red', "Thing"]
    assert (table.rows[1].line, table.empty, table.within) == (8, 2, 3)
    assert_every_line_is_counted(table)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.text('a",;\n\t0', max_size=6), min_size=1, max_size=5).map(",".join),
        max_size=8,
    )
)
def test_whatever_stands_in_a_file_its_lines_add_up(rows: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file.csv"
        file.write_text("\n".join([STOCK, *rows]), encoding="utf-8", newline="")
        assert_every_line_is_counted(read_table(file, "stock", ReadingOptions(decimal="point")))


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=80).map(f"{HEADER}\n".__add__)))
def test_nothing_that_a_file_contains_ends_in_anything_but_a_sentence(
    content: bytes | str,
) -> None:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file.csv"
        file.write_bytes(data)
        for how in (
            ReadingOptions(),
            ReadingOptions(mapping=read_mapping("woocommerce"), encoding="cp1252"),
        ):
            with suppress(ConfigurationError):
                table = read_table(file, how=how)
                assert_every_line_is_counted(table)
                read_updates(table, {}, domain="shop.example", currency="EUR")


# Delimiters, line ends, headers


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sku;location;quantity\nA;B-1;3", "semicolon"),
        ("sep=;\nsku;location;quantity\nA;B-1;3", "semicolon"),
        ("sep=,\r\nsku,location,quantity\r\nA,B-1,3\r\n", "comma"),
        ("sku\tlocation\tquantity\nA\tB-1\t3\n", "tab"),
        ("sku|location|quantity\nA|B-1|3\n", "bar"),
        ("sku,location,quantity\rA,B-1,3\r", "comma"),
        ("\ufeffSKU , Location,QUANTITY,,\nA,B-1,3,,\n", "comma"),
        ("\n\nsku,location,quantity\n\nA,B-1,3,,,\n,,\n", "comma"),
    ],
)
def test_a_file_is_read_whatever_is_between_its_cells_and_lines(
    write: Write, content: str, said: str
) -> None:
    table = read_table(write(content))
    (row,), bad = read_stock(table)
    assert (row.sku, row.location, row.quantity, bad) == ("A", "B-1", 3, [])
    assert table.read_as[0] == said
    assert_every_line_is_counted(table)


# Encodings


@pytest.mark.parametrize(
    ("encoding", "name", "said"),
    [
        ("utf-8-sig", "Zoë", "utf-8"),
        ("utf-16", "Zoë", "utf-16-le"),
        ("utf-16-le", "牛津衬衫", "utf-16-le"),
        ("utf-16-be", "Zoë", "utf-16-be"),
        ("cp1252", "Zoë", "cp1252 (“Zoë”)"),
        ("cp1252", "Größe", "cp1252 (“Größe”)"),
        ("cp1252", "chemise d’été à 5 €", "cp1252 (“chemise d’été à 5 €”)"),
        ("gb18030", "牛津衬衫", "gb18030 (“牛津衬衫”)"),
        ("gb18030", "中", "gb18030 (“中”)"),
        ("gb18030", "茶杯 茶壶", "gb18030 (“茶杯 茶壶”)"),
        ("gb18030", "USB 数据线", "gb18030 (“USB 数据线”)"),
    ],
)
def test_an_encoding_is_found_out_and_said(
    write: Write, encoding: str, name: str, said: str
) -> None:
    table = read_table(write(f"{HEADER}\n{thing(1, name=name)}\n".encode(encoding)))
    assert column(table, "name") == [name]
    assert table.read_as[-1] == said


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("gb18030", "T恤"),
        ("gb18030", "茶杯"),
        ("big5", "上衣"),
        ("cp1251", "Рубашка"),
        ("cp1250", "Košile červená"),
        ("big5", "襯衫"),
    ],
)
def test_letters_that_can_be_read_in_two_ways_are_asked_about_with_what_each_would_be(
    write: Write, encoding: str, name: str
) -> None:
    file = write(f"{HEADER}\n{thing(1, name=name)}\n".encode(encoding))
    with pytest.raises(AmbiguousFile) as asked:
        read_table(file)
    assert asked.value.option == "encoding"
    assert (encoding, f"“{name}”") in asked.value.readings
    assert f"--encoding {encoding}: “{name}”" in str(asked.value)
    assert column(read_table(file, how=ReadingOptions(encoding=encoding)), "name") == [name]


# Numbers


@pytest.mark.parametrize(
    ("prices", "cents", "said"),
    [
        (["59.9", "59", "€59.90", "59.90 ", "1,299.00"], [5990, 5900, 5990, 5990, 129900], "point"),
        (["59,90", "1.234,50", "59,90 €", "1.234"], [5990, 123450, 5990, 123400], "comma"),
        (["1 234,50", "eur 5,5", "1'234,00"], [123450, 550, 123400], "comma"),
        (["59.000", "59.9"], [5900, 5990], "point"),
        (["59.9", "59,90", "59"], [5990, 5990, 5900], "point and comma decimals mixed"),
    ],
)
def test_prices_are_read_as_spreadsheets_write_them(
    write: Write, prices: list[str], cents: list[int], said: str
) -> None:
    numbers = ["9506000134352", "9506000134369", "9506000134376", "9506000134383", "9506000134390"]
    rows = [
        f"a;A;;https://a;A-{place};{numbers[place]};;{price};EUR;;"
        for place, price in enumerate(prices)
    ]
    table = read_table(write("\n".join([HEADER.replace(",", ";"), *rows])))
    ((product,), bad) = read_products(table, currency="EUR")
    assert bad == []
    assert [style.price.amount for style in product.styles] == cents
    assert table.read_as[1].startswith(said)


def test_a_currency_may_be_written_as_people_do_and_left_out(write: Write) -> None:
    lines = [
        "product;name;url;sku;gtin;price;currency",
        *(
            f"a;A;https://a;A-{place};{gtin};5,00;{currency}"
            for place, (gtin, currency) in enumerate(
                [("9506000134352", "eur"), ("9506000134369", "€"), ("9506000134376", "")]
            )
        ),
        "a;A;https://a;A-3;9506000134383;5,00;$",
    ]
    (product,), (bad,) = read_products(write("\n".join(lines)), currency="EUR")
    assert {style.price.currency for style in product.styles} == {"EUR"}
    assert (len(product.styles), bad.line, bad.reason) == (
        3, 5, "currency: '$' is not an ISO 4217 code",
    )  # fmt: skip


@pytest.mark.parametrize("price", ["59.000", "1,299", "1.234"])
def test_a_number_that_can_be_read_in_two_ways_is_asked_about(write: Write, price: str) -> None:
    file = write("\n".join([HEADER, thing(1, price=f'"{price}"'), thing(2, price="7")]))
    with pytest.raises(AmbiguousFile) as asked:
        read_table(file)
    assert [value for value, _ in asked.value.readings] == ["point", "comma"]
    assert "--decimal comma" in str(asked.value)
    decimal = "comma" if "." in price else "point"
    assert column(read_table(file, how=ReadingOptions(decimal=decimal)), "price") == [
        price.replace(".", "").replace(",", ""), "7",
    ]  # fmt: skip


def test_pieces_with_decimal_places_are_whole_or_refused(write: Write) -> None:
    file = write(f'{STOCK}\nA,B-1,10.0\nA,B-2,2.5\nA,B-3,"1,200"\nA,B-4,-3\n')
    stock, bad = read_stock(file)
    assert [row.quantity for row in stock] == [10, 1200]
    assert [row.line for row in bad] == [3, 5]


@pytest.mark.parametrize(
    ("rates", "read"),
    [
        (["19", "7", "0", ""], [1900, 700, 0, None]),
        (["19%", "19 %", "7,7 %", "5.5%"], [1900, 1900, 770, 550]),
        (["19.0", "5.5"], [1900, 550]),
        (["2000", "1000", "0"], [2000, 1000, 0]),
        (["2000", "20%"], [2000, 2000]),
        (["-"], [None]),
        (["100", "250"], [100, 250]),
    ],
)
def test_a_tax_is_never_a_hundredth_of_what_was_meant(
    write: Write, rates: list[str], read: list[int | None]
) -> None:
    numbers = ["9506000134352", "9506000134369", "9506000134376", "9506000134383"]
    rows = [
        f'a,A,,https://a,A-{place},{numbers[place]},,1.00,EUR,,"{rate}"'
        for place, rate in enumerate(rates)
    ]
    (product,), bad = read_products(write("\n".join([HEADER, *rows])))
    assert bad == []
    assert [style.tax_rate for style in product.styles] == read


def test_rates_of_two_units_in_one_column_are_asked_about(write: Write) -> None:
    file = write("\n".join([HEADER, thing(1, tax="19"), thing(2, tax="1900")]))
    with pytest.raises(AmbiguousFile, match=r"--tax percent: 19 is 19 %.*--tax basis-points"):
        read_table(file)
    fraction = write("\n".join([HEADER, thing(1, tax="0.19"), thing(2, tax="0.07")]))
    with pytest.raises(
        AmbiguousFile, match=r"--tax fraction: 0.19 is 19 %; --tax percent: 0.19 is"
    ):
        read_table(fraction)
    assert column(read_table(fraction, how=ReadingOptions(tax="fraction")), "tax_rate") == [
        "1900",
        "700",
    ]
    file = write("\n".join([HEADER, thing(1, tax="19"), thing(2, tax="1900")]))
    assert column(read_table(file, how=ReadingOptions(tax="basis-points")), "tax_rate") == [
        "19",
        "1900",
    ]


# Numbers that name things


def test_what_a_spreadsheet_did_to_a_gtin_or_a_sku_is_mended_and_said_or_refused(
    write: Write,
) -> None:
    rows = [
        "a,A,,https://a,RED M,123456789104,,1,EUR,,",
        "a,A,,https://a,A-2,12345678905,,1,EUR,,",  # a UPC-A that began with 0
        'a,A,,https://a,A-3,="9506000134352",,1,EUR,,',
        "a,A,,https://a,A-4,9506000134369.0,,1,EUR,,",
        "a,A,,https://a,A-5,950-600 0134376,,1,EUR,,",
        "a,A,,https://a,A-6,9.50601E+12,,1,EUR,,",
    ]
    table = read_table(write("\n".join([HEADER, *rows])))
    (product,), (bad,) = read_products(table)
    assert [(style.sku, style.gtin) for style in product.styles] == [
        ("RED-M", "00123456789104"),
        ("A-2", "00012345678905"),
        ("A-3", "09506000134352"),
        ("A-4", "09506000134369"),
        ("A-5", "09506000134376"),
    ]
    assert "sku: 'RED M' is 'RED-M' here" in [note.reason for note in table.notes]
    assert (bad.line, bad.reason.split(".")[0]) == (
        7, "gtin: the spreadsheet has cut digits off '9",
    )  # fmt: skip


# Other programs' files


SHOPIFY = """\
Handle,Title,Body (HTML),Vendor,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,\
Variant SKU,Variant Inventory Qty,Variant Price,Variant Barcode,Image Src,Status
tee,Tee,"<p>Soft &amp; light.</p>
<ul><li>Cotton</li></ul>",Acme,TRUE,Size,S,Colour,red,TEE-S,4,19.90,'9506000134352,https://i/1,active
tee,,,,,,M,,blue,TEE-M,4,21.90,9506000134369,https://i/2,
tee,,,,,,,,,,,,,https://i/3,
mug,Mug,,Acme,TRUE,Title,Default Title,,,MUG,,5.00,9506000134376,,active
old,Old,,Acme,TRUE,Size,S,,,OLD,,5.00,9506000134383,,draft
old,,,,,,M,,,OLD-M,,5.00,9506000134390,,
bare,Bare,,Acme,TRUE,Title,Default Title,,,BARE,,5.00,,,active
"""


def test_an_export_of_shopify_is_read(write: Write) -> None:
    table = read_table(write(SHOPIFY), how=ReadingOptions(mapping=read_mapping("shopify")))
    tee, mug = read_updates(table, {}, domain="shop.example", currency="EUR").products
    assert (tee.id, tee.name, tee.description) == ("tee", "Tee", "Soft & light. Cotton")
    assert [(style.sku, style.attributes) for style in tee.styles] == [
        ("TEE-S", {"Size": "S", "Colour": "red"}),
        ("TEE-M", {"Size": "M", "Colour": "blue"}),
    ]
    assert tee.url == "https://shop.example/01/09506000134352"
    assert mug.styles[0].attributes is None
    assert [(row.line, row.reason) for row in table.skipped] == [
        (5, "it has no sku and no price and no gtin"),
        (7, "Status is draft"),
        (8, "Status is draft"),
    ]
    _, bad = read_products(table, domain="shop.example", currency="EUR")
    assert [(row.line, row.reason) for row in bad] == [(9, "gtin: a new style must have one")]
    assert_every_line_is_counted(table)


def test_the_newer_columns_of_shopify_are_known_too(write: Write) -> None:
    file = write(
        "Title,URL handle,Description,Status,SKU,Barcode,Option1 name,Option1 value,Price\n"
        "Tee,tee,<b>Soft</b>ly,Active,TEE-S,9506000134352,Size,S,19.90\n"
    )
    table = read_table(file, how=ReadingOptions(mapping=read_mapping("shopify")))
    (tee,), bad = read_products(table, domain="shop.example", currency="EUR")
    assert (tee.id, tee.description, tee.styles[0].price.amount, bad) == ("tee", "Softly", 1990, [])


WOOCOMMERCE = """\
ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,Short description,Description,Regular price,\
Parent,Attribute 1 name,Attribute 1 value(s)
1,simple,MUG,9506000134376,Mug,1,A mug,,"5,00",,Colour,white
2,variable,TEE,,Tee,1,,<p>Soft</p>,,,Size,"S, M"
3,variation,TEE-S,9506000134352,Tee - S,1,,,"19,90",TEE,Size,S
4,variation,TEE-M,9506000134369,Tee - M,1,,,"1.021,90",id:2,Size,M
5,simple,OLD,9506000134383,Old,0,,,"5,00",,,
6,grouped,SET,,Set,1,,,,,,
"""


def test_an_export_of_woocommerce_is_read(write: Write) -> None:
    table = read_table(write(WOOCOMMERCE), how=ReadingOptions(mapping=read_mapping("woocommerce")))
    (mug, tee), bad = read_products(table, domain="shop.example", currency="EUR")
    assert (mug.id, mug.description, mug.styles[0].attributes) == (
        "mug", "A mug", {"Colour": "white"},
    )  # fmt: skip
    assert (tee.id, tee.name, tee.description) == ("tee", "Tee", "Soft")
    assert [(style.sku, style.price.amount) for style in tee.styles] == [
        ("TEE-S", 1990),
        ("TEE-M", 102190),
    ]
    assert [row.line for row in table.skipped] == [3, 6, 7]
    assert bad == []


def test_a_map_of_ones_own_names_columns_and_what_is_always_so(
    write: Write, tmp_path: Path
) -> None:
    own = tmp_path / "supplier.toml"
    own.write_text(
        '[columns]\nproduct = "Artikel"\nname = "Bezeichnung"\nsku = "Art.-Nr."\n'
        'gtin = "EAN"\nprice = ["Aktion", "VK brutto"]\n[defaults]\ntax_rate = "19%"\n',
        encoding="utf-8",
    )
    file = write(
        "Artikel;Bezeichnung;Art.-Nr.;EAN;VK brutto;Aktion\n"
        "Tasse blau;Tasse;T 1;9506000134376;5,00;\nKanne;Kanne;K 1;9506000134369;9,00;8,00\n"
    )
    table = read_table(file, how=ReadingOptions(mapping=read_mapping(str(own))))
    (mug, pot), bad = read_products(table, domain="shop.example", currency="EUR")
    assert bad == []
    assert (mug.id, mug.styles[0].sku, mug.styles[0].tax_rate) == ("tasse-blau", "T-1", 1900)
    assert pot.styles[0].price.amount == 800


@pytest.mark.parametrize("name", [None, "shopify", "woocommerce", "own"])
@pytest.mark.parametrize("column", ["currency", "Currency", "currency code", "Price-Currency"])
def test_a_currency_counts_whatever_the_map_says(
    write: Write, tmp_path: Path, name: str | None, column: str
) -> None:
    price = {"shopify": "Price", "woocommerce": "Regular price"}.get(name or "", "price")
    if name == "own":
        own = tmp_path / "own.toml"
        own.write_text('[columns]\nsku = "sku"\nprice = "price"\nname = "title"\n')
        name = str(own)
    how = ReadingOptions(mapping=None if name is None else read_mapping(name))
    table = read_table(
        write(f"product,sku,{price},{column}\nmug,MUG,55.00,USD\nmug,CUP,5.00,EUR\n"), how=how
    )
    assert [row.cells["currency"] for row in table.rows] == ["USD", "EUR"]
    bad = read_updates(table, {}, domain="shop.example", currency="EUR").bad
    assert bad[0].reason in (
        "currency: USD, but the shop sells in EUR",
        "name: the first row of a product must have one",
        "sku: 'MUG' is not a style of the store",
    )
    assert table.overlooked == ()


@pytest.mark.parametrize("name", [None, "shopify", "woocommerce"])
def test_columns_that_may_say_what_others_mean_are_named_where_they_are_not_read(
    write: Write, name: str | None
) -> None:
    how = ReadingOptions(mapping=None if name is None else read_mapping(name))
    price = {"shopify": "Variant Price", "woocommerce": "Regular price"}.get(name or "", "price")
    header = f"product,sku,{price},tax_rate,Sale price,Tax status,VAT incl.,Unit,Pack size,Colour"
    table = read_table(write(f"{header}\nmug,MUG,5.00,20%,4.00,none,no,kg,6,red\n"), how=how)
    assert table.overlooked == ("Sale price", "Tax status", "VAT incl.", "Unit", "Pack size")
    assert table.rows[0].cells["tax_rate"] == "2000"


@pytest.mark.needs("cases")
@pytest.mark.parametrize("name", sorted(file.name for file in CASES.glob("*.csv")) or [""])
def test_no_line_of_the_files_that_broke_us_is_lost(name: str) -> None:
    table = read_table(CASES / name, how=ReadingOptions(decimal="point"))
    assert_every_line_is_counted(table)
    if table.kind == "products":
        updates = read_updates(table, {}, domain="shop.example", currency="EUR")
        refused = {row.line for row in updates.bad}
        taken = {line for lines in updates.lines.values() for line in lines}
        assert len(refused) + len(taken) == len(table.rows) + len(table.bad)
        assert refused == ({3} if name == "quote_swallow.csv" else set())
