"""Brings a shop's products, goods and accounts into a store, in batches over the bus.

Each message's id is made from what it says: an import that was cut off can be run again and what
is in already has no second effect.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bus.caller import Caller
from bus.contract.catalog import UPSERT, ProductRecord, Upsert
from bus.contract.channel import Operation
from bus.contract.settlement import DEPOSIT, Deposit
from bus.contract.values import Model, Money
from bus.contract.warehouse import RECEIVE, Receive
from bus.errors import Problem
from cli.shop.rows import AccountRecord

IMPORTER = "tester-import"
"""Who imports: ids are remembered per caller, so every import has the same."""
_BATCH_BYTES = 40_000
_BATCH_PRODUCTS = 100
_AT_ONCE = 32

Progress = Callable[[int], None]
Refusal = tuple[str, Problem]


class Seeding:
    """Sends rows to a store.

    Args:
        caller: a connected tester or console.
        label: part of every message's id; the same label makes a repetition harmless.
        progress: told how many rows more are done.
    """

    def __init__(self, caller: Caller, label: str, progress: Progress = lambda _: None) -> None:
        self._caller = caller
        self._label = label
        self.progress = progress
        """Told how many rows more are done."""
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self.refusals: list[Refusal] = []
        """What the store refused: the row and why."""

    async def products(self, products: Sequence[ProductRecord]) -> None:
        """Register products."""
        for batch in _batches(products):
            await self._send(
                UPSERT,
                "catalog",
                Upsert.model_validate({"products": batch}),
                batch[0].id,
                sum(_rows(batch)),
            )

    async def stock(self, rows: Iterable[Receive]) -> None:
        """Put goods on shelves."""
        await self._all(
            self._send(RECEIVE, "warehouse", row, f"{row.sku}@{row.location}", 1) for row in rows
        )

    async def accounts(self, rows: Iterable[AccountRecord], currency: str) -> None:
        """Open accounts and pay money in."""
        await self._all(
            self._send(
                DEPOSIT,
                "settlement",
                Deposit(
                    account=row.account,
                    name=row.name,
                    amount=Money(amount=row.balance, currency=currency),
                ),
                row.account,
                1,
            )
            for row in rows
        )

    async def _all(self, sends: Iterable[Any]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for send in sends:
                tasks.create_task(send)

    async def _send(
        self, operation: Operation[Any, Any], callee: str, data: Model, row: str, count: int
    ) -> None:
        body = f"{self._label} {operation.name} {data.model_dump_json()}"
        identifier = "import-" + hashlib.sha256(body.encode()).hexdigest()[:32]
        async with self._slots:
            try:
                await self._caller.ask(operation, callee, data, identifier=identifier)
            except Problem as problem:
                self.refusals.append((row, problem))
            self.progress(count)


def _batches(products: Sequence[ProductRecord]) -> Iterator[list[ProductRecord]]:
    batch: list[ProductRecord] = []
    size = 0
    for product in products:
        length = len(product.model_dump_json())
        if batch and (size + length > _BATCH_BYTES or len(batch) == _BATCH_PRODUCTS):
            yield batch
            batch, size = [], 0
        batch.append(product)
        size += length
    if batch:
        yield batch


def _rows(products: Iterable[ProductRecord]) -> Iterator[int]:
    return (len(product.styles) for product in products)
