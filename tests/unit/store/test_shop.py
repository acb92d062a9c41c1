"""A shop's files are read, bad rows are reported with line and reason, and the sample is whole."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.contract.catalog import Upsert
from bus.contract.errors import ConfigurationError
from bus.contract.values import check_digit, gtin14
from commerce.price import minor_digits, price_text
from devices.sorter.layout import Layout, read_layout
from nodes.catalog.code import read_code
from store.shop import SAMPLE
from store.shop.money import CURRENCIES, amount_from
from store.shop.reader import (
    Shop,
    kind_of,
    read_accounts,
    read_locations,
    read_products,
    read_shop,
    read_stock,
)
from store.shop.table import BadRow

PRODUCTS = "product,name,description,url,sku,gtin,attributes,price,currency,category"
SHIRT = "shirt,Shirt,Cotton.,https://a/shirt,SHIRT-M,9506000134352,size=M,59.00,EUR,clothing"
SHIRT_L = "shirt,,,,SHIRT-L,9506000134369,size=L,59.00,EUR,clothing"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(*lines: str, name: str = "file.csv", encoding: str = "utf-8") -> Path:
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding)
        return tmp_path / name

    return write_file


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sample shop to spoil."""
    for file in SAMPLE.glob("*.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.fixture(scope="module")
def sample() -> Shop:
    return read_shop(SAMPLE)


# The sample


def test_the_sample_shop_is_large_and_varied_enough_to_play_with(sample: Shop) -> None:
    with (SAMPLE / "products.csv").open(encoding="utf-8", newline="") as file:
        kinds = Counter(row["category"] for row in csv.DictReader(file))

    assert sample.bad_rows == ()
    assert len(sample.products) >= 40
    assert sum(len(product.styles) for product in sample.products) >= 150
    assert len(kinds) >= 3
    assert len(sample.locations) == 200
    assert len(sample.accounts) == 10
    assert len(sample.pickup_points) == 3
    assert [sorter.name for sorter in sample.sorters] == ["sorter-1", "sorter-2"]


def test_the_sample_shop_has_every_style_in_stock_and_a_few_nearly_sold_out(sample: Shop) -> None:
    pieces: Counter[str] = Counter()
    for row in sample.stock:
        pieces[row.sku] += row.quantity

    assert set(pieces) == {style.sku for product in sample.products for style in product.styles}
    assert {row.location for row in sample.stock} <= {row.location for row in sample.locations}
    assert 3 <= sum(count == 1 for count in pieces.values()) <= 10


def test_each_label_of_the_sample_shop_leads_to_its_own_product(sample: Shop) -> None:
    gtins = [style.gtin for product in sample.products for style in product.styles]

    assert len(set(gtins)) == len(gtins)
    assert [gtin14(gtin) for gtin in gtins] == gtins
    assert len({product.url for product in sample.products}) == len(sample.products)
    for product in sample.products:
        gtin = read_code(product.url).gtin
        assert gtin is None or gtin in {style.gtin for style in product.styles}


def test_the_sample_shop_can_be_registered_and_conveyed(sample: Shop) -> None:
    upsert = Upsert(products=list(sample.products[:100]))

    assert Upsert.model_validate_json(upsert.model_dump_json()) == upsert
    for row in sample.locations:
        for point in sample.pickup_points:
            assert 4_000 <= sample.layout.travel_ms(row.location, point.id) <= 15_000


def test_a_shop_is_named_by_its_folder_or_its_file(sample: Shop) -> None:
    assert read_shop(SAMPLE / "shop.toml") == sample


# A shop that says something impossible


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            'default_pickup_point = "north"',
            'default_pickup_point = "west"',
            "not one of the pickup",
        ),
        ('id = "south"', 'id = "north"', "the same name"),
        ('name = "sorter-2"', 'name = "Sorter 2"', "sorters.1.name"),
        ('currency = "EUR"', 'currency = "XYZ"', "not an ISO 4217 code"),
        ('domain = "shop.example"', 'domain = "https://shop.example/"', "domain"),
        ('site = "main"', "", "site: it is missing"),
        ('site = "main"', 'site = "main"\ncolour = "red"', "colour: there is nothing of that name"),
        ('site = "main"', "site = main", "not a TOML file"),
    ],
)
def test_an_impossible_shop_file_is_refused_with_the_place(
    copy: Path, old: str, new: str, reason: str
) -> None:
    text = (copy / "shop.toml").read_text("utf-8")
    assert old in text
    (copy / "shop.toml").write_text(text.replace(old, new), "utf-8")

    with pytest.raises(ConfigurationError, match=reason) as error:
        read_shop(copy)
    assert str(copy / "shop.toml") in str(error.value)


@pytest.mark.parametrize("name", ["shop.toml", "products.csv", "stock.csv", "layout.toml"])
def test_a_shop_without_one_of_its_files_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()

    with pytest.raises(ConfigurationError, match=f"{name} cannot be read: No such file"):
        read_shop(copy)


def test_a_bad_row_is_left_out_and_so_is_the_stock_that_leans_on_it(copy: Path) -> None:
    products = (copy / "products.csv").read_text("utf-8")
    (copy / "products.csv").write_text(products.replace("9506000134345", "9506000134346"), "utf-8")

    shop = read_shop(copy)

    assert shop.products[0].styles[0].sku == "OXF-BLU-M"
    assert shop.products[0].name == "Oxford shirt"
    assert [str(row) for row in shop.bad_rows] == [
        f"{copy / 'products.csv'}, line 2: gtin: the GTIN's check digit does not match",
        f"{copy / 'stock.csv'}, line 2: sku: 'OXF-BLU-S' is not a style of the shop",
    ]


# Products


def test_rows_of_one_product_become_its_styles(write: Write) -> None:
    (product,), bad = read_products(write(PRODUCTS, SHIRT, "", SHIRT_L))

    assert bad == []
    assert (product.id, product.name, product.url) == ("shirt", "Shirt", "https://a/shirt")
    assert [(style.sku, style.attributes) for style in product.styles] == [
        ("SHIRT-M", {"size": "M"}),
        ("SHIRT-L", {"size": "L"}),
    ]
    assert product.styles[0].gtin == "09506000134352"
    assert product.styles[0].price.model_dump() == {"amount": 5900, "currency": "EUR"}


def test_a_product_without_a_url_gets_the_digital_link_of_its_first_style(write: Write) -> None:
    file = write(PRODUCTS, SHIRT.replace("https://a/shirt", ""), SHIRT_L)

    (product,), _ = read_products(file, domain="shop.example")
    assert product.url == "https://shop.example/01/09506000134352"
    assert read_products(file)[1][0].reason.startswith("url: it may only be empty if")


def test_a_file_as_a_spreadsheet_saves_it_is_read(write: Write) -> None:
    columns = [f'"{column}"' for column in [*PRODUCTS.split(","), "remarks"]]
    row = SHIRT.replace("Cotton.", '"Cotton, ""washed"". "') + ",anything\r"
    file = write(",".join(columns) + "\r", row, encoding="utf-8-sig")

    (product,), bad = read_products(file)
    assert bad == []
    assert product.description == 'Cotton, "washed".'


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (SHIRT.replace("4352", "4353"), "gtin: the GTIN's check digit does not match"),
        (SHIRT.replace("9506000134352", "12345"), "gtin: a GTIN has 8, 12, 13 or 14 digits"),
        (SHIRT.replace("shirt,S", "The Shirt,S"), "id: 'The Shirt' is not written with small"),
        (SHIRT.replace("SHIRT-M", "SHIRT&M"), "sku: 'SHIRT&M' is not written with letters"),
        (SHIRT.replace("Shirt,", ","), "name: the first row of a product must have one"),
        (SHIRT.replace("Cotton.", "Cot\x07ton."), "description: the text has a control"),
        (SHIRT.replace("Shirt,", "S\u202ehirt,"), "name: the text has a control or bidi"),
        (SHIRT.replace("Cotton.", "x" * 2001), "description: it has more than 2000 characters"),
        (SHIRT.replace("size=M", "M"), "attributes: 'M' is not written like colour=blue"),
        (SHIRT.replace("size=M", "size=M;size=L"), "attributes: 'size' is there twice"),
        (SHIRT.replace("59.00", "-59.00"), "price: '-59.00' is not written like 59.00"),
        (SHIRT.replace("59.00", "5.9.00"), "price: '5.9.00' is not written like 59.00"),
        (SHIRT.replace("59.00", "59.9951"), "price: '59.9951' is not written like 59.00"),
        (SHIRT.replace("59.00", "$59.00"), "price: '$59.00' is not in EUR"),
        (SHIRT.replace("9506000134352", "9.50601E+12"), "gtin: the spreadsheet has cut digits off"),
        (SHIRT.replace("59.00", "1e3"), "price: "),
        (SHIRT.replace("59.00", "0.00"), "price: it must be more than 0"),
        (SHIRT.replace("59.00", "999999999999"), "amount: it must be at most"),
        (SHIRT.replace("EUR", "EURO"), "currency: 'EURO' is not an ISO 4217 code"),
        (SHIRT.replace("EUR", "USD"), "currency: USD, but the shop sells in EUR"),
        (SHIRT + ",x", "11 columns where the header has 10"),
        ("shirt", "1 columns where the header has 10"),
        ('"shirt', "the quotes are not closed"),
    ],
)
def test_a_bad_row_is_reported_with_file_line_and_reason(
    write: Write, row: str, reason: str
) -> None:
    file = write(PRODUCTS, "", row)

    products, (bad,) = read_products(file, currency="EUR")

    assert products == []
    assert (bad.file, bad.line) == (file, 3)
    assert bad.reason.startswith(reason), bad.reason


def test_a_tax_rate_is_read_where_there_is_a_column_for_it(write: Write) -> None:
    file = write(f"{PRODUCTS},tax_rate", f"{SHIRT},2000", f"{SHIRT_L},")
    (product,), bad = read_products(file)
    assert bad == []
    assert [style.tax_rate for style in product.styles] == [2000, None]
    for wrong, reason in (("low", "tax_rate: 'low' is not a rate"), ("10001", "tax_rate: ")):
        _, (bad_row,) = read_products(write(f"{PRODUCTS},tax_rate", f"{SHIRT},{wrong}"))
        assert bad_row.reason.startswith(reason)


def test_a_row_that_repeats_or_contradicts_another_is_reported(write: Write) -> None:
    hat = "hat,Hat,,https://a/hat,HAT,9506000134376,,19.00,EUR,clothing"
    file = write(
        PRODUCTS,
        SHIRT,
        SHIRT_L.replace("SHIRT-L", "SHIRT-M"),
        SHIRT_L.replace("9506000134369", "09506000134352"),
        SHIRT_L.replace("shirt,,", "shirt,Blouse,"),
        "cap,Cap,,https://a/shirt,CAP,9506000134383,,19.00,EUR,clothing",
        hat,
        SHIRT_L,
    )

    products, bad = read_products(file)

    assert [[style.sku for style in product.styles] for product in products] == [
        ["SHIRT-M", "SHIRT-L"],
        ["HAT"],
    ]
    assert [(row.line, row.reason) for row in bad] == [
        (3, "sku: SHIRT-M is already on line 2"),
        (4, "gtin: 09506000134352 is already on line 2"),
        (5, "name: line 2 has another value for this product"),
        (6, "url: https://a/shirt is already on line 2"),
    ]


def test_a_product_has_no_more_styles_than_the_contract_allows(write: Write) -> None:
    numbers = [f"9506000{number:05}" for number in range(201)]
    rows = [
        f"shirt,Shirt,,https://a/shirt,S-{body},{body}{check_digit(body)},,1.00,EUR,clothing"
        for body in numbers
    ]

    (product,), (bad,) = read_products(write(PRODUCTS, *rows))

    assert len(product.styles) == 200
    assert (bad.line, bad.reason) == (202, "product: shirt has more than 200 styles")


@given(st.integers(1, 10**12), st.sampled_from(sorted(CURRENCIES)))
def test_a_price_written_for_people_reads_back(amount: int, currency: str) -> None:
    assert (
        amount_from(price_text(amount, currency).removesuffix(f" {currency}"), currency) == amount
    )


def test_a_price_may_leave_out_its_decimal_places() -> None:
    assert amount_from("59", "EUR") == 59 * 10 ** minor_digits("EUR")
    assert amount_from("59", "JPY") == 59
    assert amount_from("59.9", "EUR") == amount_from("59.900", "EUR") == 5990
    assert amount_from("59.00", "JPY") == 59
    with pytest.raises(ValueError, match="not written like 59, as JPY is"):
        amount_from("59.50", "JPY")


# The other files


def test_bad_rows_of_stock_are_reported(write: Write) -> None:
    file = write(
        "sku,location,quantity",
        "HAT,A-01-1,3",
        "HAT,A-01-1,4",
        "HAT,A-01-2,0",
        "HAT,A-01-2,-3",
        "HAT,A-01-2,2.5",
        "CAP,A-01-2,3",
        "HAT,Z-01-2,3",
        "HAT,A-01-2,5",
    )

    stock, bad = read_stock(file, skus={"HAT"}, locations={"A-01-1", "A-01-2"})

    assert [(row.location, row.quantity) for row in stock] == [("A-01-1", 3), ("A-01-2", 5)]
    assert [(row.line, row.reason) for row in bad] == [
        (3, "sku and location: HAT at A-01-1 is already on line 2"),
        (4, "quantity: it must be at least 1"),
        (5, "quantity: '-3' is not a whole number of pieces"),
        (6, "quantity: '2.5' is not a whole number of pieces"),
        (7, "sku: 'CAP' is not a style of the shop"),
        (8, "location: 'Z-01-2' is not a location of the shop"),
    ]


def test_bad_rows_of_accounts_are_reported(write: Write) -> None:
    file = write(
        "account,name,balance",
        "C-1,Ada,20000",
        "C-1,Ada,20000",
        "c1,Ben,20000",
        "C-2,Ben,200.00",
    )

    accounts, bad = read_accounts(file)

    assert [(row.account, row.balance) for row in accounts] == [("C-1", 20000)]
    assert [row.line for row in bad] == [3, 4, 5]
    assert bad[0].reason == "account: C-1 is already on line 2"
    assert bad[2].reason == "balance: '200.00' is not a whole number of minor units (cents)"


def test_bad_rows_of_locations_are_reported(write: Write) -> None:
    file = write("location,holds", "A-01-1,toys", "A-01-1,toys", "a 1,toys")

    locations, bad = read_locations(file)

    assert [row.location for row in locations] == ["A-01-1"]
    assert [row.line for row in bad] == [3, 4]


def test_a_quoted_cell_of_several_lines_does_not_shift_the_line_numbers(write: Write) -> None:
    file = write("location,holds", '"A-01-1","toys\nand games"', "B 1,toys")

    assert read_locations(file)[1] == [
        BadRow(
            file,
            4,
            "location: 'B 1' is not written with capital letters, digits and hyphens, such as"
            " A-03-2",
        ),
    ]


@pytest.mark.parametrize("kind", ["products", "stock", "accounts", "locations"])
def test_the_kind_of_a_file_is_told_by_its_header(kind: str) -> None:
    assert kind_of(SAMPLE / f"{kind}.csv") == kind


def test_a_file_of_no_kind_says_what_was_expected(write: Write) -> None:
    with pytest.raises(ConfigurationError, match="stock: sku, location, quantity"):
        kind_of(write("sku,place,pieces"))
    with pytest.raises(ConfigurationError, match="no column location, quantity"):
        read_stock(write("sku"))
    with pytest.raises(ConfigurationError, match="two columns of the same name"):
        read_stock(write("sku,location,quantity,sku"))
    with pytest.raises(ConfigurationError, match="no header that can be read"):
        read_stock(write('"sku'))


# The layout


def test_travel_is_looked_up_by_the_aisle_of_a_location() -> None:
    layout = Layout(travel={"A": {"north": 4000}}, default_travel_ms=9000)

    assert layout.travel_ms("A-03-2", "north") == 4000
    assert layout.travel_ms("A-03-2", "south") == 9000
    assert layout.travel_ms("Z-03-2", "north") == 9000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pick_ms = -1", "pick_ms: Input should be greater"),
        ("pick_ms = 1.5", "pick_ms: Input should be a valid integer"),
        ("pack_seconds = 1", "pack_seconds: Extra inputs"),
        ("[travel.A]\nnorth = -4", "travel.A.north"),
        ("pick_ms", "not a TOML file"),
    ],
)
def test_an_impossible_layout_is_refused_with_the_place(
    write: Write, text: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        read_layout(write(text, name="layout.toml"))
