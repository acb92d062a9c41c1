"""Keeps buying at a fixed rate and prints every minute what it takes.

`python -m benchmarks.load [--rate 100] [--seconds 600] [--terminals 10] [--sorters 8]`. Customers
do not wait for each other: a purchase counts from when it was to begin. The store runs as
`storebus up`, each sorter as `storebus node`, each with a conveyor that takes no time; the
terminals run in this process. Ends with exit code 1 when the books do not balance.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measuring import PLENTY, RICH, Usage, command, percentiles, store, usage
from bus.caller import Caller
from bus.contract.channel import ROLES
from bus.contract.settlement import DEPOSIT, AccountPayment, Deposit, Purchase
from bus.contract.warehouse import RECEIVE, Receive
from bus.link import MqttConnector
from cli.audit import findings
from cli.customer import running_terminal
from cli.run import output, run
from cli.settings import Settings, read_settings
from cli.store import until_quiet
from devices.terminal import domain
from devices.terminal.role import Terminal

SKUS = ("OXF-BLU-M", "RNJ-YEL-M", "MER-GRY-S", "LIN-SAN-S")
DRAIN = 300.0
"""Seconds that what was begun may take to its end."""


@dataclass(slots=True)
class Tally:
    """What happened since the last line."""

    begun: int = 0
    settled: int = 0
    reminded: int = 0
    failed: int = 0
    taken: list[float] = field(default_factory=list)
    """Seconds of each purchase to its answer."""


class Load:
    """Purchases from all terminals, at a fixed rate.

    Args:
        terminals: they take turns.
        purchases: and so do the goods.
    """

    def __init__(self, terminals: Sequence[Terminal], purchases: Sequence[Purchase]) -> None:
        self._terminals = terminals
        self._purchases = purchases
        self.tally = Tally()
        self.under_way = 0

    async def run(self, rate: float, seconds: float) -> None:
        """Begin purchases when they are due; returns when the last one is reminded of."""
        began = time.monotonic()
        async with asyncio.timeout(seconds + DRAIN), asyncio.TaskGroup() as tasks:
            for number in range(round(rate * seconds)):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                tasks.create_task(self._buy(number, due))

    async def _buy(self, number: int, due: float) -> None:
        self.tally.begun += 1
        self.under_way += 1
        terminal = self._terminals[number % len(self._terminals)]
        purchase = self._purchases[number % len(self._purchases)]
        bought = await terminal.outcome(await terminal.begin(purchase))
        self.tally.taken.append(time.monotonic() - due)
        if bought.receipt is None:
            self.tally.failed += 1
        else:
            self.tally.settled += 1
            await terminal.reminded(bought.receipt.order)
            self.tally.reminded += 1
        self.under_way -= 1

    async def tell(self, data: Path, processes: Sequence[int], every: float) -> None:
        """Figures every so often until cancelled, and at the end how much memory has grown."""
        first: dict[str, Usage] = {}
        now = before = taken(processes)
        began = last = time.monotonic()
        try:
            while True:
                await asyncio.sleep(every)
                now = taken(processes)
                orders = max(1, self.tally.reminded)
                work = {
                    name: (now[name].processor - before[name].processor) / orders * 1000
                    for name in now
                }
                self._line(time.monotonic() - began, time.monotonic() - last)
                memory = {name: each.resident / 1e6 for name, each in now.items()}
                tell("ms of processor per order", work)
                tell("MB resident", memory)
                tell("MB on disk", {name: size / 1e6 for name, size in files(data).items()})
                first, before, last = first or now, now, time.monotonic()
        finally:
            for name in first:
                growth = now[name].resident / first[name].resident - 1
                output.print(f"{name}: {growth:+.1%} resident since the first figures")

    def _line(self, at: float, seconds: float) -> None:
        tally, self.tally = self.tally, Tally()
        p50, p99 = percentiles(tally.taken) if tally.taken else ("-", "-")
        output.print(
            f"{at:4.0f} s  begun {tally.begun / seconds:.1f}/s,"
            f" settled {tally.settled / seconds:.1f}/s, reminded {tally.reminded / seconds:.1f}/s,"
            f" failed {tally.failed}, under way {self.under_way};"
            f" purchase p50 {p50}, p99 {p99}",
            soft_wrap=True,
        )


def taken(processes: Sequence[int]) -> dict[str, Usage]:
    """By the store's processes, by the sorters together, and by this one with its terminals."""
    found = usage(processes[0])
    sorters = [usage(pid)[f"store ({pid})"] for pid in processes[1:]]
    here = usage(os.getpid())[f"store ({os.getpid()})"]
    together = Usage(
        sum(each.resident for each in sorters), sum(each.processor for each in sorters)
    )
    return found | {"sorters": together, "terminals": here}


def files(data: Path) -> dict[str, int]:
    """Bytes of databases, of their write-ahead logs, and of the records of deeds."""
    sizes: dict[str, int] = {}
    for file in data.glob("*"):
        node, _, kind = file.name.partition(".")
        if kind.endswith(("db", "db-wal", "jsonl")):
            name = f"{node.partition('-')[0]} {kind}"
            sizes[name] = sizes.get(name, 0) + file.stat().st_size
    return dict(sorted(sizes.items()))


def tell(what: str, figures: dict[str, float]) -> None:
    """Figures with their names."""
    parts = ", ".join(f"{name} {figure:.1f}" for name, figure in figures.items())
    output.print(f"        {what}: {parts}", soft_wrap=True)


async def fill(url: str, settings: Settings) -> None:
    """Goods and money for a long day."""
    async with Caller(MqttConnector(url), settings.site, "tester-1").connected() as caller:
        for sku in SKUS:
            goods = Receive(sku=sku, location="A-01-1", quantity=PLENTY)
            await caller.ask(RECEIVE, "warehouse", goods)
        await caller.ask(DEPOSIT, "settlement", Deposit(account="C-1001", name="Ann", amount=RICH))


async def load(options: argparse.Namespace) -> bool:
    """Run it; whether the books balance at the end."""
    with tempfile.TemporaryDirectory(prefix="storebus-load-", dir=options.folder) as folder:
        data = Path(folder)
        async with AsyncExitStack() as stack:
            processes = [await stack.enter_async_context(store("mosquitto", data, sorters=0))]
            url = (data / "broker-url").read_text().strip()
            settings = read_settings(data=data)
            for number in range(1, options.sorters + 1):
                sorter = ("node", f"sorter-{number}", "--broker", url, "--data", str(data))
                processes.append(
                    await stack.enter_async_context(command("is on", *sorter, "--speed", "inf"))
                )
            await fill(url, settings)
            terminals = [
                await stack.enter_async_context(running_terminal(f"terminal-{n}", url, settings))
                for n in range(1, options.terminals + 1)
            ]
            styles = await terminals[0].styles(list(SKUS))
            account = AccountPayment(method="account", account="C-1001")
            purchases = [domain.purchase({sku: 1}, styles, account, None) for sku in SKUS]
            running = Load(terminals, purchases)
            telling = asyncio.create_task(
                running.tell(data, [each.pid for each in processes], options.every)
            )
            await running.run(options.rate, options.seconds)
            sorters = [f"sorter-{number}" for number in range(1, options.sorters + 1)]
            await until_quiet([each.node for each in terminals], [*ROLES, *sorters])
            telling.cancel()
            await asyncio.wait({telling})
        wrong = findings([data])
        output.print(f"books: {'; '.join(map(str, wrong[:10])) if wrong else 'balance'}")
        return not wrong


def main() -> None:
    """Read the arguments and keep buying."""
    parser = argparse.ArgumentParser(prog="benchmarks.load", description=__doc__)
    parser.add_argument("--rate", type=float, default=100, help="orders per second")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--terminals", type=int, default=10)
    parser.add_argument("--sorters", type=int, default=8)
    parser.add_argument("--every", type=float, default=60, help="seconds between figures")
    parser.add_argument("--folder", type=Path, help="where the store's folder is made")
    options = parser.parse_args()
    output.print(
        f"{options.rate:g} orders/s for {options.seconds:g} s, {os.cpu_count()} processors"
    )
    sys.exit(0 if run(load(options)) else 1)


if __name__ == "__main__":
    main()
