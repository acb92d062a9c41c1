"""Scenarios of the storebus command, each as a real process against a real store."""

import asyncio
import json
import re
import sqlite3
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest
from needs import ENGINE
from ports import free_port
from store_process import StorebusHere, StoreProcess, running_store_process, storebus

from devices.terminal.scanner import read_image
from store.settings import Settings
from store.shop import SAMPLE

in_one_loop = pytest.mark.asyncio(loop_scope="module")


async def _in_store(store: StoreProcess, command: str, *arguments: str) -> tuple[int, str, str]:
    return await storebus(command, *arguments, "--data", str(store.data))


@in_one_loop
async def test_a_label_is_drawn_scanned_bought_and_reminded(
    store: StoreProcess, tmp_path: Path
) -> None:
    labels = tmp_path / "labels"
    code, out, err = await _in_store(store, "labels", "oxford-shirt", "--out", str(labels))
    assert code == 0, err
    assert {path.name for path in labels.iterdir()} == {
        "labels.pdf", "oxford-shirt.png", "oxford-shirt.svg",
    }  # fmt: skip

    code, out, _ = await _in_store(store, "scan", "terminal-7", str(labels / "oxford-shirt.png"))
    assert code == 0
    assert "Oxford shirt" in out
    assert "OXF-BLU-M" in out

    code, out, err = await _in_store(
        store, "buy", "terminal-7", "OXF-BLU-M=2", "--pickup", "south",
        "--pay", "account:C-1001",
    )  # fmt: skip
    assert code == 0, err
    assert "118.00 EUR" in out
    assert "Ready to collect at South door" in out

    code, out, _ = await _in_store(
        store, "buy", "terminal-7", "CAN-40", "--pay", "card:tok_approve", "--no-wait", "--json"
    )
    assert code == 0
    receipt = json.loads(out)
    assert receipt["payment"]["method"] == "card"
    assert len(receipt["pickup_code"]) == 6

    code, _, err = await _in_store(
        store, "labels", "--code", receipt["order"], "--out", str(labels)
    )
    assert code == 0, err
    assert read_image(labels / f"collect-{receipt['order']}.png") == (receipt["pickup_code"],)


@in_one_loop
async def test_a_scanner_that_types_goes_on_after_a_label_of_another_shop(
    store: StoreProcess, tmp_path: Path
) -> None:
    file = tmp_path / "codes.txt"
    file.write_text("https://other.example/01/04006381333931\n]d20109506000134352\x1d10A\n")
    with file.open() as typed:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "scan", "terminal-7", "-", "--data", str(store.data)),
            stdin=typed, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    out, err = await process.communicate()

    assert process.returncode == 1, (out, err)
    assert "OXF-BLU-M" in out.decode()
    assert "404 unknown-label" in err.decode()


@in_one_loop
async def test_what_the_store_refuses_is_told_and_ends_with_1(store: StoreProcess) -> None:
    for arguments, status, word in (
        (("scan", "terminal-7", "https://other.example/p/1"), 404, "unknown-label"),
        (("buy", "terminal-7", "NOPE=1", "--pay", "account:C-1001"), 404, "unknown-sku"),
        (("buy", "terminal-7", "CAN-40=999", "--pay", "account:C-1001"), 409, "sold-out"),
        (("buy", "terminal-7", "CAN-40", "--pay", "account:C-1010"), 402, "payment-declined"),
        (("buy", "terminal-7", "CAN-40", "--pay", "card:tok_decline"), 402, "payment-declined"),
        (("buy", "terminal-7", "CAN-40", "--pay", "card:4111111111111111"), 422, "card-number"),
        (
            ("buy", "terminal-7", "CAN-40", "--pickup", "moon", "--pay", "account:C-1001"),
            404,
            "unknown-pickup-point",
        ),
    ):
        code, out, err = await _in_store(store, *arguments)
        assert (code, out) == (1, ""), (arguments, out, err)
        assert f"{status} {word}" in err
        assert "4111" not in err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("buy", "terminal-7", "CAN-40=0", "--pay", "account:C-1001"), "SKU=QUANTITY"),
        (("buy", "terminal-7", "CAN-40=1", "--pay", "cheque"), "--pay takes"),
        (("buy", "kiosk", "CAN-40=1", "--pay", "account:C-1001"), "terminal-7"),
        (("scan", "terminal-7"), "Give one of"),
        (("dance",), "No such command"),
        (("up", "--engine", "rabbit"), "engine"),
        (("up", "--shop", "nowhere.toml"), "nowhere.toml"),
        (("node", "toaster-1"), "toaster-1"),
        (("labels", "no-such-product", "--shop", str(SAMPLE)), "no-such-product"),
        (("scan", "terminal-7", "x", "--broker", "http://here"), "mqtt://"),
    ],
)
def test_wrong_usage_is_told_and_ends_with_2(
    storebus_here: StorebusHere, arguments: tuple[str, ...], word: str
) -> None:
    code, _, err = storebus_here(*arguments)
    assert code == 2, err
    assert word in err


def test_no_broker_is_told_and_ends_with_3(storebus_here: StorebusHere, tmp_path: Path) -> None:
    url = f"mqtt://127.0.0.1:{free_port()}"
    for arguments in (
        ("scan", "terminal-7", "09506000134352"),
        ("buy", "terminal-7", "CAN-40", "--pay", "account:C-1001"),
        ("node", "catalog"),
        ("import", __file__),
        ("record", str(tmp_path / "history.jsonl")),
    ):
        code, _, err = storebus_here(*arguments, "--broker", url, "--data", str(tmp_path))
        assert code == 3, err
        assert "No broker" in err


@in_one_loop
async def test_a_port_in_use_is_told_with_what_to_do(store: StoreProcess, tmp_path: Path) -> None:
    code, _, err = await storebus(
        "up", "--port", str(store.port), "--data", str(tmp_path / "second")
    )
    assert code == 3
    assert str(store.port) in err
    assert "--port" in err


@in_one_loop
async def test_a_second_store_on_the_same_data_is_refused(store: StoreProcess) -> None:
    code, _, err = await storebus(
        "up", "--port", str(free_port(2)), "--data", str(store.data), "--engine", "embedded"
    )
    assert code == 1
    assert "another process" in err
    assert (await _in_store(store, "scan", "terminal-7", "09506000134352"))[0] == 0


async def test_single_nodes_against_a_broker_make_a_store_too(tmp_path: Path) -> None:
    async with running_store_process(tmp_path, ENGINE, "inf", "--sorters", "0") as store:
        sorter = StoreProcess(tmp_path / "elsewhere", port=store.port)
        sorter.process = await sorter.spawn(
            "node", "sorter-2", "--broker", store.url, "--data", str(sorter.data), "--speed", "inf"
        )
        await sorter.until("sorter-2 is on")
        code, out, err = await _in_store(
            store, "buy", "terminal-7", "CAN-40", "--pay", "account:C-1001"
        )
        assert code == 0, err
        assert "Ready to collect" in out
        assert "Traceback" not in await sorter.stop()


async def test_config_shows_every_setting_with_its_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOREBUS_BROKER__PORT", "1999")
    code, out, _ = await storebus("config")
    assert code == 0
    assert "broker.port = 1999" in out
    for name in (*Settings.model_fields, "runtime.retry_first", "broker.engine"):
        assert name in out
    lines = out.splitlines()[1:]
    meanings = [line for line in lines if line.startswith("    ")]
    assert len(meanings) * 2 == len(lines)
    assert all(meaning.strip() for meaning in meanings)


async def test_doctor_finds_a_healthy_store_and_a_missing_one(tmp_path: Path) -> None:
    async with running_store_process(tmp_path) as store:
        code, out, _ = await _in_store(store, "doctor")
        assert code == 0, out
        assert out.count("answers") == 4
    code, out, _ = await _in_store(store, "doctor")
    assert code == 0
    assert "storebus up" in out


def test_every_command_has_a_whole_line_in_the_help_and_shows_an_example(
    storebus_here: StorebusHere,
) -> None:
    _, told, _ = storebus_here("--help")
    commands = re.findall(r"^  ([a-z]+)  +[A-Z].*[.]$", told, re.MULTILINE)
    assert len(commands) > 20
    assert "..." not in told.partition("Options:")[2]
    assert max(map(len, told.splitlines())) < 80
    for command in commands:
        code, out, _ = storebus_here(command, "--help")
        while code == 0 and "\nCommands:\n" in out:  # a command of several
            part = out.partition("\nCommands:\n")[2].split()[0]
            code, out, _ = storebus_here(command, part, "--help")
        assert code == 0
        assert "Example:" in out, command


@pytest.mark.parametrize(
    "words",
    [("labels", "--code", ""), ("labels", "--search="), ("import", "--why", "", "stock.csv")],
    ids=" ".join,
)
def test_an_option_that_is_empty_chooses_nothing_and_is_wrong_usage(
    storebus_here: StorebusHere, words: tuple[str, ...]
) -> None:
    code, out, err = storebus_here(*words)
    assert (code, out) == (2, "")
    assert f"{words[1].rstrip('=')} is empty" in err


def test_the_version_is_told(storebus_here: StorebusHere) -> None:
    assert storebus_here("--version") == (0, f"storebus {version('storebus')}\n", "")


def test_a_variable_that_is_no_json_is_named(
    storebus_here: StorebusHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOREBUS_KIOSK__SAMPLES", "[")
    code, out, err = storebus_here("config")
    assert (code, out) == (2, "")
    assert "STOREBUS_KIOSK or one of its parts is not JSON" in err


def test_an_id_that_no_message_can_have_is_refused_at_once(storebus_here: StorebusHere) -> None:
    asked = ("request", "tester-1", "catalog", "search", "text=a", "--id", "a b")
    code, out, err = storebus_here(*asked)
    assert (code, out) == (2, "")
    assert "without spaces" in err


@pytest.mark.parametrize(
    "words",
    [("certify", "sorter-9", "--report"), ("play", "buying.yaml", "--junit")],
    ids=lambda words: words[0],
)
def test_a_report_that_cannot_be_written_is_said_before_anything_is_done(
    storebus_here: StorebusHere, tmp_path: Path, words: tuple[str, ...]
) -> None:
    report = tmp_path / "missing" / "report.html"
    code, out, err = storebus_here(*words, report)
    assert (code, out) == (2, "")
    assert f"there is no folder {report.parent}" in err


async def test_the_demo_as_make_demo_plays_it_tells_its_stories_and_balances() -> None:
    code, out, err = await storebus("demo", patience=120)
    assert code == 0, err
    assert out.count("Customer ") == 10
    assert "The books balance" in out


async def test_the_demo_ends_with_1_when_the_books_do_not_balance(tmp_path: Path) -> None:
    from audit import findings

    code, _, _ = await storebus(
        "demo", "--orders", "2", "--speed", "inf", "--data", str(tmp_path), patience=120
    )
    assert code == 0
    (data,) = tmp_path.iterdir()  # noqa: ASYNC240 - nothing else runs here
    assert findings([data]) == []
    with closing(sqlite3.connect(data / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE style SET on_hand = on_hand + 1 WHERE sku = 'OXF-BLU-M'")
    with closing(sqlite3.connect(data / "settlement.db")) as settlement, settlement:
        settlement.execute("UPDATE posting SET amount = amount + 5")
    wrong = [str(finding) for finding in findings([data])]
    assert any("OXF-BLU-M" in sentence for sentence in wrong)
    assert any("ledger sums to" in sentence for sentence in wrong)
