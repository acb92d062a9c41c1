"""A shop's folder is what a store begins with: what is edited later is told, and has no effect."""

import json
import shutil
from pathlib import Path

from store_process import running_store_process, storebus

from store.shop import SAMPLE

_IMPORTED = (
    "product,name,description,url,sku,gtin,attributes,price,currency,category\n"
    "canvas-trainers,Canvas trainers,Low,,CAN-40,9506000134710,size=40,55.00,EUR,shoes\n"
    "umbrella,Umbrella,Keeps dry,,UMB-RED,9520000000011,colour=red,19.90,EUR,home\n"
)


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


async def _price(data: Path, gtin: str, sku: str) -> int:
    _, out, err = await storebus("scan", "terminal-7", gtin, "--json", "--data", str(data))
    (price,) = (
        style["price"]["amount"]
        for style in json.loads(out or err)["product"]["styles"]
        if style["sku"] == sku
    )
    return int(price)


async def test_what_differs_between_the_folder_and_the_store_is_told_at_each_start(
    tmp_path: Path,
) -> None:
    shop, data, imported = tmp_path / "shop", tmp_path / "data", tmp_path / "products.csv"
    shutil.copytree(SAMPLE, shop)
    imported.write_text(_IMPORTED)
    options = ("--shop", str(shop), "--no-web")
    async with running_store_process(data, "auto", "inf", *options) as store:
        assert store.process is not None
        code, _, err = await storebus("import", str(imported), "--data", str(data))
        assert code == 0, err
        why = ("--why", "last season", "--data", str(data))
        for what in ("kite", "OXF-BLU-L"):  # known as before, though not sold
            assert (await storebus("retire", what, *why))[0] == 0
        assert "and the store differ" not in store.greeting + await store.stop()

    _edit(shop / "products.csv", "skipping-rope,Skipping rope,A cotton", "skip,Rope,A cotton")
    _edit(
        shop / "products.csv",
        "SKP-21M,9506000135625,length=2.1 m,8.50",
        "SKP-21M,9506000135625,length=2.1 m,8.00",
    )
    _edit(shop / "products.csv", "Delta kite", "Stunt kite")
    _edit(shop / "stock.csv", "sku,location,quantity", "sku,location,quantity\nCAN-40,B-01-1,100")
    async with running_store_process(data, "auto", "inf", *options) as store:
        assert await _price(data, "9506000134710", "CAN-40") == 5500
        told = store.greeting + await store.stop()

    assert "51 products" in told
    assert "kite: only in the files" not in told
    assert "OXF-BLU-L" not in told
    assert "CAN-40: 49.00 EUR in the files, 55.00 EUR in the store" in told
    assert "kite, name: Stunt kite in the files, Delta kite in the store" in told
    assert "skip: only in the files" in told
    assert "only in the store, imported or removed from the files: umbrella" in told
    assert f"storebus import {shop / 'products.csv'} --shop {shop} --data {data}" in told
    assert f"{shop / 'stock.csv'} has changed since it was imported" in told
    assert "accounts.csv" not in told


async def test_what_the_store_refuses_of_a_folder_is_told_once_and_nothing_is_sent_again(
    tmp_path: Path,
) -> None:
    """Its first start was cut off; meanwhile a GTIN has been given to another product."""
    shop, data, imported = tmp_path / "shop", tmp_path / "data", tmp_path / "products.csv"
    shutil.copytree(SAMPLE, shop)
    imported.write_text(_IMPORTED)
    options = ("--shop", str(shop), "--no-web")
    async with running_store_process(data, "auto", "inf", *options):
        assert (await storebus("import", str(imported), "--data", str(data)))[0] == 0
    (data / "shop-imported").unlink()
    with (shop / "products.csv").open("a") as file:
        file.write("parasol,Parasol,For the sun,,PAR,9520000000011,,29.00,EUR,home,2000\n")

    async with running_store_process(data, "auto", "inf", *options) as store:
        told = store.greeting + await store.stop()
    assert "already belongs to umbrella" in told
    assert (data / "shop-imported").exists()

    async with running_store_process(data, "auto", "inf", *options) as store:
        told = store.greeting + await store.stop()
    assert "already belongs" not in told
    assert "parasol: only in the files" in told
