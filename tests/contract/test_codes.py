"""Whatever a catalog knows goods by is one name space: no code means two of them."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from running_store import LABEL, Store

from bus.contract.catalog import (
    LOOKUP,
    RETIRE,
    UPSERT,
    Found,
    Lookup,
    Retire,
    Upsert,
    Upserted,
)
from bus.contract.errors import Problem

BLUE, RED, MUG = "09506000134352", "09506000134369", "00000040170725"
FREE = "04012345678918"
"""A GTIN of nobody."""
SPELLINGS = [
    ("40170725", "MUG"),
    (MUG, "MUG"),
    ("9506000134369", "SHIRT-RED"),
    ("950-6000-13436-9", "SHIRT-RED"),
    (f"(01){RED}", "SHIRT-RED"),
    (f"01{RED}10L7", "SHIRT-RED"),
    (f"https://other.example/01/{RED}", "SHIRT-RED"),
    (f"https://other.example/de/01/{RED}/10/L7?17=271231", "SHIRT-RED"),
    ("https://other.example/01/%3095060001%334369", "SHIRT-RED"),
    ("https://shop.example/mug", "mug"),
    ("HTTPS://SHOP.example/mug", "mug"),
]
"""Labels, and whose they are."""


def _cup(url: str, sku: str = "CUP-1", gtin: str = FREE) -> dict[str, Any]:
    style = {"sku": sku, "gtin": gtin, "price": {"amount": 500, "currency": "EUR"}}
    return {"id": "cup", "name": "Cup", "url": url, "styles": [style]}


async def upserted(store: Store, *products: dict[str, Any]) -> Upserted:
    """Register products, or change them."""
    upsert = Upsert.model_validate({"products": list(products)})
    reply: Upserted = await store.ask(UPSERT, "catalog", upsert)
    return reply


async def scanned(store: Store, code: str) -> Found:
    """What a code leads to."""
    found: Found = await store.ask(LOOKUP, "catalog", Lookup(code=code))
    return found


async def test_a_label_that_means_other_goods_is_refused_however_it_is_spelled(
    store: Store,
) -> None:
    for url, owner in SPELLINGS:
        with pytest.raises(Problem) as refused:
            await upserted(store, _cup(url))
        data = refused.value.to_data()
        assert (data.code, data.detail) == ("conflict", f"{url} already belongs to {owner}.")
    with pytest.raises(Problem, match="No product"):
        await scanned(store, FREE)


async def test_a_label_that_no_scanner_could_read_is_refused(store: Store) -> None:
    for url, why in (
        ("javascript:alert(1)", "A label carries a web address or a GTIN; this is neither."),
        ("not a url", "A label carries a web address or a GTIN; this is neither."),
        ("ftp://shop.example/cup", "A label carries a web address or a GTIN; this is neither."),
        ("https://", "A label carries a web address or a GTIN; this is neither."),
        ("https://-/cup", "The link has no valid domain name or address."),
        ("https://ann@shop.example/cup", "The link has no valid domain name or address."),
        ("https://shop.example/01/04012345678910", "the GTIN's check digit does not match"),
        ("https://shop.example/01/4012345678918", "must be a GTIN of"),
        ("4012345678910", "the GTIN's check digit does not match"),
        ("(01)04012345678910", "check digit of (01) does not match"),
        ("]E04012345678918", "begins or ends with what is no part of a label"),
        (" https://shop.example/cup", "begins or ends with what is no part of a label"),
    ):
        with pytest.raises(Problem) as refused:
            await upserted(store, _cup(url))
        data = refused.value.to_data()
        assert data.code == "invalid-field", url
        assert data.detail.startswith(f"{url!r} cannot be on a label."), url
        assert why in data.detail
    for url in ("https://bücher.example/cup", "http://10.0.0.7:8080/cup?a=1", f"(01){FREE}", FREE):
        await upserted(store, _cup(url))
        assert (await scanned(store, url)).product.id == "cup"


async def test_a_label_of_an_older_store_is_read_and_kept_until_it_is_changed(store: Store) -> None:
    await upserted(store, _cup("https://shop.example/cup"))
    await store.stop("catalog")
    with closing(sqlite3.connect(store.deployment.data / "catalog.db")) as rows, rows:
        rows.execute("UPDATE product SET url = 'urn:cup' WHERE id = 'cup'")
    await store.start("catalog")
    await upserted(store, {**_cup("urn:cup"), "name": "Big cup"})
    found = await scanned(store, "urn:cup")
    assert (found.product.name, found.product.url) == ("Big cup", "urn:cup")


async def test_a_number_or_a_sku_that_means_other_goods_is_refused(store: Store) -> None:
    label = "https://brand.example/01/04012345678925"
    lamp = {**_cup(label, "LAMP", "04012345678932"), "id": "lamp"}
    await upserted(store, lamp)
    for cup, refusal in (
        (_cup("https://shop.example/cup", "CUP-1", RED), f"{RED} already belongs to SHIRT-RED."),
        (_cup("https://shop.example/cup", "MUG"), "MUG already belongs to mug."),
        (_cup("https://shop.example/cup", "40170725"), "40170725 already belongs to MUG."),
        (
            _cup("https://shop.example/cup", "CUP-2", "04012345678925"),  # what a label carries
            "04012345678925 already belongs to lamp.",
        ),
    ):
        with pytest.raises(Problem) as refused:
            await upserted(store, cup)
        assert refused.value.to_data().detail == refusal


async def test_a_code_that_is_given_up_is_free_also_within_one_upsert(store: Store) -> None:
    await upserted(store, _cup("https://shop.example/cup"))
    moved = {"id": "cup", "url": "https://shop.example/cups"}
    lamp = {**_cup("https://shop.example/cup", "LAMP", "04012345678925"), "id": "lamp"}
    await upserted(store, moved, lamp)
    assert (await scanned(store, "https://shop.example/cup")).product.id == "lamp"
    assert (await scanned(store, "https://shop.example/cups")).product.id == "cup"


async def test_a_store_that_holds_a_label_of_other_goods_scans_them_and_can_be_mended(
    store: Store,
) -> None:
    await upserted(store, _cup("https://shop.example/cup"))
    await store.stop("catalog")
    taken = f"https://other.example/01/{RED}"
    with closing(sqlite3.connect(store.deployment.data / "catalog.db")) as rows, rows:
        rows.execute("DELETE FROM code")  # as a store of an older version had none
        rows.execute("UPDATE product SET url = ? WHERE id = 'cup'", (taken,))
    await store.start("catalog")
    for code in (taken, RED, f"(01){RED}"):
        found = await scanned(store, code)
        assert (found.product.id, found.scanned) == ("shirt", "SHIRT-RED")
    assert (await scanned(store, FREE)).scanned == "CUP-1"
    # What was wrong before keeps nobody from changing other things.
    price = {"sku": "SHIRT-RED", "price": {"amount": 100, "currency": "EUR"}}
    await upserted(store, {"id": "shirt", "styles": [price]}, {"id": "cup", "name": "Big cup"})
    await store.ask(RETIRE, "catalog", Retire(product="cup", reason="mended later"))
    await upserted(store, {"id": "cup", "url": f"https://shop.example/01/{FREE}"})
    with pytest.raises(Problem) as refused:
        await scanned(store, f"https://shop.example/01/{FREE}")
    assert refused.value.to_data().detail == "Big cup is no longer sold."
    with pytest.raises(Problem, match="already belongs to SHIRT-RED"):
        await upserted(store, {"id": "cup", "url": taken})
    assert (await scanned(store, LABEL)).scanned == "SHIRT-BLUE"
