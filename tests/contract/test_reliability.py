"""Messages are lost, repeated and cut short, and every order still happens exactly once."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running_store import FAST, LABEL, FaultyBroker, Store, eventually, running_store

from bus.contract.every import ABOUT
from bus.contract.terminal import REMIND
from bus.contract.values import Empty
from bus.contract.warehouse import FULFIL
from bus.runtime.outbox import NEAR
from bus.runtime.unit_of_work import UnitOfWork

HOPS = (
    "terminal-1/settlement/purchase",
    "settlement/catalog/reserve",
    "settlement/catalog/commit",
    "settlement/warehouse/fulfil",
    "warehouse/sorter-1/pick",
    "sorter-1/warehouse/packed",
    "warehouse/settlement/ready",
    "settlement/terminal-1/remind",
)


@pytest.fixture
def broker() -> FaultyBroker:
    return FaultyBroker()


@pytest.fixture
async def store(broker: FaultyBroker, tmp_path: Path) -> AsyncIterator[Store]:
    async with running_store(broker, tmp_path, settings=FAST) as store:
        yield store


async def sold_exactly_once(store: Store, order: str) -> None:
    """Two mugs were sold, conveyed and announced once."""
    await store.reminded(order)
    await store.quiet()
    assert store.rows("settlement", "SELECT id, state FROM orders") == [(order, "reminded")]
    assert store.balance("sales:EUR") == 2500
    stock = store.rows("catalog", "SELECT on_hand, reserved FROM style WHERE sku = 'MUG'")
    assert stock == [(18, 0)]
    assert store.value("warehouse", "SELECT sum(quantity) FROM bin WHERE sku = 'MUG'") == 18
    assert len(store.machine.performed) == len(set(store.machine.performed)) == 4
    assert [shown.order for shown in store.reminders] == [order]


@pytest.mark.parametrize("kind", ["req", "rep"])
@pytest.mark.parametrize("hop", HOPS)
async def test_what_is_lost_on_the_way_is_asked_for_again_and_happens_once(
    store: Store, broker: FaultyBroker, hop: str, kind: str
) -> None:
    broker.lose(f"{kind}/{hop}", 2)
    receipt = await store.buy({"MUG": 2})
    await sold_exactly_once(store, receipt.order)
    assert len(broker.lost) == 2
    assert len({_but_for_the_time_left(message.payload) for message in broker.lost}) == 1


def _but_for_the_time_left(payload: bytes) -> bytes:
    """`expiresin` is what is left of the time, written anew at each try: docs/adr/0013."""
    return re.sub(rb'"expiresin":\d+,', b"", payload)


async def test_a_repeated_reply_is_the_same_to_the_byte(store: Store, broker: FaultyBroker) -> None:
    broker.lose("rep/terminal-1/settlement/purchase", 2)
    receipt = await store.buy({"MUG": 2})
    await sold_exactly_once(store, receipt.order)
    arrived = broker.sent("rep/terminal-1/settlement/purchase")
    assert {message.payload for message in arrived} == {broker.lost[0].payload}


async def test_a_lost_query_is_asked_again(store: Store, broker: FaultyBroker) -> None:
    broker.lose("req/terminal-1/catalog/lookup", 2)
    broker.lose("rep/terminal-1/catalog/lookup", 1)
    assert (await store.terminals["terminal-1"].scan(LABEL)).scanned == "SHIRT-BLUE"
    assert len(broker.lost) == 3


async def test_everything_delivered_three_times_has_one_effect(
    store: Store, broker: FaultyBroker
) -> None:
    broker.repeat("/req/", 3)
    broker.repeat("/rep/", 3)
    receipt = await store.buy({"MUG": 2})
    await sold_exactly_once(store, receipt.order)


class Crash(Exception):  # noqa: N818 - not an error of ours
    """The process ends here."""


def crash_after_the_next_commit(store: Store, name: str) -> None:
    """Nothing of what the next transaction decided gets out."""
    commits = store.nodes[name].running.batches._commits
    publish = commits.publish

    def crash(unit: UnitOfWork) -> None:
        if unit.replies or unit.added:
            raise Crash
        publish(unit)

    commits.publish = crash  # type: ignore[method-assign]


@pytest.mark.parametrize("name", ["catalog", "settlement", "warehouse", "sorter-1"])
async def test_a_node_that_crashed_between_commit_and_publish_goes_on_after_its_restart(
    store: Store, name: str
) -> None:
    terminal = store.terminals["terminal-1"]
    styles = await terminal.styles(["MUG"])
    crash_after_the_next_commit(store, name)
    purchase = store.purchase({"MUG": 2}, styles)
    identifier = await terminal.begin(purchase)
    assert isinstance(await store.ended(name), Crash)
    await store.start(name)
    bought = await terminal.outcome(identifier)
    assert bought.receipt is not None
    await sold_exactly_once(store, bought.receipt.order)


@pytest.mark.parametrize("callee", ["warehouse", "terminal-1"])
async def test_what_waits_for_a_node_that_is_away_is_done_when_it_is_back(
    store: Store, callee: str
) -> None:
    store.machine.free.clear()
    receipt = await store.buy({"MUG": 2})
    await store.stop(callee)
    store.machine.free.set()
    await eventually(lambda: store.nodes["settlement"].running.schedule or callee == "warehouse")
    await store.start(callee)
    await sold_exactly_once(store, receipt.order)


async def test_a_movement_under_way_when_the_sorter_crashed_is_finished_under_the_same_key(
    store: Store,
) -> None:
    store.machine.free.clear()
    receipt = await store.buy({"MUG": 2})
    query = "SELECT id FROM outbox WHERE kind = 'call'"
    (key,) = await eventually(lambda: store.rows("sorter-1", query), "a call to the machine")
    await store.crash("sorter-1")
    await store.start("sorter-1")
    store.machine.free.set()
    await sold_exactly_once(store, receipt.order)
    assert store.machine.performed[0] == f"travelling {key[0]}"


async def test_a_timer_that_was_set_before_a_crash_is_due_after_the_restart(store: Store) -> None:
    warehouse = store.nodes["warehouse"]
    await warehouse.decide(lambda unit: unit.after(300, "dispatch", Empty()))
    await store.crash("warehouse")
    assert store.value("warehouse", "SELECT kind FROM outbox") == "timer"
    await store.start("warehouse")
    assert store.nodes["warehouse"].running.schedule.timers == 1
    await eventually(lambda: not store.rows("warehouse", "SELECT 1 FROM outbox"), "the timer")


async def test_a_timer_of_later_waits_in_the_database_alone_until_its_time_is_near(
    store: Store,
) -> None:
    """There is one for each parcel that waits for its customer."""
    warehouse = store.nodes["warehouse"]
    await warehouse.decide(lambda unit: unit.after(2 * NEAR, "dispatch", Empty()))
    assert warehouse.running.schedule.timers == 0
    assert (await store.ask(ABOUT, "warehouse", Empty())).timers == 1
    await warehouse.decide(
        lambda unit: unit.connection.execute("UPDATE outbox SET due_at = ?", (unit.now + 200,))
    )
    warehouse.running._outbox._look_ahead()
    warehouse.running._outbox._look_ahead()
    assert warehouse.running.schedule.timers == 1
    await eventually(lambda: not store.rows("warehouse", "SELECT 1 FROM outbox"), "the timer")


@pytest.mark.parametrize(
    ("name", "operation"), [("warehouse", FULFIL), ("terminal-1", REMIND)], ids=["fulfil", "remind"]
)
async def test_a_command_that_failed_for_the_moment_is_given_again(
    store: Store, name: str, operation: object
) -> None:
    """A retryable problem is no answer yet: 500 says that the message had no effect."""
    commands = dict(store.nodes[name].role.commands)
    run = commands[operation]
    failures = iter([RuntimeError("planted")] * 2)

    def fail_twice(unit: UnitOfWork, request: object) -> object:
        if (failure := next(failures, None)) is not None:
            raise failure
        return run(unit, request)

    store.nodes[name].role.commands = {**commands, operation: fail_twice}
    receipt = await store.buy({"MUG": 2})
    await sold_exactly_once(store, receipt.order)
