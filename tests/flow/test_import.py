"""A clerk brings files into a store that runs: what comes in, what is refused, and what is said."""

import asyncio
import os
import pty
import re
from io import RawIOBase
from pathlib import Path

import pytest
from store_process import STOREBUS, StorebusHere, StoreProcess, running_store_process, storebus

from store.shop import SAMPLE

in_one_loop = pytest.mark.asyncio(loop_scope="module")
HEADER = "product,name,description,url,sku,gtin,attributes,price,currency,category,tax_rate"
STOCK = "sku,location,quantity"


async def _import(store: StoreProcess, *arguments: str | Path) -> tuple[int, str, str]:
    code, out, err = await storebus("import", *map(str, arguments), "--data", str(store.data))
    assert "Traceback" not in err
    return code, out, err


async def _scan(store: StoreProcess, code: str) -> str:
    ended, out, err = await storebus("scan", "terminal-7", code, "--data", str(store.data))
    return out if ended == 0 else err


def _file(folder: Path, name: str, *lines: str) -> Path:
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    return folder / name


@in_one_loop
async def test_an_import_reports_bad_rows_and_brings_in_the_rest_once(
    store: StoreProcess, tmp_path: Path
) -> None:
    products = _file(
        tmp_path, "products.csv", HEADER,
        "umbrella,Umbrella,Keeps dry,,UMB-RED,9520000000011,colour=red,19.90,EUR,home,",
        "umbrella,Umbrella,Keeps dry,,UMB-BAD,9520000000012,colour=bad,19.90,EUR,home,",
        "lamp,Lamp,Gives light,,LMP-1,9520000000028,,-3,EUR,home,",
    )  # fmt: skip
    stock = _file(
        tmp_path, "stock.csv", STOCK, "UMB-RED,A-01-1,5", "UMB-RED,Z-99-9,5", "NOPE,A-01-1,1"
    )
    code, out, err = await _import(store, products)
    assert code == 1
    assert "products.csv:3: gtin: " in err
    assert "products.csv:4: price: " in err
    assert "2 rows refused: 4 lines = 1 header + 1 imported + 2 refused." in out
    for already in ("1 imported", "1 imported before"):
        code, out, err = await _import(store, stock)
        assert code == 1
        assert ("UMB-RED A-01-1: +5" in out) is (already == "1 imported")
        assert "Z-99-9" not in out  # what was refused is not shown as if it had come in
        assert "stock.csv:3: There is no location Z-99-9." in err
        assert "stock.csv:4: There is no style NOPE." in err
        assert f"4 lines = 1 header + {already} + 2 refused." in out
    assert "5 left" in await _scan(store, "9520000000011")


@in_one_loop
async def test_a_product_that_the_store_refuses_takes_no_other_of_its_file_with_it(
    store: StoreProcess, tmp_path: Path
) -> None:
    file = _file(
        tmp_path, "mixed.csv", HEADER,
        "bell,Bell,,,BELL,9520000000103,,3.00,EUR,,",
        "stolen,Stolen,,,OXF-BLU-S,9520000000110,,3.00,EUR,,",
        "whistle,Whistle,,,WHISTLE,9520000000127,,3.00,EUR,,",
    )  # fmt: skip
    code, out, err = await _import(store, file)
    assert code == 1
    assert "mixed.csv:3: OXF-BLU-S already belongs to oxford-shirt." in err
    assert "1 row refused: 4 lines = 1 header + 2 imported + 1 refused." in out
    assert "Bell" in await _scan(store, "9520000000103")
    assert "Whistle" in await _scan(store, "9520000000127")


@in_one_loop
async def test_a_label_of_other_goods_is_refused_and_stops_neither_them_nor_any_label(
    store: StoreProcess, tmp_path: Path
) -> None:
    header = "product,name,sku,gtin,price,url"
    for number, url in enumerate(("9506000134710", "https://o.example/01/09506000134710")):
        row = f"cup,Cup,CUP-1,4012345678918,5.00,{url}"
        file = _file(tmp_path, f"cup-{number}.csv", header, row)
        for options in (("--dry-run",), ()):
            code, out, err = await _import(store, file, *options)
            assert code == 1
            assert f"cup-{number}.csv:2: {url} already belongs to CAN-40." in err
            assert "new product" not in out  # what is refused is not shown as a change
    bad = _file(tmp_path, "bad.csv", header, "cup,Cup,CUP-1,4012345678918,5.00,javascript:alert(1)")
    for options in (("--dry-run",), ()):
        code, _, err = await _import(store, bad, *options)
        assert code == 1
        assert "bad.csv:2: 'javascript:alert(1)' cannot be on a label." in err
    assert "CAN-40" in await _scan(store, "9506000134710")


@in_one_loop
async def test_what_is_retired_is_changed_as_anything_else_and_stays_retired(
    store: StoreProcess, tmp_path: Path
) -> None:
    data = ("--data", str(store.data))
    lines = (SAMPLE / "products.csv").read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("kite,")]
    price = HEADER.split(",").index("price")
    dearer = [",".join([*r.split(",")[:price], "27.00", *r.split(",")[price + 1 :]]) for r in rows]
    skus = [row.split(",")[4] for row in rows]
    file = _file(tmp_path, "kite.csv", lines[0], *dearer)
    for what in ("kite", "OXF-BLU-L"):
        code, _, _ = await storebus("retire", what, "--why", "last season", *data)
        assert code == 0
    for options, done in ((("--dry-run",), "nothing was changed"), ((), "all rows were imported")):
        code, out, err = await _import(store, file, *options)
        assert code == 0, err
        assert "new product" not in out
        for sku in skus:
            assert f"{sku}: price: 26.00 EUR -> 27.00 EUR" in out
            assert f"{sku} stays retired." in err
        assert f"kite.csv: {done}" in out
    await _import(store, _file(tmp_path, "p.csv", "sku,price", "OXF-BLU-L,61.00"))
    cheap = _file(tmp_path, "q.csv", "product,sku,price", "oxford-shirt,OXF-BLU-L,60.00")
    code, out, err = await _import(store, cheap)
    assert "OXF-BLU-L: price: 61.00 EUR -> 60.00 EUR" in out, err
    assert "no longer sold" in await _scan(store, "9506000135465")
    for what in ("kite", "OXF-BLU-L"):
        assert (await storebus("retire", what, "--back", "--why", "summer", *data))[0] == 0
    assert "27.00 EUR" in await _scan(store, "9506000135465")


@in_one_loop
async def test_prices_are_as_the_last_file_says_also_when_it_came_before(
    store: StoreProcess, tmp_path: Path
) -> None:
    row = "clock,Clock,,,CLOCK,9520000000202,,{},EUR,,"
    dear = _file(tmp_path, "dear.csv", HEADER, row.format("59.00"))
    cheap = _file(tmp_path, "cheap.csv", "sku;price", "CLOCK;49,00")
    for file, price, shown in (
        (dear, "59.00", "clock: new product"),
        (cheap, "49.00", "CLOCK: price: 59.00 EUR -> 49.00 EUR"),
        (dear, "59.00", "CLOCK: price: 49.00 EUR -> 59.00 EUR"),
        (dear, "59.00", "nothing changes"),
    ):
        code, out, err = await _import(store, file)
        assert code == 0, err
        assert shown in out
        assert f"{price} EUR" in await _scan(store, "9520000000202")


@in_one_loop
async def test_empty_cells_change_nothing_and_a_dry_run_shows_what_would_change(
    store: StoreProcess, tmp_path: Path
) -> None:
    first = _file(
        tmp_path, "first.csv", HEADER,
        "poster,Poster,A big poster.,https://shop.example/p/poster,POS-A,9520000000301,size=A,9.00,EUR,,20%",
        "poster,,,,POS-B,9520000000318,size=B,12.00,EUR,,20%",
    )  # fmt: skip
    second = _file(
        tmp_path, "second.csv", HEADER,
        "poster,,,,POS-B,,,13.00,,,-",
        "poster,,,,POS-C",
        "poster,,,,POS-C,9520000000325,size=C,14.00,,,",
    )  # fmt: skip
    assert (await _import(store, first))[0] == 0

    code, out, err = await _import(store, second, "--dry-run")
    assert code == 1
    assert "second.csv:3: 5 columns where the header has 11" in err
    assert "POS-B: price: 12.00 EUR -> 13.00 EUR" in out
    assert "POS-B: tax_rate: 20% -> (none)" in out
    assert "POS-C: new style: gtin 09520000000325, attributes size=C, price 14.00 EUR" in out
    assert "nothing was changed: 4 lines = 1 header + 2 would be imported + 1 refused." in out
    assert "12.00 EUR" in await _scan(store, "https://shop.example/p/poster")

    await _import(store, second)
    scanned = await _scan(store, "https://shop.example/p/poster")
    assert "A big poster." in scanned
    assert "13.00 EUR" in scanned
    assert scanned.index("POS-A") < scanned.index("POS-B") < scanned.index("POS-C")

    emptied = _file(tmp_path, "third.csv", "product,sku,description", "poster,POS-B,-")
    _, out, _ = await _import(store, emptied)
    assert "poster: description: A big poster. -> (none)" in out
    assert "A big poster." not in await _scan(store, "https://shop.example/p/poster")


@in_one_loop
async def test_each_delivery_counts_once_whatever_its_rows_are(
    store: StoreProcess, tmp_path: Path
) -> None:
    row = "gong,Gong,,,GONG,9520000000400,,9.00,EUR,,"
    gong = _file(tmp_path, "gong.csv", HEADER, row)
    monday = _file(tmp_path, "monday.csv", STOCK, "GONG,A-01-1,10")
    tuesday = _file(tmp_path, "tuesday.csv", STOCK, "GONG,A-01-1,10", "GONG,A-01-2,3")

    code, out, err = await _import(store, gong, monday, "--dry-run")
    assert (code, err) == (0, "")
    assert "GONG A-01-1: +10" in out
    await _import(store, gong)
    for file, left, said in (
        (monday, 10, "to receive it again: --delivery monday-2"),
        (tuesday, 23, "this is the delivery “tuesday.csv”, which counts once"),
        (monday, 23, "monday.csv: this delivery was already received on 20"),
    ):
        code, out, err = await _import(store, file)
        assert code == 0, err
        assert said in out
        assert f"{left} left" in await _scan(store, "9520000000400")
    for _ in range(2):
        code, out, _ = await _import(store, monday, "--delivery", "monday-2")
        assert code == 0
        assert "33 left" in await _scan(store, "9520000000400")
    assert "to receive it again: --delivery monday-3" in out


@in_one_loop
async def test_a_file_that_was_mended_is_asked_about_before_anything_counts_twice(
    store: StoreProcess, tmp_path: Path
) -> None:
    row = "harp,Harp,,,HARP,9520000000509,,9.00,EUR,,"
    await _import(store, _file(tmp_path, "harp.csv", HEADER, row))
    await _import(store, _file(tmp_path, "harps.csv", STOCK, "HARP,A-01-1,4", "HARP,A-01-2,two"))
    mended = _file(tmp_path, "harps.csv", STOCK, "HARP,A-01-1,4", "HARP,A-01-2,2")

    code, out, err = await _import(store, mended)
    assert code == 2
    assert "1 of its 2 rows came with another harps.csv at 20" in err
    assert "--delivery harps.csv: it is that delivery, corrected" in err
    assert "--delivery harps-2: it is another delivery" in err
    assert "4 left" in await _scan(store, "9520000000509")

    code, out, err = await _import(store, mended, "--delivery", "harps.csv")
    assert code == 0, err
    assert "3 lines = 1 header + 1 imported + 1 imported before." in out
    assert "6 left" in await _scan(store, "9520000000509")

    code, _, err = await _import(store, mended)
    assert (code, "6 left" in await _scan(store, "9520000000509")) == (2, True)
    assert "1 of its 2 rows came with another harps.csv" in err

    wrong = _file(tmp_path, "wrong.csv", STOCK, "HARP,A-01-1,5")
    code, _, err = await _import(store, wrong, "--delivery", "harps.csv")
    assert code == 1
    assert "wrong.csv:2: harps.csv brought 4 of HARP A-01-1 at 20" in err


@in_one_loop
async def test_money_of_one_file_is_paid_in_once(store: StoreProcess, tmp_path: Path) -> None:
    file = _file(tmp_path, "accounts.csv", "account,name,balance", "C-2001,Ada,500")
    for said in ("C-2001 Ada: +5.00 EUR", "this delivery was already received on"):
        code, out, err = await _import(store, file)
        assert code == 0, err
        assert said in out
    bought = await storebus(
        "buy", "terminal-7", "OXF-BLU-S=1", "--pay", "account:C-2001", "--data", str(store.data)
    )
    assert "402 payment-declined" in bought[2]


@in_one_loop
async def test_money_for_another_customer_is_refused_before_it_is_paid_in(
    store: StoreProcess, tmp_path: Path
) -> None:
    data = ("--data", str(store.data))
    wrong = _file(tmp_path, "wrong.csv", "account,name,balance", "C-1002,Somebody Else,700")
    for options in (("--dry-run",), ()):
        code, out, err = await _import(store, wrong, *options)
        assert code == 1
        assert "wrong.csv:2: C-1002 is Bruno Costa, not Somebody Else." in err
        assert "storebus account rename C-1002 NAME --why TEXT" in err
        assert "+7.00 EUR" not in out
    good = _file(tmp_path, "good.csv", "account,name,balance", "C-1002,bruno  costa,700")
    bare = _file(tmp_path, "bare.csv", "account,balance", "C-1002,100", "C-7777,100")
    for file, options, refused in (
        (good, ("--as", "tester-ann"), 0),
        (bare, ("--dry-run",), 1),
        (bare, (), 1),
    ):
        code, _, err = await _import(store, file, *options)
        assert code == refused, err
        assert ("C-7777 is new and has no name." in err) is bool(refused)
    _, out, _ = await storebus("account", "show", "C-1002", *data)
    assert "Bruno Costa" in out
    assert "tester-ann" in out
    assert "good.csv" in out
    rename = ("account", "rename", "C-1002", "Bruno Silva", "--why", "a wedding", *data)
    assert (await storebus(*rename))[:2] == (0, "C-1002 is Bruno Silva now.\n")
    _, out, _ = await storebus("account", "show", "C-1002", *data)
    assert "from Bruno Costa: a" in out


@in_one_loop
@pytest.mark.parametrize("preset", ["shopify", "woocommerce"])
async def test_a_currency_is_not_overlooked_by_a_map(
    store: StoreProcess, tmp_path: Path, preset: str
) -> None:
    columns = {"shopify": "Title,Price", "woocommerce": "Name,Regular price"}[preset]
    header = f"sku,{columns},currency,Tax class"
    file = _file(tmp_path, "usd.csv", header, "CAN-40,Trainers,55.00,USD,low")
    code, out, err = await _import(store, file, "--map", preset, "--dry-run")
    assert code == 1
    assert "currency: USD, but the shop sells in EUR" in err
    assert "these columns are ignored: Tax class" in out


@in_one_loop
async def test_what_a_clerk_got_wrong_is_said_in_words(store: StoreProcess, tmp_path: Path) -> None:
    stock = _file(tmp_path, "goods 2.csv", STOCK, "GNG-2,A-01-1,5", "GNG-2,A-01-2,0")
    gong = _file(
        tmp_path, "gong.csv", HEADER,
        "gong-2,Gong,,,GNG-2,9520000000417,,3.00,EUR,,", "odd,Odd,,,ODD,9520000000424,,3.00,,,101%",
    )  # fmt: skip
    for options in (("--dry-run",), ()):
        code, out, err = await _import(store, stock, gong, *options)  # goods after their products
        assert code == 1
        assert "goods 2.csv:3: quantity: it must be at least 1" in err
        assert "gong.csv:3: tax_rate: it must be at most 100%" in err
        assert "no style" not in err
        assert "GNG-2 A-01-2" not in out
        assert "━" not in err  # a bar of progress is for terminals
    assert "--delivery 'goods 2-2'" in out
    supplier = tmp_path / "supplier.toml"
    supplier.write_text('[columns]\nsku = "sku"\npryce = "price"\n')
    price = _file(tmp_path, "p.csv", "sku,price", "GNG-2,4.00")
    for options, said in (
        ((price, "--map", str(supplier)), "--map: there is no column 'pryce', in columns."),
        ((stock, "--delivery", "   "), "--delivery: it must not be empty."),
    ):
        code, _, err = await _import(store, *options)
        assert code == 2
        assert said in err
    data = ("--data", str(store.data))
    accounts = _file(tmp_path, "accounts.csv", "account,name,balance", "c-1003,,100")
    assert (await _import(store, accounts))[0] == 0
    code, out, err = await storebus("account", "show", "c-1003", *data, columns=80)
    assert code == 0, err
    assert re.search(r"│ 20\d\d-\d\d-\d\d \d\d:\d\d │ deposit", out)
    code, _, err = await storebus("account", "show", "seven", *data)
    assert (code, "such as C-1001" in err) == (1, True)
    code, _, err = await storebus("retire", "GNG-2", "--why", "  ", *data)
    assert (code, "Give the reason, for later readers" in err) == (2, True)


@in_one_loop
async def test_what_can_be_read_in_two_ways_is_refused_with_the_option_that_decides(
    store: StoreProcess, tmp_path: Path
) -> None:
    row = 'drum,Drum,,,DRUM,9520000000608,,"59,000",EUR,,'
    file = _file(tmp_path, "drum.csv", HEADER, row)
    code, _, err = await _import(store, file)
    assert code == 2
    assert "--decimal point: price is 59000.00; --decimal comma: price is 59.00" in err
    assert "unknown-label" in await _scan(store, "9520000000608")
    code, _, err = await _import(store, file, "--decimal", "comma")
    assert code == 0, err
    assert "59.00 EUR" in await _scan(store, "9520000000608")


@in_one_loop
async def test_at_a_terminal_what_can_be_read_in_two_ways_is_asked(
    store: StoreProcess, tmp_path: Path
) -> None:
    row = 'tuba,Tuba,,,TUBA,9520000000707,,"59,000",EUR,,'
    file = _file(tmp_path, "tuba.csv", HEADER, row)
    person, terminal = pty.openpty()
    with open(person, "r+b", buffering=0) as typing:  # noqa: ASYNC230, PTH123 - a terminal
        command = [*STOREBUS, "import", str(file), "--data", str(store.data)]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=terminal, stdout=terminal, stderr=terminal
        )
        os.close(terminal)
        seen = await asyncio.to_thread(_read_until, typing, b"Which is meant?")
        assert b"point: price is 59000.00" in seen
        typing.write(b"comma\n")
        seen = await asyncio.to_thread(_read_until, typing, b"all rows were imported")
        assert b"read as: comma, comma decimals, utf-8" in seen
        assert await process.wait() == 0
    assert "59.00 EUR" in await _scan(store, "9520000000707")


def _read_until(terminal: RawIOBase, text: bytes) -> bytes:
    seen = b""
    while text not in seen:
        seen += terminal.read(4096) or b""
    return seen


def test_an_option_that_says_something_impossible_is_refused(
    storebus_here: StorebusHere, tmp_path: Path
) -> None:
    file = _file(tmp_path, "stock.csv", STOCK)
    for option, value in (
        ("--decimal", "dot"), ("--tax", "much"), ("--delimiter", "::"), ("--map", "magento"),
    ):  # fmt: skip
        code, _, err = storebus_here("import", file, option, value)
        assert code == 2
        assert option in err


async def test_a_shop_without_a_product_that_can_be_sold_opens_and_says_what_is_wrong_with_it(
    tmp_path: Path,
) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    for file in SAMPLE.glob("*.*"):
        (shop / file.name).write_bytes(file.read_bytes())
    _file(shop, "products.csv", HEADER, "hat,,,,HAT,9520000000011,,9.00,EUR,,", "cap")
    _file(shop, "stock.csv", STOCK)
    async with running_store_process(
        tmp_path / "data", "mosquitto", "inf", "--shop", str(shop), "--no-web"
    ) as store:
        hat = _file(tmp_path, "hat.csv", HEADER, "hat,Hat,,,HAT,9520000000011,,9.00,EUR,,")
        _, out, _ = await _import(store, hat)
        assert "all rows were imported" in out
        said = store.greeting + await store.stop()
    assert "IndexError" not in said
    assert "products.csv:2: name: the first row of a product must have one" in said
    assert "products.csv:3: 1 columns where the header has 11" in said
    assert "has no product that can be sold" in said


async def test_a_file_is_read_as_the_store_is_that_was_opened_with_a_shop_of_its_own(
    tmp_path: Path,
) -> None:
    shop, data = tmp_path / "shop", tmp_path / "data"
    shop.mkdir()
    for file in SAMPLE.glob("*.*"):
        (shop / file.name).write_bytes(file.read_bytes())
    toml = (shop / "shop.toml").read_text("utf-8")
    (shop / "shop.toml").write_text(
        toml.replace("EUR", "CHF").replace("shop.example", "swiss.example")
    )
    _file(shop, "products.csv", HEADER, "cap,Cap,,,CAP,9520000000028,,9.00,CHF,,")
    _file(shop, "stock.csv", STOCK)
    _file(shop, "accounts.csv", "account,name,balance")
    async with running_store_process(
        data, "embedded", "inf", "--shop", str(shop), "--no-web"
    ) as store:
        hat = _file(tmp_path, "hat.csv", HEADER, "hat,Hat,,,HAT,9520000000011,,9.00,CHF,,")
        ended, out, _ = await _import(store, hat)
        assert (ended, "all rows were imported" in out) == (0, True), out
        assert "Hat" in await _scan(store, "https://swiss.example/01/09520000000011")
    # Opened again without a word about the shop, it is the same shop.
    async with running_store_process(data, "embedded", "inf", "--no-web") as store:
        assert "differ" not in store.greeting
        assert "Hat" in await _scan(store, "https://swiss.example/01/09520000000011")
    (shop / "shop.toml").unlink()
    ended, _, err = await storebus("up", "--port", "0", "--no-web", "--data", str(data))
    assert ended == 2
    assert f"{shop / 'shop.toml'}" in err
