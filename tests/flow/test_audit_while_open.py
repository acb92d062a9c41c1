"""Scenario: a busy store is audited again and again, with no false alarm; then it is killed."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from audited_day import ANN, card, recording
from store_process import running_store_process

from audit import Finding, findings
from devices.terminal import domain
from devices.terminal.role import Terminal
from store.settings import read_settings
from store.terminal import running_terminal

SKUS = ("OXF-BLU-M", "CAN-40", "CRF-SMO", "WCB-24")
CUSTOMERS = 40
SOME = 15


async def _serve(terminal: Terminal, number: int, served: asyncio.Queue[int]) -> None:
    """A customer buys, by card or from an account, and is reminded."""
    sku = SKUS[number % len(SKUS)]
    payment = card(f"tok_approve_{number}") if number % 3 else ANN
    purchase = domain.purchase({sku: 1}, await terminal.styles([sku]), payment, None)
    bought = await terminal.outcome(await terminal.begin(purchase))
    assert bought.receipt is not None, bought
    await terminal.reminded(bought.receipt.order)
    served.put_nowait(number)


async def test_a_store_is_audited_while_it_sells_and_after_it_was_killed(tmp_path: Path) -> None:
    data, elsewhere, history = (tmp_path / name for name in ("data", "elsewhere", "history.jsonl"))
    served: asyncio.Queue[int] = asyncio.Queue()
    audits = 0

    async def look() -> list[Finding]:
        return await asyncio.to_thread(findings, [data, elsewhere], history=[history], running=True)

    async with running_store_process(data) as store, AsyncExitStack() as stack:
        recorder = await recording(store, history)
        terminals = [
            await stack.enter_async_context(
                running_terminal(f"terminal-{number}", store.url, read_settings(data=elsewhere))
            )
            for number in range(1, 5)
        ]
        customers = [
            asyncio.create_task(_serve(terminals[number % 4], number, served))
            for number in range(CUSTOMERS)
        ]
        async with asyncio.timeout(90):
            while served.qsize() < SOME:
                assert await look() == []
                audits += 1
            await store.kill()
            assert await look() == []  # what a power cut leaves is in order, too
            assert served.qsize() < CUSTOMERS
            await store.start()
            await asyncio.gather(*customers)
            await store.quiet()
        recorder.terminate()
        await recorder.communicate()
    assert audits > 1
    assert findings([data, elsewhere], history=[history]) == []
