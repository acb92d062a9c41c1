"""Scenario: the last 10 pieces of a style are wanted at 200 terminals in the same moment."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from aftermath import assert_nothing_is_wrong, paid_orders
from parts import PATIENCE, ROLES, RUNTIME, Parts, running_broker, running_parts, settings_of

from bus.contract.catalog import UPSERT, Line, Upsert
from bus.contract.errors import Problem
from bus.contract.settlement import PURCHASE, AccountPayment, Purchase, Receipt
from bus.contract.values import Money
from bus.contract.warehouse import RECEIVE, Receive
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from bus.runtime.settings import RuntimeSettings
from store.terminal import running_terminal

TERMINALS = 200
PIECES = 10
PRICE = Money(amount=100, currency="EUR")
RARE = Upsert.model_validate(
    {
        "products": [
            {
                "id": "rare",
                "name": "The last ten",
                "url": "https://shop.example/rare",
                "styles": [
                    {
                        "sku": "RARE",
                        "gtin": "00000040170725",
                        "attributes": {},
                        "price": PRICE.model_dump(),
                    }
                ],
            }
        ]
    }
)
WANTED = Purchase(
    lines=[Line(sku="RARE", quantity=1)],
    payment=AccountPayment(method="account", account="C-1004"),
    expected_total=PRICE,
)


async def _stock_up(parts: Parts) -> None:
    async with parts.tester() as tester:
        await tester.ask(UPSERT, "catalog", RARE)
        goods = Receive(sku="RARE", location="A-01-1", quantity=PIECES)
        await tester.ask(RECEIVE, "warehouse", goods)


async def _want(caller: Caller) -> tuple[str, str]:
    """Who asked, and the order or the code of the refusal."""
    try:
        receipt: Receipt = await caller.ask(PURCHASE, "settlement", WANTED, timeout=PATIENCE)
    except Problem as problem:
        return caller.name, problem.to_data().code
    return caller.name, receipt.order


async def test_exactly_ten_of_200_who_want_the_last_ten_get_one(data: Path, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(running_broker(tmp_path / "broker"))
        parts = await stack.enter_async_context(running_parts(data, broker.url, *ROLES, "sorter-1"))
        await _stock_up(parts)
        async with AsyncExitStack() as crowd:
            callers = [
                await crowd.enter_async_context(
                    Caller(
                        MqttConnector(broker.url),
                        "main",
                        f"terminal-{number}",
                        RuntimeSettings(**RUNTIME),
                    ).connected()
                )
                for number in range(1, TERMINALS + 1)
            ]
            answers = dict(await asyncio.gather(*map(_want, callers)))
        sold = {name: order for name, order in answers.items() if order != "sold-out"}

        assert len(sold) == len(set(sold.values())) == PIECES, sold
        for name, order in sold.items():
            terminal = await stack.enter_async_context(
                running_terminal(name, broker.url, settings_of(data))
            )
            async with asyncio.timeout(PATIENCE):
                await terminal.reminded(order)
        await parts.quiet()
        await parts.stop()
    assert paid_orders(data) == set(sold.values())
    assert_nothing_is_wrong(data)
