"""Scenario: every part of the store is killed at random moments of a busy afternoon."""

import asyncio
import json
import random
import signal
from pathlib import Path

import pytest
from aftermath import assert_nothing_is_wrong
from buying_terminal import SERVED
from customers import customers_at
from parts import HERE, LONG, NODES, eventually, running_broker, running_parts
from regrets import all_cancelled, cancel_some, storeman

ORDERS = 100 if LONG else 16
ROUNDS = 6 if LONG else 1
SEEDS = range(1, 6) if LONG else range(1, 2)
TERMINAL_ORDERS = 20 if LONG else 5


def _refunds(log: Path) -> int:
    return sum(json.loads(line)["kind"] == "refund" for line in log.read_text().splitlines())


@pytest.mark.parametrize(
    ("engine", "seed"),
    [*(("mosquitto", seed) for seed in SEEDS), *(("embedded", seed) for seed in SEEDS[:2])],
)
async def test_every_part_is_killed_in_the_rush_and_every_order_is_reminded_once(
    data: Path, tmp_path: Path, engine: str, seed: int
) -> None:
    chance = random.Random(seed)
    async with (
        running_broker(tmp_path / "broker", engine, persistent=True) as broker,
        running_parts(data, broker.url, *NODES) as parts,
        customers_at(data, broker.url) as customers,
    ):
        buying = (str(HERE / "buying_terminal.py"), "terminal-9", broker.url, str(data))
        terminal = parts.add("terminal-9", *buying, str(TERMINAL_ORDERS))
        await terminal.start()
        async with parts.kept_up():
            rush = asyncio.create_task(customers.come(ORDERS, 0.1 * ROUNDS, seed))
            await eventually(lambda: len(customers.begun) >= ORDERS // 2, "half of the purchases")
            regrets = asyncio.create_task(cancel_some(parts, customers, 4))
            victims = [*NODES, "terminal-9", "broker"] * ROUNDS
            chance.shuffle(victims)
            for victim in victims:
                await asyncio.sleep(chance.uniform(0.1, 1.2))
                if victim == "broker":
                    await broker.kill()
                    await broker.start()
                elif parts[victim].running:
                    parts[victim].send(signal.SIGKILL)
            await rush
            async with storeman(parts):
                cancelled = await regrets
                await all_cancelled(parts, cancelled)

            await customers.all_served()
            await eventually(lambda: terminal.said(SERVED), "the end of terminal-9's purchases")
            await parts.quiet()
        assert all(-9 in parts[name].ends for name in NODES)
        await parts.stop()
    assert _refunds(data / "acquirer.jsonl") > 0
    assert_nothing_is_wrong(data, cancelled)
