"""Scenarios: a node that stands still for a while, and a broker that forgets everything."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from aftermath import assert_nothing_is_wrong
from customers import customers_at
from parts import LONG, NODES, PATIENCE, running_broker, running_parts

from bus.contract.channel import role_of
from bus.contract.every import PRESENCE
from bus.contract.topics import Topics
from bus.link import MqttConnector, Subscription

ORDERS = 60 if LONG else 12
STANDSTILL = 60.0 if LONG else 1.2
AWAY = 10.0 if LONG else 1.0
"""Seconds; longer than others wait before they take over a role."""


async def _online(url: str, count: int) -> set[str]:
    """Which nodes, but terminals, are retained as online once so many are."""
    found: set[str] = set()
    topics = Topics("main")
    async with MqttConnector(url).connect("witness") as link, asyncio.timeout(PATIENCE):
        await link.subscribe([Subscription(topics.state("+", PRESENCE.name), 1)])
        while len(found) < count:
            for message in await link.receive():
                address = topics.parse(message.topic)
                assert address is not None
                shown = json.loads(message.payload)["data"]
                if shown["status"] == "online" and role_of(address.node) != "terminal":
                    found.add(address.node)
    return found


async def test_a_node_that_stands_still_and_wakes_up_loses_and_doubles_nothing(
    data: Path, tmp_path: Path
) -> None:
    async with (
        running_broker(tmp_path / "broker") as broker,
        running_parts(data, broker.url, *NODES) as parts,
        customers_at(data, broker.url) as customers,
    ):
        rush = asyncio.create_task(customers.come(ORDERS, STANDSTILL * len(NODES) / ORDERS))
        for name in NODES:
            parts[name].send(signal.SIGSTOP)
            await asyncio.sleep(STANDSTILL)
            parts[name].send(signal.SIGCONT)
        await rush

        await customers.all_served()
        await parts.quiet()
        await parts.stop()
    assert_nothing_is_wrong(data)


@pytest.mark.parametrize("rounds", [5 if LONG else 1])
async def test_a_broker_that_forgot_what_was_retained_is_told_again(
    data: Path, tmp_path: Path, rounds: int
) -> None:
    async with (
        running_broker(tmp_path / "broker", persistent=True) as broker,
        running_parts(data, broker.url, *NODES) as parts,
        customers_at(data, broker.url) as customers,
    ):
        rush = asyncio.create_task(customers.come(ORDERS, 0.08 * rounds))
        for _ in range(rounds):
            await asyncio.sleep(0.5)
            await broker.kill()
            broker.saved.unlink(missing_ok=True)
            await asyncio.sleep(AWAY)
            await broker.start()
            assert await _online(broker.url, len(NODES)) == set(NODES)
        await rush

        await customers.all_served()
        await parts.quiet()
        await parts.stop()
    assert_nothing_is_wrong(data)
