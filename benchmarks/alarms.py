"""Which alarms a console raises that watches a store under load.

`python -m benchmarks.alarms [--rate 20] [--seconds 600]`. A store as `storebus up --apart` runs it,
with a sorter that takes its time, and `storebus load`; the console hears and asks as one with a
screen does. Ends with exit code 1 when the load or its books fail, or when an order that came to
its end was called stuck, a node that was there was called lost, or books that balance were said to
differ. Whatever else is raised is printed, to be judged.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import store
from bus.contract.topics import Topics
from bus.link import MqttConnector
from bus.text.console import output
from cli.run import run
from store.settings import read_settings
from tui.feed import Feed
from tui.model.alarms import ConsoleAlarm
from tui.model.store import StoreModel
from tui.scheduler import FeedScheduler

UNTRUE = frozenset({"stuck", "lost", "disagreement", "standstill", "cannot-write", "restless"})
"""Alarms that are untrue while a store is healthy, however busy it is."""
_TICK = 1.0


async def watch(rate: float, seconds: float) -> bool:
    """Load a store and watch it; return whether no untrue alarm was raised."""
    with tempfile.TemporaryDirectory(prefix="storebus-alarms-") as folder:
        data = Path(folder)
        async with store("mosquitto", data, 4, "--apart"):
            url = (data / "broker-url").read_text().strip()
            model = StoreModel(Topics(read_settings(data=data).site))
            raised: dict[tuple[str, str], ConsoleAlarm] = {}
            feed = Feed(MqttConnector(url), model, lambda _: None, FeedScheduler())
            watching = [
                asyncio.create_task(feed.run()), asyncio.create_task(_tick(feed, raised))
            ]  # fmt: skip
            balanced = await _load(data, rate, seconds)
            await asyncio.sleep(_TICK)
            for task in watching:
                task.cancel()
            await asyncio.wait(watching)
    output.print(
        f"{len(model.orders)} orders and {model.history.heard} messages heard,"
        f" {feed.dropped} not taken in; {len(raised)} alarms"
    )
    for alarm in raised.values():
        output.print(f"    {alarm.kind}: {alarm.text} ({alarm.times} times)", soft_wrap=True)
    return balanced and not any(kind in UNTRUE for kind, _ in raised)


async def _load(data: Path, rate: float, seconds: float) -> bool:
    """Run `storebus load` as a tester does; return whether it succeeded."""
    words = ("load", "--data", str(data), "--stock", "--mix", "buy=2,scan=3,order=1,cancel=1")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *words),
        *("--rate", str(rate), "--duration", f"{seconds:g}s", "--settle", "120"),
    )
    return await process.wait() == 0


async def _tick(feed: Feed, raised: dict[tuple[str, str], ConsoleAlarm]) -> None:
    """As the console's clock does, and note each cause that is raised."""
    while True:
        feed.model.tick(feed.environment.steady())
        for group in feed.model.alarms.groups():
            raised.setdefault(group.head.key, group.head)
        await asyncio.sleep(_TICK)


def main() -> None:
    """Read the arguments and watch."""
    parser = argparse.ArgumentParser(prog="benchmarks.alarms", description=__doc__)
    parser.add_argument("--rate", type=float, default=20, help="arrivals per second")
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    began = time.monotonic()
    well = run(watch(options.rate, options.seconds))
    output.print(f"{'nothing untrue' if well else 'not well'}, {time.monotonic() - began:.0f} s")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
