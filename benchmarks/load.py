"""Keeps buying at a fixed rate, and prints every minute how long that takes.

`python -m benchmarks.load [--rate 100] [--seconds 600] [--terminals 10] [--durable]`.
Customers do not wait for each other: a purchase counts from when it was to begin. The store runs
as `storebus up --apart`, or in one process (`--together`). In a shop each terminal and each sorter
has a computer of its own; here they run in this process and write nothing down, unless they are
`--durable`: then the terminals have journals, and each sorter is a `storebus node` whose conveyor
takes no time. Ends with exit code 1 when the books do not balance.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from audit import findings
from benchmarks.measuring import Usage, command, percentiles, store, usage
from benchmarks.sorters import BareSorter
from bus.contract.channel import ROLES
from bus.contract.settlement import AccountPayment
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from bus.text.console import output
from cli.run import run
from store.composition import until_quiet
from store.settings import read_settings
from testing.load.arrivals import Arrivals
from testing.load.goods import bring, products_of, styles_of
from testing.load.load_counts import LoadCounts
from testing.load.plan import LoadPlan
from testing.load.purchase_log import PurchaseLog
from testing.load.report import as_table
from testing.load.terminals import running_customer
from testing.load.visits import Choices, Visits

SKUS = frozenset({"OXF-BLU-M", "RNJ-YEL-M", "MER-GRY-S", "LIN-SAN-S"})
AT_ONCE = 100_000
"""No customer is turned away: if the store cannot keep up, the figures show it."""
DRAIN = 300.0
"""Seconds that an order may take to its end."""


class Figures:
    """Prints what happened since the last line, and the resources it took.

    Args:
        tally: of all arrivals.
        bought: what the customers were told.
        data: the store's folder.
        processes: the store's, then the sorters'.
    """

    def __init__(
        self, counts: LoadCounts, bought: PurchaseLog, data: Path, processes: Sequence[int]
    ) -> None:
        self._tally, self._bought = counts, bought
        self._data, self._processes = data, processes
        self._before = (0, 0, 0, 0)

    async def tell(self, every: float) -> None:
        """Figures every so often until cancelled, and at the end how much memory has grown."""
        first: dict[str, Usage] = {}
        now = before = taken(self._processes)
        began = last = time.monotonic()
        try:
            while True:
                await asyncio.sleep(every)
                now = taken(self._processes)
                reminded = self._line(time.monotonic() - began, time.monotonic() - last)
                work = {
                    name: (now[name].processor - before[name].processor) / max(1, reminded) * 1000
                    for name in now
                }
                memory = {name: each.resident / 1e6 for name, each in now.items()}
                tell("ms of processor per order", work)
                tell("MB resident", memory)
                tell("MB on disk", {name: size / 1e6 for name, size in files(self._data).items()})
                first, before, last = first or now, now, time.monotonic()
        finally:
            for name in first:
                growth = now[name].resident / first[name].resident - 1
                output.print(f"{name}: {growth:+.1%} resident since the first figures")

    def _line(self, at: float, seconds: float) -> int:
        """One line; returns how many were reminded since the last one."""
        counted = self._tally.kinds["buy"]
        failed = counted.refused.total() + counted.no_answer + counted.not_sent
        now = (counted.sent, counted.answered, self._bought.reminded, failed)
        begun, settled, reminded, failures = (
            after - before for after, before in zip(now, self._before, strict=True)
        )
        p50, p99 = percentiles(counted.seconds[self._before[1] :])
        self._before = now
        output.print(
            f"{at:4.0f} s  begun {begun / seconds:.1f}/s,"
            f" settled {settled / seconds:.1f}/s, reminded {reminded / seconds:.1f}/s,"
            f" failed {failures}, under way {counted.under_way + len(self._bought.awaited)};"
            f" purchase p50 {p50}, p99 {p99}",
            soft_wrap=True,
        )
        return reminded


def taken(processes: Sequence[int]) -> dict[str, Usage]:
    """The use of the store's processes, of durable sorters, and of this one with its devices."""
    found = usage(processes[0])
    sorters = [usage(pid)[f"store ({pid})"] for pid in processes[1:]]
    here = usage(os.getpid())[f"store ({os.getpid()})"]
    together = Usage(
        sum(each.resident for each in sorters), sum(each.processor for each in sorters)
    )
    return found | ({"sorters": together} if sorters else {}) | {"devices": here}


def files(data: Path) -> dict[str, int]:
    """Bytes of databases, of their write-ahead logs, and of the effect logs."""
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


async def load(options: argparse.Namespace) -> bool:
    """Run it; whether the books balance at the end."""
    plan = LoadPlan(options.rate, options.seconds, {"buy": 1}, at_once=AT_ONCE)
    counts, bought, chance = LoadCounts(list(plan.mix)), PurchaseLog(), random.Random()
    account = AccountPayment(method="account", account="C-1001")
    apart = () if options.together else ("--apart",)
    with tempfile.TemporaryDirectory(prefix="storebus-load-", dir=options.folder) as folder:
        data = Path(folder)
        async with AsyncExitStack() as stack:
            processes = [await stack.enter_async_context(store("mosquitto", data, 0, *apart))]
            url = (data / "broker-url").read_text().strip()
            settings = read_settings(data=data)
            connector = MqttConnector(url)
            sorters = [f"sorter-{number}" for number in range(1, options.sorters + 1)]
            for sorter in sorters:
                if options.durable:
                    node = ("node", sorter, "--broker", url, "--data", str(data), "--speed", "inf")
                    processes.append(await stack.enter_async_context(command("is on", *node)))
                else:
                    bare = BareSorter(sorter, connector, settings.site, settings.runtime)
                    await stack.enter_async_context(bare.running())
            caller = await stack.enter_async_context(
                Caller(connector, settings.site, "tester-1").connected()
            )
            customers = [
                await stack.enter_async_context(
                    running_customer(
                        f"terminal-{n}", url, settings, bought.remind, durable=options.durable
                    )
                )
                for n in range(1, options.terminals + 1)
            ]
            known = styles_of(await products_of(caller.ask))
            goods = [style for style in known if style.sku in SKUS]
            styles = await bring(caller.ask, plan, goods, account)
            visits = Visits(Choices([], [], styles, account), bought, None, chance)
            arrivals = Arrivals(plan, visits.by_kind, customers, counts, chance)
            figures = Figures(counts, bought, data, [each.pid for each in processes])
            telling = asyncio.create_task(figures.tell(options.every))
            await arrivals.run()
            async with asyncio.timeout(DRAIN):
                await bought.all_reminded()
                durable = [*sorters, *(each.name for each in customers)] if options.durable else []
                await until_quiet(caller.ask, [*durable, *ROLES])
            telling.cancel()
            await asyncio.wait({telling})
        output.print(as_table(counts))
        wrong = findings([data])
        output.print(f"books: {'; '.join(map(str, wrong[:10])) if wrong else 'balance'}")
        return not wrong


def main() -> None:
    """Read the arguments and keep buying."""
    parser = argparse.ArgumentParser(prog="benchmarks.load", description=__doc__)
    parser.add_argument("--rate", type=float, default=100, help="orders per second")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--terminals", type=int, default=10)
    parser.add_argument("--sorters", type=int, default=16)
    parser.add_argument("--every", type=float, default=60, help="seconds between figures")
    parser.add_argument("--together", action="store_true", help="the three roles in one process")
    parser.add_argument("--durable", action="store_true", help="real devices, with journals")
    parser.add_argument("--folder", type=Path, help="where the store's folder is made")
    options = parser.parse_args()
    output.print(
        f"{options.rate:g} orders/s for {options.seconds:g} s, {os.cpu_count()} processors"
    )
    sys.exit(0 if run(load(options)) else 1)


if __name__ == "__main__":
    main()
