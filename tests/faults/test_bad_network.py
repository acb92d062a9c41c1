"""Scenario: between the nodes and the broker messages are repeated, delayed, reordered and lost."""

import asyncio
from pathlib import Path

import pytest
from aftermath import assert_nothing_is_wrong
from customers import customers_at
from parts import LONG, NODES, running_broker, running_parts
from proxy import Faults, Proxy

from bus.link.mqtt import KEEP_ALIVE

ORDERS = 100 if LONG else 8
SEEDS = range(1, 6) if LONG else range(1, 2)
CUTS = 10 if LONG else 3
HALF_OPEN = 1.0
UNTIL_NOTICED = 2.0 * KEEP_ALIVE + 5.0
"""Seconds after which a client has missed the answer to its own keep-alive ping."""


@pytest.mark.parametrize("seed", SEEDS)
async def test_messages_that_come_twice_late_and_in_another_order_change_nothing(
    data: Path, tmp_path: Path, seed: int
) -> None:
    async with (
        running_broker(tmp_path / "broker") as broker,
        Proxy(broker.port, seed).running() as proxy,
        running_parts(data, proxy.url, *NODES) as parts,
        customers_at(data, proxy.url) as customers,
    ):
        proxy.faults = Faults(repeat=0.5, delay=0.5, longest=0.2, lose_qos0=0.2)
        await customers.come(ORDERS, 0.03, seed)

        await customers.all_served()
        await parts.quiet()
        assert min(proxy.counts[fault] for fault in ("repeated", "delayed", "lost")) > 0
        proxy.faults = Faults()
        await parts.stop()
    assert_nothing_is_wrong(data)


@pytest.mark.parametrize("seed", SEEDS)
async def test_messages_that_were_acknowledged_and_lost_are_sent_again(
    data: Path, tmp_path: Path, seed: int
) -> None:
    async with (
        running_broker(tmp_path / "broker") as broker,
        Proxy(broker.port, seed).running() as proxy,
        running_parts(data, proxy.url, *NODES) as parts,
        customers_at(data, proxy.url) as customers,
    ):
        proxy.faults = Faults(lose_qos0=0.2, lose_qos1=0.1, repeat=0.1, delay=0.2)
        await customers.come(ORDERS, 0.03, seed)

        await customers.all_served()
        await parts.quiet()
        assert proxy.counts["lost"] > 0
        proxy.faults = Faults()
        await parts.stop()
    assert_nothing_is_wrong(data)


async def test_connections_that_are_cut_or_half_open_are_made_anew(
    data: Path, tmp_path: Path
) -> None:
    async with (
        running_broker(tmp_path / "broker") as broker,
        Proxy(broker.port, 1).running() as proxy,
        running_parts(data, proxy.url, *NODES) as parts,
        customers_at(data, proxy.url) as customers,
    ):
        rush = asyncio.create_task(customers.come(ORDERS, 0.1))
        for number in range(CUTS):
            await asyncio.sleep(0.3)
            if number % 2:
                proxy.is_half_open = True
                await asyncio.sleep(HALF_OPEN)
            proxy.cut()
            proxy.is_half_open = False
        if LONG:
            proxy.is_half_open = True
            await asyncio.sleep(UNTIL_NOTICED)
            # What was connected before is deaf for good: only what is connected anew may speak.
            proxy.cut()
            proxy.is_half_open = False
        await rush

        await customers.all_served()
        await parts.quiet()
        assert proxy.counts["cut"] > 0
        assert proxy.counts["swallowed"] > 0
        await parts.stop()
    assert_nothing_is_wrong(data)
