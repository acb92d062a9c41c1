"""Scenario: the power goes everywhere at once; the store opens again from what the disks hold."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from aftermath import assert_nothing_is_wrong, paid_orders
from customers import Customers, customers_at
from needs import require
from parts import (
    HERE,
    LONG,
    NODES,
    Parts,
    copy_store,
    eventually,
    running_broker,
    running_parts,
)

ORDERS = 60 if LONG else 12
CUTS = 5 if LONG else 1


def _told_settled(customers: Customers) -> set[str]:
    """The orders of which a customer has a receipt."""
    return {
        bought.receipt.order
        for terminal in customers.terminals
        for bought in terminal.purchases()
        if bought.receipt is not None
    }


async def _cut(parts: Parts) -> None:
    """No node has a moment to itself any more."""
    await asyncio.gather(*(part.end() for part in parts.all.values()))


async def test_what_was_acknowledged_is_in_the_files_of_killed_nodes(
    data: Path, tmp_path: Path
) -> None:
    async with (
        running_broker(tmp_path / "broker") as broker,
        running_parts(data, broker.url, *NODES) as parts,
        customers_at(tmp_path / "terminals", broker.url) as customers,
    ):
        rush = asyncio.create_task(customers.come(ORDERS * CUTS, 0.03))
        disk = data
        for cut in range(1, CUTS + 1):
            await eventually(lambda: len(_told_settled(customers)) >= 5 * cut, "some receipts")  # noqa: B023 - awaited here
            told = _told_settled(customers)
            await _cut(parts)
            await broker.kill()
            assert told <= paid_orders(disk)
            disk = copy_store(disk, tmp_path / f"disk-{cut}")
            parts = Parts(disk, broker.url)  # noqa: PLW2901
            await broker.start()
            await parts.start(*NODES)
        await rush

        served = await customers.reminded()
        refused = [bought.problem for bought in await customers.outcomes() if bought.problem]
        assert served + len(refused) == len(customers.begun)
        sold_out = {"sold-out", "payment-declined"} if LONG else set()  # so many want so few
        assert {problem.code for problem in refused} <= sold_out
        await parts.quiet()
        await parts.stop()
    assert_nothing_is_wrong(copy_store(tmp_path / "terminals", disk))


@pytest.fixture
def synced(tmp_path: Path) -> str:
    """The library that keeps what was synced; see synced.c."""
    require("cc")
    library = str(tmp_path / "synced.so")
    flags = ("-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-ldl")
    subprocess.run(
        ("cc", str(HERE / "synced.c"), "-o", library, *flags),
        check=True,
    )
    return library


@pytest.mark.parametrize(("synchronous", "loses"), [("2", False), ("1", True)])
def test_a_journal_that_does_not_sync_is_seen_to_lose_commits(
    tmp_path: Path, synced: str, synchronous: str, *, loses: bool
) -> None:
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    committing = subprocess.Popen(
        (sys.executable, HERE / "saying_commits.py", disk / "catalog.db", synchronous),
        env=os.environ
        | {"LD_PRELOAD": synced, "STOREBUS_DISK": str(disk), "STOREBUS_SYNCED": str(kept)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with committing:
        assert committing.stdout is not None
        said = {f"product-{next(committing.stdout).strip()}" for _ in range(ORDERS)}
        committing.kill()
    with closing(sqlite3.connect(kept / "catalog.db")) as after:
        try:
            found = {name for (name,) in after.execute("SELECT id FROM product")}
        except sqlite3.OperationalError:
            found = set()  # not even the table
    assert bool(said - found) is loses


async def test_what_was_acknowledged_is_what_the_disk_was_made_to_keep(
    data: Path, tmp_path: Path, synced: str
) -> None:
    disk = copy_store(data, tmp_path / "synced")
    async with (
        running_broker(tmp_path / "broker") as broker,
        running_parts(data, broker.url) as parts,
    ):
        parts.environment |= {
            "LD_PRELOAD": synced,
            "STOREBUS_DISK": str(data),
            "STOREBUS_SYNCED": str(disk),
        }
        await parts.start(*NODES)
        async with (
            customers_at(tmp_path / "terminals", broker.url) as customers,
        ):
            rush = asyncio.create_task(customers.come(ORDERS, 0.03))
            await eventually(lambda: len(_told_settled(customers)) >= ORDERS // 2, "some receipts")
            told = _told_settled(customers)
            await _cut(parts)
            assert told <= paid_orders(disk)
            async with running_parts(disk, broker.url, *NODES) as again:
                await rush
                await customers.all_served()
                await again.quiet()
                await again.stop()
    assert_nothing_is_wrong(copy_store(tmp_path / "terminals", disk))
