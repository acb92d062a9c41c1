"""Labels are proved by scanning: what a shop prints is held before a terminal of its store."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image
from ports import free_port
from store_process import STOREBUS, StoreProcess, running_store_process, storebus

from devices.terminal.scanner import codes_from
from store.address import broker_url
from store.settings import read_settings
from store.shop import SAMPLE
from store.shop.reader import read_shop
from store.terminal import running_terminal

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StoreProcess]:
    """A store on the broker that there is here, as `storebus up` starts it."""
    async with running_store_process(tmp_path_factory.mktemp("store"), "auto") as running:
        yield running


async def _in_store(store: StoreProcess, command: str, *arguments: str) -> tuple[int, str, str]:
    return await storebus(command, *arguments, "--data", str(store.data))


def _url(store: StoreProcess) -> str:
    return broker_url(None, read_settings(data=store.data))


async def _labels(store: StoreProcess, *arguments: str) -> tuple[int, str, str]:
    return await storebus("labels", *arguments, "--data", str(store.data), patience=120)


def _beside(folder: Path, *pictures: Path) -> Path:
    """One photo of several labels."""
    opened = [Image.open(each).convert("L") for each in pictures]
    size = (sum(each.width for each in opened), max(each.height for each in opened))
    ground, left = Image.new("L", size, "white"), 0
    for each in opened:
        ground.paste(each, (left, 0))
        left += each.width
    ground.save(folder / "photo.png")
    return folder / "photo.png"


async def test_every_label_that_the_sample_shop_prints_leads_to_its_product_and_style(
    store: StoreProcess, tmp_path: Path
) -> None:
    settings = read_settings(data=store.data)
    products = read_shop(settings.shop).products
    last = {product.styles[-1].sku: product.id for product in products}
    code, _, err = await _labels(store, "--out", str(tmp_path / "products"))
    assert code == 0, err
    skus = [word for sku in last for word in ("--sku", sku)]
    code, _, err = await _labels(store, *skus, "--out", str(tmp_path / "styles"))
    assert code == 0, err

    async with running_terminal("terminal-8", _url(store), settings) as terminal:
        for product in products:
            png = tmp_path / "products" / f"{product.id}.png"
            found = await terminal.scan(*codes_from(str(png)))
            assert found.product.id == product.id
            assert found.scanned in {style.sku for style in product.styles}
        for sku, product_id in last.items():
            found = await terminal.scan(*codes_from(str(tmp_path / "styles" / f"{sku}.png")))
            assert (found.product.id, found.scanned) == (product_id, sku)


async def test_a_label_with_a_plain_address_and_an_ean_is_one_product(
    store: StoreProcess, tmp_path: Path
) -> None:
    await _labels(store, "rain-jacket", "--out", str(tmp_path))

    code, out, err = await _in_store(
        store, "scan", "terminal-7", str(tmp_path / "rain-jacket.png"), "--json"
    )

    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    assert found["product"]["url"] == "https://shop.example/p/rain-jacket"
    assert found["scanned"] == "RNJ-YEL-M"  # the address alone names no style; the EAN does


async def test_two_labels_in_one_photo_are_refused_by_their_names(
    store: StoreProcess, tmp_path: Path
) -> None:
    await _labels(store, "rain-jacket", "kite", "--out", str(tmp_path))
    photo = _beside(tmp_path, tmp_path / "rain-jacket.png", tmp_path / "kite.png")

    code, out, err = await _in_store(store, "scan", "terminal-7", str(photo))

    assert (code, out) == (1, "")
    assert "Several products" in err
    assert "Rain jacket" in err
    assert "Delta kite" in err

    # At a terminal one is asked which of them is meant.
    person, terminal = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *STOREBUS, "scan", "terminal-7", str(photo), "--json", "--data", str(store.data),
        stdin=terminal, stderr=terminal, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(terminal)
    os.write(person, b"3\n2\n")
    told, _ = await asyncio.wait_for(process.communicate(), 60)
    asked = os.read(person, 4096).decode()
    os.close(person)
    assert process.returncode == 0, asked
    assert "Type a number from 1 to 2." in asked
    (meant,) = (line.split("2  ")[1] for line in asked.splitlines() if line.startswith("  2  "))
    assert json.loads(told)["product"]["name"] == meant.strip()


@pytest.mark.needs("av")
async def test_a_camera_tells_each_label_once_and_two_at_a_time_by_their_names(
    store: StoreProcess, tmp_path: Path
) -> None:
    av: Any = import_module("av")
    await _labels(store, "rain-jacket", "kite", "--out", str(tmp_path))
    jacket, kite = tmp_path / "rain-jacket.png", tmp_path / "kite.png"
    scenes = [jacket, _beside(tmp_path, jacket, kite), kite]
    with av.open(str(tmp_path / "film.avi"), "w") as film:
        stream = film.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 1280, 960, "yuvj420p"
        for scene in scenes:
            ground = Image.new("RGB", (1280, 960), "white")
            ground.paste(Image.open(scene).convert("RGB"), (20, 20))
            for _ in range(15):
                film.mux(stream.encode(av.VideoFrame.from_image(ground)))
        film.mux(stream.encode(None))

    code, out, err = await _in_store(
        store, "scan", "terminal-7", "--camera", str(tmp_path / "film.avi")
    )

    assert code == 1  # of three things shown one was refused
    assert [out.count(name) for name in ("Rain jacket", "Delta kite")] == [1, 1]
    assert err.count("Several products") == 1


_PRICE = (
    "product,name,description,url,sku,gtin,attributes,price,currency,category\n"
    "canvas-trainers,Canvas trainers,Low,,CAN-40,9506000134710,size=40,{price},EUR,shoes\n"
    "umbrella,Umbrella,Keeps dry,,UMB-RED,9520000000011,colour=red,19.90,EUR,home\n"
)


def _shown(svg: Path) -> str:
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg.read_text()))


async def test_labels_show_what_the_store_charges_whether_it_runs_or_not(tmp_path: Path) -> None:
    """An import changes a price and brings a product in: the shop's folder knows neither."""
    out, imported = tmp_path / "labels", tmp_path / "products.csv"
    imported.write_text(_PRICE.format(price="55.00"))
    arguments = ("--sku", "CAN-40", "--sku", "UMB-RED", "--out", str(out))
    async with running_store_process(tmp_path / "store", "auto") as store:
        assert (await _in_store(store, "backup", str(tmp_path / "before")))[0] == 0
        code, _, err = await _in_store(store, "import", str(imported))
        assert code == 0, err
        code, told, err = await _labels(store, *arguments)
        assert code == 0, err
        assert "of the store at mqtt://" in told
        assert "55.00 EUR" in _shown(out / "CAN-40.svg")
        assert "19.90 EUR" in _shown(out / "UMB-RED.svg")
        code, told, _ = await _in_store(store, "scan", "terminal-7", str(out / "CAN-40.png"))
        assert "> CAN-40" in told
        assert "55.00 EUR" in told

        # Where another store was the last time that it ran, and now this one is.
        shutil.copy(store.data / "broker-url", tmp_path / "before")
        code, _, err = await storebus("labels", "--data", str(tmp_path / "before"))
        assert code == 2
        assert f"is not the one in {tmp_path / 'before'}" in err

        # From another machine, which has none of the store's files.
        code, told, err = await storebus(
            "labels", "--pickup", "--broker", _url(store), "--data", str(tmp_path / "none"),
            "--out", str(tmp_path / "signs"),
        )  # fmt: skip
        assert code == 0, err
        assert "North door" in _shown(tmp_path / "signs" / "pickup-north.svg")

    for file in out.iterdir():
        file.unlink()
    code, told, err = await _labels(store, *arguments)
    assert code == 0, err
    assert "from its files in" in told
    assert "55.00 EUR" in _shown(out / "CAN-40.svg")
    code, told, err = await _labels(store, "--pickup", "--out", str(tmp_path / "signs"))
    assert code == 0, err
    assert "South door" in _shown(tmp_path / "signs" / "pickup-south.svg")
    assert (await storebus("audit", str(store.data)))[0] == 0


async def test_where_there_is_no_store_labels_are_a_shops_only_if_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOREBUS_BROKER__PORT", str(free_port()))
    nowhere = ("--data", str(tmp_path / "none"), "--out", str(tmp_path / "labels"))

    code, out, err = await storebus("labels", "kite", *nowhere)
    assert (code, out) == (2, "")
    assert "storebus up" in err
    assert "--shop" in err
    assert not (tmp_path / "labels").exists()

    code, out, _ = await storebus("labels", "kite", *nowhere, "--shop", str(SAMPLE))
    assert code == 0
    assert "has no store yet" in out


async def test_the_code_to_collect_is_the_stores_whoever_bought_it(
    store: StoreProcess, tmp_path: Path
) -> None:
    """The terminal's own files are elsewhere: settlement knows its order all the same."""
    code, out, err = await storebus(
        "buy", "terminal-9", "SCF-RED", "--pay", "account:C-1001", "--json", "--no-wait",
        "--broker", _url(store), "--data", str(tmp_path / "terminal"),
    )  # fmt: skip
    assert code == 0, err
    receipt = json.loads(out)
    code, _, err = await _labels(store, "--code", receipt["order"], "--out", str(tmp_path))
    assert code == 0, err
    assert codes_from(str(tmp_path / f"collect-{receipt['order']}.png")) == (
        receipt["pickup_code"],
    )

    code, _, err = await _in_store(
        store, "request", "terminal-9", "settlement", "cancel", f"order={receipt['order']}"
    )
    assert code == 0, err
    code, _, err = await _labels(store, "--code", receipt["order"], "--out", str(tmp_path))
    assert code == 2
    assert "nothing to collect" in err


async def test_names_are_sold_as_their_languages_write_them_and_a_label_says_what_it_cannot_draw(
    store: StoreProcess, tmp_path: Path
) -> None:
    shirt, table = (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u05d1\u05d2\u05d3\u200f (XL)",
    )
    imported = tmp_path / "products.csv"
    imported.write_text(
        "product,name,description,url,sku,gtin,attributes,price,currency,category\n"
        f"persian,{shirt},,,PERS,9520000000035,colour=red,19.90,EUR,home\n"
        f"hebrew,{table},,,HEBR,9520000000042,colour=red,19.90,EUR,home\n"
        "forged,Cheap \u202e00.99,,,FORG,9520000000059,colour=red,19.90,EUR,home\n"
    )
    code, _, err = await _in_store(store, "import", str(imported))
    assert code == 1
    assert "products.csv:4: name: the text has a control or bidi-override character" in err

    for gtin, name in (("9520000000035", shirt), ("9520000000042", table)):
        code, out, err = await _in_store(store, "scan", "terminal-7", gtin)
        assert code == 0, err
        assert name in out
    out = tmp_path / "labels"
    code, _, err = await _labels(store, "persian", "--out", str(out))
    assert code == 1
    assert "its font has no \u0645 (U+0645)" in err
    assert shirt in err
    assert not out.exists()


async def test_a_number_is_scanned_as_people_and_scanners_write_it(store: StoreProcess) -> None:
    for code in ("9 506000 134352", "\uff19506000134352", "]Q2\\0000269506000134352"):
        status, out, err = await _in_store(store, "scan", "terminal-7", code)
        assert status == 0, err
        assert "> OXF-BLU-M" in out
    status, _, err = await _in_store(store, "scan", "terminal-7", "https;//shop.example/p/kite")
    assert status == 1
    assert "another keyboard layout" in err
