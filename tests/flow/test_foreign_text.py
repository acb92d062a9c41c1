"""Names that look like markup, controls or another script, through all commands that print them."""

import asyncio
import csv
import json
import os
import sys
from pathlib import Path
from unicodedata import category

import pytest
from store_process import STOREBUS, StoreProcess, Told

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAMES = ["Bolt [/M8] zinc", "Cable [usb-c]", "[bold]Mug[/]", "[/]", ":smile: tea", "수건 Towel"]
FIELDS = (
    "product", "name", "description", "url", "sku", "gtin", "attributes", "price", "currency",
    "category", "tax_rate",
)  # fmt: skip
_WAIT = 60


async def run(*arguments: str, encoding: str = "utf-8") -> Told:
    """A command in an environment of this encoding."""
    environment = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "200"}
    process = await asyncio.create_subprocess_exec(
        *STOREBUS, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=environment,
    )  # fmt: skip
    async with asyncio.timeout(_WAIT):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(encoding), err.decode(encoding)


def gtin(site: str, sku: str) -> str:
    """A number with its check digit."""
    digits = f"95060009{len(site)}{int(sku[-1]):03}"
    total = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def printed(told: Told, code: int = 0) -> str:
    """What a command printed, which no terminal obeys."""
    ended, out, err = told
    text = out + err
    assert ended == code, text
    assert "Traceback" not in text
    assert not [each for each in text if category(each) == "Cc" and each != "\n"]
    return text


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_a_name_is_printed_as_it_is_by_every_command(
    store: StoreProcess, tmp_path: Path, encoding: str
) -> None:
    site = f"f-{encoding}".replace("-", "")
    folder = ("--data", str(store.data))
    products, stock = tmp_path / f"products [{site}].csv", tmp_path / f"stock [{site}].csv"
    skus = [f"{site}-{number}".upper() for number in range(len(NAMES))]
    with products.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(FIELDS)
        for sku, name in zip(skus, NAMES, strict=True):
            link = f"https://shop.example/{sku.casefold()}"
            attributes, price = f"kind={name}", ("1.00", "EUR", "", "")
            rows.writerow(
                (sku.casefold(), name, name, link, sku, gtin(site, sku), attributes, *price)
            )
    with stock.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("sku", "location", "quantity"))
        rows.writerows((sku, "A-01-1", 9) for sku in skus)
    read = await run("import", str(products), str(stock), *folder, encoding=encoding)
    assert f"{products.name}: all rows were imported" in printed(read)
    for sku, name in zip(skus, NAMES, strict=True):
        shown = name.encode(encoding, "replace").decode(encoding)
        found = await run(
            "scan", "terminal-31", f"https://shop.example/{sku.casefold()}", *folder,
            encoding=encoding,
        )  # fmt: skip
        assert printed(found).count(shown) >= 3
        bought = await run(
            "buy", "terminal-31", sku, "--pay", "account:C-1001", *folder, encoding=encoding
        )
        assert "Ready to collect" in printed(bought)
    for code in skus[5], "[/] ]d2[bold]":  # what a message says is UTF-8 in a pipe, as JSON is
        asked = await run("request", "terminal-31", "catalog", "search", f"text={code}", *folder)
        printed(asked)
        assert json.loads(asked[1])["products"] or code != skus[5]
    wrong = await run("scan", "terminal-31", "https://other.example/[/M8]", *folder)
    assert "[/M8]" in printed(wrong, 1) or wrong[0] == 1
    audited = await run("audit", str(store.data), "--open", encoding=encoding)
    printed(audited, audited[0])


@pytest.mark.parametrize(
    ("words", "code"),
    [(("asyncapi", "--out", "c"), 0), (("audit", "nowhere [/]"), 2),
     (("watch", "--broker", "mqtt://127.0.0.1:9"), 2),
     (("kiosk", "terminal-7", "--broker", "mqtt://127.0.0.1:9"), 2)],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)  # fmt: skip
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "</dev/null"])
async def test_closed_streams_are_no_reason_to_abort(
    words: tuple[str, ...], code: int | None, closed: str, tmp_path: Path
) -> None:
    python = f"{sys.executable} -m cli {' '.join(repr(word) for word in words)} {closed}"
    process = await asyncio.create_subprocess_exec(
        "setsid", "-w", "sh", "-c", python, cwd=tmp_path, stdin=asyncio.subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(_WAIT):
        out, _ = await process.communicate()
    assert b"Traceback" not in out
    assert process.returncode in ((0, 1, 2) if code is None else (code,)), out
    if words[0] in {"watch", "kiosk"} and "2>&-" not in closed:
        assert b"there is none" in out


@pytest.mark.parametrize("words", [("config",), ("--help",), ("audit", "."), ("doctor",)])
async def test_a_reader_who_leaves_hears_no_complaint(words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = await asyncio.create_subprocess_exec(
        *STOREBUS, *words, stdout=writer, stderr=asyncio.subprocess.PIPE
    )
    os.close(writer)
    async with asyncio.timeout(_WAIT):
        _, err = await process.communicate()
    assert b"BrokenPipe" not in err
    assert b"Traceback" not in err
    assert process.returncode in (0, 1, 2)
