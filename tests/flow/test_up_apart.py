"""A store whose roles run in processes of their own, so that each can use a core."""

import asyncio
import os
import select
import signal
from pathlib import Path

import pytest
from needs import ENGINE
from store_process import StoreProcess, running_store_process, storebus

pytestmark = pytest.mark.needs("linux")


def _roles(store: StoreProcess) -> dict[str, int]:
    """The processes of the roles, by what they play."""
    assert store.process is not None
    parent = store.process.pid
    found = {}
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        if "node" in words:
            found[words[words.index("node") + 1]] = int(child)
    return found


def _ends(process: int) -> bool:
    """Wait until a process that is held as a file has ended."""
    ended, _, _ = select.select([process], [], [], 10)
    os.close(process)
    return bool(ended)


async def _buys(store: StoreProcess) -> None:
    code, out, err = await storebus(
        "buy", "terminal-7", "CAN-40", "--pay", "account:C-1001", "--data", str(store.data)
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


async def test_a_store_ends_when_a_role_that_runs_apart_has_ended(tmp_path: Path) -> None:
    async with running_store_process(tmp_path, ENGINE, "inf", "--apart") as store:
        os.kill(_roles(store)["warehouse"], signal.SIGKILL)
        assert store.process is not None
        async with asyncio.timeout(30):
            out, _ = await store.process.communicate()
        assert store.process.returncode == 1
        assert "warehouse has ended with -9" in out.decode()
        store.process = None
