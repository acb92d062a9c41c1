"""Scenario: the power goes in the middle of the afternoon; every order still ends well."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from needs import ENGINE
from store_process import StoreProcess, running_store_process

from audit import findings
from bus.contract.settlement import AccountPayment
from devices.terminal import domain
from devices.terminal.role import Terminal
from store.settings import read_settings
from store.terminal import running_terminal

SKUS = ("OXF-BLU-M", "CAN-40", "CRF-SMO", "WCB-24")
ORDERS = 20


async def _order(terminals: list[Terminal]) -> list[tuple[Terminal, str]]:
    """20 purchases, sent at once from all terminals."""
    styles = await terminals[0].styles(list(SKUS))
    begun = []
    for number in range(ORDERS):
        terminal, sku = terminals[number % len(terminals)], SKUS[number % len(SKUS)]
        account = AccountPayment(method="account", account=f"C-{1001 + number % 4}")
        purchase = domain.purchase({sku: 1}, styles, account, None)
        begun.append((terminal, await terminal.begin(purchase)))
    return begun


async def _reminders(begun: list[tuple[Terminal, str]], enough: int) -> int:
    """Wait until so many of the purchases are settled and reminded."""

    async def one(terminal: Terminal, identifier: str) -> None:
        bought = await terminal.outcome(identifier)
        assert bought.receipt is not None, bought
        await terminal.reminded(bought.receipt.order)

    waits = [asyncio.create_task(one(*each)) for each in begun]
    done = 0
    async with asyncio.timeout(90):
        for finished in asyncio.as_completed(waits):
            await finished
            done += 1
            if done == enough:
                break
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    return done


@pytest.mark.parametrize("engine", ["mosquitto", "embedded"])
async def test_a_store_that_is_killed_among_20_open_orders_reminds_each_once(
    tmp_path: Path, engine: str
) -> None:
    async with AsyncExitStack() as stack:
        store: StoreProcess = await stack.enter_async_context(
            running_store_process(tmp_path, engine, "100")
        )
        settings = read_settings(data=tmp_path)
        terminals = [
            await stack.enter_async_context(running_terminal(f"terminal-{n}", store.url, settings))
            for n in (1, 2)
        ]
        begun = await _order(terminals)
        await _reminders(begun, 3)

        await store.kill()
        await store.start()

        assert await _reminders(begun, ORDERS) == ORDERS
        await store.quiet()
    assert findings([tmp_path]) == []


async def test_a_terminal_that_was_away_gets_its_reminder_when_it_is_back(tmp_path: Path) -> None:
    async with running_store_process(tmp_path, ENGINE, "20") as store:
        settings = read_settings(data=tmp_path)
        async with running_terminal("terminal-1", store.url, settings) as terminal:
            styles = await terminal.styles(["KIT-RED"])
            account = AccountPayment(method="account", account="C-1001")
            receipt = await terminal.buy({"KIT-RED": 1}, styles, account)
        async with running_terminal("terminal-1", store.url, settings) as terminal:
            async with asyncio.timeout(30):
                reminder = await terminal.reminded(receipt.order)
            assert reminder.pickup_code == receipt.pickup_code
        async with running_terminal("terminal-1", store.url, settings) as terminal:
            assert [bought.state for bought in terminal.purchases()] == ["settled"]
            await store.quiet()
    assert findings([tmp_path]) == []
