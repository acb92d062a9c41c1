"""Measures a store as its users would and prints the figures beside a bare MQTT echo.

`python -m benchmarks [--engine mosquitto|embedded] [--rounds N]`. The store runs as
`storebus up` in a process of its own, the terminals in this one, all on 127.0.0.1.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from rich.table import Table

from audit import findings
from benchmarks.echo import echoing
from benchmarks.measuring import PLENTY, RICH, describe, measure, percentiles, store, usage
from bus.contract.catalog import LOOKUP, Lookup
from bus.contract.channel import ROLES
from bus.contract.settlement import (
    DEPOSIT,
    ORDERS,
    PURCHASE,
    AccountPayment,
    Deposit,
    Orders,
    OrderState,
    Purchase,
)
from bus.contract.warehouse import RECEIVE, Receive
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from bus.text.console import output
from cli.run import run
from devices.terminal import domain
from devices.terminal.role import Terminal
from store.composition import until_quiet
from store.settings import read_settings
from store.terminal import running_terminal

SKU, LABEL = "OXF-BLU-M", "https://shop.example/01/09506000134352"
TERMINALS, RUSH = 10, 100


async def bench(engine: str, rounds: int) -> None:
    """Start a store, measure everything in one run, and audit its books."""
    with tempfile.TemporaryDirectory(prefix="storebus-bench-") as folder:
        data = Path(folder)
        async with store(engine, data) as process, AsyncExitStack() as stack:
            url = (data / "broker-url").read_text().strip()
            started = usage(process.pid)
            await figures(stack, url, data, rounds)
            output.print(f"resident after the start: {describe(started)} (aim: <= 150 MB)")
            output.print(f"resident after the load:  {describe(usage(process.pid))}")
        wrong = findings([data])
        output.print(f"books: {'; '.join(map(str, wrong)) if wrong else 'balance'}")


async def figures(stack: AsyncExitStack, url: str, data: Path, rounds: int) -> None:
    """Echo, lookup, purchase, and the rush."""
    settings = read_settings(data=data)
    caller = await stack.enter_async_context(
        Caller(MqttConnector(url), settings.site, "tester-1").connected()
    )
    await caller.ask(RECEIVE, "warehouse", Receive(sku=SKU, location="A-01-1", quantity=PLENTY))
    await caller.ask(DEPOSIT, "settlement", Deposit(account="C-1001", amount=RICH))
    # A customer who only sends and hears; a terminal of her name shows her reminders at the end.
    customer = await stack.enter_async_context(
        Caller(MqttConnector(url), settings.site, "terminal-99").connected()
    )

    async def none_left(state: OrderState) -> None:
        """Wait until no order is in a state any more."""
        while (await caller.ask(ORDERS, "settlement", Orders(state=state))).orders:
            pass

    terminals = [
        await stack.enter_async_context(running_terminal(f"terminal-{n}", url, settings))
        for n in range(1, TERMINALS + 1)
    ]
    styles = await terminals[0].styles([SKU])
    account = AccountPayment(method="account", account="C-1001")
    purchase = domain.purchase({SKU: 1}, styles, account, None)
    echo0 = await stack.enter_async_context(echoing(url, 0))
    echo1 = await stack.enter_async_context(echoing(url, 1))

    # The bare echoes are measured again right before each figure: the machine may be shared.
    before_lookup = await measure(rounds, echo0)
    lookup = await measure(rounds, lambda: caller.ask(LOOKUP, "catalog", Lookup(code=LABEL)))
    before_purchase = await measure(rounds, echo1)
    answered = await measure(
        rounds // 4,
        lambda: customer.ask(PURCHASE, "settlement", purchase),
        pause=lambda: none_left("settled"),
    )
    bought = [await buy(terminals[0], purchase) for _ in range(rounds // 4)][rounds // 20 :]
    table = Table("", "p50", "p99", "p50 in echoes", "aim")
    table.add_row("bare echo, QoS 0", *percentiles(before_lookup), "1.0", "")
    table.add_row("lookup", *percentiles(lookup), ratio(lookup, before_lookup), "p50 <= 1 ms")
    table.add_row("bare echo, QoS 1", *percentiles(before_purchase), "1.0", "")
    table.add_row(
        "purchase to its answer", *percentiles(answered), ratio(answered, before_purchase),
        "p50 <= 8 ms",
    )  # fmt: skip
    table.add_row(
        "the same, and written down by the terminal",
        *percentiles(bought), ratio(bought, before_purchase), "",
    )  # fmt: skip
    output.print(table)
    async with running_terminal("terminal-99", url, settings):
        await none_left("ready")
    taken = await rush(terminals, purchase)
    await until_quiet(caller.ask, [*(each.name for each in terminals), *ROLES, "sorter-1"])
    output.print(
        f"{RUSH} orders from {TERMINALS} terminals: all reminded after {taken:.2f} s"
        f" (aim: <= 10 s), {RUSH / taken:.0f} orders/s"
    )


async def buy(terminal: Terminal, purchase: Purchase) -> float:
    """Buy, and let the order come to its end; seconds from the decision to the answer."""
    start = time.perf_counter()
    bought = await terminal.outcome(await terminal.begin(purchase))
    taken = time.perf_counter() - start
    assert bought.receipt is not None, bought
    await terminal.reminded(bought.receipt.order)
    return taken


async def rush(terminals: Sequence[Terminal], purchase: Purchase) -> float:
    """All orders at once; seconds until the last reminder is shown."""
    start = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(RUSH):
            tasks.create_task(buy(terminals[number % len(terminals)], purchase))
    return time.perf_counter() - start


def ratio(seconds: Sequence[float], bare: Sequence[float]) -> str:
    """How many bare echoes it takes, median against median."""
    return f"{sorted(seconds)[len(seconds) // 2] / sorted(bare)[len(bare) // 2]:.1f}"


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--engine", default="mosquitto", choices=["mosquitto", "embedded"])
    parser.add_argument("--rounds", type=int, default=1000)
    options = parser.parse_args()
    output.print(f"{options.engine}, {options.rounds} rounds, {os.cpu_count()} processors")
    run(bench(options.engine, options.rounds))


main()
