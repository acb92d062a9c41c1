"""Scenario: a shop is killed, and somebody copies a backup over its files; then it is restored."""

import asyncio
import shutil
from pathlib import Path

import pytest
from raw_client import raw_over_mqtt
from store_process import StoreProcess, running_store_process, storebus

from bus.contract.errors import Refused
from bus.contract.settlement import ORDER, OrderQuery
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from bus.storage.lock import RESTORING
from store.backup import MANIFEST

DATA = {
    "lines": [{"sku": "CAN-40", "quantity": 1}],
    "payment": {"method": "account", "account": "C-1001"},
    "expected_total": {"amount": 4900, "currency": "EUR"},
}


async def _bought(store: StoreProcess, number: int) -> str:
    async with raw_over_mqtt(store.url, "main", "terminal-9") as raw:
        reply = await raw.request("settlement", "purchase", {"id": f"p-{number}", "data": DATA})
    return str(reply.data["order"])


async def test_a_backup_that_was_only_copied_is_refused_and_restore_puts_it_right(
    tmp_path: Path,
) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    async with running_store_process(data) as store:
        before = await _bought(store, 1)
        code, out, err = await storebus("backup", str(backup), "--data", str(data))
        assert code == 0, out + err
        code, _, err = await storebus("restore", str(backup), "--data", str(data))
        assert (code, "stop it first" in err) == (1, True)
        after = await _bought(store, 2)
        await store.kill()
        for file in backup.iterdir():
            shutil.copyfile(file, data / file.name)
        for command in (
            ("up", "--data"),
            ("audit",),
            ("audit", "--open"),
            ("backup", "b", "--data"),
        ):
            code, _, err = await storebus(*command, str(data))
            assert (code, "storebus restore" in err) == (1, True), err
        code, out, err = await storebus("restore", str(backup), "--data", str(data))
        assert code == 0, err
        (aside,) = data.glob("before-restore-*")
        assert str(aside) in out
        assert "cannot be known" in out  # the file that was copied over the old one hides it
        await store.start()
        async with Caller(MqttConnector(store.url), "main", "console-1").connected() as console:
            query = OrderQuery(order=before)
            while (await console.ask(ORDER, "settlement", query, timeout=30)).state != "ready":
                pass
            with pytest.raises(Refused, match="There is no order"):
                await console.ask(ORDER, "settlement", OrderQuery(order=after), timeout=30)
    code, out, err = await storebus("audit", str(data))
    assert code == 0, out + err


async def test_restore_names_the_orders_that_the_backup_does_not_know(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    async with running_store_process(data) as store:
        await _bought(store, 1)
        assert (await storebus("backup", str(backup), "--data", str(data)))[0] == 0
        after = await _bought(store, 2)
        await store.kill()
    (data / RESTORING).touch()  # an earlier restore was cut off
    code, _, err = await storebus("up", "--data", str(data))
    assert (code, "run it again" in err) == (1, True)
    code, out, err = await storebus("restore", str(backup), "--data", str(data))
    assert (code, "1 orders came after the backup" in out, after in out) == (0, True, True), err


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a shop that has just opened."""
    folder = tmp_path_factory.mktemp("restore")

    async def opened() -> None:
        async with running_store_process(folder / "data"):
            code, _, err = await storebus(
                "backup", str(folder / "b"), "--data", str(folder / "data")
            )
            assert code == 0, err

    asyncio.run(opened())
    return folder / "b"


@pytest.mark.parametrize("wrong", ["another file", "flipped", "missing", "manifest", "no store"])
async def test_a_backup_that_is_not_whole_is_refused_and_changes_nothing(
    backup: Path, tmp_path: Path, wrong: str
) -> None:
    copy, data = tmp_path / "copy", tmp_path / "data"
    shutil.copytree(backup, copy)
    content = bytearray((copy / "settlement.db").read_bytes())
    content[len(content) // 2] ^= 0xFF
    match wrong:
        case "another file":
            shutil.copyfile(copy / "catalog.db", copy / "settlement.db")
        case "flipped":
            (copy / "settlement.db").write_bytes(content)
        case "missing":
            (copy / "sorter-1.db").unlink()
        case "manifest":
            (copy / MANIFEST).write_bytes(b"\xff{")
        case "no store":
            (copy / "catalog.db").unlink()
    code, out, err = await storebus("restore", str(copy), "--data", str(data))
    assert (code in (1, 2), out) == (True, ""), err
    assert "Traceback" not in err
    assert not data.exists() or not list(data.glob("*.db"))
