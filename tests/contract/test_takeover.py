"""One process plays a role; a broker that goes away takes nothing with it."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from needs import require
from plug import Plug
from ports import free_port
from raw_client import RawClient
from running_store import FAST, PATIENCE, Store, Transport, eventually, running_store

from broker import mosquitto
from broker.child import Program, stop
from bus.contract.errors import RoleTakenError
from bus.contract.every import PING
from bus.contract.values import Empty
from bus.link import Link, MemoryBroker, MqttConnector, Outgoing
from bus.runtime.deployment import Deployment
from bus.runtime.node import Node
from bus.runtime.unit_of_work import UnitOfWork
from devices.terminal import store as terminal_store
from nodes.catalog.role import Catalog


async def test_a_second_process_on_the_same_data_refuses_to_start(store: Store) -> None:
    with pytest.raises(RoleTakenError, match="another process"):
        await Node("catalog", Catalog().role, store.deployment).run()
    await store.reminded((await store.buy({"MUG": 1})).order)


async def test_a_second_process_with_data_of_its_own_finds_the_first_alive_and_refuses(
    store: Store, tmp_path: Path
) -> None:
    boot = store.nodes["catalog"].environment.boot
    deployment = Deployment(store.deployment.connector, store.site, tmp_path / "elsewhere")
    with pytest.raises(RoleTakenError, match=f"already running elsewhere.*{boot}"):
        await Node("catalog", Catalog().role, deployment).run()
    assert (await store.ask(PING, "catalog", Empty())).boot == boot
    await store.reminded((await store.buy({"MUG": 1})).order)


async def test_a_role_is_free_again_once_its_process_is_gone(store: Store) -> None:
    before = store.nodes["catalog"].environment.boot
    await store.stop("catalog")
    await store.start("catalog")
    assert (await store.ask(PING, "catalog", Empty())).boot != before


async def test_a_process_that_stands_still_while_it_begins_begins_all_the_same(
    tmp_path: Path,
) -> None:
    role, loop, stood_still = Catalog().role, asyncio.get_running_loop(), threading.Event()

    def stand_still() -> None:
        time.sleep(2 * FAST.takeover_wait)  # as a host does that is too busy, or was suspended
        stood_still.set()

    def begin(unit: UnitOfWork) -> None:
        if not stood_still.is_set():
            loop.call_soon_threadsafe(stand_still)
            stood_still.wait()
        role.started(unit)

    node = Node(
        "catalog", replace(role, started=begin), Deployment(MemoryBroker(), "main", tmp_path, FAST)
    )
    running = asyncio.create_task(node.run())
    async with asyncio.timeout(PATIENCE):
        await node.ready.wait()
        node.stop()
        await running
    assert stood_still.is_set()


class _BrokerRestarts(Plug):
    """A broker that goes away as soon as it has taken a connection, and is back a try later."""

    def __init__(self, leaves_at: int) -> None:
        super().__init__(MemoryBroker())
        self._leaves_at = leaves_at
        self._connections = 0

    @asynccontextmanager
    async def connect(self, client_id: str, will: Outgoing | None = None) -> AsyncIterator[Link]:
        """The fatal connection is made, and lost at once."""
        self._connections += 1
        if self._connections == self._leaves_at + 2:
            self.put_in()
        async with super().connect(client_id, will) as link:
            if self._connections == self._leaves_at:
                self.pull()
            yield link


@pytest.mark.parametrize("connection", [1, 2], ids=["it asks for its name", "it subscribes"])
async def test_a_node_begins_although_its_broker_is_restarted_while(
    tmp_path: Path, connection: int
) -> None:
    node = Node(
        "catalog", Catalog().role, Deployment(_BrokerRestarts(connection), "main", tmp_path, FAST)
    )
    running = asyncio.create_task(node.run())
    ready = asyncio.create_task(node.ready.wait())
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait({running, ready}, return_when="FIRST_COMPLETED")
    assert node.ready.is_set(), await running
    node.stop()
    await running


async def test_after_a_crash_a_role_is_taken_over_once_nobody_answers_for_it(store: Store) -> None:
    receipt = await store.buy({"MUG": 1})
    await store.crash("settlement")
    await store.start("settlement")
    await store.reminded(receipt.order)


def _presence(node: str, status: str, boot: str, since: str) -> bytes:
    data = {"status": status, "boot": boot, "since": since}
    return json.dumps({"id": f"{boot}-1", "source": f"/main/{node}", "data": data}).encode()


async def test_a_node_that_a_late_last_will_calls_lost_shows_at_once_that_it_is_there(
    store: Store, raw: RawClient
) -> None:
    sorter, topic = store.nodes["sorter-1"], store.topics.state("sorter-1", "presence")
    boot, since = sorter.environment.boot, sorter._messages.since
    for lost in (boot, "00000000dead"):
        will = _presence("sorter-1", "lost", lost, since)
        await raw.send(Outgoing(topic, will, qos=1, retain=True))
        await raw.expect(topic, lambda message: message.data["status"] == "lost")
        shown = await raw.expect(topic, lambda message: message.data["status"] == "online")
        assert shown.data["boot"] == boot
    await store.reminded((await store.buy({"MUG": 1})).order)


@pytest.mark.parametrize("since", ["2001-01-01T00:00:00.000Z", "2101-01-01T00:00:00.000Z"])
async def test_a_presence_that_nobody_answers_for_ends_no_node(
    store: Store, raw: RawClient, since: str
) -> None:
    topic = store.topics.state("catalog", "presence")
    false = _presence("catalog", "online", "0123456789ab", since)
    await raw.send(Outgoing(topic, false, qos=1, retain=True))
    await raw.expect(topic, lambda message: message.data["boot"] == "0123456789ab")
    boot = store.nodes["catalog"].environment.boot
    await raw.expect(topic, lambda message: message.data["boot"] == boot)
    await store.reminded((await store.buy({"MUG": 1})).order)
    assert store.running("catalog")


async def test_a_node_that_sees_a_later_start_of_itself_which_answers_ends(
    store: Store, raw: RawClient
) -> None:
    topics = store.topics
    other = _presence("catalog", "online", "0123456789ab", "2101-01-01T00:00:00.000Z")
    await raw.send(Outgoing(topics.state("catalog", "presence"), other, qos=1, retain=True))
    await raw.expect(topics.request("catalog", "catalog", "ping"))
    data = {"node": "catalog", "boot": "0123456789ab", "version": "1"}
    pong = json.dumps({"id": "0123456789ab-2", "data": data}).encode()
    await raw.send(Outgoing(topics.reply("catalog", "catalog", "ping"), pong))
    error = await store.ended("catalog")
    assert isinstance(error, RoleTakenError)
    assert "0123456789ab" in str(error)


async def test_a_purchase_that_stood_still_before_its_commit_is_made_once_and_answered(
    store: Store,
) -> None:
    terminal = store.terminals["terminal-1"]
    styles = await terminal.styles(["MUG"])
    save, late = terminal_store.save_purchase, [True]

    def save_late(*values: Any) -> None:
        save(*values)
        if late:
            late.pop()
            terminal.node.running.connection.lease._until = (
                0.0  # the lease is over before the commit
            )

    with patch.object(terminal_store, "save_purchase", save_late):
        sent = await terminal.begin(store.purchase({"MUG": 1}, styles))
    async with asyncio.timeout(PATIENCE):
        bought = await terminal.outcome(sent)
    assert bought.receipt is not None
    assert [each.id for each in terminal.purchases()] == [sent]


async def test_a_node_that_stood_still_goes_on_when_nobody_took_its_role(store: Store) -> None:
    settlement = store.nodes["settlement"]
    settlement.running.connection.lease._clock = lambda: settlement.environment.elapsed() + 3600
    assert not settlement.running.connection.lease.holds()
    await store.reminded((await store.buy({"MUG": 1})).order)
    assert settlement.running.connection.lease.holds()


async def test_when_the_broker_is_back_the_nodes_are_and_open_orders_are_finished(
    tmp_path: Path,
) -> None:
    require("mosquitto")
    binary = mosquitto.find_mosquitto()
    assert binary is not None
    port = free_port()
    file = tmp_path / "mosquitto.conf"
    file.write_text(mosquitto.configuration("127.0.0.1", port, 131_072))
    command = mosquitto.command(binary, file)
    program = Program("mosquitto", command, tmp_path / "log", "127.0.0.1", (port,))
    process = await program.start()
    connector = MqttConnector(f"mqtt://127.0.0.1:{port}")
    try:
        async with running_store(connector, tmp_path / "data", settings=FAST) as store:
            store.machine.free.clear()
            orders = [(await store.buy({"MUG": 1})).order for _ in range(3)]
            process.kill()
            await stop(process)
            sessions = [node.running.connection.session for node in store.nodes.values()]
            await eventually(lambda: not any(each.up.is_set() for each in sessions), "all lost")
            store.machine.free.set()
            process = await program.start()
            for order in orders:
                await store.reminded(order)
            await store.quiet()
            assert sorted(shown.order for shown in store.reminders) == sorted(orders)
            assert store.value("settlement", "SELECT count(*) FROM orders") == 3
    finally:
        await stop(process)


async def test_a_store_that_opens_sells_and_closes_complains_of_nothing(
    transport: Transport, site: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_store(transport.connector, tmp_path, site=site, terminals=2) as store:
        await store.reminded((await store.buy({"MUG": 1})).order)
        await store.quiet()
    await asyncio.sleep(0)  # one turn of the loop for what the closed connections left behind
    assert [record.getMessage() for record in caplog.records if record.levelname != "DEBUG"] == []


async def test_a_node_told_to_stop_ends_also_when_its_lease_is_over_before_its_last_commit(
    store: Store,
) -> None:
    node = store.nodes["settlement"]
    await store.reminded((await store.buy({"MUG": 1})).order)
    transact = node.running.journal.transact

    async def stood_still(work: Any) -> Any:
        if not node.running.connection.session.up.is_set():
            node.running.connection.lease._until = 0.0  # and nobody renews it any more
        return await transact(work)

    with patch.object(node.running.journal, "transact", stood_still):
        async with asyncio.timeout(PATIENCE):
            await store.stop("settlement")
    await store.start("settlement")
    await store.reminded((await store.buy({"MUG": 1})).order)
