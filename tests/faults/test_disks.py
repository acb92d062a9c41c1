"""Scenarios: a node's disk is full, or fails and can only be read, in the middle of the rush."""

import asyncio
import os
import shutil
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from aftermath import assert_nothing_is_wrong
from customers import Customers, customers_at
from disks import fail, failing_disk, fill, repair, small_disk
from parts import (
    LONG,
    NODES,
    PATIENCE,
    PYTHON,
    Parts,
    copy_store,
    eventually,
    running_broker,
    running_parts,
)

from bus.contract.errors import JournalError
from bus.contract.every import ABOUT, PING
from bus.contract.settlement import AccountPayment, CardPayment
from bus.contract.values import Empty

pytestmark = pytest.mark.needs("disk")

ORDERS = 12 if LONG else 4
"""In each phase."""
EACH = list(NODES) if LONG else ["settlement"]


def _move(data: Path, name: str, folder: Path) -> None:
    """Give a node's files a disk of their own."""
    mine = {"settlement": ["settlement.db", "acquirer.jsonl"]}.get(name, [f"{name}.db"])
    for file in mine:
        if (data / file).exists():
            shutil.copy2(data / file, folder / file)
            (data / file).unlink()
    os.sync()


async def _answers(parts: Parts, *names: str) -> None:
    """Nodes answer a ping now, not some time later."""
    async with parts.tester() as tester:
        for name in names:
            await tester.ask(PING, name, Empty(), timeout=3)


async def _come(customers: Customers, start: int) -> None:
    for number in range(start, start + ORDERS):
        await customers.buy(number)
        await asyncio.sleep(0.05)


async def _calm(customers: Customers, victim: str) -> None:
    """No purchase is half done: see `test_a_purchase_under_way_is_not_refused` below."""
    if victim == "settlement":
        await customers.reminded()


async def _idle(parts: Parts, customers: Customers) -> None:
    """Nobody writes.

    In the moment in which an ext4 turns read-only it may say yes to a sync and lose it: of a raw
    file with nothing but `pwrite` and `fdatasync`, 6 of 40 (Linux 6.18). No software can mend that.
    """
    await customers.reminded()
    await parts.quiet()


async def _go_on(parts: Parts, victim: str) -> None:
    """A node that ended by itself is started again, as a service manager would."""
    part = parts[victim]
    if not part.running:
        assert await part.ended() > 0, "it must end by itself, not crash"
        await part.start()
    await parts.answer(victim)


@pytest.mark.parametrize("victim", EACH)
async def test_a_full_disk_costs_nothing_but_time(data: Path, tmp_path: Path, victim: str) -> None:
    with small_disk(tmp_path / "small") as small:
        _move(data, victim, small)
        async with (
            running_broker(tmp_path / "broker") as broker,
            running_parts(data, broker.url) as parts,
        ):
            parts.folders[victim] = small
            await parts.start(*NODES)
            async with customers_at(data, broker.url) as customers:
                await _come(customers, 0)
                await _calm(customers, victim)
                ballast = fill(small)
                await _come(customers, ORDERS)
                await eventually(lambda: parts[victim].said("is full"), "an error of the full disk")
                await _answers(parts, *(name for name in NODES if name != victim))
                ballast.unlink()
                await _go_on(parts, victim)
                await _come(customers, 2 * ORDERS)

                assert await customers.reminded() >= 2 * ORDERS
                await parts.quiet()
                await parts.stop()
        copy_store(small, data)
    assert_nothing_is_wrong(data)


@pytest.mark.needs("ext4")
@pytest.mark.parametrize("victim", EACH)
async def test_a_disk_that_can_only_be_read_costs_nothing_but_time(
    data: Path, tmp_path: Path, victim: str
) -> None:
    with ExitStack() as stack:
        disk = stack.enter_context(failing_disk(tmp_path / "failing"))
        _move(data, victim, disk)
        async with (
            running_broker(tmp_path / "broker") as broker,
            running_parts(data, broker.url) as parts,
        ):
            parts.folders[victim] = disk
            await parts.start(*NODES)
            async with customers_at(data, broker.url) as customers:
                await _come(customers, 0)
                await _idle(parts, customers)
                fail(disk)
                await _come(customers, ORDERS)
                await eventually(
                    lambda: parts[victim].said("disk I/O error") or parts[victim].said("readonly"),
                    "an error of the failed disk",
                )
                await _answers(parts, *(name for name in NODES if name != victim))
                await parts[victim].end()
                await parts[victim].start()
                assert await parts[victim].ended() in (1, 2)
                assert parts[victim].said("Read-only file system")
                assert not parts[victim].said("in main")  # a sentence, no traceback
                repair(disk)
                await parts[victim].start()
                await parts.answer(victim)
                await _come(customers, 2 * ORDERS)

                assert await customers.reminded() >= 2 * ORDERS
                await parts.quiet()
                await parts.stop()
        copy_store(disk, data)
    assert_nothing_is_wrong(data)


async def test_a_full_terminal_refuses_to_buy_and_still_reminds_once(
    data: Path, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "small") as small:
        async with (
            running_broker(tmp_path / "broker") as broker,
            running_parts(data, broker.url, *NODES) as parts,
            customers_at(small, broker.url, "terminal-1") as customers,
        ):
            assert await _buy(broker.url, small) == (0, "")
            parts["sorter-1"].send(signal.SIGSTOP)  # nothing is packed before the disk is full
            await _come(customers, 0)
            await customers.outcomes()
            ballast = fill(small)
            parts["sorter-1"].send(signal.SIGCONT)
            with pytest.raises(JournalError, match=r"terminal-1 cannot write to .*is full"):
                await customers.buy(ORDERS)
            await _all_are_asked_to_remind(parts, len(customers.begun))
            code, told = await _buy(broker.url, small)
            assert (code, told.count("\n")) == (1, 1), told
            assert "full" in told

            ballast.unlink()
            await _come(customers, 2 * ORDERS)
            await customers.all_served()
            await parts.quiet()
            await parts.stop()
        copy_store(small, data)
    assert_nothing_is_wrong(data)


async def _all_are_asked_to_remind(parts: Parts, orders: int) -> None:
    """Every parcel is packed, and settlement asks the terminal, which cannot write it down."""
    async with parts.tester() as tester, asyncio.timeout(PATIENCE):
        while (await tester.ask(ABOUT, "settlement", Empty())).outbox < orders:
            pass
        while (await tester.ask(ABOUT, "warehouse", Empty())).outbox:
            pass
        assert (await tester.ask(ABOUT, "settlement", Empty())).outbox == orders


async def _buy(url: str, data: Path) -> tuple[int | None, str]:
    """A customer at another terminal on the same disk; its exit code and what it complained of."""
    command = ("buy", "terminal-2", "CAN-40=1", "--pay", "account:C-1001")
    process = await asyncio.create_subprocess_exec(
        *(*PYTHON, "-m", "cli", *command, "--broker", url, "--data", str(data)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        _, told = await process.communicate()
    return process.returncode, told.decode()


async def test_a_purchase_under_way_is_not_refused(data: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as small:
        _move(data, "settlement", small)
        async with (
            running_broker(tmp_path / "broker") as broker,
            running_parts(data, broker.url, speed="2") as parts,
        ):
            parts.folders["settlement"] = small
            await parts.start(*NODES)
            async with customers_at(data, broker.url) as customers:
                await customers.buy(0, CardPayment(method="card", token="tok_timeout"))
                await customers.buy(1, AccountPayment(method="account", account="C-1004"))
                (slow, first), (quick, second) = customers.begun
                await quick.outcome(second)
                async with parts.tester() as tester:  # the others have answered, the acquirer not
                    while (await tester.ask(ABOUT, "settlement", Empty())).outbox > 1:
                        pass
                ballast = fill(small)
                await eventually(lambda: parts["settlement"].said("is full"), "an error")
                ballast.unlink()
                async with asyncio.timeout(PATIENCE):
                    bought = await slow.outcome(first)
                assert bought.receipt is not None, bought
                await customers.all_served()
                await parts.quiet()
                await parts.stop()
        copy_store(small, data)
    assert_nothing_is_wrong(data)
