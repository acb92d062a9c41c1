"""Scenario: a process is stopped, another one takes over its role, and then the first goes on."""

import asyncio
import json
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from aftermath import assert_nothing_is_wrong
from customers import ACCOUNTS, Customers, customers_at
from killing_node import STEPS
from parts import (
    HERE,
    LONG,
    NODES,
    ROLES,
    Part,
    copy_store,
    eventually,
    running_broker,
    running_parts,
)

from bus.contract.every import PING
from bus.contract.settlement import AccountPayment
from bus.contract.values import Empty
from bus.link import Link, MqttConnector, Subscription

CASES = [(role, step) for role in ROLES for step in STEPS]
SHORT = [("settlement", "decided")]
ORDERS = 6


def _contents(data: Path, name: str) -> list[str]:
    """All that a node has committed."""
    with closing(sqlite3.connect(f"{(data / name).as_uri()}.db?mode=ro", uri=True)) as database:
        return list(database.iterdump())


async def _come(customers: Customers, count: int) -> None:
    """They pay by account: the acquirer is not what is stopped and doubled here."""
    for number in range(count):
        account = ACCOUNTS[number % len(ACCOUNTS)]
        await customers.buy(number, AccountPayment(method="account", account=account))
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _overheard(url: str) -> AsyncIterator[list[str]]:
    """The ids of all messages on the bus from now on, but of the question who is there."""
    heard: list[str] = []

    async def listen(link: Link) -> None:
        while True:
            heard.extend(
                json.loads(message.payload)["id"]
                for message in await link.receive()
                if not message.retain and not message.topic.endswith("/ping")
            )

    async with MqttConnector(url).connect("witness") as link:
        await link.subscribe([Subscription("storebus/#", 1)])
        listening = asyncio.create_task(listen(link))
        yield heard
        listening.cancel()


def _replace(data: Path, other: Path, role: str) -> None:
    """The role's files are those of the process that took over."""
    for file in data.glob(f"{role}.db*"):
        file.unlink()
    for file in other.glob(f"{role}.*"):
        shutil.copy2(file, data)


def _is_stopped(part: Part) -> bool:
    return part.state == "T"


@pytest.mark.parametrize(("role", "step"), CASES if LONG else SHORT)
async def test_a_stopped_process_whose_role_was_taken_commits_and_says_nothing_more(
    data: Path, tmp_path: Path, role: str, step: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    stopping = (str(HERE / "killing_node.py"), "SIGSTOP", step, "5", "cli")
    async with (
        running_broker(tmp_path / "broker") as broker,
        running_parts(data, broker.url) as parts,
    ):
        parts.node(role, *stopping)
        await parts.start(*NODES)
        first = parts[role]
        async with customers_at(data, broker.url) as customers, parts.tester() as tester:
            boot = (await tester.ask(PING, role, Empty())).boot
            rush = asyncio.create_task(_come(customers, ORDERS))
            await eventually(lambda: _is_stopped(first), "the stop in the middle of a message")

            copy_store(data, elsewhere)
            parts.folders[role] = elsewhere
            parts.node(role)
            await parts.start(role)
            assert (await tester.ask(PING, role, Empty())).boot != boot
            await rush
            await customers.all_served()

            before = _contents(data, role)
            async with _overheard(broker.url) as heard:
                first.send(signal.SIGCONT)
                assert await first.ended() == 1
                await _come(customers, 2)
                await customers.all_served()
            assert first.said(f"{role} was taken over") or first.said(f"{role} is already running")
            assert _contents(data, role) == before
            assert heard
            assert [each for each in heard if each.startswith(boot)] == []

            await parts.quiet()
            await parts.stop()
    _replace(data, elsewhere, role)
    assert_nothing_is_wrong(data)
