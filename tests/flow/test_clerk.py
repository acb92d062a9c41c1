"""What a clerk does to the stock, as real commands against a real store."""

import asyncio
import json
from pathlib import Path

import pytest
from store_process import StoreProcess, running_store_process, storebus

from audit import findings

in_one_loop = pytest.mark.asyncio(loop_scope="module")
SKU = "OXF-BLU-L"


async def _in_store(store: StoreProcess, *words: str) -> tuple[int, str, str]:
    return await storebus(*words, "--data", str(store.data))


async def _available(store: StoreProcess, sku: str) -> int:
    """What customers are shown."""
    code, out, err = await _in_store(
        store, "request", "terminal-9", "catalog", "search", f"text={sku}"
    )
    assert code == 0, err
    styles = [style for product in json.loads(out)["products"] for style in product["styles"]]
    return next((style["available"] for style in styles if style["sku"] == sku), -1)


async def _location(store: StoreProcess, sku: str) -> str:
    code, out, err = await _in_store(
        store, "request", "terminal-9", "warehouse", "locate", f"sku={sku}"
    )
    assert code == 0, err
    return str(json.loads(out)["bins"][0]["location"])


@in_one_loop
async def test_a_typing_error_in_an_import_is_corrected_by_a_count(
    store: StoreProcess, tmp_path: Path
) -> None:
    before, location = await _available(store, SKU), await _location(store, SKU)
    delivery = tmp_path / "delivery.csv"
    delivery.write_text(f"sku,location,quantity\n{SKU},{location},1200\n")
    code, _, err = await _in_store(store, "import", str(delivery))
    assert code == 0, err
    assert f"storebus stock count {SKU}=" in err
    assert await _available(store, SKU) == before + 1200
    delivery.write_text(f"sku,location,quantity\n{SKU},{location},-1188\n")
    code, _, err = await _in_store(store, "import", str(delivery))
    assert code == 1
    assert "storebus stock count SKU=PIECES" in err

    code, out, err = await _in_store(
        store, "stock", "count", f"{SKU}=12", "--why", "1200 was 12", "--as", "tester-ann"
    )
    assert code == 0, err
    assert "12 can be sold" in out
    assert await _available(store, SKU) == 12

    code, out, err = await _in_store(store, "stock", "history", SKU, "--json")
    assert code == 0, err
    (row, *_) = json.loads(out)
    assert (row["by"], row["reason"], row["counted"]) == ("tester-ann", "1200 was 12", 12)
    code, out, _ = await _in_store(store, "stock", "history")
    assert "1200 was 12" in " ".join(out.split())


@in_one_loop
async def test_a_count_comes_from_a_file_whose_bad_rows_are_told(
    store: StoreProcess, tmp_path: Path
) -> None:
    location = await _location(store, "OXF-BLU-S")
    file = tmp_path / "count.csv"
    file.write_text(
        "sku,location,counted,reason\n"
        f"OXF-BLU-S,{location},3,\n"
        "OXF-BLU-M,,4,water damage\n"
        "CAN-41,,some,\n"
        "HAT,,1,\n"
    )
    code, out, err = await _in_store(
        store, "stock", "count", "--file", str(file), "--why", "inventory"
    )
    assert code == 1
    assert "line 4" in err
    assert "HAT" in err
    assert "unknown-sku" in err
    assert out.count(" counted") + out.count("as the books say") == 2
    assert await _available(store, "OXF-BLU-S") == 3
    assert await _available(store, "OXF-BLU-M") == 4
    code, out, _ = await _in_store(store, "stock", "history", "OXF-BLU-M", "--json")
    assert json.loads(out)[0]["reason"] == "water damage"
    code, _, err = await _in_store(store, "import", str(file))
    assert code == 2
    assert "storebus stock count --file" in err


@in_one_loop
async def test_a_retired_product_is_not_sold_until_it_is_taken_back(store: StoreProcess) -> None:
    code, out, err = await _in_store(store, "retire", "canvas-trainers", "--why", "sample is torn")
    assert code == 0, err
    assert "no longer sold" in out
    assert await _available(store, "CAN-40") == -1
    code, _, err = await _in_store(store, "scan", "terminal-7", "09506000134710")
    assert code == 1
    assert "Canvas trainers is no longer sold" in err
    code, out, _ = await _in_store(store, "stock", "retired", "--json")
    assert {row["reason"] for row in json.loads(out)} == {"sample is torn"}
    code, out, err = await _in_store(
        store, "retire", "canvas-trainers", "--back", "--why", "a new sample is there"
    )
    assert code == 0, err
    assert "sold again" in out
    assert await _available(store, "CAN-40") > 0


@in_one_loop
async def test_a_typing_error_in_an_account_is_put_right_and_remembered(
    store: StoreProcess, tmp_path: Path
) -> None:
    paid_in = tmp_path / "accounts.csv"
    paid_in.write_text("account,name,balance\nC-7001,Ann [x],15000\n")
    assert (await _in_store(store, "import", str(paid_in)))[0] == 0
    why = ("--why", "150.00 was typed for 15.00", "--as", "tester-bob")
    code, out, err = await _in_store(store, "account", "adjust", "C-7001=-135.00", *why)
    assert (code, out) == (0, "C-7001 holds 15.00 EUR now.\n"), err
    code, out, err = await _in_store(store, "account", "adjust", "C-7001=+0.50", *why)
    assert (code, out) == (0, "C-7001 holds 15.50 EUR now.\n"), err
    for wrong, said in (
        ("C-7001=-15.51", "C-7001 holds 15.50 EUR: no more than that can be taken out"),
        ("C-7001=0", "the change must not be 0"),
        ("C-7001=-0.00", "the change must not be 0"),
        ("C-7001", "'C-7001' is not written like C-1001=-135.00"),
        ("C-7001=1.005", "1.005"),
        ("C-7009=1", "There is no account C-7009."),
        ("seven", "is not written like"),
    ):
        code, _, err = await _in_store(store, "account", "adjust", wrong, *why)
        assert code in (1, 2), wrong
        assert said in err
    code, _, err = await _in_store(store, "account", "adjust", "C-7001=1")
    assert (code, "--why" in err) == (2, True)
    code, out, _ = await _in_store(store, "account", "show", "C-7001", "--json")
    shown = json.loads(out)
    assert shown["entries"][-1]["delivery"] == "accounts.csv"
    told = [(each["kind"], each["amount"], each["by"], each["reason"]) for each in shown["entries"]]
    assert (shown["name"], shown["balance"]) == ("Ann [x]", 1550)
    assert told == [
        ("adjustment", 50, "tester-bob", why[1]),
        ("adjustment", -13500, "tester-bob", why[1]),
        ("deposit", 15000, "tester-import", None),
    ]
    code, out, _ = await _in_store(store, "account", "show", "C-7001")
    assert "C-7001, Ann [x]: 15.50 EUR" in out
    code, _, err = await _in_store(
        store, "request", "terminal-9", "settlement", "statement", "account=C-7001", "--force"
    )
    assert (code, "not-allowed" in err or "403" in err) == (1, True), err


@in_one_loop
async def test_money_that_the_provider_kept_is_paid_by_hand(store: StoreProcess) -> None:
    code, out, err = await _in_store(
        store, "buy", "terminal-7", "OXF-BLU-S", "--pay", "card:tok_norefund", "--no-wait", "--json"
    )
    assert code == 0, err
    order = json.loads(out)["order"]
    code, _, err = await _in_store(
        store, "request", "console-7", "settlement", "cancel", f"order={order}"
    )
    assert code == 0, err
    async with asyncio.timeout(30):
        out = ""
        while order not in out:
            code, out, err = await _in_store(store, "resolve")
            assert code == 0, err
    assert "the card's account is closed" in out
    code, out, err = await _in_store(
        store, "resolve", order, "--refunded-by-hand", "--why", "paid in cash", "--as", "tester-ann"
    )
    assert code == 0, err
    assert "59.00 EUR counts as paid back by hand" in out
    code, out, err = await _in_store(
        store, "request", "tester-1", "settlement", "order", f"order={order}"
    )
    view = json.loads(out)
    assert (view["refunded"], view["refused"]) == (5900, [])
    assert [(each["by"], each["reason"]) for each in view["resolved"]] == [
        ("tester-ann", "paid in cash")
    ]


@in_one_loop
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("stock", "count", "CAN-40=12"), 2, "--why"),
        (("stock", "count", "CAN-40", "--why", "x"), 2, "CAN-40=12"),
        (("stock", "count", "CAN-40=-3", "--why", "x"), 2, "CAN-40=12"),
        (("stock", "count", "CAN-40=1000000001", "--why", "x"), 1, "it must be at most 1000000"),
        (("stock", "count", "--why", "x"), 2, "--file"),
        (("stock", "count", "HAT=3", "--why", "x"), 1, "unknown-sku"),
        (("stock", "count", "CAN-40=3", "--why", "x", "--location", "nowhere"), 1, "location"),
        (("stock", "count", "CAN-40=3", "--why", "x"), 1, "B-01-4, B-02-1"),
        (("stock", "count", "CAN-40=3", "--why", "x", "--as", "terminal-7"), 2, "tester-ann"),
        (("retire", "CAN-40"), 2, "--why"),
        (("resolve", "o-1", "--why", "x"), 2, "--retry"),
        (("resolve", "o-1", "--retry", "--refunded-by-hand", "--why", "x"), 2, "--retry"),
        (("resolve", "o-1", "--retry"), 2, "--why"),
        (("resolve", "o-1", "--retry", "--why", "x"), 1, "unknown-order"),
        (("retire", "HAT", "--why", "x"), 1, "no style and no product HAT"),
    ],
)
async def test_what_a_clerk_got_wrong_is_said(
    store: StoreProcess, words: tuple[str, ...], code: int, said: str
) -> None:
    found, _, err = await _in_store(store, *words)
    assert (found, said in err) == (code, True), err


async def test_the_audit_is_content_with_counts_and_retired_styles(tmp_path: Path) -> None:
    async with running_store_process(tmp_path) as store:
        for words in (
            ("stock", "count", "CAN-40=2", "--why", "x", "--location", "B-01-4"),
            ("stock", "count", "OXF-BLU-L=50", "--why", "x"),
            ("retire", "OXF-BLU-M", "--why", "x"),
        ):
            code, _, err = await _in_store(store, *words)
            assert code == 0, err
    assert findings([tmp_path]) == []
