"""Labels are proved by scanning: what a shop prints is held before a terminal of its store."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image
from store_process import StoreProcess, running_store_process, storebus

from cli.address import broker_url
from cli.customer import running_terminal
from cli.settings import read_settings
from cli.shop.reader import read_shop
from devices.terminal.scanner import codes_from

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StoreProcess]:
    """A store on the broker that there is here, as `storebus up` starts it."""
    async with running_store_process(tmp_path_factory.mktemp("store"), "auto") as running:
        yield running


async def _in_store(store: StoreProcess, command: str, *arguments: str) -> tuple[int, str, str]:
    return await storebus(command, *arguments, "--data", str(store.data))


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
    code, _, err = await storebus("labels", "--out", str(tmp_path / "products"), patience=120)
    assert code == 0, err
    skus = [word for sku in last for word in ("--sku", sku)]
    code, _, err = await storebus("labels", *skus, "--out", str(tmp_path / "styles"), patience=120)
    assert code == 0, err

    async with running_terminal("terminal-8", broker_url(None, settings), settings) as terminal:
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
    await storebus("labels", "rain-jacket", "--out", str(tmp_path))

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
    await storebus("labels", "rain-jacket", "kite", "--out", str(tmp_path))
    photo = _beside(tmp_path, tmp_path / "rain-jacket.png", tmp_path / "kite.png")

    code, out, err = await _in_store(store, "scan", "terminal-7", str(photo))

    assert (code, out) == (1, "")
    assert "Several products" in err
    assert "Rain jacket" in err
    assert "Delta kite" in err


async def test_a_camera_tells_each_label_once_and_two_at_a_time_by_their_names(
    store: StoreProcess, tmp_path: Path
) -> None:
    av: Any = pytest.importorskip("av", reason="av is not installed")
    await storebus("labels", "rain-jacket", "kite", "--out", str(tmp_path))
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
