"""Customers who change their minds, and the person who puts the goods back on a shelf."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from customers import Customers
from parts import PATIENCE, Parts

from bus.contract.catalog import OrderOnly
from bus.contract.settlement import CANCEL, ORDER, OrderQuery
from bus.contract.values import Empty
from bus.contract.warehouse import RECEIVE, RETURNS, Receive, Returns
from bus.runtime.caller import Caller

SHELF = "A-01-1"
LOOK_AGAIN = 0.2
"""Seconds."""


async def cancel_some(parts: Parts, customers: Customers, every: int) -> set[str]:
    """Cancel one in so many of the purchases begun so far, as soon as each is paid; which."""
    async with parts.tester("console-1") as console, asyncio.TaskGroup() as tasks:
        cancelling = []
        for terminal, identifier in customers.begun[1::every]:
            customers.regretted.add(identifier)
            bought = await terminal.outcome(identifier)
            assert bought.receipt is not None, bought
            cancelling.append(tasks.create_task(_cancel(console, bought.receipt.order)))
    return {task.result() for task in cancelling}


async def _cancel(console: Caller, order: str) -> str:
    await console.ask(CANCEL, "settlement", OrderOnly(order=order), timeout=PATIENCE)
    return order


async def all_cancelled(parts: Parts, orders: set[str]) -> None:
    """Wait until the money and the goods of each are back."""
    async with parts.tester("console-1") as console, asyncio.timeout(PATIENCE):
        for order in orders:
            query = OrderQuery(order=order)
            while (  # noqa: ASYNC110 - another process makes it true
                await console.ask(ORDER, "settlement", query, timeout=PATIENCE)
            ).state != "cancelled":
                await asyncio.sleep(LOOK_AGAIN)


@asynccontextmanager
async def storeman(parts: Parts) -> AsyncIterator[None]:
    """Someone puts back whatever lies about, within the block."""
    async with parts.tester("tester-shelves") as caller:
        working = asyncio.create_task(_put_back(caller))
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def _put_back(caller: Caller) -> None:
    while True:
        found: Returns = await caller.ask(RETURNS, "warehouse", Empty(), timeout=PATIENCE)
        for goods in found.returns:
            for line in goods.lines:
                back = Receive(
                    sku=line.sku, location=SHELF, quantity=line.quantity, parcel=goods.parcel
                )
                await caller.ask(RECEIVE, "warehouse", back, timeout=PATIENCE)
        await asyncio.sleep(LOOK_AGAIN)
