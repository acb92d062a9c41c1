"""A terminal whose patience has ended goes on asking until it knows what became of its purchase."""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from needs import ENGINE
from running_store import (
    FAST,
    PATIENCE,
    STOCK,
    FaultyBroker,
    RunBroker,
    Store,
    eventually,
    running_store,
)
from store_process import STOREBUS

from bus.contract.errors import Refused
from bus.contract.settlement import PURCHASE, AccountPayment
from bus.link import MqttConnector, Outgoing
from devices.terminal.domain import Bought
from devices.terminal.role import Terminal

ASKED, ANSWERED = "req/terminal-5/settlement/purchase", "rep/terminal-5/settlement/purchase"
_MANY = 1_000_000


class Till:
    """A terminal that soon runs out of patience, and what it learned afterwards."""

    def __init__(self, store: Store, terminal: Terminal, learned: list[Bought]) -> None:
        self.store = store
        self.terminal = terminal
        self.learned = learned

    async def send(self) -> str:
        """Buy a mug; returns the id of the purchase."""
        asked = self.store.purchase({"MUG": 1}, await self.terminal.styles(["MUG"]))
        return await self.terminal.begin(asked)

    async def unknown(self, identifier: str) -> None:
        """Wait until patience has ended without an answer."""
        async with asyncio.timeout(PATIENCE):
            assert (await self.terminal.outcome(identifier)).state == "unknown"

    async def known(self, identifier: str) -> Bought:
        """Wait until it is known after all; then nothing is left to do or to ask."""
        await eventually(lambda: bool(self.learned), "an outcome")
        async with asyncio.timeout(PATIENCE):
            bought = await self.terminal.known(identifier)
        await eventually(lambda: len(self.terminal.node.running.schedule) == 0, "an empty outbox")
        assert [each.id for each in self.learned] == [identifier]
        assert self.terminal.purchases() == [bought]
        return bought


@asynccontextmanager
async def till(store: Store, patience: float = 0.4) -> AsyncIterator[Till]:
    """Terminal-5, as long as it runs."""
    learned: list[Bought] = []
    terminal = Terminal("terminal-5", store.deployment, patience=patience, learned=learned.append)
    running = asyncio.create_task(terminal.run())
    await terminal.node.ready.wait()
    try:
        yield Till(store, terminal, learned)
    finally:
        terminal.node.stop()
        await running


@pytest.fixture
async def broker() -> FaultyBroker:
    """It loses what it is told to."""
    return FaultyBroker()


@pytest.fixture
async def store(broker: FaultyBroker, tmp_path: Path) -> AsyncIterator[Store]:
    """It repeats soon what was lost."""
    async with running_store(broker, tmp_path, settings=FAST) as store:
        yield store


def _deadlines(messages: list[Outgoing]) -> list[tuple[Any, Any]]:
    events = [json.loads(message.payload) for message in messages]
    return [(event.get("expiresin"), event.get("expirytime")) for event in events]


async def test_a_receipt_that_comes_too_late_is_shown_once(
    store: Store, broker: FaultyBroker
) -> None:
    before = store.balance("customer:C-1001")
    async with till(store) as at:
        broker.lose(ANSWERED, _MANY)
        sent = await at.send()
        await at.unknown(sent)
        assert at.learned == []
        broker.lose(ANSWERED, 0)
        broker.repeat(ANSWERED, 3)
        bought = await at.known(sent)
        assert bought.receipt is not None
        assert bought.receipt.state == "settled"
        assert store.value("settlement", "SELECT count(*) FROM orders") == 1
        assert before - store.balance("customer:C-1001") == bought.receipt.total.amount


async def test_what_is_asked_afterwards_has_the_same_id_and_begins_nothing(
    store: Store, broker: FaultyBroker
) -> None:
    async with till(store) as at:
        broker.lose(ASKED, _MANY)
        sent = await at.send()
        await at.unknown(sent)
        lost = [message for message in broker.lost if ASKED in message.topic]
        assert all(seconds >= 1 for seconds, _ in _deadlines(lost[:1]))
        broker.lose(ASKED, 0)
        bought = await at.known(sent)
        assert bought.problem is not None
        assert (bought.problem.status, bought.problem.code) == (410, "expired")
        passed = broker.sent(ASKED)
        assert set(_deadlines(passed)) == {(0, None)}
        assert {json.loads(message.payload)["id"] for message in passed} == {sent}
    await store.quiet()
    assert store.value("settlement", "SELECT count(*) FROM orders") == 0
    assert store.value("catalog", "SELECT on_hand FROM style WHERE sku = 'MUG'") == STOCK["MUG"]


async def test_a_terminal_that_was_switched_off_goes_on_asking_when_it_is_back(
    store: Store, broker: FaultyBroker
) -> None:
    async with till(store) as at:
        broker.lose(ANSWERED, _MANY)
        sent = await at.send()
        await at.unknown(sent)
    broker.lose(ANSWERED, 0)
    async with till(store) as at:
        assert (await at.known(sent)).receipt is not None
    async with till(store) as at:  # it is shown no second time
        await at.terminal.styles(["MUG"])
        assert at.learned == []


async def test_a_refusal_of_an_earlier_copy_is_not_what_became_of_the_purchase(
    store: Store, broker: FaultyBroker
) -> None:
    """It says that a copy with a wrong deadline was not begun: another may have been in time."""
    async with till(store) as at:
        broker.lose(ANSWERED, _MANY)
        sent = await at.send()
        await at.unknown(sent)
        early = {
            "id": "late-1", "correlationid": sent, "type": "storebus.settlement.purchase.problem",
            "time": "2026-01-01T00:00:00Z",
            "data": {
                "type": "t", "title": "Expired", "status": 410, "detail": "Too late.",
                "code": "expired", "retryable": False,
            },
        }  # fmt: skip
        reply = store.topics.reply("terminal-5", "settlement", PURCHASE.name)
        super(FaultyBroker, broker).route(Outgoing(reply, json.dumps(early).encode(), 1))
        await eventually(lambda: at.terminal.node.counts["too-late"], "that it was heard")
        assert at.terminal.purchases()[0].state == "unknown"
        broker.lose(ANSWERED, 0)
        assert (await at.known(sent)).receipt is not None


async def test_who_does_not_wait_is_told_that_it_is_not_known(
    store: Store, broker: FaultyBroker
) -> None:
    async with till(store) as at:
        broker.lose(ASKED, _MANY)
        styles = await at.terminal.styles(["MUG"])
        payment = store.purchase({"MUG": 1}, styles).payment
        told: list[str] = []
        buying = asyncio.create_task(
            at.terminal.buy({"MUG": 1}, styles, payment, None, lambda: told.append("not known yet"))
        )
        await eventually(lambda: told, "that it is not known")
        broker.lose(ASKED, 0)
        with pytest.raises(Refused) as refused:
            await buying
        assert refused.value.data.code == "expired"


async def test_the_command_goes_on_asking_and_prints_the_receipt_once(
    run_broker: RunBroker, tmp_path: Path
) -> None:
    broker = run_broker(ENGINE)
    async with running_store(MqttConnector(broker.url), tmp_path / "store", site="late") as store:
        database = store.deployment.data / "catalog.db"
        with closing(sqlite3.connect(database, isolation_level=None)) as held:
            held.execute("BEGIN IMMEDIATE")  # the goods can be held when this is over
            buying = await asyncio.create_subprocess_exec(
                *STOREBUS, "buy", "terminal-7", "MUG", "--pay", "account:C-1001", "--no-wait",
                "--broker", broker.url, "--site", "late", "--data", str(tmp_path / "till"),
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                env=os.environ | {"STOREBUS_PURCHASE_PATIENCE": "1", "COLUMNS": "300"},
            )  # fmt: skip
            assert buying.stderr is not None
            async with asyncio.timeout(PATIENCE):
                said = (await buying.stderr.readline()).decode()
            assert "not known yet" in said
        async with asyncio.timeout(PATIENCE):
            out, rest = await buying.communicate()
        assert (buying.returncode, rest) == (0, b"")
        assert out.decode().count("pickup code") == 1
    with closing(sqlite3.connect(tmp_path / "till" / "terminal-7.db")) as rows:
        assert rows.execute("SELECT state FROM purchase").fetchall() == [("settled",)]


async def test_what_somebody_waits_for_is_not_told_a_second_time(
    store: Store, broker: FaultyBroker
) -> None:
    async with till(store) as at:
        broker.lose(ANSWERED, _MANY)
        overdue: list[bool] = []

        def go_on() -> None:
            overdue.append(True)
            broker.lose(ANSWERED, 0)

        payment = AccountPayment(method="account", account="C-1001")
        styles = await at.terminal.styles(["MUG"])
        async with asyncio.timeout(PATIENCE):
            receipt = await at.terminal.buy({"MUG": 1}, styles, payment, overdue=go_on)
        await at.terminal.reminded(receipt.order)
        assert (overdue, at.learned) == ([True], [])


async def test_what_was_begun_before_a_restart_is_told_however_soon_it_is_answered(
    store: Store, broker: FaultyBroker
) -> None:
    async with till(store, patience=60) as at:
        broker.lose(ANSWERED, _MANY)
        sent = await at.send()
        await eventually(lambda: len(broker.lost) > 1, "an answer that is lost, and one more")
    broker.lose(ANSWERED, 0)
    async with till(store, patience=60) as at:
        assert (await at.known(sent)).receipt is not None
