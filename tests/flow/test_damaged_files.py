"""Whatever a file holds, a command ends with a sentence, never with a traceback.

Seeds are the same in each run. STOREBUS_FUZZ=1000 takes so many for each file.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutations import damage
from running_store import FAST, FaultyBroker, Store, eventually, running_store

from acquirer.log import Entry, Log
from bus.contract.catalog import OrderOnly
from bus.contract.errors import StorebusError
from bus.contract.settlement import CANCEL
from bus.history.archive import Archive
from bus.history.recording import read_recording
from bus.link import MemoryBroker
from bus.storage.effect_log import EffectLog
from bus.storage.journal import Journal
from cli.main import main
from devices.sorter.store import SCHEMA as SORTER
from devices.terminal.store import SCHEMA as TERMINAL
from labels.label import LabelError
from labels.symbols import read_image
from nodes.catalog.store import SCHEMA as CATALOG
from nodes.settlement.store import SCHEMA as SETTLEMENT
from nodes.warehouse.store import SCHEMA as WAREHOUSE
from store.restore import verify
from store.settings import FILE, read_settings
from store.shop import SAMPLE
from store.shop.reader import read_shop

SEEDS = range(int(os.environ.get("STOREBUS_FUZZ", "12")))
HERE = Path(__file__).parent.parent
RECORDED = HERE / "ui" / "recorded.jsonl"
SCHEMAS = {
    "catalog": CATALOG, "settlement": SETTLEMENT, "warehouse": WAREHOUSE,
    "sorter-1": SORTER, "terminal-1": TERMINAL,
}  # fmt: skip


@dataclass(frozen=True)
class Whole:
    """Files of every kind, as they should be."""

    folder: Path

    def copy(self, target: Path) -> Path:
        """All of them, to be damaged."""
        shutil.copytree(self.folder, target)
        return target


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A shop that sold a little and was closed, with all that its commands read."""
    folder = tmp_path_factory.mktemp("whole") / "files"
    asyncio.run(_lived(folder / "data"))
    assert _storebus("backup", folder / "backup", "--data", folder / "data") == 0
    shutil.copytree(SAMPLE, folder / "shop")
    shutil.copyfile(RECORDED, folder / "monday.jsonl")
    shutil.copyfile(HERE / "scenarios" / "buying.yaml", folder / "buying.yaml")
    (folder / FILE).write_text('site = "main"\nspeed = 2.0\n[broker]\nport = 1883\n')
    arguments = ("--sku", "CAN-40", "--out", folder / "labels", "--shop", folder / "shop")
    assert _storebus("labels", *arguments) == 0
    return Whole(folder)


async def _lived(data: Path) -> None:
    async with running_store(FaultyBroker(), data) as store:
        bought = [await store.buy({"MUG": 1, "SHIRT-BLUE": 2}) for _ in range(3)]
        for each in bought:
            await store.reminded(each.order)
        await store.ask_as("console-1", CANCEL, "settlement", OrderOnly(order=bought[0].order))
        await store.collect(bought[1].pickup_code)
        await eventually(lambda: store.rows("warehouse", "SELECT * FROM goods_return"), "goods")
    with EffectLog(data / "sorter-1.conveyor.jsonl") as machine:
        machine.write("j-1.1.picking.0", step="picking", sku="MUG", quantity=1, found=1)
    log = Log(data / "acquirer.jsonl")
    log.append(Entry(kind="capture", key="o-1.charge", reference="c-1", amount=1, currency="EUR"))
    log.close()


def _storebus(*arguments: object) -> int:
    """Run a command here; its exit code. Whatever else comes out of it comes out of this."""
    try:
        main(list(map(str, arguments)))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _audit(folder: Path) -> None:
    _storebus("audit", folder / "data", "--history", folder / "monday.jsonl")
    _storebus("audit", folder / "data", "--open", "--json")


def _opened(folder: Path) -> None:
    """As `up` and `node` open them."""
    for node, schema in SCHEMAS.items():
        _told(lambda node=node, schema=schema: Journal(folder / "data" / f"{node}.db", schema))
    _told(lambda: EffectLog(folder / "data" / "sorter-1.conveyor.jsonl"))
    _told(lambda: EffectLog(folder / "data" / "terminal-1.screen.jsonl"))
    _told(lambda: Log(folder / "data" / "acquirer.jsonl"))


def _started(folder: Path) -> None:
    """The nodes themselves, until they can be asked or have said why not."""

    async def start() -> None:
        store = Store(MemoryBroker(), folder / "data", "main", FAST)
        try:
            async with asyncio.timeout(10):
                await store.start(*SCHEMAS)
        finally:
            tasks = list(store._tasks.values())
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    _told(lambda: asyncio.run(start()), TimeoutError)  # a node that logs why it does not begin


def _told(do: Callable[[], object], *errors: type[Exception]) -> None:
    """Do it, or hear in a sentence why not."""
    with suppress(StorebusError, *errors):
        close = getattr(do(), "close", None)
        if close is not None:
            close()


def _data(folder: Path) -> None:
    _audit(folder)
    shutil.rmtree(folder / "again", ignore_errors=True)
    _storebus("backup", folder / "again", "--data", folder / "data")
    order = ("--code", "o-0000000000", "--out", folder / "again")
    _storebus("labels", *order, "--data", folder / "data")
    _opened(folder)
    _started(folder)


def _restored(folder: Path) -> None:
    _told(lambda: verify(folder / "backup"))
    _storebus("restore", folder / "backup", "--data", folder / "data")


def _history(folder: Path) -> None:
    _told(lambda: list(read_recording(folder / "monday.jsonl")))
    _told(lambda: sum(1 for _ in Archive([folder / "monday.jsonl"]).entries()))


def _shop(folder: Path) -> None:
    _told(lambda: read_shop(folder / "shop"))


def _settings(folder: Path) -> None:
    before = Path.cwd()
    os.chdir(folder)
    try:
        _told(read_settings)
        _storebus("config")
    finally:
        os.chdir(before)


def _picture(folder: Path) -> None:
    for path in (folder / "labels").glob("*.png"):
        _told(lambda path=path: read_image(path), LabelError)


def _scenario(folder: Path) -> None:
    _storebus("play", folder / "buying.yaml", "--check")


FILES: dict[str, Callable[[Path], None]] = {
    **{f"data/{node}.db": _data for node in SCHEMAS},
    "data/terminal-1.screen.jsonl": _data,
    "data/sorter-1.conveyor.jsonl": _data,
    "data/acquirer.jsonl": _data,
    "backup/settlement.db": _restored,
    "backup/backup.json": _restored,
    "monday.jsonl": _history,
    "buying.yaml": _scenario,
    FILE: _settings,
    "shop/shop.toml": _shop,
    "shop/layout.toml": _shop,
    "shop/products.csv": _shop,
    "shop/stock.csv": _shop,
    "shop/accounts.csv": _shop,
    "shop/locations.csv": _shop,
    "labels/CAN-40.png": _picture,
}
"""By file, the commands that read it."""


@pytest.mark.parametrize("name", FILES)
def test_nothing_that_a_file_holds_ends_in_a_traceback(
    whole: Whole, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    original = (whole.folder / name).read_bytes()
    failed = []
    for seed in SEEDS:
        folder = whole.copy(tmp_path / str(seed))
        damage(folder / name, seed, original)
        try:
            FILES[name](folder)
        except Exception as error:  # noqa: BLE001 - that is what it looks for
            failed.append(f"seed {seed}: {error!r}")
        out, err = capfd.readouterr()
        if "Traceback" in out + err:
            failed.append(f"seed {seed}: {err[-500:]}")
        shutil.rmtree(folder)
    assert not failed, "\n".join(failed)


def test_what_is_wrong_with_a_file_is_told_with_its_name_and_what_to_do(
    whole: Whole, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = whole.copy(tmp_path / "files")
    database = folder / "data" / "catalog.db"
    database.write_bytes(
        database.read_bytes().replace(b"CREATE TABLE style", b"CREATE \xff\xfe\xfd\xfc\xfb style")
    )
    assert _storebus("audit", folder / "data") == 1
    out, err = capfd.readouterr()
    assert (out, "catalog.db" in err, "damaged" in err) == ("", True, True)
    with pytest.raises(StorebusError, match=r"catalog\.db"):
        Journal(database, CATALOG)
    (folder / "data" / "broker-url").write_bytes(b"mqtt://\xff")
    assert _storebus("doctor", "--data", folder / "data") == 1
    assert "broker-url" in capfd.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "{}", "--broker", "mqtt://127.0.0.1:1"),
        ("play", "--from", "{}", "--order", "o-0000000000"),
        ("watch", "--file", "{}"),
        ("audit", "data", "--history", "{}"),
        ("record", "{}", "--broker", "mqtt://127.0.0.1:1"),
    ],
    ids=lambda words: words[0],
)
def test_what_is_no_recording_is_wrong_usage_and_stays_as_it_is(
    whole: Whole, tmp_path: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    folder = whole.copy(tmp_path / "files")
    file = folder / "prices.csv"
    file.write_text("sku,price\nCAN-40,49.00\n")
    places = {"{}": file, "data": folder / "data"}
    assert _storebus(*(places.get(word, word) for word in words)) == 2
    assert "prices.csv" in capfd.readouterr().err
    assert file.read_text() == "sku,price\nCAN-40,49.00\n"
