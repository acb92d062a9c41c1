"""A day in a real store in which much goes wrong; written down, it is what the snapshots show.

PYTHONPATH=tests .venv/bin/python tests/ui/recorded_day.py    # writes recorded.jsonl anew
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from running_store import FAST, FaultyBroker, Store, eventually, running_store

from bus.contract.errors import Problem
from bus.contract.settlement import ORDER, OrderQuery
from bus.contract.topics import Topics
from bus.contract.values import Empty
from bus.contract.warehouse import LOCATE, RETURNS, Locate
from bus.history.recording import Recorded, Recording, read_recording
from bus.link import Incoming, Subscription

_BOUGHT = "rep/terminal-1/settlement/purchase"
RECORDED = Path(__file__).parent / "recorded.jsonl"


@dataclass(slots=True)
class Heard:
    """What an observer heard, each with the time in milliseconds since the epoch."""

    messages: list[tuple[int, Incoming]] = field(default_factory=list)
    stuck: str = ""
    """The order that does not move at the end."""


@asynccontextmanager
async def observed(broker: FaultyBroker, heard: Heard) -> AsyncIterator[None]:
    """Write down what is said within the block."""

    async def listen() -> None:
        async with broker.connect("observer") as link:
            await link.subscribe([Subscription(Topics("main").everything(), 0)])
            while True:
                batch = await link.receive()
                heard.messages += [(time.time_ns() // 1_000_000, message) for message in batch]

    listening = asyncio.create_task(listen())
    try:
        yield
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


async def story(store: Store, broker: FaultyBroker, heard: Heard) -> None:
    """Orders that go well, one that is retried, one whose sorter jams, one that is stuck."""
    first = await store.buy({"SHIRT-BLUE": 2, "MUG": 1})
    await store.collect((await store.reminded(first.order)).pickup_code)
    broker.lose("req/settlement/catalog/reserve")
    broker.repeat("rep/settlement/warehouse/fulfil", 3)
    retried = await store.buy({"MUG": 3}, terminal="terminal-2", point="south")
    await store.reminded(retried.order, "terminal-2")
    with suppress(Problem):
        await store.buy({"SHIRT-RED": 1, "MUG": 1}, terminal="terminal-3", account="C-1002")
    store.machine.jams_at = "conveying"
    moved = await store.buy({"SHIRT-RED": 1, "MUG": 1}, terminal="terminal-2")
    await store.reminded(moved.order, "terminal-2")
    await _lost(store, broker, "terminal-3")
    for machine in store.machines.values():
        machine.stops_at = "picking"
    stuck = await store.buy({"SHIRT-BLUE": 4, "MUG": 2})
    await eventually(lambda: _picking(heard, stuck.order), "a sorter that picks")
    await _lost(store, broker, _picking(heard, stuck.order))
    for order in (stuck.order, moved.order):
        await store.ask(ORDER, "settlement", OrderQuery(order=order))
    await store.ask(RETURNS, "warehouse", Empty())
    for sku in ("MUG", "SHIRT-BLUE"):
        await store.ask(LOCATE, "warehouse", Locate(sku=sku))
    heard.stuck = stuck.order


def _picking(heard: Heard, order: str) -> str:
    """The sorter that says it is picking for an order."""
    for _, message in reversed(heard.messages):
        if message.topic.endswith("/job"):
            data = json.loads(message.payload)["data"]
            if (data["step"], data["order"]) == ("picking", order):
                return message.topic.split("/")[-2]
    return ""


async def _lost(store: Store, broker: FaultyBroker, name: str) -> None:
    """A node is gone without a goodbye: the broker says so."""
    will = next(link.will for link in broker.links if link.will and f"/{name}/" in link.will.topic)
    await store.crash(name)
    broker.route(will)


async def told() -> Heard:
    """Let it happen."""
    heard, broker = Heard(), FaultyBroker()
    with tempfile.TemporaryDirectory() as data:
        async with (
            observed(broker, heard),
            running_store(broker, Path(data), settings=FAST, sorters=2, terminals=4) as store,
        ):
            await story(store, broker, heard)
            for machine in store.machines.values():
                machine.free.set()
            last = len(heard.messages)
        del heard.messages[last:]
    return heard


def recorded() -> Heard:
    """The day that was written down."""
    heard = Heard()
    for entry in read_recording(RECORDED):
        if isinstance(entry, Recorded):
            heard.messages.append((entry.at, entry.message))
    last = [message for _, message in heard.messages if message.topic.endswith(_BOUGHT)][-1]
    heard.stuck = json.loads(last.payload)["data"]["order"]
    return heard


def main() -> None:
    """Write it down."""
    heard = asyncio.run(told())
    RECORDED.unlink(missing_ok=True)
    with Recording(RECORDED) as recording:
        for at, message in heard.messages:
            recording.write(at, message)


if __name__ == "__main__":
    main()
