"""A message with a field at its bound, or beyond it, goes to each node through a broker.

What is beyond is refused with the field's name; what fits, for what it says or not at all.
Nothing makes a node fail, and the store goes on selling.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from bounds import Case, cases
from raw_client import RawClient, raw_in_memory, raw_over_mqtt
from running_store import PATIENCE, RunBroker, Store, running_store

from bus.contract import OPERATIONS, STATES
from bus.contract.channel import EVERY, ROLES, Operation
from bus.contract.errors import Refused
from bus.contract.every import ABOUT, PING
from bus.contract.settlement import DEPOSIT, Deposit
from bus.contract.values import MAX_INTEGER, Empty, Money
from bus.contract.warehouse import RECEIVE, Receive
from bus.link import MemoryBroker, MqttConnector
from schema.messages import messages_of

SITE = "bounds"
NODES = ("catalog", "settlement", "warehouse", "sorter-1", "terminal-1")
_AT_ONCE = 200


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["memory", "mosquitto"])
async def stage(
    request: pytest.FixtureRequest, run_broker: RunBroker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Store, RawClient]]:
    """A store, and somebody who may write anything in anybody's name."""
    data = tmp_path_factory.mktemp("bounds")
    if request.param == "memory":
        memory = MemoryBroker()
        async with (
            running_store(memory, data, site=SITE) as store,
            raw_in_memory(memory, SITE, "tester-9") as raw,
        ):
            yield store, raw
        return
    broker = run_broker("mosquitto")
    async with (
        running_store(MqttConnector(broker.url), data, site=SITE) as store,
        raw_over_mqtt(broker.url_v311, SITE, "tester-9") as raw,
    ):
        yield store, raw


def _asked(operation: Operation[Any, Any]) -> list[Case]:
    name = messages_of(operation)[0].name
    return list(cases(name, operation.request))


def _node(kind: str) -> str:
    return kind if kind in ROLES else "catalog" if kind == EVERY else f"{kind}-1"


def _caller(operation: Operation[Any, Any]) -> str:
    kind = min(operation.callers or {"tester"})
    return kind if kind in ROLES else f"{kind}-9"


COMMANDS = [each for each in OPERATIONS.values() if _asked(each)]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("operation", COMMANDS, ids=lambda each: f"{each.callee}-{each.name}")
async def test_a_request_beyond_a_bound_is_refused_and_none_makes_its_node_fail(
    stage: tuple[Store, RawClient], operation: Operation[Any, Any]
) -> None:
    store, raw = stage
    callee, caller = _node(operation.callee), _caller(operation)
    asked = {f"{callee}.{operation.name}.{n}": case for n, case in enumerate(_asked(operation))}
    replies = raw.topics.reply(caller, callee, operation.name)
    for first in range(0, len(asked), _AT_ONCE):
        for identifier, case in list(asked.items())[first : first + _AT_ONCE]:
            await raw.publish(
                raw.topics.request(caller, callee, operation.name),
                json.dumps({"id": identifier, "data": case.data}).encode(),
            )
        await store.ask(PING, callee, Empty())
    beyond = {name for name, case in asked.items() if not case.fits}
    answered: dict[str, Any] = {}
    while beyond - answered.keys():
        reply = await raw.expect(replies)
        answered[reply.document["correlationid"]] = reply.data
    for reply in raw.seen(replies):
        answered[reply.document["correlationid"]] = reply.data
    for name in asked.keys() & answered.keys():
        case, data = asked[name], answered[name]
        if case.fits:
            assert data.get("status") != 500, (case, data)
            continue
        assert data["code"] in ("invalid-field", "too-large"), (case, data)
    assert (await store.ask(PING, callee, Empty())).writer == "works"


@pytest.mark.asyncio(loop_scope="module")
async def test_no_state_with_a_field_at_or_beyond_a_bound_makes_a_node_fail(
    stage: tuple[Store, RawClient],
) -> None:
    store, raw = stage
    for state in STATES.values():
        (message,) = messages_of(state)
        owner = "tester-9" if state.owner == EVERY else _node(state.owner)
        for case in cases(message.name, state.data):
            if case.fits and state.owner == "warehouse":
                continue  # the store would go on with it, as it should
            await raw.publish(
                raw.topics.state(owner, state.name),
                json.dumps({"id": "m-1", "data": case.data}).encode(),
            )
    await store.ask(PING, "settlement", Empty())
    assert (await store.ask(ABOUT, "settlement", Empty())).counts["dropped.malformed-state"] > 1
    for node in NODES:
        about = await store.ask(ABOUT, node, Empty())
        assert about.writer == "works"
        assert "dropped.defect" not in about.counts


@pytest.mark.asyncio(loop_scope="module")
async def test_an_assignment_that_no_database_takes_is_refused_with_its_field(
    stage: tuple[Store, RawClient],
) -> None:
    _, raw = stage
    for operation, caller, callee in (
        ("pick", "warehouse", "sorter-1"),
        ("abort", "warehouse", "sorter-1"),
        ("packed", "sorter-1", "warehouse"),
        ("fault", "sorter-1", "warehouse"),
    ):
        data = {
            "job": "j-1", "assignment": 2**63, "order": "o-1", "parcel": "p-1", "reason": "jam",
            "picks": [{"sku": "MUG", "location": "A-01-1", "quantity": 1}],
            "lines": [{"sku": "MUG", "quantity": 1}], "pickup_point": "north",
        }  # fmt: skip
        identifier = f"huge.{operation}"
        await raw.publish(
            raw.topics.request(caller, callee, operation),
            json.dumps({"id": identifier, "data": data}).encode(),
        )
        reply = await raw.expect(
            raw.topics.reply(caller, callee, operation),
            lambda each, wanted=identifier: each.document["correlationid"] == wanted,  # type: ignore[misc]
        )
        assert (reply.data["status"], reply.data["field"]) == (422, "assignment")
        assert str(MAX_INTEGER) in reply.data["detail"]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_store_sells_after_all_of_that(stage: tuple[Store, RawClient]) -> None:
    store, _ = stage
    async with asyncio.timeout(PATIENCE):
        receipt = await store.buy({"SHIRT-BLUE": 1})
    assert receipt.state == "settled"


async def test_goods_and_money_beyond_what_can_be_said_are_refused_for_good(
    tmp_path: Path,
) -> None:
    """Else every later answer about them would fail, and be asked for again for ever."""
    async with running_store(MemoryBroker(), tmp_path) as store:
        goods = Receive(sku="MUG", location="A-01-1", quantity=1_000_000)
        _set(tmp_path, "catalog", "UPDATE style SET on_hand = 499500000 WHERE sku = 'MUG'")
        with pytest.raises(Refused) as refused:
            await store.ask(RECEIVE, "warehouse", goods)
        assert refused.value.data.code == "conflict"
        held = "UPDATE account SET balance = (1 << 52) - 10 WHERE id LIKE 'customer%'"
        _set(tmp_path, "settlement", held)
        more = Deposit(account="C-1001", name="Ann", amount=Money(amount=100, currency="EUR"))
        with pytest.raises(Refused) as refused:
            await store.ask(DEPOSIT, "settlement", more)
        assert refused.value.data.code == "conflict"
        await store.quiet()


def _set(data: Path, node: str, statement: str) -> None:
    with closing(sqlite3.connect(data / f"{node}.db")) as rows, rows:
        rows.execute(statement)
