"""A store whose roles run in processes of their own, so that each can use a core."""

import asyncio
import os
import select
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from needs import ENGINE
from store_process import StoreProcess, running_store_process, storebus

from store.shop import SAMPLE

pytestmark = pytest.mark.needs("linux")


def _children(parent: int) -> list[int]:
    return [
        int(each) for each in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ]


def _words(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_text().split("\0")


def _roles(store: StoreProcess) -> dict[str, int]:
    """The processes of the roles, by what they play."""
    assert store.process is not None
    words = {child: _words(child) for child in _children(store.process.pid)}
    return {said[said.index("node") + 1]: child for child, said in words.items() if "node" in said}


def _ends(process: int) -> bool:
    """Wait until a process that is held as a file has ended."""
    ended, _, _ = select.select([process], [], [], 10)
    os.close(process)
    return bool(ended)


async def _buys(store: StoreProcess, pay: str = "account:C-1001") -> None:
    code, out, err = await storebus(
        "buy", "terminal-7", "CAN-40", "--pay", pay, "--data", str(store.data)
    )
    assert code == 0, err
    assert "Ready to collect" in out


async def test_roles_that_run_apart_make_a_store_and_end_with_it(tmp_path: Path) -> None:
    async with running_store_process(tmp_path, ENGINE, "inf", "--apart") as store:
        roles = _roles(store)
        assert set(roles) == {"catalog", "settlement", "warehouse"}
        await _buys(store)
        held = [os.pidfd_open(process) for process in roles.values()]
        await store.kill()
        assert all([await asyncio.to_thread(_ends, process) for process in held])
        await store.start()  # nothing of them is in the way
        await _buys(store)
        assert "Traceback" not in await store.stop()
    assert (await storebus("audit", str(tmp_path)))[0] == 0


async def test_a_role_that_stands_still_says_so_ends_and_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's program holds the database, so that no transaction comes to its end."""
    monkeypatch.setenv("STOREBUS_RUNTIME__STANDSTILL", "2")
    async with running_store_process(tmp_path, ENGINE, "inf", "--apart") as store:
        with closing(sqlite3.connect(tmp_path / "settlement.db", isolation_level=None)) as held:
            held.execute("BEGIN IMMEDIATE")
            await storebus("request", "settlement", "ping", "--data", str(tmp_path))
            await store.until("settlement has stood still for 2 s")
            await store.until("settlement died (status 5) and is started again.")
        await store.until("settlement runs again.")
        await _buys(store)
        assert "Traceback" not in await store.stop()


async def test_a_role_that_is_killed_is_started_again_and_the_store_says_so(
    tmp_path: Path,
) -> None:
    async with running_store_process(tmp_path, ENGINE, "inf", "--apart") as store:
        for name in ("warehouse", "settlement", "catalog"):
            killed = _roles(store)[name]
            os.kill(killed, signal.SIGKILL)
            await store.until(f"{name} died (status -9) and is started again.")
            await store.until(f"{name} runs again.")
            assert _roles(store)[name] != killed
            await _buys(store)
        await store.quiet()
        assert "Traceback" not in await store.stop()
    assert (await storebus("audit", str(tmp_path)))[0] == 0


async def test_the_card_acquirer_and_the_broker_are_started_again_too(tmp_path: Path) -> None:
    async with running_store_process(tmp_path, ENGINE, "inf", "--apart") as store:
        settlement = _roles(store)["settlement"]
        (acquirer,) = _children(settlement)
        os.kill(acquirer, signal.SIGKILL)
        await store.until("settlement: The simulated card acquirer runs again.")
        assert store.process is not None
        (broker,) = [
            each
            for each in _children(store.process.pid)
            if any(word.endswith(ENGINE) for word in _words(each))
        ]
        os.kill(broker, signal.SIGKILL)
        await store.until(f"The {ENGINE} broker runs again.")
        await _buys(store, "card:tok_approve")
        assert "Traceback" not in await store.stop()


async def test_a_role_that_cannot_be_started_again_ends_the_store_with_a_sentence(
    tmp_path: Path,
) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(SAMPLE, shop)
    options = ("--apart", "--shop", str(shop / "shop.toml"))
    async with running_store_process(tmp_path / "data", ENGINE, "inf", *options) as store:
        (shop / "shop.toml").write_text("name = ")
        os.kill(_roles(store)["catalog"], signal.SIGKILL)
        assert store.process is not None
        async with asyncio.timeout(120):
            out, _ = await store.process.communicate()
        assert store.process.returncode == 1
        assert "catalog cannot be started: it ended with exit code 2" in out.decode()
        assert "Traceback" not in out.decode()
        store.process = None
