"""Send a shop's products, goods and accounts to a store, in batches over the bus.

Products are absolute: sending them again changes nothing. Goods and money are added: they carry
their delivery, and the store counts each item of a delivery once.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from secrets import token_hex
from typing import Any

from bus.contract.catalog import UPSERT, ProductUpdate, Upsert, Upserted
from bus.contract.channel import Operation
from bus.contract.delivery import Delivery
from bus.contract.errors import BrokenReply, NoAnswer, Problem, first_error
from bus.contract.settlement import DEPOSIT, Deposit
from bus.contract.values import Model, Money
from bus.contract.warehouse import RECEIVE, BinLevel, Receive
from bus.runtime.caller import Caller
from store.shop.records import AccountRecord

IMPORTER = "tester-import"
"""The node that imports."""
_BATCH_BYTES = 40_000
_BATCH_PRODUCTS = 100
_AT_ONCE = 32

Progress = Callable[[int], None]
Refusal = tuple[str, Problem]


class Seeding:
    """Sends rows to a store.

    Args:
        caller: a connected tester or console.
        delivery: the delivery of the goods and money.
        progress: called with the number of further rows that are done.
    """

    def __init__(
        self, caller: Caller, delivery: Delivery, progress: Progress = lambda _: None
    ) -> None:
        self._caller = caller
        self._delivery = delivery
        self.progress = progress
        """Called with the number of further rows that are done."""
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._run = token_hex(8)
        self._sent = 0
        self.refusals: list[Refusal] = []
        """What the store refused, and why: a product, `SKU LOCATION` or an account."""
        self.already: dict[str, str] = {}
        """Items that the delivery had brought before, and when (RFC 3339)."""
        self.added: list[BinLevel] = []
        """The new total of locations that already held goods of the style."""
        self.retired: list[str] = []
        """Styles that were registered and stay retired."""

    async def products(self, products: Sequence[ProductUpdate]) -> None:
        """Register or change products; a refused product does not affect others."""
        for batch in _batches(products):
            problem = await self._upsert(batch)
            if problem is None:
                continue
            if len(batch) == 1 or isinstance(problem, NoAnswer):
                self.refusals += [(product.id, problem) for product in batch]
                self.progress(sum(len(product.styles) for product in batch))
                continue
            for product in batch:
                refusal = await self._upsert([product])
                if refusal is not None:
                    self.refusals.append((product.id, refusal))
                    self.progress(len(product.styles))

    async def stock(self, rows: Iterable[Receive]) -> None:
        """Put goods on shelves."""
        await self._all(
            self._send_row(
                RECEIVE,
                "warehouse",
                row.model_copy(update={"delivery": self._delivery}),
                item_of(row),
            )
            for row in rows
        )

    async def accounts(self, rows: Iterable[AccountRecord], currency: str) -> None:
        """Open accounts and pay money in."""
        await self._all(
            self._send_row(
                DEPOSIT,
                "settlement",
                Deposit(
                    account=row.account,
                    name=row.name,
                    amount=Money(amount=row.balance, currency=currency),
                    delivery=self._delivery,
                ),
                row.account,
            )
            for row in rows
        )

    async def _all(self, sends: Iterable[Coroutine[Any, Any, None]]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for send in sends:
                    tasks.create_task(send)
        except ExceptionGroup as group:
            raise first_error(group) from None

    async def _send_row(
        self, operation: Operation[Any, Any], callee: str, data: Model, item: str
    ) -> None:
        async with self._slots:
            try:
                reply = await self._send(operation, callee, data)
            except BrokenReply:
                raise
            except Problem as problem:
                self.refusals.append((item, problem))
            else:
                if reply.already is not None:
                    self.already[item] = reply.already
                elif isinstance(data, Receive) and reply.quantity > data.quantity:
                    self.added.append(reply)
            self.progress(1)

    async def _upsert(self, batch: list[ProductUpdate]) -> Problem | None:
        try:
            reply: Upserted = await self._send(UPSERT, "catalog", Upsert(products=batch))
        except BrokenReply:
            raise
        except Problem as problem:
            return problem
        self.retired += reply.retired
        self.progress(sum(len(product.styles) for product in batch))
        return None

    async def _send(self, operation: Operation[Any, Any], callee: str, data: Model) -> Any:
        self._sent += 1
        identifier = f"import-{self._run}-{self._sent}"
        return await self._caller.ask(operation, callee, data, identifier=identifier)


def item_of(goods: Receive) -> str:
    """The item name of goods in a delivery."""
    return f"{goods.sku} {goods.location}"


def _batches(products: Sequence[ProductUpdate]) -> Iterator[list[ProductUpdate]]:
    batch: list[ProductUpdate] = []
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
