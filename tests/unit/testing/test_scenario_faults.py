"""A link over which messages are lost, repeated, delayed and reordered, as the rules have it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bus.contract.topics import Topics
from bus.history.filter import parse_filter
from bus.link import Link, MemoryBroker, Outgoing, Subscription
from testing.scenario.fault_injection import FaultInjector, FaultRule, FaultyConnector

TOPICS = Topics("main")
PICK = parse_filter("op:pick")


@asynccontextmanager
async def _ends(faults: FaultInjector) -> AsyncIterator[tuple[Link, Link]]:
    """One that sends, and one that hears everything."""
    broker = MemoryBroker()
    async with (
        FaultyConnector(broker, faults).connect("sender") as sender,
        broker.connect("hearer") as hearer,
    ):
        await hearer.subscribe([Subscription(TOPICS.everything())])
        yield sender, hearer


def _faults() -> FaultInjector:
    return FaultInjector(TOPICS, "tester-0", lambda *_: None)


def _message(number: int, operation: str = "pick", sender: str = "warehouse") -> Outgoing:
    payload = json.dumps({"id": str(number), "data": {}}).encode()
    return Outgoing(TOPICS.request(sender, "sorter-1", operation), payload)


async def _received(hearer: Link, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        found += [json.loads(each.payload)["id"] for each in await hearer.receive()]
    return found


@pytest.mark.parametrize(
    ("rule", "arrives"),
    [
        (FaultRule("drop", PICK, 1), "9"),
        (FaultRule("drop", PICK, 1, 2), "349"),
        (FaultRule("duplicate", PICK, 1, 1, copies=3), "1112349"),
        (FaultRule("reorder", PICK, 1), "21439"),
        (FaultRule("reorder", PICK, 1, 1), "21349"),
        (FaultRule("reorder", PICK, 1, together=4), "43219"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
async def test_messages_that_pass_the_filter_meet_the_fault(rule: FaultRule, arrives: str) -> None:
    faults = _faults()
    faults.add(rule)
    async with _ends(faults) as (sender, hearer):
        for number in range(1, 5):
            sender.send(_message(number))
        sender.send(_message(9, "abort"))
        assert await _received(hearer, len(arrives)) == list(arrives)
    assert rule.met > 0


async def test_a_delayed_message_is_overtaken_and_comes() -> None:
    faults = _faults()
    faults.add(FaultRule("delay", PICK, 1, 1, seconds=0.02))
    async with _ends(faults) as (sender, hearer):
        sender.send(_message(1))
        sender.send(_message(2))
        assert faults.pending
        assert await _received(hearer, 2) == ["2", "1"]
        assert not faults.pending


async def test_what_is_held_comes_when_all_is_calm_and_then_nothing_is_lost() -> None:
    faults = _faults()
    faults.add(FaultRule("reorder", PICK, 1))
    faults.add(FaultRule("drop", parse_filter("op:abort"), 2))
    async with _ends(faults) as (sender, hearer):
        sender.send(_message(1))
        sender.send(_message(2, "abort"))
        faults.calm()
        sender.send(_message(3, "abort"))
        assert await _received(hearer, 2) == ["1", "3"]


async def test_what_the_runner_itself_says_always_arrives() -> None:
    faults = _faults()
    faults.add(FaultRule("drop", parse_filter(""), 1))
    async with _ends(faults) as (sender, hearer):
        sender.send(_message(1, sender="tester-0"))
        assert await _received(hearer, 1) == ["1"]


async def test_a_crash_strikes_when_the_message_is_out_and_nothing_follows() -> None:
    faults, broker = _faults(), MemoryBroker()
    end = FaultyConnector(broker, faults)
    rule = FaultRule("crash", PICK, 1, 1, on_crash=lambda: setattr(end, "dead", True))
    faults.add(rule)
    async with end.connect("sender") as sender, broker.connect("hearer") as hearer:
        await hearer.subscribe([Subscription(TOPICS.everything())])
        sender.send(_message(1))
        sender.send(_message(2))
        assert await _received(hearer, 1) == ["1"]
        waiting = asyncio.ensure_future(hearer.receive())
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()
