"""What a console that watches, or is stopped, costs a store: measured with and without, in turn."""

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.measuring import PLENTY, RICH, measure, percentiles, store, usage
from benchmarks.operator import watching
from benchmarks.traffic import recorded
from bus.contract.settlement import (
    COLLECT,
    DEPOSIT,
    ORDERS,
    PURCHASE,
    AccountPayment,
    Collect,
    Deposit,
    Orders,
    Purchase,
)  # fmt: skip
from bus.contract.warehouse import RECEIVE, Receive
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from bus.text.console import output
from devices.terminal import domain
from devices.terminal.role import Terminal
from store.settings import read_settings
from store.terminal import running_terminal

SKU = "OXF-BLU-M"
ORDERS_RECORDED, ROUNDS, PURCHASES = 40, 4, 20


@dataclass(slots=True)
class Cost:
    """What purchases took in one setting."""

    seconds: list[float] = field(default_factory=list)
    """Seconds to each answer."""
    processor: float = 0.0
    """Seconds of the store's processes, the broker's among them."""

    def tell(self, name: str, bare: "Cost") -> None:
        """The figures, and their ratios to those without a console."""
        half, most = percentiles(self.seconds)
        each = 1000 * self.processor / len(self.seconds)
        output.print(
            f"    {name}: p50 {half}, p99 {most}, {each:.1f} ms of the processor in the store;"
            f" {median(self.seconds) / median(bare.seconds):.2f} times the time,"
            f" {self.processor / bare.processor:.2f} times the processor",
            soft_wrap=True,
        )


async def watched(data: Path, recording: Path) -> None:
    """Record some orders, and print what a console costs a purchase."""
    async with store("mosquitto", data) as process, AsyncExitStack() as stack:
        url = (data / "broker-url").read_text().strip()
        settings = read_settings(data=data)
        caller, customer = [
            await stack.enter_async_context(
                Caller(MqttConnector(url), settings.site, name).connected()
            )
            for name in ("tester-1", "terminal-99")
        ]
        await caller.ask(RECEIVE, "warehouse", Receive(sku=SKU, location="A-01-1", quantity=PLENTY))
        await caller.ask(DEPOSIT, "settlement", Deposit(account="C-1001", amount=RICH))
        terminal = await stack.enter_async_context(running_terminal("terminal-1", url, settings))
        account = AccountPayment(method="account", account="C-1001")
        purchase = domain.purchase({SKU: 1}, await terminal.styles([SKU]), account, None)
        async with recorded(url, settings.site, recording):
            for _ in range(ORDERS_RECORDED):
                await _bought_and_collected(terminal, customer, purchase)

        async def none_left() -> None:
            while (await caller.ask(ORDERS, "settlement", Orders(state="settled"))).orders:
                pass

        async def buy() -> None:
            await customer.ask(PURCHASE, "settlement", purchase)

        await _compare(process.pid, url, buy, none_left)


async def _compare(
    pid: int, url: str, buy: Callable[[], Awaitable[None]], pause: Callable[[], Awaitable[None]]
) -> None:
    """Make some purchases in each setting, in turn."""
    names = ("no console", "a console watches", "a console is stopped")
    costs = {name: Cost() for name in names}

    async def purchases(name: str) -> None:
        before = _processor(pid)
        costs[name].seconds += await measure(PURCHASES, buy, pause)
        costs[name].processor += _processor(pid) - before

    for _ in range(ROUNDS):
        await purchases(names[0])
        async with watching(url) as operator:
            await purchases(names[1])
            os.kill(operator.process.pid, signal.SIGSTOP)
            await purchases(names[2])
    output.print(f"{ROUNDS * PURCHASES} purchases in turn, each to its answer:")
    for name, cost in costs.items():
        cost.tell(name, costs[names[0]])


def _processor(pid: int) -> float:
    """Seconds of a store and its children."""
    return sum(each.processor for each in usage(pid).values())


async def _bought_and_collected(terminal: Terminal, customer: Caller, purchase: Purchase) -> None:
    bought = await terminal.outcome(await terminal.begin(purchase))
    assert bought.receipt is not None, bought
    await terminal.reminded(bought.receipt.order)
    await customer.ask(COLLECT, "settlement", Collect(code=bought.receipt.pickup_code))
